"""What can be said about backups and branches of your database: more of `gofastapi db`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gofastapi_ext.cli.database import BRANCH, db
from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import JSON

if TYPE_CHECKING:
    from gofastapi_ext.client.client import Client
    from gofastapi_ext.core.backups import BackupView, DataProgress

_YES = click.option("--yes", is_flag=True, help="Do not ask.")


@db.command()
@BRANCH
@click.option("--output", metavar="FILE", type=click.Path(), help="Write it to this file, too.")
@JSON
@told_in_words
def backup(branch: str | None, output: str | None, as_json: bool) -> None:
    """Back the database up, as it is at one moment. While it is read, writes wait; reads go on."""
    from gofastapi_ext.cli.service import open_client

    with open_client() as client:
        made = _shown(client.back_up(branch=branch), as_json).backup
        if output is not None and made is not None:
            _download(client, made, Path(output))


@db.command()
@click.option("--download", nargs=2, metavar="ID FILE", help="Write a backup to a file.")
@click.option("--delete", metavar="ID", help="Delete a backup for good.")
@_YES
@JSON
@told_in_words
def backups(download: tuple[str, str] | None, delete: str | None, yes: bool, as_json: bool) -> None:
    """List the backups, and what a restore can be undone to."""
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.backups_text import backups_as_text

    with open_client() as client:
        if delete is not None:
            _ask(f"Delete the backup {delete} for good?", yes)
            gone = client.delete_backup(delete)
            say_json(gone) if as_json else say(f"{gone.id} is deleted.")
        elif download is not None:
            found = client.backup(download[0])
            _download(client, found, Path(download[1]))
            if as_json:
                say_json(found)
        else:
            view = client.backups()
            say_json(view) if as_json else say(backups_as_text(view, paint))


@db.command()
@click.argument("source", required=False, metavar="[BACKUP]")
@click.option("--undo", is_flag=True, help="Bring back what the last restore or promotion replaced.")
@BRANCH
@_YES
@JSON
@told_in_words
def restore(source: str | None, undo: bool, branch: str | None, yes: bool, as_json: bool) -> None:
    """Put the content of a backup in the place of the data. BACKUP is its id, a file, or `latest`.

    It is loaded beside the data first, so if anything fails nothing is changed. Running apps move over without a
    failed request. What is replaced can come back for a day: --undo, with the name that was shown where it is not
    the last one.
    """
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.backups import found_backup
    from gofastapi_ext.core.errors import InvalidRequestError

    with open_client() as client:
        if undo:
            _shown(client.undo_restore(source), as_json)
            return
        if source is None:
            raise InvalidRequestError("Say which backup: its id, a file, or latest. gofastapi db backups lists them.")
        found = found_backup(client, source)
        name = client.database(branch=branch).name
        when = f"{found.created_at.astimezone():%Y-%m-%d %H:%M}"
        what = f"{name} by {found.documents:,} documents of {when}"
        if found.elsewhere:
            what += f", of {found.user} and from elsewhere"
        _ask(f"Replace what is in {what}?", yes)
        _shown(client.restore_backup(found.id, confirm=name, branch=branch), as_json)


@db.command()
@click.argument("name")
@click.option("--ttl", metavar="TIME", help="How long it lives: 90s, 30m, 24h, 7d. By default 24h.")
@click.option("--of", "backup_id", metavar="BACKUP", help="Copy this backup instead of the data as they are now.")
@click.option("--extend", metavar="TIME", help="Let a branch that is there live so long from now on.")
@click.option("--drop", is_flag=True, help="Drop a branch with all its data.")
@click.option("--force", is_flag=True, help="With --drop: stop the apps that run on it.")
@_YES
@JSON
@told_in_words
def branch(
    name: str,
    ttl: str | None,
    backup_id: str | None,
    extend: str | None,
    drop: bool,
    force: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Copy the database, to try things on. It goes by itself when its time is over.

    An app works on it once it is deployed with --db-branch NAME; the data themselves are never touched.
    """
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.backups_text import branches_as_text

    with open_client() as client:
        if drop:
            _ask(f"Drop the branch {name} with all its data?", yes)
            client.drop_branch(name, force=force)
            say_json({"dropped": name}) if as_json else say(f"The branch {name} is dropped.")
        elif extend is not None:
            view = client.extend_branch(name, extend)
            say_json(view) if as_json else say(branches_as_text([view]))
        else:
            _shown(client.create_branch(name, ttl=ttl, backup=_id_of(client, backup_id)), as_json)


@db.command()
@JSON
@told_in_words
def branches(as_json: bool) -> None:
    """List the branches of your database."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.backups_text import branches_as_text

    with open_client() as client:
        found = client.branches()
    say_json(found) if as_json else say(branches_as_text(found))


@db.command()
@click.argument("name")
@_YES
@JSON
@told_in_words
def promote(name: str, yes: bool, as_json: bool) -> None:
    """Make a branch the data themselves. What it replaces can come back for a day: gofastapi db restore --undo."""
    from gofastapi_ext.cli.service import open_client

    with open_client() as client:
        client.branch(name)
        _ask(f"Replace your data by those of the branch {name}?", yes)
        _shown(client.promote_branch(name), as_json)


def _shown(events: Iterator[DataProgress], as_json: bool) -> DataProgress:
    """Show how far it is; return the end. As JSON, a line for each event. Exits with 1 where an app did not move."""
    from gofastapi_ext.cli.output import say
    from gofastapi_ext.client.backups_text import done_words, is_progress, progress_words
    from gofastapi_ext.core.backups import DataStage

    is_watched = sys.stderr.isatty() and not as_json
    last: DataProgress | None = None
    all_moved = True
    for last in events:
        all_moved = all_moved and (last.app is None or last.app.moved)
        if as_json:
            say(last.model_dump_json(exclude_none=True))
        elif is_progress(last):
            if is_watched:
                click.echo(f"\r  {progress_words(last):<60}", nl=False, err=True)
        elif last.stage is not DataStage.DONE:
            if is_watched:
                click.echo(f"\r{'':<62}\r", nl=False, err=True)
            say(f"  {progress_words(last)}")
        else:
            say(done_words(last))
    if not all_moved:
        sys.exit(1)
    if last is None:
        raise RuntimeError("nothing was answered")
    return last


def _id_of(client: Client, source: str | None) -> str | None:
    from gofastapi_ext.client.backups import found_backup

    return None if source is None else found_backup(client, source).id


def _download(client: Client, found: BackupView, path: Path) -> None:
    """All of it, or no file; not to be read by others."""
    partial = path.with_name(f"{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            client.download_backup(found.id, file)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _ask(question: str, is_sure: bool) -> None:
    """Where nobody is there to answer, it is not meant."""
    from gofastapi_ext.core.errors import InvalidRequestError

    if is_sure:
        return
    if not sys.stdin.isatty():
        raise InvalidRequestError(f"Nobody is here to ask: {question} Add --yes if that is meant.")
    click.confirm(question, abort=True)
