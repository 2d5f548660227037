"""Markers on top of a notebook's cells, `#| deploy: NAME` and `#| file: PATH`: read from the text alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from gofastapi_ext.core.errors import InvalidNameError
from gofastapi_ext.core.naming import check_app_id

DEFAULT_FILE = "main.py"
_KEYS = ("deploy", "file")
_MARKER = re.compile(r"#\|\s*([A-Za-z][\w-]*)\s*:(.*)")
_ALMOST = re.compile(r"#\s*\|\s*([A-Za-z][\w-]*)\b\W*(.*)")
_CELL_MAGIC = re.compile(r"%%\w+")


@dataclass(frozen=True)
class Marks:
    """What the top of a cell says. `warnings` begin with the line they are about."""

    app: str | None = None
    path: str = DEFAULT_FILE
    text: str = ""
    """The cell below its markers."""
    lines_above: int = 0
    """How many lines of the cell stand above `text`."""
    warnings: tuple[str, ...] = ()


def read_marks(source: str) -> Marks:
    """The markers of one cell: comments on top of it, blank lines and other comments between them."""
    lines = source.split("\n")
    top = _height_of_top(lines)
    found: dict[str, str] = {}
    strange: list[str] = []
    warnings: list[str] = []
    last = 0
    for number, line in enumerate(lines[:top], start=1):
        marker = _MARKER.fullmatch(line.rstrip())
        key, value = (marker[1], _unquoted(marker[2])) if marker else ("", "")
        if key in found:
            warnings.append(f"line {number}: a cell has one `#| {key}:`; the first one counts.")
        elif key in _KEYS:
            found[key] = value
            last = number
        elif almost := _ALMOST.match(line):
            near = get_close_matches(almost[1].lower(), _KEYS, n=1, cutoff=0.7)
            if near:
                warnings.append(f"line {number}: `{line.strip()}` is no marker; write `#| {near[0]}: {almost[2]}`.")
            elif marker:
                strange.append(f"line {number}: `#| {key}` means nothing here; there are `#| deploy` and `#| file`.")
    warnings += _misplaced(lines, top)
    app, problem = _app_of(found)
    if problem:
        warnings.append(problem)
    if app is None:
        return Marks(warnings=tuple(warnings))
    path = found.get("file") or DEFAULT_FILE
    return Marks(app, path, "\n".join(lines[last:]), last, (*warnings, *strange))


def close_names(name: str, others: set[str]) -> list[str]:
    """Those of `others` that may be `name` misspelt."""
    return get_close_matches(name, sorted(others - {name}), n=3, cutoff=0.8)


def _height_of_top(lines: list[str]) -> int:
    """How many lines come before the first one of code."""
    return next((n for n, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))


def _misplaced(lines: list[str], top: int) -> list[str]:
    below = [
        number
        for number, line in enumerate(lines[top:], start=top + 1)
        if (marker := _MARKER.fullmatch(line.rstrip())) and marker[1] in _KEYS
    ]
    if not below:
        return []
    magic = _CELL_MAGIC.match(lines[top])
    if magic:
        return [f"line {below[0]}: cells that begin with {magic[0]} are not collected; take that line out."]
    return [f"line {below[0]}: a marker counts on top of a cell only; move it above the code."]


def _app_of(found: dict[str, str]) -> tuple[str | None, str | None]:
    """The app's name, or why there is none."""
    if "deploy" not in found:
        return None, "`#| file` needs the app's name with it: `#| deploy: NAME`." if found else None
    if not found["deploy"]:
        return None, "`#| deploy:` names no app; write `#| deploy: NAME`."
    try:
        return check_app_id(found["deploy"]), None
    except InvalidNameError as error:
        return None, error.message


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1].strip() if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
