"""How apps are doing, in numbers."""

from __future__ import annotations

import click

from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import APP_OR_ALL, JSON


@click.command()
@APP_OR_ALL
@click.option("--window", metavar="DURATION", help="How far back: 1h, 30m; a day, or an hour where that is all.")
@JSON
@told_in_words
def metrics(name: str | None, window: str | None, as_json: bool) -> None:
    """Show requests, errors and latency of an app: in all, over time, and by route.

    Without NAME: all apps, of a day.
    """
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.metrics import TEXT_COLUMNS, ask_metrics, metrics_as_text, numbers_as_text

    if name is None:
        if window is not None:
            raise click.UsageError("--window needs the name of an app.")
        with open_client() as client:
            numbers = client.numbers()
        if as_json:
            say_json(numbers)
        else:
            say(numbers_as_text(numbers) if numbers else "No apps yet: gofastapi deploy FILE.py --name NAME")
        return
    with open_client() as client:
        view = ask_metrics(client, name, window, TEXT_COLUMNS, may_shorten=not as_json)
    say_json(view) if as_json else say(metrics_as_text(view, paint))
