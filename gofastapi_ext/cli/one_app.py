"""`gofastapi app` and `gofastapi sleep`: how one app is, how it is set, and to let it sleep now."""

from __future__ import annotations

import click

from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import APP, JSON
from gofastapi_ext.cli.output import say, say_json


@click.command()
@APP
@click.option("--sleep-after", metavar="TIME", help="How long without a request until it sleeps: 30m, never, default.")
@click.option("--workers", metavar="N", help="How many processes serve it side by side.")
@click.option("--record-bodies", metavar="on|off", help="Keep the bodies of requests that fail, to send them again.")
@click.option("--title", help="What people call it.")
@JSON
@told_in_words
def app(
    name: str,
    sleep_after: str | None,
    workers: str | None,
    record_bodies: str | None,
    title: str | None,
    as_json: bool,
) -> None:
    """Show how an app is and how it is set; with options, set it otherwise."""
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.one_app import app_as_text, parse_switch, parse_workers
    from gofastapi_ext.core.models import AppChange

    change = AppChange(
        title=title,
        sleep_after=sleep_after,
        workers=parse_workers(workers),
        record_bodies=parse_switch("--record-bodies", record_bodies),
    )
    with open_client() as client:
        found = client.app(name) if change == AppChange() else client.change(name, change)
    say_json(found) if as_json else say(app_as_text(found))


@click.command()
@APP
@JSON
@told_in_words
def sleep(name: str, as_json: bool) -> None:
    """Let an app that nobody is using sleep now. The next request wakes it."""
    from gofastapi_ext.cli.service import open_client

    with open_client() as client:
        found = client.sleep(name)
    say_json(found) if as_json else say(f"{name} sleeps. The next request wakes it.")
