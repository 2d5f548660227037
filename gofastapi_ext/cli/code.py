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
    """Save the app in PATH as the draft; a new app is made where there is none of this name."""
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
