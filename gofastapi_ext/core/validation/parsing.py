"""From source text to a syntax tree: nothing is executed, and hostile text gives a diagnostic."""

from __future__ import annotations

import ast
import io
import re
import threading
import tokenize
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypedDict

from gofastapi_ext.core.bundle import BundleFile
from gofastapi_ext.core.diagnostics import Diagnostic, Severity
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.core.validation.bytecode import is_safe_to_compile
from gofastapi_ext.core.validation.ipython import IPythonSyntax, find_ipython_syntax

# Parsing takes up to 400 times the memory of the text, and holds the interpreter while it lasts.
MAX_SOURCE_BYTES = 500_000
_MAX_IPYTHON_LINES = 10
_ASYNC_AT_TOP = re.compile(r"'await' outside function|'async (for|with)' outside|asynchronous comprehension")

# `warnings.catch_warnings` changes the whole process: one thread at a time.
_WARNINGS = threading.Lock()


class Place(TypedDict):
    """Where in a file: the fields a `Diagnostic` has for it."""

    line: int
    column: int
    end_line: int | None
    end_column: int | None


@dataclass(frozen=True)
class Parsed:
    """A source file, its tree (None where there is none to work with) and what is wrong with it."""

    path: str
    source: str
    lines: list[str]
    tree: ast.Module | None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    was_read: bool = True
    """False where the file is too large to look at."""

    def place(self, node: ast.stmt | ast.expr) -> Place:
        """Where `node` stands, in characters: the tree counts bytes."""
        end_line = node.end_lineno
        return Place(
            line=node.lineno,
            column=self._characters(node.lineno, node.col_offset),
            end_line=end_line,
            end_column=self._characters(end_line, node.end_col_offset) if end_line is not None else None,
        )

    def _characters(self, line: int, byte_column: int | None) -> int:
        return characters_of(self.lines, line, byte_column or 0)


def read_tree(source: str) -> ast.Module | None:
    """The tree of `source`, or None where it does not parse, without a word about why."""
    with _caught_warnings():
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def source_text(file: BundleFile) -> str | None:
    """The text of a Python file as the interpreter reads it, a coding cookie obeyed; None where it is binary."""
    if file.text is not None:
        return file.text.removeprefix("\ufeff")
    if file.blob is not None:
        return None  # large and binary; it is stored apart
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(file.content).readline)
        return file.content.decode(encoding)
    except (SyntaxError, LookupError, ValueError):
        return None


def split_lines(source: str) -> list[str]:
    """The lines as Python counts them: form feeds and Unicode separators end none."""
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def characters_of(lines: list[str], line: int, byte_column: int) -> int:
    """The 0-based character column for a column in UTF-8 bytes."""
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    if text.isascii():
        return min(byte_column, len(text))
    return len(text.encode("utf-8", "surrogatepass")[:byte_column].decode("utf-8", "ignore"))


def parse(path: str, source: str) -> Parsed:
    """Parse and compile `source`, collecting what Python itself says about it."""
    lines = split_lines(source)
    # A string is counted where it may have surrogates, which have no UTF-8.
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_SOURCE_BYTES:
        too_long = Diagnostic(
            code="source_too_large",
            message=f"{format_bytes(size)} of Python is too much; {format_bytes(MAX_SOURCE_BYTES)} is the limit",
            hint="Move data out of the code, into a JSON file or the database.",
            file=path,
        )
        return Parsed(path, source, lines, None, [too_long], was_read=False)
    diagnostics: list[Diagnostic] = []
    with _caught_warnings() as caught:
        tree = _parse_around_ipython(path, lines, source, diagnostics)
        if tree is not None and not diagnostics and is_safe_to_compile(tree, source):
            diagnostics += _compile(path, lines, source, tree)
    diagnostics += _syntax_warnings(path, caught)
    return Parsed(path, source, lines, tree, diagnostics)


def _parse_around_ipython(path: str, lines: list[str], source: str, diagnostics: list[Diagnostic]) -> ast.Module | None:
    """Parse; a line in IPython's own syntax is reported and passed over, so that the rest is looked at too."""
    remaining = list(lines)
    while True:
        try:
            return ast.parse(source, filename=path)
        except SyntaxError as error:
            found = find_ipython_syntax(remaining, error.lineno)
            if found is None:
                diagnostics.append(_of_syntax_error(path, error, _place_of_error(error)))
                return None
            diagnostics.append(_of_ipython(path, found))
            if found.takes_the_rest or len(diagnostics) >= _MAX_IPYTHON_LINES:
                return None
            line = remaining[found.line - 1]
            remaining[found.line - 1] = line[: len(line) - len(line.lstrip())] + "pass"
            source = "\n".join(remaining)
        except (ValueError, RecursionError, MemoryError) as error:
            diagnostics.append(_of_strange_text(path, error))
            return None


def _compile(path: str, lines: list[str], source: str, tree: ast.Module) -> list[Diagnostic]:
    """What only the compiler finds: `return` outside a function, say. The code object is thrown away."""
    try:
        compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        place = _place_of_error(error)
        for column, line in (("column", "line"), ("end_column", "end_line")):
            # Unlike the parser, the compiler counts bytes.
            if place.get(column) is not None:
                place[column] = characters_of(lines, place[line] or 0, place[column] or 0)
        if _ASYNC_AT_TOP.search(error.msg) and not _in_function(tree, error.lineno or 0):
            return [_top_level_await(path, place)]
        return [_of_syntax_error(path, error, place)]
    except (ValueError, RecursionError, MemoryError) as error:
        return [_of_strange_text(path, error)]
    return []


def _place_of_error(error: SyntaxError) -> dict[str, int | None]:
    if error.lineno is None:
        return {}
    place: dict[str, int | None] = {"line": error.lineno}
    if error.offset:
        place["column"] = max(error.offset - 1, 0)
        end_line, end_offset = error.end_lineno, error.end_offset
        if end_line and end_offset and (end_line, end_offset) > (error.lineno, error.offset):
            place |= {"end_line": end_line, "end_column": end_offset - 1}
    return place


def _of_syntax_error(path: str, error: SyntaxError, place: dict[str, int | None]) -> Diagnostic:
    kind = "Indentation error" if isinstance(error, IndentationError) else "Syntax error"
    return Diagnostic(code="syntax_error", message=f"{kind}: {error.msg}", file=path, **place)


def _of_ipython(path: str, found: IPythonSyntax) -> Diagnostic:
    return Diagnostic(
        code="ipython_syntax",
        message=f"{found.what} works in a notebook only, not in a deployed app",
        hint=found.hint,
        file=path,
        line=found.line,
        column=found.column,
        end_line=found.line,
        end_column=found.end_column,
    )


def _of_strange_text(path: str, error: Exception) -> Diagnostic:
    if isinstance(error, RecursionError | MemoryError):
        return Diagnostic(
            code="too_complex",
            message="The code is nested too deeply for Python to compile",
            hint="Split the deepest expression or chain into parts.",
            file=path,
        )
    return Diagnostic(code="syntax_error", message=f"Syntax error: {error}", file=path)


def _top_level_await(path: str, place: dict[str, int | None]) -> Diagnostic:
    return Diagnostic(
        code="top_level_await",
        message="A notebook can await outside a function; a deployed app cannot",
        hint="Do it when the app starts, in FastAPI(lifespan=...), or use asyncio.run(...).",
        file=path,
        **place,
    )


def _in_function(tree: ast.Module, line: int) -> bool:
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
        for node in ast.walk(tree)
    )


def _syntax_warnings(path: str, caught: list[warnings.WarningMessage]) -> list[Diagnostic]:
    """Python's own warnings, each once: the parser and the compiler may both give it."""
    found = {
        (warning.lineno, str(warning.message)): None
        for warning in caught
        if issubclass(warning.category, SyntaxWarning) and warning.filename == path
    }
    return [
        Diagnostic(severity=Severity.WARNING, code="syntax_warning", message=message, file=path, line=line)
        for line, message in found
    ]


@contextmanager
def _caught_warnings() -> Iterator[list[warnings.WarningMessage]]:
    with _WARNINGS, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
