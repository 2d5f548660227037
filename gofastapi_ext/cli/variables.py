"""What can be said about an app's variables and secrets, and about the key they are encrypted with."""

from __future__ import annotations

import click

from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import APP, JSON

_SECRET = click.option("--secret", "secrets", multiple=True, metavar="NAME", help="A secret to ask for. Repeatable.")


class _ListsByDefault(click.Group):
    """`env NAME` is `env list NAME`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["list", *args]
        return super().parse_args(context, args)


@click.group(cls=_ListsByDefault, subcommand_metavar="NAME | COMMAND NAME ...")
def env() -> None:
    """An app's variables and secrets: `gofastapi env NAME` lists them.

    A running app is restarted with each change, without a pause. Where it does not come up, nothing is changed.
    """


@env.command("list")
@APP
@JSON
@told_in_words
def list_(name: str, as_json: bool) -> None:
    """List an app's variables. The value of a secret is never told."""
    from gofastapi_ext.cli import env as doing

    doing.list_variables(name, as_json=as_json)


@env.command("set")
@APP
@click.argument("pairs", nargs=-1, metavar="[NAME=VALUE]...")
@_SECRET
@JSON
@told_in_words
def set_(name: str, pairs: tuple[str, ...], secrets: tuple[str, ...], as_json: bool) -> None:
    """Set variables and secrets of an app.

    You are asked for the value of each secret. Where nobody is there to be asked, it is read from standard input:
    all of it for one secret, a line each for several.
    """
    from gofastapi_ext.cli import env as doing

    doing.set_variables(name, pairs, secrets, as_json=as_json)


@env.command()
@APP
@click.argument("variables", nargs=-1, required=True, metavar="VARIABLE...")
@JSON
@told_in_words
def unset(name: str, variables: tuple[str, ...], as_json: bool) -> None:
    """Take variables and secrets away."""
    from gofastapi_ext.cli import env as doing

    doing.unset_variables(name, variables, as_json=as_json)


@env.command("import")
@APP
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--secret", "secrets", multiple=True, metavar="NAME", help="One of them is a secret. Repeatable.")
@click.option("--all-secret", is_flag=True, help="All of them are secrets.")
@JSON
@told_in_words
def import_(name: str, file: str, secrets: tuple[str, ...], all_secret: bool, as_json: bool) -> None:
    """Set what stands in FILE, a .env file, as one change; - is standard input."""
    from gofastapi_ext.cli import env as doing

    doing.import_variables(name, file, secrets, all_secret=all_secret, as_json=as_json)


@env.command()
@APP
@click.argument("file", required=False, type=click.Path())
@JSON
@told_in_words
def export(name: str, file: str | None, as_json: bool) -> None:
    """Write the variables as a .env file, to FILE or standard output. Secrets stand in it by name only."""
    from gofastapi_ext.cli import env as doing

    doing.export_variables(name, file, as_json=as_json)


@click.group()
def keys() -> None:
    """The key that secrets are encrypted with."""


@keys.command()
@JSON
@told_in_words
def rotate(as_json: bool) -> None:
    """Encrypt every secret with a new key, and forget the old one. Apps go on meanwhile."""
    from gofastapi_ext.cli import env as doing

    doing.rotate_key(as_json=as_json)
