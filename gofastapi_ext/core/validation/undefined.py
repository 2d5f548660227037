"""The names a module uses and never binds: read from its text, never by running it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gofastapi_ext.core.validation.parsing import Place, characters_of, read_tree, split_lines
from gofastapi_ext.core.validation.statements import is_never_deployed, last_name

# What IPython adds to Python's own.
NOTEBOOK_BUILTINS = frozenset({"display", "get_ipython"})
_BUILTINS = frozenset(dir(builtins)) - NOTEBOOK_BUILTINS
# Whoever calls one of these may bind anything.
_DYNAMIC = frozenset({"exec", "globals"})
_CATCHES_NAME_ERROR = frozenset({"NameError", "Exception", "BaseException"})
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True)
class UndefinedName:
    """A name and where it is first used, in characters."""

    name: str
    place: Place


def undefined_names(source: str) -> list[UndefinedName]:
    """The names that nothing in `source` binds and Python does not have, each once, in the order of the text.

    Nothing where the text does not tell: it does not parse, has `import *`, or binds names by other means. Left
    out is what stands where a `NameError` is caught, or what no deployed app reaches.
    """
    tree = read_tree(source)
    if tree is None:
        return []
    module = _Scope(None)
    try:
        _Walker(module).walk(tree.body, module)
    except (_AnythingGoesError, RecursionError):
        return []
    lines = split_lines(source)
    first: dict[str, UndefinedName] = {}
    for node, scope in sorted(module.uses, key=lambda use: (use[0].lineno, use[0].col_offset)):
        if node.id not in first and not _is_dunder(node.id) and not scope.sees(node.id):
            first[node.id] = UndefinedName(node.id, _place(node, lines))
    return list(first.values())


class _AnythingGoesError(Exception):
    """The text cannot tell which names there are."""


@dataclass
class _Scope:
    """What is bound in a module, class, function or comprehension. `uses` are those of all scopes, at the module."""

    around: _Scope | None
    is_class: bool = False
    is_comprehension: bool = False
    bound: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    """Declared `global` or `nonlocal`."""
    uses: list[tuple[ast.Name, _Scope]] = field(default_factory=list)

    def sees(self, name: str) -> bool:
        if name in self.bound:
            return True
        scope = self.around
        while scope is not None:
            if name in scope.bound and not scope.is_class:
                return True
            scope = scope.around
        return name in _BUILTINS


class _Walker:
    def __init__(self, module: _Scope) -> None:
        self._module = module
        self._guarded = 0

    def walk(self, nodes: Iterable[ast.AST], scope: _Scope) -> None:
        for node in nodes:
            self._visit(node, scope)

    def _visit(self, node: ast.AST, scope: _Scope) -> None:
        if isinstance(node, ast.Name):
            self._name(node, scope)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            self._definition(node, scope)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node, scope)
        elif isinstance(node, ast.NamedExpr):
            self._visit(node.value, scope)
            holder = scope
            while holder.is_comprehension and holder.around is not None:
                holder = holder.around
            self._bind(node.target.id, holder)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if alias.name == "*":
                    raise _AnythingGoesError
                self._bind(alias.asname or alias.name.partition(".")[0], scope)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            scope.elsewhere.update(node.names)
        elif isinstance(node, ast.Try | ast.TryStar):
            self._try(node, scope)
        elif isinstance(node, ast.If) and is_never_deployed(node.test):
            self._guard(node.body, scope)
            self.walk(node.orelse, scope)
        elif isinstance(node, ast.AnnAssign):
            self._annotated(node, scope)
        elif type(node).__name__ == "TypeAlias":  # from Python 3.12: `type Pairs[T] = list[tuple[T, T]]`
            self.walk(ast.iter_child_nodes(node), _Scope(scope, bound=_parameters(node)))
            self._bind(node.name.id, scope)  # type: ignore[attr-defined]
        else:
            for name in _names_bound_by(node):
                self._bind(name, scope)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _DYNAMIC:
                raise _AnythingGoesError
            self.walk(ast.iter_child_nodes(node), scope)

    def _name(self, node: ast.Name, scope: _Scope) -> None:
        if isinstance(node.ctx, ast.Store):
            self._bind(node.id, scope)
        elif not self._guarded:
            self._module.uses.append((node, scope))

    def _bind(self, name: str, scope: _Scope) -> None:
        (self._module if name in scope.elsewhere else scope).bound.add(name)

    def _definition(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef, scope: _Scope
    ) -> None:
        if not isinstance(node, ast.Lambda):
            self._bind(node.name, scope)
            self.walk(node.decorator_list, scope)
        inner = _Scope(scope, is_class=isinstance(node, ast.ClassDef))
        # From Python 3.12: `def first[T](...)`. Bound inside, where the arguments' types are looked up too.
        parameters = _parameters(node)
        outer = _Scope(scope, bound=parameters) if parameters else scope
        inner.around = outer
        if isinstance(node, ast.ClassDef):
            self.walk([*node.bases, *(keyword.value for keyword in node.keywords)], outer)
            self.walk(node.body, inner)
            return
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
        inner.bound.update(each.arg for each in every)
        self.walk([*arguments.defaults, *(each for each in arguments.kw_defaults if each)], scope)
        self.walk([each.annotation for each in every if each.annotation], outer)
        if isinstance(node, ast.Lambda):
            self._visit(node.body, inner)
            return
        if node.returns is not None:
            self._visit(node.returns, outer)
        self.walk(node.body, inner)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, scope: _Scope) -> None:
        inner = _Scope(scope, is_comprehension=True)
        for position, generator in enumerate(node.generators):
            self._visit(generator.iter, inner if position else scope)
            self._visit(generator.target, inner)
            self.walk(generator.ifs, inner)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.walk(parts, inner)

    def _try(self, node: ast.Try | ast.TryStar, scope: _Scope) -> None:
        if any(_catches_name_error(handler.type) for handler in node.handlers):
            self._guard(node.body, scope)
        else:
            self.walk(node.body, scope)
        for handler in node.handlers:
            if handler.name:
                self._bind(handler.name, scope)
            self.walk([handler.type] if handler.type else [], scope)
            self.walk(handler.body, scope)
        self.walk([*node.orelse, *node.finalbody], scope)

    def _annotated(self, node: ast.AnnAssign, scope: _Scope) -> None:
        in_function = scope.around is not None and not scope.is_class
        if not in_function:  # a function never evaluates it
            self._visit(node.annotation, scope)
        if node.value is not None:
            self._visit(node.value, scope)
        if node.value is not None or in_function or not isinstance(node.target, ast.Name):
            self._visit(node.target, scope)

    def _guard(self, nodes: Iterable[ast.AST], scope: _Scope) -> None:
        self._guarded += 1
        self.walk(nodes, scope)
        self._guarded -= 1


def _parameters(node: ast.AST) -> set[str]:
    return {each.name for each in getattr(node, "type_params", [])}


def _names_bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _catches_name_error(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(each is None or last_name(each) in _CATCHES_NAME_ERROR for each in kinds)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _place(node: ast.Name, lines: list[str]) -> Place:
    end_line = node.end_lineno or node.lineno
    return Place(
        line=node.lineno,
        column=characters_of(lines, node.lineno, node.col_offset),
        end_line=end_line,
        end_column=characters_of(lines, end_line, node.end_col_offset or 0),
    )
