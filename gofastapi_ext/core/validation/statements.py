"""Walk a module's statements in the order of the text, and know which may not run when it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_CATCHES_IMPORT_ERROR = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def all_statements(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """Every statement, each with whether it may be skipped or its `ImportError` caught.

    Left out is what no deployed app reaches: under `if TYPE_CHECKING` and `if __name__ == "__main__"`.
    """
    return _walk(tree, into_functions=True)


def import_time_statements(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """As `all_statements`, without what stands in functions and classes."""
    return _walk(tree, into_functions=False)


def _walk(tree: ast.Module, *, into_functions: bool) -> Iterator[tuple[ast.AST, bool]]:
    # An explicit stack: a long chain of `elif` nests deeper than Python calls may.
    stack: list[tuple[ast.AST, bool]] = [(node, False) for node in reversed(tree.body)]
    while stack:
        node, optional = stack.pop()
        yield node, optional
        if into_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            stack.extend(reversed([(child, optional or more) for child, more in _inside(node)]))


def _inside(node: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """The statements directly inside `node`, each with whether being there makes it optional."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from ((child, True) for child in node.body)
    elif isinstance(node, ast.ClassDef):
        yield from ((child, False) for child in node.body)
    elif isinstance(node, ast.If):
        if not is_never_deployed(node.test):
            yield from ((child, True) for child in node.body)
        yield from ((child, True) for child in node.orelse)
    elif isinstance(node, ast.Try | ast.TryStar):
        caught = any(_catches_import_error(handler.type) for handler in node.handlers)
        yield from ((child, caught) for child in node.body)
        yield from ((child, True) for handler in node.handlers for child in handler.body)
        yield from ((child, caught) for child in node.orelse)
        yield from ((child, False) for child in node.finalbody)
    elif isinstance(node, ast.With | ast.AsyncWith):
        suppressed = any(_suppresses_import_error(item.context_expr) for item in node.items)
        yield from ((child, suppressed) for child in node.body)
    elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
        yield from ((child, True) for child in [*node.body, *node.orelse])
    elif isinstance(node, ast.Match):
        yield from ((child, True) for case in node.cases for child in case.body)


def is_never_deployed(test: ast.expr) -> bool:
    """Whether an `if` with this test never holds in a deployed app."""
    return _is_type_checking(test) or _is_main_guard(test)


def _is_type_checking(test: ast.expr) -> bool:
    if isinstance(test, ast.Constant):
        return not test.value
    return last_name(test) == "TYPE_CHECKING"


def _is_main_guard(test: ast.expr) -> bool:
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = [test.left, *test.comparators]
    has_name = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    return has_name and any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)


def last_name(node: ast.AST | None) -> str | None:
    """The last part of a dotted name: `b` of `a.b`, `a` of `a`; None of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


def dotted_name(node: ast.AST | None) -> str | None:
    """`a.b.c` of such an expression; None of anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def _catches_import_error(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(k is None or last_name(k) in _CATCHES_IMPORT_ERROR for k in kinds)


def _suppresses_import_error(context: ast.expr) -> bool:
    return (
        isinstance(context, ast.Call)
        and last_name(context.func) == "suppress"
        and any(last_name(arg) in _CATCHES_IMPORT_ERROR for arg in context.args)
    )
