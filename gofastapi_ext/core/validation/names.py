"""The names a module binds when it is imported, and what they are bound to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from gofastapi_ext.core.validation.statements import dotted_name, import_time_statements


@dataclass(frozen=True)
class Binding:
    """A name bound at module level; `value` is the expression where there is one."""

    name: str
    node: ast.stmt | ast.expr
    value: ast.expr | None = None


@dataclass
class Names:
    """The bindings of a module, the last of each name, and where imported names come from."""

    bindings: dict[str, Binding] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    """The dotted name an imported name stands for: `{"F": "fastapi.FastAPI"}`."""
    star_modules: list[ast.ImportFrom] = field(default_factory=list)

    def qualified(self, node: ast.AST | None) -> str:
        """The dotted name an expression stands for, imports followed; "" where it is no name."""
        name = dotted_name(node)
        if name is None:
            return ""
        first, dot, rest = name.partition(".")
        return self.origins.get(first, first) + dot + rest


def names_of(tree: ast.Module) -> Names:
    """The names `tree` binds, also inside `if`, `try`, `with` and loops of the module."""
    names = Names()
    for node, _ in import_time_statements(tree):
        for binding in _bindings(node):
            names.bindings[binding.name] = binding
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                names.origins[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom):
            if node.names[0].name == "*":
                names.star_modules.append(node)
            for alias in node.names:
                names.origins[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
    return names


def _bindings(node: ast.AST) -> Iterator[Binding]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield Binding(node.name, node)
    elif isinstance(node, ast.Import):
        yield from (Binding(alias.asname or alias.name.partition(".")[0], node) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (Binding(alias.asname or alias.name, node) for alias in node.names if alias.name != "*")
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _of_target(target, node.value)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield from _of_target(node.target, node.value)
    elif isinstance(node, ast.For | ast.AsyncFor):
        yield from _of_target(node.target, None)
    elif isinstance(node, ast.With | ast.AsyncWith):
        for item in node.items:
            if item.optional_vars is not None:
                yield from _of_target(item.optional_vars, None)
    yield from _of_walruses(node)


def _of_target(target: ast.expr, value: ast.expr | None) -> Iterator[Binding]:
    if isinstance(target, ast.Name):
        yield Binding(target.id, target, value)
    elif isinstance(target, ast.Starred):
        yield from _of_target(target.value, None)
    elif isinstance(target, ast.Tuple | ast.List):
        pairs = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        same = len(pairs) == len(target.elts) and not any(isinstance(e, ast.Starred) for e in [*pairs, *target.elts])
        for index, element in enumerate(target.elts):
            yield from _of_target(element, pairs[index] if same else None)


def _of_walruses(node: ast.AST) -> Iterator[Binding]:
    for expression in own_expressions(node):
        for inner in ast.walk(expression):
            if isinstance(inner, ast.NamedExpr):
                yield from _of_target(inner.target, inner.value)


def own_expressions(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions of a statement that are evaluated when it is reached, without inner statements."""
    if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
        yield node.value
    elif isinstance(node, ast.If | ast.While):
        yield node.test
    elif isinstance(node, ast.With | ast.AsyncWith):
        yield from (item.context_expr for item in node.items)
