"""What %db_backup, %db_backups, %db_restore, %db_branch and %db_promote do."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from gofastapi_ext.client.backups import found_backup
from gofastapi_ext.client.backups_text import (
    backups_as_text,
    branches_as_text,
    done_words,
    is_progress,
    progress_words,
)
from gofastapi_ext.core.backups import DataProgress, DataStage
from gofastapi_ext.notebook import session
from gofastapi_ext.notebook.arguments import parse_words
from gofastapi_ext.notebook.commands import one_line
from gofastapi_ext.notebook.errors import CommandFailed
from gofastapi_ext.notebook.magic_words import as_magics
from gofastapi_ext.notebook.usage import usage


def back_up(line: str) -> None:
    """`%db_backup`"""
    with one_line():
        _, options = parse_words("db_backup", line, most=0)
        _show(session.client().back_up(branch=options.get("--branch")))


def list_backups(line: str) -> None:
    """`%db_backups`"""
    with one_line():
        parse_words("db_backups", line, most=0)
        _say(backups_as_text(session.client().backups()))


def restore(line: str) -> None:
    """`%db_restore`"""
    with one_line():
        words, options = parse_words("db_restore", line, most=1)
        client = session.client()
        if "--undo" in options:
            _show(client.undo_restore(words[0] if words else None))
            return
        if not words:
            raise usage("db_restore")
        branch = options.get("--branch")
        name = client.database(branch=branch).name
        if "--yes" not in options:
            raise CommandFailed(f"This replaces what is in {name}. If that is meant: %db_restore {line.strip()} --yes")
        backup = found_backup(client, words[0])
        _show(client.restore_backup(backup.id, confirm=name, branch=branch))


def branch(line: str) -> None:
    """`%db_branch`"""
    with one_line():
        words, options = parse_words("db_branch", line, most=1)
        client = session.client()
        if not words:
            if options:
                raise usage("db_branch")
            _say(branches_as_text(client.branches()))
        elif "--drop" in options:
            client.drop_branch(words[0], force="--force" in options)
            _say(f"The branch {words[0]} is dropped.")
        elif "--extend" in options:
            _say(branches_as_text([client.extend_branch(words[0], options["--extend"])]))
        else:
            backup = found_backup(client, options["--of"]).id if "--of" in options else None
            _show(client.create_branch(words[0], ttl=options.get("--ttl"), backup=backup))


def promote(line: str) -> None:
    """`%db_promote`"""
    with one_line():
        words, options = parse_words("db_promote", line, most=1)
        if not words:
            raise usage("db_promote")
        client = session.client()
        client.branch(words[0])
        if "--yes" not in options:
            raise CommandFailed(
                f"This replaces your data by those of the branch {words[0]}. If that is meant: "
                f"%db_promote {words[0]} --yes"
            )
        _show(client.promote_branch(words[0]))


def _show(events: Iterator[DataProgress]) -> None:
    for event in events:
        if not is_progress(event):
            _say(done_words(event) if event.stage is DataStage.DONE else f"  {progress_words(event)}")


def _say(text: str) -> None:
    sys.stdout.write(as_magics(text) + "\n")
