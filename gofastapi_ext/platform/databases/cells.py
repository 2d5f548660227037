"""Documents as rows of CSV, and back.

A cell is read by one rule: an empty cell is no field; what is JSON, or Extended JSON, is that value; anything else is
text as it stands. Writing keeps to it: text that would be read as something else, or that a spreadsheet would take for
a formula, is written as a JSON string, with quotes. So every type comes back; the order of fields does not.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NoReturn

from bson import Binary, Decimal128, Int64, ObjectId

from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.platform.databases import ejson

Document = dict[str, Any]
Path = tuple[str, ...]

MAX_COLUMNS = 1_000
# Of a file that comes in. No spreadsheet has more, MongoDB takes no deeper documents, and every path of them is held.
_MAX_COLUMNS_READ = 20_000
_MAX_HEADING = 20_000
_MAX_DEPTH = 100
# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_JSON_STARTS = frozenset('{["-0123456789tfn')
_BLANKS = " \t\r\n"


def flatten(document: Document, start: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The fields that have a column each. Objects are taken apart; arrays, and empty objects, are one value."""
    for name, value in document.items():
        if type(value) is dict and value:
            yield from flatten(value, (*start, name))
        else:
            yield (*start, name), value


def add_columns(columns: dict[Path, None], document: Document) -> None:
    """Note the columns of a document. Raises `InvalidRequestError` where there are too many."""
    for path, _ in flatten(document):
        columns.setdefault(path)
    if len(columns) > MAX_COLUMNS:
        raise InvalidRequestError(
            f"The documents have more than {MAX_COLUMNS:,} different fields, too many for columns. Choose some with a "
            "projection, or export them as JSON lines."
        )


def header_row(columns: Iterable[Path], *, plain: bool) -> str:
    return _row(_shown(".".join(path)) if plain else _heading(path) for path in columns)


def document_row(document: Document, columns: dict[Path, None], *, plain: bool) -> str:
    """Raises `InvalidRequestError` where the document has a field that has no column."""
    values = dict(flatten(document))
    if not values.keys() <= columns.keys():
        raise InvalidRequestError("A document got a field, while the export was under way, that has no column in it.")
    write = plain_cell if plain else exact_cell
    return _row(write(values[path]) if path in values else "" for path in columns)


def read_header(row: list[str]) -> list[Path]:
    """Raises `InvalidRequestError` where a column has no name, or one has it already, and where there is too much."""
    if len(row) > _MAX_COLUMNS_READ:
        raise InvalidRequestError(f"It has {len(row):,} columns; {_MAX_COLUMNS_READ:,} are allowed.")
    paths = [_read_heading(cell) for cell in row]
    if len(set(paths)) < len(paths):
        raise InvalidRequestError("Two columns have the same name.")
    return paths


def read_document(row: list[str], columns: list[Path]) -> Document:
    """The document of a row. Raises `InvalidRequestError`."""
    if len(row) > len(columns):
        raise InvalidRequestError(f"It has {len(row)} cells, and there are {len(columns)} columns.")
    document: Document = {}
    for path, cell in zip(columns, row, strict=False):
        if cell == "":
            continue
        inside = document
        for name in path[:-1]:
            inside = inside.setdefault(name, {})
            if type(inside) is not dict:
                raise InvalidRequestError(f'"{".".join(path)}" is in a field that has a value itself.')
        if path[-1] in inside:
            raise InvalidRequestError(f'"{".".join(path)}" has a value, and fields in it, too.')
        inside[path[-1]] = read_cell(cell)
    return document


def exact_cell(value: Any) -> str:
    """The cell from which `read_cell` makes the same value, of the same type."""
    kind = type(value)
    if kind is str:
        is_itself = value and not value.startswith(_FORMULA_STARTS) and _is_text(value)
        return value if is_itself else json.dumps(value, ensure_ascii=False)
    if value is None or kind is bool or (kind is float and math.isfinite(value)):
        return json.dumps(value)
    if kind is int or (kind is Int64 and not -(2**31) <= value < 2**31):
        return str(int(value))
    return ejson.to_text({"": value})[4:-1]


def plain_cell(value: Any) -> str:
    """The cell as people read it: types are lost, and a blunt apostrophe keeps text from being a formula."""
    if isinstance(value, str):
        return _shown(value)
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, ObjectId | Decimal128 | int | float) and not isinstance(value, bool):
        return str(value)
    text = json.dumps(ejson.to_json(value, relaxed=True), ensure_ascii=False)
    if isinstance(value, Binary | bytes):
        text = str(json.loads(text)["$binary"]["base64"])
    return _shown(text)


def read_cell(text: str) -> Any:
    """The value of a cell that is not empty. Raises `InvalidRequestError` for what is JSON, and no Extended JSON."""
    if text.lstrip(_BLANKS)[:1] not in _JSON_STARTS:
        return text
    try:
        value = json.loads(text, parse_constant=_not_json)
    except RecursionError:
        raise InvalidRequestError("A cell is nested too deeply.") from None
    except ValueError:
        return text
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return text
    if isinstance(value, float) and math.isinf(value):
        return text
    return ejson.from_json(value) if isinstance(value, dict | list) else value


def _is_text(text: str) -> bool:
    if text.lstrip(_BLANKS)[:1] not in _JSON_STARTS:
        return True
    try:
        return isinstance(read_cell(text), str) and not text.lstrip(_BLANKS).startswith('"')
    except InvalidRequestError:
        return False


def _heading(path: Path) -> str:
    """The dotted path, or a JSON list of its parts where that would be read otherwise."""
    dotted = ".".join(path)
    is_plain = all(path) and tuple(dotted.split(".")) == path and not dotted.startswith(("[", *_FORMULA_STARTS))
    return dotted if is_plain else json.dumps(list(path), ensure_ascii=False)


def _read_heading(cell: str) -> Path:
    if len(cell) > _MAX_HEADING:
        raise InvalidRequestError(f'The name of the column "{cell[:60]}…" is too long.')
    parts = _parts_of(cell)
    if len(parts) > _MAX_DEPTH:
        raise InvalidRequestError(
            f'The column "{cell[:60]}…" is nested deeper than the {_MAX_DEPTH} levels of MongoDB.'
        )
    return parts


def _parts_of(cell: str) -> Path:
    if cell.startswith("["):
        try:
            parts = json.loads(cell)
        except (ValueError, RecursionError):
            parts = None
        if isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts):
            # An empty name is one that a document may have, and only this form can say.
            return tuple(parts)
    parts = tuple(cell.split("."))
    if not all(parts):
        raise InvalidRequestError("A column has no name, or one with an empty part. The first line names the columns.")
    return parts


def _shown(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _row(cells: Iterable[str]) -> str:
    line = io.StringIO()
    # With both characters in what ends a line, each of them is quoted within a cell.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _not_json(name: str) -> NoReturn:
    raise ValueError(name)
