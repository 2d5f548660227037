"""What can be said about alerts: who is told when an app needs its owner."""

from __future__ import annotations

import sys

import click

from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import JSON


@click.group(invoke_without_command=True)
@JSON
@click.pass_context
@told_in_words
def alerts(context: click.Context, as_json: bool) -> None:
    """A webhook that is told when an app turned red, crashes in a loop, did not deploy, or is about to be removed,
    and when your database is over its limit.

    Without a command: where alerts go, and how the latest deliveries went.
    """
    if context.invoked_subcommand is not None:
        return
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.alerts import alerts_as_text

    with open_client() as client:
        view = client.alerts()
    say_json(view) if as_json else say(alerts_as_text(view, paint))


@alerts.command("set")
@click.argument("url")
@JSON
@told_in_words
def set_(url: str, as_json: bool) -> None:
    """Have this webhook told from now on. Shows the secret that its messages are signed with, this once."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.alerts import new_webhook_as_text

    with open_client() as client:
        view = client.set_alerts(url)
    say_json(view) if as_json else say(new_webhook_as_text(view))


@alerts.command()
@JSON
@told_in_words
def test(as_json: bool) -> None:
    """Send a message now. Ends with status 1 where the webhook does not take it."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.render import printable

    with open_client() as client:
        delivery = client.test_alerts().deliveries[0]
    if as_json:
        say_json(delivery)
    elif delivery.delivered:
        say("Your webhook took the message.")
    else:
        say(f"Your webhook did not take the message: {printable(delivery.problem or '')}.")
    if not delivery.delivered:
        sys.exit(1)


@alerts.command()
@JSON
@told_in_words
def off(as_json: bool) -> None:
    """Tell nobody any more."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client

    with open_client() as client:
        view = client.remove_alerts()
    say_json(view) if as_json else say("Nobody is told any more.")
