"""What can be said about your database: `gofastapi db`."""

from __future__ import annotations

import sys

import click

from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import JSON

BRANCH = click.option("--branch", metavar="NAME", help="A branch of the database, instead of the data themselves.")


@click.group(invoke_without_command=True)
@BRANCH
@JSON
@click.pass_context
@told_in_words
def db(context: click.Context, branch: str | None, as_json: bool) -> None:
    """Your database: what is in it, and how full it is.

    Without a command: its collections with their sizes, as `gofastapi db stats`.
    """
    if context.invoked_subcommand is None:
        _show_stats(branch, as_json)


@db.command()
@BRANCH
@JSON
@told_in_words
def stats(branch: str | None, as_json: bool) -> None:
    """Show its collections: documents, sizes, indexes; and how much of what is allowed they take."""
    _show_stats(branch, as_json)


@db.command()
@BRANCH
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
@told_in_words
def uri(branch: str | None, yes: bool, as_json: bool) -> None:
    """Print its address with user and password, for mongosh or Compass. Who has it can read and change everything."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client

    with open_client() as client:
        name = client.database(branch=branch).name
        # A program that takes the output has asked for it; on a screen somebody may look over the shoulder.
        if not yes and sys.stdin.isatty() and sys.stdout.isatty():
            click.confirm(f"Show the password of {name} here?", abort=True, err=True)
        view = client.database_uri(confirm=name, branch=branch)
    say_json({"uri": view.uri}) if as_json else say(view.uri)


@db.command()
@BRANCH
@JSON
@told_in_words
def rotate(branch: str | None, as_json: bool) -> None:
    """Make new credentials and move running apps over, without a failed request. Those before end.

    Ends with status 1 where an app did not come up with the new ones; it goes on with those before.
    """
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.database_text import rotation_line

    failed = False
    with open_client() as client:
        for event in client.rotate_credentials(branch=branch):
            failed = failed or (event.app is not None and not event.app.moved)
            say_json(event) if as_json else say(rotation_line(event, paint))
    if failed:
        sys.exit(1)


def _show_stats(branch: str | None, as_json: bool) -> None:
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.database_text import database_as_text

    with open_client() as client:
        view = client.database(branch=branch)
    say_json(view) if as_json else say(database_as_text(view, paint))
