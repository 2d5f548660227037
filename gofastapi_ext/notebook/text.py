"""A deploy in plain text: for terminals, and for wherever the card cannot be shown."""

from __future__ import annotations

from collections.abc import Sequence

from gofastapi_ext.client.render import Paint, plain, printable, render_diagnostic
from gofastapi_ext.client.text import format_seconds
from gofastapi_ext.client.tree import tree_lines
from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.notebook.magic_words import as_magics
from gofastapi_ext.notebook.progress import Ending, Progress, headline, what_it_works_on, what_still_serves

_COLOURS = {"error": "31", "warning": "33", "place": "1", "caret": "31", "hint": "36", "good": "32", "dim": "2"}


def coloured(text: str, role: str) -> str:
    """Painted with ANSI colours."""
    return f"\x1b[{_COLOURS[role]}m{text}\x1b[0m" if text else text


def text_card(progress: Progress) -> str:
    """The whole state, a line for each thing."""
    stages = [stage_line(stage, seconds) for stage, seconds in shown_stages(progress).items()]
    return "\n".join([*shown_tree(progress), *stages, *ending_lines(progress)])


def shown_tree(progress: Progress, paint: Paint = plain) -> list[str]:
    """The files, where they are to be seen."""
    return [f"  {line}" for line in tree_lines(list(progress.tree), paint)] if progress.tree else []


def shown_stages(progress: Progress) -> dict[Stage, float]:
    """The stages worth showing: none where there was nothing to do."""
    return {} if progress.ending is Ending.UNCHANGED else progress.done


def stage_line(stage: Stage, seconds: float, paint: Paint = plain) -> str:
    """`  validate    4 ms`"""
    return f"  {stage:<10}{paint(f'{format_seconds(seconds):>8}', 'dim')}"


def ending_lines(progress: Progress, paint: Paint = plain) -> list[str]:
    """What comes after the stages."""
    lines: list[str] = []
    if progress.failed_stage:
        lines.append(f"  {progress.failed_stage:<10}{paint('  failed', 'error')}")
    lines.append(_first_line(progress, paint))
    for diagnostic in progress.diagnostics:
        lines += ["", render_diagnostic(in_cell(diagnostic), paint)]
    if progress.diagnostics:
        lines.append("")
    if progress.ending is Ending.FAILED and (serves := what_still_serves(progress)):
        lines.append(serves)
    lines += [paint(line, "dim") for line in remarks(progress)]
    return lines


def remarks(progress: Progress) -> list[str]:
    """What came along by itself, what did not, and what was set."""
    lines = [works_on] if (works_on := what_it_works_on(progress)) else []
    if progress.included:
        lines.append(f"Came along: {', '.join(first_few(progress.included, 12))}")
    lines += [f"Left out: {as_magics(skipped, progress.app)}" for skipped in first_few(progress.skipped, 5)]
    lines += progress.notes
    if progress.env_names:
        lines.append(f"Environment: {', '.join(progress.env_names)}")
    return [printable(line) for line in lines]


def first_few(items: Sequence[str], most: int) -> list[str]:
    """At most `most` of them, and how many more there are."""
    more = len(items) - most
    return list(items) if more <= 0 else [*items[:most], f"{more} more"]


def in_cell(diagnostic: Diagnostic) -> Diagnostic:
    """With the lines of the notebook's cell instead of the file's, which people never saw, and with magics."""
    if diagnostic.hint:
        diagnostic = diagnostic.model_copy(update={"hint": as_magics(diagnostic.hint)})
    cell = diagnostic.cell
    if cell is None:
        return diagnostic
    shift = cell.line - diagnostic.line if cell.line and diagnostic.line else 0
    end_line = diagnostic.end_line + shift if diagnostic.end_line else None
    changes = {"file": cell.label, "line": cell.line, "end_line": end_line, "cell": None}
    return diagnostic.model_copy(update=changes)


def _first_line(progress: Progress, paint: Paint) -> str:
    words = headline(progress)
    took = paint(f" in {format_seconds(progress.seconds)}", "dim") if progress.seconds is not None else ""
    match progress.ending:
        case Ending.LIVE:
            return f"{paint(words, 'good')}{took}: {progress.url}"
        case Ending.UNCHANGED:
            return f"Unchanged: version {progress.version} is live at {progress.url}, nothing to do"
        case Ending.SAVED:
            return paint(words, "good")
        case Ending.FAILED | Ending.REFUSED | Ending.LOST:
            return paint(words, "error")
        case Ending.INTERRUPTED | Ending.PLANNED:
            return words
        case _:
            return f"{words} …" + (f" {progress.note}" if progress.note else "")
