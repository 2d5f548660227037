"""The text of the new files: the person's own lines, in their order, and the imports between the files."""

from __future__ import annotations

import ast
from itertools import takewhile

from gofastapi_ext.core.convert.layout import ImportItem, IncludeItem, Item, Layout, RouterItem, UnitItem
from gofastapi_ext.core.convert.paths import fresh
from gofastapi_ext.core.convert.place import MAIN, SHARED, top_of
from gofastapi_ext.core.convert.reasons import is_logger
from gofastapi_ext.core.convert.source import Source
from gofastapi_ext.core.convert.units import code_of
from gofastapi_ext.core.validation.modules import module_name

_LINE_LENGTH = 88


class Writer:
    """Writes the files of one layout."""

    def __init__(self, source: Source, layout: Layout) -> None:
        self._source = source
        self._layout = layout
        self._first = source.units[0]
        self._commented: set[int] = set()

    def main(self) -> str:
        """The main file, with the comments at its very top and its very end."""
        lines = self._source.lines
        head = lines[: self._first.line - 1]
        body = self._file(MAIN)
        tail = lines[self._source.units[-1].end_line :]
        while tail and not tail[0].strip() and not any(line.strip() for line in tail):
            tail.pop(0)
        return "\n".join([*head, *body, *(tail or [""])])

    def module(self, module: str) -> str:
        """A new file."""
        return "\n".join([*self._file(module), ""])

    def _file(self, module: str) -> list[str]:
        items = self._layout.modules[module]
        above = list(takewhile(lambda item: not isinstance(item, RouterItem), items))
        wants_router = len(above) < len(items)
        out: list[str] = []
        previous: Item | None = None
        if wants_router and not any(self._is_of_fastapi(item) for item in above):
            at = next(n for n, item in enumerate(items) if not (isinstance(item, UnitItem) and self._is_import(item)))
            items = [*items[:at], ImportItem("fastapi", (("APIRouter", "APIRouter"),)), *items[at:]]
        for item in items:
            text = self._text(item, module, wants_router)
            if isinstance(item, UnitItem) and self._is_of_fastapi(item):
                wants_router = False
            if out:
                out += [""] * self._blank(previous, item)
            out += text
            previous = item
        return out

    def _blank(self, previous: Item | None, item: Item) -> int:
        """How many lines stay free between two items."""
        if isinstance(item, UnitItem):
            unit = self._source.units[item.unit]
            if isinstance(previous, UnitItem) and previous.unit == item.unit - 1:
                return unit.blank_before
            definition = unit.function is not None or unit.class_ is not None
            if self._is_import(item):
                return min(unit.blank_before, 1)
            after_import = self._is_import(previous) or not isinstance(previous, UnitItem)
            return max(unit.blank_before, 2 if definition else 1 if after_import else 0)
        if isinstance(item, ImportItem):
            if item.module == "fastapi":
                return 0 if not self._is_future(previous) else 1
            return 0 if isinstance(previous, ImportItem) and previous.module != "fastapi" else 1
        if isinstance(previous, IncludeItem):
            return 0
        above = self._source.units[previous.unit] if isinstance(previous, UnitItem) else None
        return 2 if above is not None and (above.function or above.class_) else 1

    def _text(self, item: Item, module: str, wants_router: bool) -> list[str]:
        if isinstance(item, RouterItem):
            return [f"{item.name} = APIRouter()"]
        if isinstance(item, IncludeItem):
            return [f"{self._source.app}.include_router({item.name})"]
        if isinstance(item, ImportItem):
            names = [name if name == alias else f"{name} as {alias}" for name, alias in item.names]
            where = self._address(module, item.module)
            if not names:
                return [self._import_of_statements(where)]
            lines = import_lines(where, names)
            return [f"{line}  # noqa: F401" for line in lines] if item.unused else lines
        comments = self._comments(item.unit)
        if item.names is not None:
            return [*comments, *self._import(item, module, wants_router)]
        unit = self._source.units[item.unit]
        return [*comments, *code_of(unit, self._source.lines, self._renamed(item.unit, module))]

    def _import_of_statements(self, where: str) -> str:
        """An import of a module that binds nothing."""
        name = where.rpartition(".")[2]
        alias = fresh(name, self._source.bound_by)
        said = f"from . import {name}" if self._source.is_in_folder else f"import {name}"
        return f"{said}{'' if alias == name else f' as {alias}'}  # noqa: F401"

    def _comments(self, index: int) -> list[str]:
        """The comments above a unit, each time once; those at the top of the file belong to it."""
        unit = self._source.units[index]
        if unit is self._first or index in self._commented:
            return []
        self._commented.add(index)
        return self._source.lines[unit.first_line - 1 : unit.line - 1]

    def _renamed(self, index: int, module: str) -> dict[ast.Name, str]:
        route = self._source.routes.routes.get(index)
        if route is not None and route.owner == self._source.app and module != MAIN:
            return dict.fromkeys(route.owners, self._layout.router_names[module])
        if module != MAIN and is_logger(self._source, index):
            nodes = ast.walk(self._source.units[index].node)
            word = f'"{module_name(self._source.path)}"'
            return {node: word for node in nodes if isinstance(node, ast.Name) and node.id == "__name__"}
        return {}

    def _import(self, item: UnitItem, module: str, wants_router: bool) -> list[str]:
        """An import with the names that are wanted; as it stands where it says more, or is wanted as a whole."""
        unit, node = self._source.units[item.unit], self._source.units[item.unit].node
        wanted = item.names or frozenset()
        as_it_stands = code_of(unit, self._source.lines)
        deeper = isinstance(node, ast.ImportFrom) and node.level > 0 and module not in (MAIN, SHARED)
        adds = wants_router and self._is_of_fastapi(item) and "APIRouter" not in wanted
        says_more = len(unit.nodes) > 1 or any("#" in line for line in as_it_stands)
        if not deeper and not adds and (says_more or wanted >= self._source.uses[item.unit].binds):
            return as_it_stands
        lines: list[str] = []
        for each in unit.nodes:
            if isinstance(each, ast.ImportFrom):
                names = [_alias(alias) for alias in each.names if (alias.asname or alias.name) in wanted or deeper]
                dots = "." * (each.level + (1 if deeper and each.level else 0))
                lines += import_lines(f"{dots}{each.module or ''}", sorted(names + ["APIRouter"] * adds, key=_by_name))
            elif isinstance(each, ast.Import):
                kept = [alias for alias in each.names if (alias.asname or alias.name.partition(".")[0]) in wanted]
                lines.append("import " + ", ".join(_alias(alias) for alias in kept))
            else:
                return as_it_stands
        return lines

    def _address(self, module: str, other: str) -> str:
        """How `module` names `other` in an import."""
        if not self._source.is_in_folder or other not in self._layout.modules:
            return other
        return f"{'.' if module in (MAIN, SHARED) else '..'}{other}"

    def _is_import(self, item: Item | None) -> bool:
        if isinstance(item, UnitItem):
            return item.names is not None or self._is_future(item)
        return isinstance(item, ImportItem)

    def _is_future(self, item: Item | None) -> bool:
        return isinstance(item, UnitItem) and any(
            isinstance(node, ast.ImportFrom) and node.module == "__future__"
            for node in self._source.units[item.unit].nodes
        )

    def _is_of_fastapi(self, item: Item) -> bool:
        """Whether it is a plain `from fastapi import ...`, where one name more is welcome."""
        if not isinstance(item, UnitItem) or item.names is None:
            return False
        unit = self._source.units[item.unit]
        if len(unit.nodes) > 1 or any("#" in line for line in code_of(unit, self._source.lines)):
            return False
        return isinstance(unit.node, ast.ImportFrom) and unit.node.module == "fastapi" and not unit.node.level


def import_lines(module: str, names: list[str]) -> list[str]:
    """`from module import names`, in one line where it fits."""
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= _LINE_LENGTH:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]


def title(module: str) -> str:
    """The path of a new module, without the folder of the main file."""
    return module.replace(".", "/") + ".py"


def folders(modules: list[str]) -> list[str]:
    """The packages that the new modules are in."""
    return sorted({top_of(module) for module in modules if "." in module})


def _alias(alias: ast.alias) -> str:
    return alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"


def _by_name(name: str) -> tuple[bool, str]:
    # As isort has it: constants and classes first.
    return name[:1].islower(), name
