"""What can be said about an app's code: its versions, how they differ, its draft."""

from __future__ import annotations

import click

from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import APP, JSON


@click.command()
@APP
@JSON
@told_in_words
def versions(name: str, as_json: bool) -> None:
    """List an app's versions, newest first."""
    from gofastapi_ext.cli.history import list_versions

    list_versions(name, as_json=as_json)


@click.command()
@APP
@click.argument("old", required=False)
@click.argument("new", required=False)
@JSON
@told_in_words
def diff(name: str, old: str | None, new: str | None, as_json: bool) -> None:
    """Show what changed from OLD to NEW: versions' numbers, live, or, as NEW, draft.

    Without them: from what is live to the draft; where there is none, from the version before to what is live.
    """
    from gofastapi_ext.cli.history import show_diff

    show_diff(name, old, new, as_json=as_json)


@click.group()
def draft() -> None:
    """An app's draft: the latest code, saved without deploying it."""


@draft.command()
@APP
@JSON
@told_in_words
def show(name: str, as_json: bool) -> None:
    """Show what is in a draft, and when it was saved."""
    from gofastapi_ext.cli import drafts

    drafts.show(name, as_json=as_json)


@draft.command()
@APP
@click.argument("path", type=click.Path())
@click.option("--force", is_flag=True, help="Overwrite the draft that is there.")
@JSON
@told_in_words
def save(name: str, path: str, force: bool, as_json: bool) -> None:
    """Save the app in PATH, a file or a folder, as the draft. A new app is made where there is none of this name."""
    from gofastapi_ext.cli import drafts

    drafts.save(name, path, force=force, as_json=as_json)


@draft.command()
@APP
@JSON
@told_in_words
def discard(name: str, as_json: bool) -> None:
    """Forget the draft. What is live stays as it is."""
    from gofastapi_ext.cli import drafts

    drafts.discard(name, as_json=as_json)


@draft.command()
@APP
@click.option("--message", default="", help="What changed, for the list of versions.")
@JSON
@told_in_words
def deploy(name: str, message: str, as_json: bool) -> None:
    """Bring the draft live."""
    from gofastapi_ext.cli import drafts

    drafts.deploy(name, message, as_json=as_json)


@click.command(short_help="Split a single-file app into routers, models and schemas.")
@APP
@click.argument("target", required=False, type=click.Path())
@click.option("--yes", is_flag=True, help="Do not ask whether to keep it.")
@JSON
@told_in_words
def convert(name: str, target: str | None, yes: bool, as_json: bool) -> None:
    """Split a single-file app into main.py, routers, models and schemas. It stays the same app.

    `gofastapi convert NAME` saves the files as the app's draft and deploys nothing. `gofastapi convert FILE FOLDER`
    writes those of the app in FILE into a new or empty folder. What cannot be moved safely stays in the main file,
    and you are told why.
    """
    from gofastapi_ext.cli import convert as conversions

    if target is None:
        conversions.convert_app(name, yes=yes, as_json=as_json)
    else:
        conversions.convert_file(name, target, as_json=as_json)


@click.command()
@APP
@click.argument("target", type=click.Path())
@click.option("--version", metavar="N", help="A version's number, draft or live. Without it: live.")
@JSON
@told_in_words
def export(name: str, target: str, version: str | None, as_json: bool) -> None:
    """Write an app as a project that runs without GoFastAPI.

    TARGET is a new or empty folder, or a new file that ends in .zip. With the code come pinned requirements, a
    Dockerfile, a compose file with MongoDB and a README.
    """
    from gofastapi_ext.cli import projects

    projects.export(name, target, version, as_json=as_json)


@click.command("import")
@click.argument("path", type=click.Path())
@click.option("--name", help="What the app is to be called; by default as it was, or as the folder or zip.")
@click.option("--deploy", is_flag=True, help="Bring it live at once.")
@click.option("--force", is_flag=True, help="Overwrite the draft that is there.")
@JSON
@told_in_words
def import_(path: str, name: str | None, deploy: bool, force: bool, as_json: bool) -> None:
    """Make a draft of the project in PATH, a folder or a zip, exported or anybody's."""
    from gofastapi_ext.cli import projects

    projects.import_(path, name, deploy=deploy, force=force, as_json=as_json)
