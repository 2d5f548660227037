"""Documents as text: what people type to mean them, and how a shell and a notebook show them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from typing import Any, Literal

from gofastapi_ext.client.render import Paint, plain, printable
from gofastapi_ext.client.text import format_seconds
from gofastapi_ext.core.documents.views import DocumentView, Explanation, Format, ImportEvent
from gofastapi_ext.core.errors import InvalidRequestError

MAX_COLUMNS = 8
_WIDEST_CELL = 40
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_KINDS = ("text", "2dsphere", "hashed")


def parse_object(text: str, what: str) -> dict[str, Any]:
    """A filter or a document as people type it: JSON, or the same as Python writes it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            value = ast.literal_eval(text)
            json.dumps(value)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            raise InvalidRequestError(f'The {what} is not JSON: {error}. Write it like {{"name": 1}}.') from None
    if not isinstance(value, dict):
        raise InvalidRequestError(f'The {what} is to be an object, as in {{"name": 1}}.')
    return value


def parse_sort(text: str) -> dict[str, int]:
    """`name,-age`: upwards by name, then downwards by age; or the object itself."""
    if text.lstrip().startswith("{"):
        return parse_object(text, "sort")
    fields = [field.strip() for field in text.split(",") if field.strip()]
    return {field.lstrip("-+"): -1 if field.startswith("-") else 1 for field in fields}


def parse_fields(text: str) -> dict[str, int]:
    """`name,age`: these alone; `-photo`: all but this; or the object itself."""
    if text.lstrip().startswith("{"):
        return parse_object(text, "projection")
    fields = [field.strip() for field in text.split(",") if field.strip()]
    return {field.lstrip("-"): 0 if field.startswith("-") else 1 for field in fields}


def parse_keys(text: str) -> dict[str, Literal[1, -1, "text", "2dsphere", "hashed"]]:
    """Of an index: `name,-age`, or `place:2dsphere`."""
    keys: dict[str, Any] = {}
    for field in (field.strip() for field in text.split(",") if field.strip()):
        name, colon, kind = field.rpartition(":")
        if colon and kind in _KINDS:
            keys[name] = kind
        else:
            keys |= parse_sort(field)
    return keys


def parse_id(text: str) -> str:
    """The `_id` that is meant, as the API takes it: an ObjectId, a value in JSON, or text as it stands."""
    if _OBJECT_ID.fullmatch(text):
        return json.dumps({"$oid": text.lower()})
    if text.startswith("~"):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps(text)
    return text


def format_of(path: str) -> Format:
    """By the end of a file's name; JSON lines where it says nothing."""
    return Format.CSV if path.lower().endswith(".csv") else Format.JSONL


def as_line(value: Any) -> str:
    """One line of JSON, which a terminal shows as it is."""
    return printable(json.dumps(value, ensure_ascii=False))


def short(value: Any) -> str:
    """A value in the cell of a table: types that people know look as they know them."""
    if isinstance(value, dict) and len(value) == 1:
        (kind, inner), *_ = value.items()
        if kind in ("$oid", "$date", "$numberLong", "$numberDecimal", "$numberDouble") and isinstance(inner, str):
            return printable(inner)
    text = printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).replace("\n", "⏎")
    return text if len(text) <= _WIDEST_CELL else text[: _WIDEST_CELL - 1] + "…"


def columns_of(views: Sequence[DocumentView]) -> list[str]:
    """The fields that a table shows: `_id`, then as the documents have them."""
    names = dict.fromkeys(name for view in views for name in view.document)
    ordered = sorted(names, key=lambda name: name != "_id")
    return ordered[:MAX_COLUMNS]


def documents_as_text(views: Sequence[DocumentView]) -> str:
    """A table with aligned columns."""
    columns = columns_of(views)
    rows = [[printable(name) for name in columns]]
    rows += [[short(view.document[name]) if name in view.document else "" for name in columns] for view in views]
    widths = [max(len(row[n]) for row in rows) for n in range(len(columns))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def explanation_as_text(explanation: Explanation, paint: Paint = plain) -> str:
    lines = [printable(explanation.summary)]
    if explanation.advice:
        lines.append(paint(printable(explanation.advice), "hint"))
    return "\n".join(lines)


def import_as_text(event: ImportEvent, collection: str, paint: Paint = plain) -> str:
    """How an import ended, and which lines were not stored."""
    lines = []
    if event.kind == "failed":
        lines.append(paint(printable(event.message or "It failed."), "error"))
    else:
        took = paint(f" in {format_seconds(event.seconds)}", "dim")
        lines.append(f"{event.stored:,} documents are stored in {printable(collection)}{took}.")
    if event.refused:
        lines.append(paint(f"{event.refused:,} lines were not stored:", "warning"))
        lines += [f"  line {problem.line:,}: {printable(problem.message)}" for problem in event.problems]
        if event.refused > len(event.problems):
            lines.append(f"  and {event.refused - len(event.problems):,} more")
    return "\n".join(lines)
