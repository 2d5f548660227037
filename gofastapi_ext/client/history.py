"""Versions and diffs, as the command line and the notebook ask for them and say them."""

from __future__ import annotations

from collections.abc import Iterator

from gofastapi_ext.client.arguments import version_before
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.render import Paint, plain, printable
from gofastapi_ext.core.drafts import CodeState
from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError
from gofastapi_ext.core.history import FileDiff, TreeDiff
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.core.models import VersionView

VERSION_HEADINGS = ("Version", "State", "Deployed", "By", "Size", "Code", "Message")


def ask_diff(client: Client, name: str, first: str | None, second: str | None) -> TreeDiff:
    """The diff that is meant: each side a version's number (`3` or `v3`), `live`, or, as the second, `draft`.

    Without sides: from what is live to the draft; where they are the same, from the version before to what is
    live. Without the second: to what is live, or from there to the draft.
    """
    live = client.app(name).version
    if first is None:
        if live is None:
            raise NotFoundError(f"No version of {name} is live, so there is nothing to compare its draft with.")
        if client.draft(name).code_state is CodeState.NOT_DEPLOYED:
            return client.diff(name, live, "draft")
        return client.diff(name, version_before(client.versions(name), name), str(live))
    if first == "draft":
        raise InvalidRequestError(f"The draft comes second: it is newer. For example: {name} live draft")
    if first == "live":
        if live is None:
            raise NotFoundError(f"No version of {name} is live.")
        number = live
    else:
        number = version_number(first)
    return client.diff(name, number, second or ("draft" if number == live else "live"))


def version_number(text: str) -> int:
    """Raises `InvalidRequestError` for what is no version's number."""
    number = text.removeprefix("v")
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 10):
        raise InvalidRequestError(f'A version is a number such as 3 or v3, not "{printable(text)}".')
    return int(number)


def versions_as_text(versions: list[VersionView]) -> str:
    """A table with aligned columns, newest first."""
    rows = [VERSION_HEADINGS, *(version_row(version) for version in versions)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(VERSION_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def version_row(version: VersionView) -> tuple[str, ...]:
    """The cells under `VERSION_HEADINGS`."""
    head, *_ = printable(version.message).split("\n")
    return (
        f"v{version.number}",
        version.state,
        f"{version.created_at.astimezone():%Y-%m-%d %H:%M}",
        printable(version.created_by),
        format_bytes(version.size_bytes),
        version.code_hash[:12],
        head,
    )


def render_diff(diff: TreeDiff, paint: Paint = plain, *, most: int | None = None) -> str:
    """A diff as text; of each file at most `most` lines."""
    return "\n".join(paint(text, role) if role else text for text, role in diff_lines(diff, most=most))


def diff_lines(diff: TreeDiff, *, most: int | None = None) -> Iterator[tuple[str, str]]:
    """The lines of a diff, each with its role (see `Paint`), or "" for none."""
    notes = [
        *diff.notes,
        *(f"Environment: + {name}" for name in diff.env_added),
        *(f"Environment: - {name}" for name in diff.env_removed),
    ]
    yield f"{diff.old} → {diff.new}", "dim"
    if not diff.files and not notes:
        yield f"{diff.old} and {diff.new} are the same.", ""
    yield from ((printable(note), "") for note in notes)
    for file in diff.files:
        yield "", ""
        yield file_headline(file), "place"
        # The first two lines name the file once more, for programs.
        lines = file.unified.split("\n")[2:-1]
        for line in lines[:most]:
            yield _visible(line), {"+": "good", "-": "error", "@": "hint", "\\": "dim"}.get(line[:1], "")
        if most is not None and len(lines) > most:
            yield f"… {len(lines) - most} more lines", "dim"


def file_headline(file: FileDiff) -> str:
    """`main.py  changed  +3 -1  (line endings: LF → CRLF)`"""
    counts = [f"+{file.added_lines}"] if file.added_lines else []
    counts += [f"-{file.removed_lines}"] if file.removed_lines else []
    note = f"({printable(file.note)})" if file.note else ""
    return "  ".join(part for part in (printable(file.path), str(file.change), " ".join(counts), note) if part)


def _visible(line: str) -> str:
    """What drives no terminal; a carriage return, which may be all that differs, can be seen."""
    return printable(line.replace("\r", "\N{SYMBOL FOR CARRIAGE RETURN}"))
