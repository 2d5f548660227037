"""What can be said about the errors of apps: show them, forget them, send their requests again."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import APP, JSON


@click.command()
@APP
@click.argument("error_id", required=False, metavar="[ERROR_ID]")
@click.option("--all", "show_all", is_flag=True, help="All that are kept, not only the latest ten.")
@click.option("--clear", is_flag=True, help="Forget them.")
@JSON
@told_in_words
def errors(name: str, error_id: str | None, show_all: bool, clear: bool, as_json: bool) -> None:
    """Show what goes wrong in an app, the same errors as one, the latest first.

    With ERROR_ID: that one in full, with its traceback and its latest request.
    """
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.app_errors import SHOWN, error_as_text, errors_as_text
    from gofastapi_ext.core.errors import NotFoundError
    from gofastapi_ext.core.replay import can_be_sent

    with open_client() as client:
        if clear:
            client.clear_errors(name)
            say_json({"cleared": name}) if as_json else say(f"The errors of {name} are forgotten.")
            return
        found = client.errors(name)
    now = datetime.now(UTC)
    if error_id is not None:
        error = next((error for error in found if error.id == error_id), None)
        if error is None:
            raise NotFoundError(f'{name} has no error "{error_id}". To see those it has: gofastapi errors {name}')
        if as_json:
            say_json(error)
        else:
            say(error_as_text(error, now, paint))
            if can_be_sent(error.method):
                say(f"\nTo send its request again: gofastapi replay {error.id}")
        return
    if as_json:
        say_json(found)
        return
    if not found:
        say(f"No errors of {name} are known.")
        return
    shown = found if show_all else found[:SHOWN]
    say(errors_as_text(shown, now, paint))
    more = f"{len(found) - len(shown)} more: gofastapi errors {name} --all. " if len(shown) < len(found) else ""
    say(f"\n{more}One in full: gofastapi errors {name} {found[0].id}")


@click.command()
@click.argument("error_id")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header to send, too. Repeatable.")
@click.option("--body", type=click.Path(allow_dash=True), help="A file to send as the body; - is the standard input.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever the request may change.")
@JSON
@told_in_words
def replay(error_id: str, headers: tuple[str, ...], body: str | None, yes: bool, as_json: bool) -> None:
    """Send the request of an error to what is running now, and show both answers."""
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.app_errors import check_may_replay, replay_as_text, replay_request
    from gofastapi_ext.client.render import printable
    from gofastapi_ext.core.replay import SAFE_METHODS, can_be_sent

    request = replay_request(headers, body)
    with open_client() as client:
        error = client.error(error_id)
        if not yes and can_be_sent(error.method) and error.method not in SAFE_METHODS:
            if as_json or not sys.stdin.isatty():
                check_may_replay(error)
            what = printable(f"{error.method} {error.request.path}")
            if not click.confirm(f"{what} may change something in {error.app}. Send it again?"):
                say("Nothing was sent.")
                sys.exit(1)
        view = client.replay(error_id, request)
    say_json(view) if as_json else say(replay_as_text(view, paint))
