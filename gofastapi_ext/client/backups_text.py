"""Backups and branches as text, in a shell and where a notebook shows nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gofastapi_ext.client.render import Paint, plain, printable
from gofastapi_ext.core.backups import (
    BackupsView,
    BackupView,
    BranchView,
    DataProgress,
    DataStage,
    PreviousView,
)
from gofastapi_ext.core.limits import format_bytes

BACKUP_HEADINGS = ("BACKUP", "MADE", "KIND", "DOCUMENTS", "FILE", "OF")
BRANCH_HEADINGS = ("BRANCH", "UNTIL", "DOCUMENTS", "SIZE", "APPS")
NO_BACKUPS = "There is no backup yet. Make one: gofastapi db backup"
NO_BRANCHES = "There is no branch. Make one: gofastapi db branch NAME"


def backups_as_text(view: BackupsView, paint: Paint = plain) -> str:
    """The backups, when the next ones come, and what can still come back."""
    rows = [backup_row(backup) for backup in view.backups]
    lines = [table(BACKUP_HEADINGS, rows) if rows else NO_BACKUPS, ""]
    lines.append(paint(nightly_words(view), "dim"))
    lines += [previous_words(each) for each in view.previous]
    return "\n".join(lines)


def backup_row(backup: BackupView) -> tuple[str, ...]:
    of = "your data" if backup.branch is None else f"branch {printable(backup.branch)}"
    if backup.elsewhere:
        of = f"{printable(backup.user)}, elsewhere"
    return (
        backup.id,
        local_time(backup.created_at),
        backup.kind.value,
        f"{backup.documents:,}",
        format_bytes(backup.file_bytes),
        of,
    )


def branches_as_text(branches: Sequence[BranchView]) -> str:
    if not branches:
        return NO_BRANCHES
    return table(BRANCH_HEADINGS, [branch_row(branch) for branch in branches])


def branch_row(branch: BranchView) -> tuple[str, ...]:
    until = local_time(branch.expires_at) if branch.expires_at else ""
    if branch.expired:
        until = f"over; an app still runs on it: {', '.join(branch.apps)}" if branch.apps else "over"
    size = format_bytes(branch.bytes)
    return printable(branch.name), until, f"{branch.documents:,}", size, ", ".join(branch.apps) or "-"


def nightly_words(view: BackupsView) -> str:
    if view.nightly_at is None:
        return "There are no nightly backups: GOFASTAPI_BACKUP_AT says never."
    return f"Each night at {view.nightly_at} one is made, and the last {view.nightly_kept} of those stay."


def previous_words(previous: PreviousView) -> str:
    """What can come back, and how."""
    of = "The data" if previous.branch is None else f"The branch {printable(previous.branch)}"
    return (
        f"{of} as they were before {local_time(previous.replaced_at)} can come back until "
        f"{local_time(previous.until)}: gofastapi db restore --undo {previous.name}"
    )


def progress_words(event: DataProgress) -> str:
    """A step that is over, or how far one is."""
    documents = "" if event.documents is None else f"{event.documents:,}"
    of = "" if event.of_documents in (None, event.documents) else f" of {event.of_documents:,}"
    match event.stage:
        case DataStage.CHECK:
            return "checked"
        case DataStage.COPY:
            return f"read {documents}{of} documents"
        case DataStage.LOAD:
            return f"loaded {documents}{of} documents"
        case DataStage.SWITCH:
            return "in force"
        case DataStage.APP if event.app is not None:
            name = printable(event.app.app)
            if event.app.moved:
                return f"{name} has moved over"
            return f"{name} goes on with what was before: {printable(event.app.reason or '')}"
        case _:
            return event.stage.value


def done_words(event: DataProgress) -> str:
    """The end of a job, in words."""
    lines = []
    if event.branch is not None:
        until = f", until {local_time(event.branch.expires_at)}" if event.branch.expires_at else ""
        lines.append(f"The branch {printable(event.branch.name)} is there{until}.")
        lines.append(f"Deploy on it: %%deploy APP --db-branch {event.branch.name}")
    elif event.previous is not None:
        lines.append("Your database has other content now.")
        lines.append(previous_words(event.previous))
    elif event.backup is not None:
        backup = event.backup
        lines.append(f"{backup.id}: {backup.documents:,} documents in {format_bytes(backup.file_bytes)}")
        lines += [printable(note) for note in backup.notes]
    else:
        lines.append("Done.")
    return "\n".join(lines)


def is_progress(event: DataProgress) -> bool:
    """Whether it only says how far a step is."""
    return event.collection is not None


def local_time(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [headings, *rows]
    )
