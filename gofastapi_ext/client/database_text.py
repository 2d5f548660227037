"""A database as text, in a shell and where a notebook shows nothing else."""

from __future__ import annotations

from gofastapi_ext.client.render import Paint, plain, printable
from gofastapi_ext.core.data import CollectionKind, CollectionView, DatabaseView, IndexView, RotationEvent
from gofastapi_ext.core.durations import format_duration
from gofastapi_ext.core.limits import format_bytes

COLLECTION_HEADINGS = ("COLLECTION", "DOCUMENTS", "SIZE", "AVERAGE", "INDEXES")
NOTHING_YET = "Nothing is stored in it yet. Apps find its address in PLATFORM_MONGO_URI."
_NEARLY_FULL = 0.8


def database_as_text(view: DatabaseView, paint: Paint = plain) -> str:
    """How full it is, then its collections as a table."""
    name = printable(view.name) if view.branch is None else f"{printable(view.name)}, branch {printable(view.branch)}"
    lines = [f"{name}: {fullness(view)}"]
    if notice := notice_of(view):
        lines.append(paint(notice, "error" if view.over_limit else "warning"))
    if not view.collections:
        return "\n".join([*lines, "", NOTHING_YET])
    rows = [COLLECTION_HEADINGS, *map(collection_row, view.collections)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLLECTION_HEADINGS))]
    lines.append("")
    for name, *numbers in rows:
        cells = [name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True))]
        lines.append("  ".join(cells))
    return "\n".join(lines)


def collection_row(collection: CollectionView) -> tuple[str, str, str, str, str]:
    """Name, documents, size, average size of a document, indexes with what they take together."""
    name = printable(collection.name)
    if collection.kind is CollectionKind.VIEW:
        return f"{name} (view)", "", "", "", ""
    average = "" if collection.average_bytes is None else format_bytes(round(collection.average_bytes))
    size = format_bytes(sum(index.bytes for index in collection.indexes))
    indexes = f"{len(collection.indexes)}, {size}" if collection.indexes else "0"
    return name, f"{collection.documents:,}", format_bytes(collection.bytes), average, indexes


def index_as_text(index: IndexView) -> str:
    """`email_1 (email 1, unique)`"""
    facts = [f"{printable(field)} {direction}" for field, direction in index.keys]
    facts += ["unique"] if index.unique else []
    facts += [f"documents go after {format_duration(index.ttl_seconds)}"] if index.ttl_seconds is not None else []
    return f"{printable(index.name)} ({', '.join(facts)})"


def fullness(view: DatabaseView) -> str:
    """`1.2 MB of 100.0 MB, 12 documents`"""
    documents = "1 document" if view.documents == 1 else f"{view.documents:,} documents"
    return f"{format_bytes(view.bytes)} of {format_bytes(view.limit_bytes)}, {documents}"


def notice_of(view: DatabaseView) -> str:
    """What its owner has to know, and to do; empty where all is well."""
    if view.over_limit:
        most = max(view.collections, key=_whole_bytes, default=None)
        where = f" Most of it is {printable(most.name)}, with {format_bytes(_whole_bytes(most))}." if most else ""
        return (
            "It is over its limit and takes no more writes. Reading and deleting go on; once it holds less than "
            f"{format_bytes(view.writable_below_bytes)}, writes are taken again within a minute.{where}"
        )
    if view.bytes >= _NEARLY_FULL * view.limit_bytes:
        return f"It is {100 * view.bytes / view.limit_bytes:.0f} % full. At 100 % it takes no more writes."
    return ""


def rotation_line(event: RotationEvent, paint: Paint = plain) -> str:
    """An app that is done, or the end of it."""
    if event.app is not None:
        name = printable(event.app.app)
        if event.app.moved:
            return f"{paint('✓', 'good')} {name} uses the new credentials"
        return f"{paint('✗', 'error')} {name} goes on with those before: {printable(event.app.reason or '')}"
    if event.still_used:
        return "The credentials are new. Those before end as soon as nothing uses them any more."
    return "The credentials are new, and those before have ended."


def _whole_bytes(collection: CollectionView) -> int:
    return collection.bytes + sum(index.bytes for index in collection.indexes)
