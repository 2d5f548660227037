"""Look at code without running it: does it parse, where is its app, what does it import?

Nothing here executes, imports or evaluates the code it looks at, and nothing reads or writes a file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gofastapi_ext.core.bundle import Bundle, Origins, cell_of
from gofastapi_ext.core.diagnostics import Diagnostic, Severity, has_errors
from gofastapi_ext.core.objects import MANIFEST as OBJECTS_MANIFEST
from gofastapi_ext.core.objects import MODULE as OBJECTS_MODULE
from gofastapi_ext.core.validation.apps import binds, find_app
from gofastapi_ext.core.validation.modules import FileImports, ImportUse, LocalModules
from gofastapi_ext.core.validation.parsing import Parsed, parse, source_text, split_lines
from gofastapi_ext.core.validation.policy import ImportMode, ImportPolicy, check_imports
from gofastapi_ext.core.validation.servers import find_own_servers

__all__ = [
    "Analysis",
    "ImportMode",
    "ImportPolicy",
    "ImportUse",
    "analyze",
    "check_imports",
    "locate",
]

# Beyond this, files the app does not import by name are left unread.
_MAX_TOTAL_SOURCE_BYTES = 2_000_000
# A longer line, of code that a program wrote, is not shown; there may be a diagnostic for each word of it.
_MAX_SHOWN_LINE = 1_000
_SAYS_IT_ALL = frozenset({"syntax_error", "ipython_syntax", "top_level_await", "too_complex"})


@dataclass(frozen=True)
class Analysis:
    """What looking at a bundle found.

    `entrypoint` is `module:name`, or `module:name()` for a factory; None where there is an error.
    """

    diagnostics: list[Diagnostic]
    entrypoint: str | None
    imports: list[ImportUse]


def analyze(bundle: Bundle) -> Analysis:
    """Parse and compile the Python of `bundle`, find its app, and collect what it imports.

    What is wrong in a file that the app does not import, as far as the text tells, is a warning.
    """
    problem = _problem_of_main(bundle)
    if problem is not None:
        return Analysis([problem], None, [])
    local = LocalModules(bundle.files, bundle.main)
    files = _Files(bundle, local)
    module, _, name = (bundle.entrypoint or "").partition(":")
    entry_file = (local.file(module) if module else None) or bundle.main
    reached, needed = _reached(files, [bundle.main, entry_file])
    diagnostics: list[Diagnostic] = []
    imports: list[ImportUse] = []
    for path in [*reached, *sorted(set(files.python) - set(reached))]:
        parsed = files.parsed(path)
        if parsed is None:
            continue
        found = files.imports(path)
        if path in reached:
            diagnostics += found.diagnostics + find_own_servers(parsed)
        # What is too large to check may still run, unless it is where the app is to be found.
        stops_deploy = path == entry_file or (path in reached and parsed.was_read)
        diagnostics += parsed.diagnostics if stops_deploy else [_as_warning(d) for d in parsed.diagnostics]
        imports += [
            replace(use, optional=use.optional or path not in needed, reached=path in reached)
            for use in found.uses
            if not (use.top == OBJECTS_MODULE and OBJECTS_MANIFEST in bundle.files)
        ]
    entrypoint = None
    entry = files.parsed(entry_file)
    if entry is not None and entry.tree is not None:
        if not entry.tree.body:
            diagnostics.append(_empty(entry_file))
        elif bundle.entrypoint:
            entrypoint, problems = _given_entrypoint(bundle.entrypoint, entry, module, name, local)
            diagnostics += problems
        else:
            app = find_app(entry, entry.tree, local)
            entrypoint = app.entrypoint
            diagnostics += app.diagnostics
    diagnostics = _most_telling(diagnostics)
    return Analysis(diagnostics, None if has_errors(diagnostics) else entrypoint, imports)


def locate(diagnostics: Iterable[Diagnostic], bundle: Bundle, origins: Origins) -> list[Diagnostic]:
    """The diagnostics with the text of their line, and their place in the notebook cell, filled in."""
    lines: dict[str, list[str]] = {}
    located = []
    for diagnostic in diagnostics:
        path = diagnostic.file
        update: dict[str, object] = {}
        if path is not None and path in bundle.files:
            if diagnostic.line is not None and diagnostic.source is None:
                if path not in lines:
                    lines[path] = split_lines(source_text(bundle.files[path]) or "")
                line = lines[path][diagnostic.line - 1] if 0 < diagnostic.line <= len(lines[path]) else None
                if line is not None and len(line) <= _MAX_SHOWN_LINE:
                    update["source"] = line
            cell = cell_of(origins.get(path, []), diagnostic.line)
            if cell is not None and diagnostic.cell is None:
                update["cell"] = cell.position(diagnostic.line)
        located.append(diagnostic.model_copy(update=update) if update else diagnostic)
    return located


class _Files:
    """The Python files of a bundle, each parsed once and when it is first asked for."""

    def __init__(self, bundle: Bundle, local: LocalModules) -> None:
        self._bundle = bundle
        self._local = local
        self._parsed: dict[str, Parsed | None] = {}
        self._imports: dict[str, FileImports] = {}
        self._left_bytes = _MAX_TOTAL_SOURCE_BYTES
        self.python = [path for path in bundle.files if path.endswith(".py")]

    def parsed(self, path: str) -> Parsed | None:
        """The parsed file; None where it is binary, or there has been too much already."""
        if path not in self._parsed:
            source = source_text(self._bundle.files[path])
            if source is None or self._left_bytes <= 0:
                self._parsed[path] = None
            else:
                self._left_bytes -= len(source)
                self._parsed[path] = parse(path, source)
        return self._parsed[path]

    def imports(self, path: str) -> FileImports:
        """What the file imports; nothing where it could not be parsed."""
        if path not in self._imports:
            parsed = self.parsed(path)
            self._imports[path] = self._local.imports_of(parsed) if parsed else FileImports()
        return self._imports[path]


def _reached(files: _Files, roots: list[str]) -> tuple[list[str], set[str]]:
    """The files the app imports, nearest first, and those of them it cannot start without."""
    needed: set[str] = set()
    reached: dict[str, None] = {}
    queue = deque((path, True) for path in roots)
    while queue:
        path, is_needed = queue.popleft()
        if path in needed or (path in reached and not is_needed):
            continue
        reached.setdefault(path)
        if is_needed:
            needed.add(path)
        imports = files.imports(path)
        queue.extend((other, is_needed) for other in sorted(imports.needed))
        queue.extend((other, False) for other in sorted(imports.optional))
    return list(reached), needed


def _as_warning(diagnostic: Diagnostic) -> Diagnostic:
    return diagnostic.model_copy(update={"severity": Severity.WARNING})


def _problem_of_main(bundle: Bundle) -> Diagnostic | None:
    main = bundle.main
    if main not in bundle.files:
        return Diagnostic(code="no_main", message=f"There is no file {main}", file=None)
    stem = main.rpartition("/")[2].removesuffix(".py")
    if not main.endswith(".py") or "." in main.removesuffix(".py"):
        return Diagnostic(
            code="invalid_main",
            message=f"{main} cannot be imported as a module",
            hint=f"Call the file {stem.replace('.', '_') or 'main'}.py.",
            file=main,
        )
    source = source_text(bundle.files[main])
    if source is None:
        return Diagnostic(
            code="binary_main",
            message=f"{main} is not text in UTF-8",
            hint="Save it as a Python file in UTF-8.",
            file=main,
        )
    return None


def _empty(path: str) -> Diagnostic:
    return Diagnostic(
        code="empty", message="There is no code to deploy", hint="Write the app below this line.", file=path
    )


def _given_entrypoint(
    entrypoint: str, entry: Parsed, module: str, name: str, local: LocalModules
) -> tuple[str | None, list[Diagnostic]]:
    """Check an entrypoint somebody wrote down."""
    plain = name.removesuffix("()")
    if not module or not plain.isidentifier():
        message, hint = f"{entrypoint!r} is not an entrypoint", 'Write "module:name", e.g. "main:app".'
    elif local.file(module) is None:
        message, hint = f"The app has no module {module}", "Correct the entrypoint, or add the file."
    elif entry.tree is not None and not binds(entry.tree, plain):
        message, hint = f"{module} defines no {plain}", "Correct the entrypoint, or define it."
    else:
        return entrypoint, []
    return None, [Diagnostic(code="invalid_entrypoint", message=message, hint=hint, file=entry.path)]


def _most_telling(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """Errors first; where a file does not parse, guesses about its app are left out."""
    broken = {d.file for d in diagnostics if d.code in _SAYS_IT_ALL}
    kept = [d for d in diagnostics if not (d.code in ("no_app", "empty") and d.file in broken)]
    return sorted(kept, key=lambda d: d.severity is not Severity.ERROR)
