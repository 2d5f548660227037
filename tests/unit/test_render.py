"""Diagnostics as text."""

from __future__ import annotations

from gofastapi_ext.client.render import render_diagnostic, render_diagnostics
from gofastapi_ext.core.diagnostics import CellPosition, Diagnostic, Severity

SYNTAX = Diagnostic(
    code="syntax_error",
    message="Syntax error: invalid syntax",
    hint="Close the parenthesis.",
    file="main.py",
    line=3,
    column=6,
    end_line=3,
    end_column=7,
    source="def f(:",
    cell=CellPosition(label="In[5]", line=4),
)


def test_everything_that_is_known_is_shown() -> None:
    assert render_diagnostic(SYNTAX).splitlines() == [
        "  error  main.py:3:7  Syntax error: invalid syntax  (cell In[5], line 4)",
        "      3 | def f(:",
        "        |       ^",
        "      hint: Close the parenthesis.",
    ]


def test_a_diagnostic_without_a_place_is_one_line() -> None:
    warning = Diagnostic(severity=Severity.WARNING, code="x", message="Something is odd")
    assert render_diagnostic(warning) == "  warning  Something is odd"


def test_carets_span_the_expression_and_stop_at_the_end_of_the_line() -> None:
    over_lines = SYNTAX.model_copy(update={"end_line": 5, "end_column": 2})
    assert render_diagnostic(over_lines).splitlines()[2] == "        |       ^"
    wide = SYNTAX.model_copy(update={"source": "raise Boom", "column": 0, "end_column": 10})
    assert render_diagnostic(wide).splitlines()[2] == "        | ^^^^^^^^^^"


def test_carets_stand_under_wide_characters_and_tabs() -> None:
    diagnostic = SYNTAX.model_copy(update={"source": "\tx = '日本' ?", "column": 10, "end_column": 11})
    line, carets = render_diagnostic(diagnostic).splitlines()[1:3]
    assert line == "      3 |  x = '日本' ?"
    assert carets == "        | " + " " * 12 + "^"


def test_a_very_long_line_is_shown_around_its_place() -> None:
    source = "a" * 5000 + "!" + "b" * 5000
    diagnostic = SYNTAX.model_copy(update={"source": source, "column": 5000, "end_column": 5001})
    line, carets = render_diagnostic(diagnostic).splitlines()[1:3]
    assert len(line) < 140
    assert line[carets.index("^")] == "!"


def test_a_column_beyond_the_line_does_no_harm() -> None:
    diagnostic = SYNTAX.model_copy(update={"column": 99, "end_column": 120})
    assert render_diagnostic(diagnostic).splitlines()[2].endswith("^")


def test_nothing_in_code_or_messages_drives_the_terminal() -> None:
    nasty = SYNTAX.model_copy(update={"source": "x = '\x1b[2J'", "message": "bad \x1b]0;hi\x07", "file": "a\x1b.py"})
    assert "\x1b" not in render_diagnostic(nasty)


def test_tracebacks_and_long_hints_are_indented() -> None:
    diagnostic = Diagnostic(code="x", message="Failed", hint="Write:\n    app = FastAPI()", traceback="In[5]:1\nboom\n")
    assert render_diagnostic(diagnostic).splitlines() == [
        "  error  Failed",
        "      In[5]:1",
        "      boom",
        "      hint: Write:",
        "                app = FastAPI()",
    ]


def test_paint_gets_every_role() -> None:
    seen = set()

    def paint(text: str, role: str) -> str:
        seen.add(role)
        return f"<{text}>"

    assert "<error>" in render_diagnostics([SYNTAX, SYNTAX], paint)
    assert seen == {"error", "place", "caret", "hint"}
