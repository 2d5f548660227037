"""A module cut into units: its top-level statements with their comments, what each binds and what it needs."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gofastapi_ext.core.validation.parsing import characters_of


@dataclass(frozen=True)
class Unit:
    """Statements that share their lines, which is one statement as a rule. Lines count from 1."""

    index: int
    nodes: tuple[ast.stmt, ...]
    first_line: int
    """Where its comments begin."""
    line: int
    """Where its code begins, decorators included."""
    end_line: int
    blank_before: int
    """How many blank lines stand above its comments."""

    @property
    def node(self) -> ast.stmt:
        return self.nodes[0]

    @property
    def function(self) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        return self.node if isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef) else None

    @property
    def class_(self) -> ast.ClassDef | None:
        return self.node if isinstance(self.node, ast.ClassDef) else None


@dataclass(frozen=True)
class Use:
    """What the code of a unit does with the names of its module."""

    binds: frozenset[str]
    """Names it binds at module level, surely or perhaps."""
    needs: frozenset[str]
    """Names it looks up, at once or when its functions run, builtins among them."""
    needs_at_once: frozenset[str]
    """Those that it looks up when it is imported; annotations count."""
    rebinds: frozenset[str]
    """Names its functions declare `global`."""


def split_units(tree: ast.Module, lines: list[str]) -> list[Unit]:
    """The units in their order. Comments above a statement belong to it; those right below one, and before a
    blank line, to the one above, unless it is an import."""
    spans: list[tuple[list[ast.stmt], int, int]] = []
    for node in tree.body:
        start, end = _first_line(node), node.end_lineno or node.lineno
        if spans and start <= spans[-1][2]:
            spans[-1] = ([*spans[-1][0], node], spans[-1][1], max(end, spans[-1][2]))
        else:
            spans.append(([node], start, end))
    units: list[Unit] = []
    below = 0
    for index, (nodes, start, end) in enumerate(spans):
        first = below + 1
        while first < start and not lines[first - 1].strip():
            first += 1
        blank = first - below - 1
        following = spans[index + 1][1] if index + 1 < len(spans) else len(lines) + 1
        below = _end_of_comments_below(nodes, end, following, lines)
        units.append(Unit(index, tuple(nodes), first, start, below, blank))
    return units


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _end_of_comments_below(nodes: list[ast.stmt], end: int, following: int, lines: list[str]) -> int:
    """The last line that belongs to the statement that ends in line `end`."""
    gap = range(end + 1, following)
    inside = [line for line in gap if lines[line - 1][:1].isspace() and lines[line - 1].lstrip().startswith("#")]
    end = max([end, *inside])
    last = end
    for line in range(end + 1, following):
        text = lines[line - 1].strip()
        if not text:
            return end if isinstance(nodes[-1], ast.Import | ast.ImportFrom) else last
        if not text.startswith("#"):
            break
        last = line
    return end


def use_of(text: str, nodes: Iterable[ast.stmt]) -> Use:
    """What `text`, the code of `nodes`, does with names. Annotations count, those in strings too."""
    binds: set[str] = set()
    needs: set[str] = set()
    at_once: set[str] = set()
    rebinds: set[str] = set()
    module = symtable.symtable(text, "<unit>", "exec")
    tables = [(module, True)]
    while tables:
        table, runs_at_once = tables.pop()
        is_class = table.get_type() == "class"
        runs_at_once = runs_at_once and (table is module or is_class or table.get_name() in _COMPREHENSIONS)
        for symbol in table.get_symbols():
            name = symbol.get_name()
            if table is module and (symbol.is_assigned() or symbol.is_imported()):
                binds.add(name)
            # A class may read a name of the module that it binds itself further down.
            own = table is module or (is_class and not symbol.is_free())
            if symbol.is_referenced() if own else symbol.is_global():
                needs.add(name)
                at_once |= {name} if runs_at_once else set()
            if table is not module and symbol.is_declared_global() and symbol.is_assigned():
                rebinds.add(name)
        tables.extend((child, runs_at_once) for child in table.get_children())
    in_strings = {name for node in nodes for name in _names_in_strings(node)}
    return Use(frozenset(binds), frozenset(needs | in_strings), frozenset(at_once | in_strings), frozenset(rebinds))


def _names_in_strings(node: ast.AST) -> Iterator[str]:
    """The names in strings that stand for types: in annotations and in `X["..."]`."""
    for inner in ast.walk(node):
        places: list[ast.AST | None] = []
        if isinstance(inner, ast.arg):
            places = [inner.annotation]
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            places = [inner.returns]
        elif isinstance(inner, ast.AnnAssign):
            places = [inner.annotation]
        elif isinstance(inner, ast.Subscript):
            places = [inner.slice]
        elif isinstance(inner, ast.Call) and getattr(inner.func, "id", getattr(inner.func, "attr", "")) in _TAKE_TYPES:
            places = [*inner.args, *(keyword.value for keyword in inner.keywords)]
        for place in places:
            for text in ast.walk(place) if place is not None else ():
                if isinstance(text, ast.Constant) and isinstance(text.value, str) and len(text.value) < 1000:
                    yield from _names_of_expression(text.value)


_COMPREHENSIONS = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})
# What resolves the names of types in strings: of SQLAlchemy by its registry, which must know them by then.
_TAKE_TYPES = frozenset({"TypeVar", "ForwardRef", "cast", "relationship", "Relationship", "NewType"})


def _names_of_expression(text: str) -> Iterator[str]:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def binds_surely(statements: Iterable[ast.stmt]) -> set[str]:
    """The names that are bound at module level once these statements are through."""
    bound: set[str] = set()
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound |= {name for target in targets for name in _stored(target)}
        elif isinstance(node, ast.If):
            bound |= binds_surely(node.body) & binds_surely(node.orelse)
        elif isinstance(node, ast.Try):
            through = binds_surely([*node.body, *node.orelse])
            for handler in node.handlers:
                if not isinstance(handler.body[-1], ast.Raise):
                    through &= binds_surely(handler.body)
            bound |= through | binds_surely(node.finalbody)
        elif isinstance(node, ast.With):
            bound |= binds_surely(node.body)
        elif type(node).__name__ == "TypeAlias":
            bound |= _stored(node)
    return bound


def _stored(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def code_of(unit: Unit, lines: list[str], renamed: dict[ast.Name, str] | None = None) -> list[str]:
    """The lines of its code, comments above left out, with other words for some names."""
    changed = lines[unit.line - 1 : unit.end_line]
    by_place = sorted((renamed or {}).items(), key=lambda item: (item[0].lineno, item[0].col_offset), reverse=True)
    for name, word in by_place:
        row = name.lineno - unit.line
        start = characters_of(lines, name.lineno, name.col_offset)
        changed[row] = changed[row][:start] + word + changed[row][start + len(name.id) :]
    return changed
