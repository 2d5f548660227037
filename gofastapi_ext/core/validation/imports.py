"""What a module imports and which directories it names: read from its text, never by running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from gofastapi_ext.core.validation.parsing import read_tree
from gofastapi_ext.core.validation.statements import all_statements, last_name

_TAKES_DIRECTORY = frozenset({"StaticFiles", "Jinja2Templates", "FileSystemLoader"})
_DIRECTORY_ARGUMENTS = frozenset({"directory", "searchpath"})
_NAMES_DIRECTORY = _TAKES_DIRECTORY | _DIRECTORY_ARGUMENTS
_JOINS = frozenset({"Path", "PurePath", "str", "join"})
_MAX_RESOLVED_NAMES = 8


@dataclass(frozen=True)
class ImportedModule:
    """A module some code imports, by absolute dotted name, and the 1-based line that does."""

    name: str
    line: int


@dataclass(frozen=True)
class FoundImport:
    """An import statement.

    `optional` where it stands in a function, under a condition, or where an `ImportError` is caught: the
    code gets by, or at least starts, without it.
    """

    node: ast.Import | ast.ImportFrom
    optional: bool


def local_imports(source: str, package: str = "") -> list[ImportedModule]:
    """The modules `source` imports, in order; the caller knows which of them lie beside it.

    `package` is the dotted package the module is in, "" at the top. `import a.b` gives `a.b`; `from a
    import b` gives `a` and `a.b`, as `b` may be a module or a name in one. Relative imports are made
    absolute, and left out where they lead above the top. Source that does not parse imports nothing.
    """
    found: dict[str, ImportedModule] = {}
    tree = read_tree(source)
    for use in find_imports(tree) if tree else ():
        for name in imported_names(use.node, package):
            found.setdefault(name, ImportedModule(name, use.node.lineno))
    return list(found.values())


def imported_names(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    """The absolute names of what may be modules; [] for a relative import that leads above the top."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = absolute_base(node, package)
    if base is None:
        return []
    members = [f"{base}.{alias.name}" if base else alias.name for alias in node.names if alias.name != "*"]
    return [base, *members] if base else members


def absolute_base(node: ast.ImportFrom, package: str) -> str | None:
    """The absolute name of the module in `from <module> import ...`, or None where it leads above the top."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    if node.level > len(parts):
        return None
    kept = parts[: len(parts) - node.level + 1]
    return ".".join([*kept, node.module] if node.module else kept)


def find_imports(tree: ast.Module) -> Iterator[FoundImport]:
    """The import statements in the order of the text, without those a deployed app never reaches."""
    for node, optional in all_statements(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield FoundImport(node, optional)


def referenced_directories(source: str) -> list[str]:
    """The directories that static files and templates are read from, as far as the text tells, in order.

    Understood are string literals, `Path("static")`, `os.path.join(HERE, "static")`, `HERE / "static"` and
    names bound to one of these. Each is relative, in its shortest form; whether it exists the caller knows.
    """
    tree = read_tree(source) if any(word in source for word in _NAMES_DIRECTORY) else None
    if tree is None:
        return []
    bound = bound_names(tree)
    found: dict[str, None] = {}
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        # By its argument's name also in a class of the app's own: `class Files(StaticFiles)`.
        given = [k.value for k in call.keywords if k.arg in _DIRECTORY_ARGUMENTS]
        if not given and last_name(call.func) in _TAKES_DIRECTORY:
            given = call.args[:1]
        for value in given:
            for option in value.elts if isinstance(value, ast.List | ast.Tuple) else [value]:
                path = _inside(literal_path(option, bound))
                if path:
                    found.setdefault(path)
    return list(found)


def bound_names(tree: ast.Module) -> dict[str, ast.expr]:
    """What the module's own names are assigned."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def literal_path(node: ast.expr, bound: dict[str, ast.expr]) -> str | None:
    """The literal end of a path expression; what it begins with (`HERE / ...`) counts as the app itself."""
    names_left = _MAX_RESOLVED_NAMES
    parts: list[str] = []
    while True:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            if not (isinstance(node.right, ast.Constant) and isinstance(node.right.value, str)):
                return None
            parts.insert(0, node.right.value)
            node = node.left
        elif isinstance(node, ast.Name) and node.id in bound and names_left:
            node, names_left = bound[node.id], names_left - 1
        elif isinstance(node, ast.Call) and last_name(node.func) in _JOINS and node.args:
            parts[:0] = [a.value for a in node.args[1:] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            node = node.args[0]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "joinpath":
            parts[:0] = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            node = node.func.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
            node = node.func.value  # Path("static").resolve()
        else:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                parts.insert(0, node.value)
            break
    return "/".join(parts) or None


def _inside(path: str | None) -> str | None:
    if not path or path.startswith("/"):
        return None
    shortest = str(PurePosixPath(path))
    return None if shortest == "." or ".." in PurePosixPath(shortest).parts else shortest
