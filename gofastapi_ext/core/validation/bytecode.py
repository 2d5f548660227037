"""How large the compiled code of a tree would be, before it is compiled."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

_MAX_NODES = 200_000


@dataclass(frozen=True)
class _Cost:
    nodes: int = 0
    """Nodes of `finally` blocks, counted once for every copy of them."""
    exits: int = 0
    """`return`, `break` and `continue`, counted likewise: each leaves through every `finally` around it."""

    def __add__(self, other: _Cost) -> _Cost:
        return _Cost(self.nodes + other.nodes, self.exits + other.exits)


def is_safe_to_compile(tree: ast.Module, source: str) -> bool:
    """Whether compiling takes time and memory in proportion to the text.

    The compiler copies a `finally` block to every way out of its `try`, so a few hundred lines of nested
    ones can take gigabytes. Code that real people write stays far below the limit.
    """
    if "finally" not in source:
        return True
    try:
        return _cost(tree.body, in_finally=False).nodes <= _MAX_NODES
    except RecursionError:
        return False


def _cost(nodes: Sequence[ast.AST], *, in_finally: bool) -> _Cost:
    total = _Cost()
    for node in nodes:
        if isinstance(node, ast.Try | ast.TryStar) and node.finalbody:
            protected = _cost([*node.body, *node.handlers, *node.orelse], in_finally=in_finally)
            final = _cost(node.finalbody, in_finally=True)
            copies = 2 + protected.exits
            total += _Cost(protected.nodes + copies * final.nodes, protected.exits + copies * final.exits)
        elif isinstance(node, ast.Return | ast.Break | ast.Continue):
            total += _Cost(_size(node) if in_finally else 0, 1)
        elif isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            inner = [child for child in ast.iter_child_nodes(node) if _holds_statements(child)]
            other = [child for child in ast.iter_child_nodes(node) if not _holds_statements(child)]
            cost = _cost(inner, in_finally=in_finally)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                cost = _Cost(cost.nodes, 0)
            own = 1 + sum(_size(child) for child in other) if in_finally else 0
            total += _Cost(cost.nodes + own, cost.exits)
    return total


def _holds_statements(node: ast.AST) -> bool:
    return isinstance(node, ast.stmt | ast.excepthandler | ast.match_case)


def _size(node: ast.AST) -> int:
    return sum(1 for _ in ast.walk(node))
