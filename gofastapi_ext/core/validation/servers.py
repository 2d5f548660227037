"""Code that starts a server of its own when it is imported, which would keep the app from coming up."""

from __future__ import annotations

import ast

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.validation.apps import APP_CLASSES
from gofastapi_ext.core.validation.names import Names, names_of, own_expressions
from gofastapi_ext.core.validation.parsing import Parsed
from gofastapi_ext.core.validation.statements import import_time_statements

_RUNS = frozenset({"uvicorn.run", "hypercorn.run", "hypercorn.asyncio.serve", "hypercorn.trio.serve", "waitress.serve"})
_SERVERS = frozenset({"uvicorn.Server", "granian.Granian", "granian.server.Granian"})
_SERVE_METHODS = frozenset({"run", "serve", "serve_forever"})


def find_own_servers(parsed: Parsed) -> list[Diagnostic]:
    """`uvicorn.run(...)` and its like where they run on import: not in a function, under no condition.

    A call of a function of the same module that does so counts too.
    """
    if parsed.tree is None or not any(word in parsed.source for word in _SERVE_METHODS):
        return []
    names = names_of(parsed.tree)
    running = {
        node.name
        for node in parsed.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(_serves(inner, names, frozenset()) for inner in ast.walk(node))
    }
    for node, optional in import_time_statements(parsed.tree):
        if optional or not isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign):
            continue
        for expression in own_expressions(node):
            for call in _evaluated(expression):
                if _serves(call, names, frozenset(running)):
                    return [_diagnostic(parsed, call)]
    return []


def _evaluated(expression: ast.expr) -> list[ast.Call]:
    """The calls in an expression that happen when it is evaluated, so none in a lambda."""
    calls: list[ast.Call] = []
    stack: list[ast.AST] = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call):
            calls.append(node)
        if not isinstance(node, ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))
    return calls


def _serves(node: ast.AST, names: Names, running: frozenset[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    qualified = names.qualified(node.func)
    if qualified in _RUNS or qualified in running:
        return True
    if not (isinstance(node.func, ast.Attribute) and node.func.attr in _SERVE_METHODS):
        return False
    owner: ast.expr | None = node.func.value
    if isinstance(owner, ast.Name) and owner.id in names.bindings:
        owner = names.bindings[owner.id].value
    if not isinstance(owner, ast.Call):
        return False
    made = names.qualified(owner.func)
    return made in _SERVERS or made.rpartition(".")[2] in APP_CLASSES | {"Flask"}


def _diagnostic(parsed: Parsed, call: ast.Call) -> Diagnostic:
    return Diagnostic(
        code="runs_own_server",
        message="This starts a server of its own, so the app would never come up",
        hint='GoFastAPI serves the app. Delete this, or put it under `if __name__ == "__main__":`.',
        file=parsed.path,
        **parsed.place(call),
    )
