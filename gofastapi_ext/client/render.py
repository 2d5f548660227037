"""Diagnostics as text people read: where, what, the line with a caret, and what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from gofastapi_ext.core.diagnostics import Diagnostic

Paint = Callable[[str, str], str]
"""Gives a text the look of a role: `error`, `warning`, `place`, `caret` or `hint`."""

_WIDEST_LINE = 120


def plain(text: str, role: str) -> str:
    """No colours."""
    return text


def render_diagnostics(diagnostics: list[Diagnostic], paint: Paint = plain) -> str:
    """Several, with an empty line between them."""
    return "\n\n".join(render_diagnostic(d, paint) for d in diagnostics)


def render_diagnostic(diagnostic: Diagnostic, paint: Paint = plain) -> str:
    """One diagnostic, without a newline at its end. Lines and columns are shown counted from 1."""
    severity = paint(str(diagnostic.severity), str(diagnostic.severity))
    head, *rest = printable(diagnostic.message).split("\n")
    place, cell = place_of(diagnostic), _cell_of(diagnostic)
    first = "  ".join(part for part in (severity, place and paint(place, "place"), head) if part)
    lines = ["  " + first + (f"  ({cell})" if cell else "")]
    lines += ["      " + line for line in rest]
    lines += excerpt(diagnostic, paint)
    if diagnostic.traceback:
        lines += ["      " + line for line in printable(diagnostic.traceback).rstrip("\n").split("\n")]
    if diagnostic.hint:
        head, *rest = printable(diagnostic.hint).split("\n")
        lines += [f"      {paint('hint:', 'hint')} {head}", *("            " + line for line in rest)]
    return "\n".join(lines)


def place_of(diagnostic: Diagnostic) -> str:
    """`main.py:3:8`, as far as it is known."""
    parts = [printable(diagnostic.file)] if diagnostic.file else []
    if parts and diagnostic.line is not None:
        parts.append(str(diagnostic.line))
        if diagnostic.column is not None:
            parts.append(str(diagnostic.column + 1))
    return ":".join(parts)


def printable(text: str) -> str:
    """`text` without what would drive a terminal: control characters other than newline and tab."""
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Cf") else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )


def _cell_of(diagnostic: Diagnostic) -> str:
    if diagnostic.cell is None:
        return ""
    line = f", line {diagnostic.cell.line}" if diagnostic.cell.line is not None else ""
    label = printable(diagnostic.cell.label)
    return f"{label if label.startswith('cell ') else f'cell {label}'}{line}"


def excerpt(diagnostic: Diagnostic, paint: Paint) -> list[str]:
    """The line of the code, and below it a caret under every character that is meant."""
    if diagnostic.source is None or diagnostic.line is None or not diagnostic.source.strip():
        return []
    source = diagnostic.source.rstrip().replace("\t", " ")
    number = str(diagnostic.line)
    gutter = " " * len(number)
    start = diagnostic.column
    if start is None:
        return [f"      {number} | {printable(source[:_WIDEST_LINE])}"]
    start = min(start, len(source))
    same_line = diagnostic.end_line in (None, diagnostic.line) and diagnostic.end_column is not None
    end = min(diagnostic.end_column or 0, len(source)) if same_line else len(source)
    if diagnostic.end_line is None and diagnostic.end_column is None:
        end = start
    # A very long line (minified data, say) is shown around the place that matters.
    shift = max(0, start - _WIDEST_LINE // 2) if len(source) > _WIDEST_LINE else 0
    source = source[shift : shift + _WIDEST_LINE]
    start, end = start - shift, min(end - shift, len(source))
    carets = "^" * max(1, _width(source[start:end]))
    return [
        f"      {number} | {printable(source)}",
        f"      {gutter} | {' ' * _width(source[:start])}{paint(carets, 'caret')}",
    ]


def _width(text: str) -> int:
    """Columns of a terminal: East Asian wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
