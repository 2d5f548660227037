"""The new files as lists of items, and the order in which all of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from gofastapi_ext.core.convert.effects import Effect
from gofastapi_ext.core.convert.kinds import Kind
from gofastapi_ext.core.convert.paths import fresh
from gofastapi_ext.core.convert.place import MAIN, Decisions, Placement, top_of
from gofastapi_ext.core.convert.source import Source


@dataclass(frozen=True)
class UnitItem:
    """A unit; of an import the names that are wanted here, or None for all of it."""

    unit: int
    names: frozenset[str] | None = None


@dataclass(frozen=True)
class ImportItem:
    """`from module import name as alias` of a new module. What is imported only to be run is in `unused`."""

    module: str
    names: tuple[tuple[str, str], ...]
    unused: bool = False


@dataclass(frozen=True)
class RouterItem:
    """`name = APIRouter()`"""

    name: str


@dataclass(frozen=True)
class IncludeItem:
    """`app.include_router(name)`"""

    name: str


Item = UnitItem | ImportItem | RouterItem | IncludeItem


@dataclass
class Layout:
    """The items of every file, the main one last."""

    modules: dict[str, list[Item]] = field(default_factory=dict)
    router_names: dict[str, str] = field(default_factory=dict)
    """What each module of routers calls the router it makes; those of the person's own are not here."""


def lay_out(source: Source, decisions: Decisions, placement: Placement, exported: frozenset[str]) -> Layout:
    """The files. `exported` are names that other files import from the main one."""
    layout = Layout()
    home = {name: placement.modules[b] for name, bs in source.bound_by.items() for b in bs if b in placement.modules}
    for module in placement.names:
        items = _own_items(source, placement, module, decisions, needed := _needed(source, placement, module))
        if placement.routers.get(module, "").startswith("path:"):
            layout.router_names[module] = _router_name(source, module)
            items.append(RouterItem(layout.router_names[module]))
        at = _after_imports(source, items)
        rest = [item for item in items[at:] if isinstance(item, UnitItem)]
        made = [item for item in items[at:] if isinstance(item, RouterItem)]
        layout.modules[module] = [*items[:at], *_imports(home, needed, module), *made, *rest]
    layout.modules[MAIN] = _main(source, decisions, placement, layout, home, exported)
    return layout


def sequence(source: Source, layout: Layout) -> list[int]:
    """The units in the order in which they are run, an import where it is first."""
    done: dict[int, None] = {}
    entered: set[str] = set()

    def run(module: str) -> Iterator[int]:
        entered.add(module)
        for item in layout.modules[module]:
            if isinstance(item, UnitItem):
                yield item.unit
            elif isinstance(item, ImportItem) and item.module not in entered:
                yield from run(item.module)

    for unit in run(MAIN):
        done.setdefault(unit)
    return list(done)


def _needed(source: Source, placement: Placement, module: str) -> set[str]:
    """The names of the old module that the units of a new one need."""
    units = placement.units_of(module)
    return {
        name
        for unit in units
        for name in source.uses[unit].needs | source.uses[unit].rebinds
        if name in source.bound_by
    }


def _own_items(source: Source, placement: Placement, module: str, decisions: Decisions, needed: set[str]) -> list[Item]:
    items: list[tuple[int, Item]] = [(unit, UnitItem(unit)) for unit in placement.units_of(module)]
    for index, kind in enumerate(source.kinds):
        if kind is Kind.FUTURE or source.is_star(index):
            items.append((index, UnitItem(index)))
        elif kind is Kind.IMPORT:
            wanted = frozenset(name for name in source.uses[index].binds & needed if index in source.bound_by[name])
            if module == MAIN:
                used = {name for use in source.uses for name in use.needs}
                binds = source.uses[index].binds
                wanted |= {name for name in binds if name not in used or index not in source.bound_by[name]}
                wanted = binds if index in decisions.kept else wanted
            if wanted:
                items.append((index, UnitItem(index, wanted)))
    return [item for _, item in sorted(items, key=lambda pair: pair[0])]


def _after_imports(source: Source, items: list[Item]) -> int:
    """Where the first item stands that is no import."""
    quiet = (Kind.DOCSTRING, Kind.FUTURE, Kind.IMPORT)
    return next(
        (at for at, item in enumerate(items) if not (isinstance(item, UnitItem) and source.kinds[item.unit] in quiet)),
        len(items),
    )


def _imports(home: dict[str, str], needed: set[str], module: str) -> list[ImportItem]:
    """What a module imports from the other new ones, lowest first."""
    wanted: dict[str, list[str]] = {}
    for name in sorted(needed):
        if home.get(name, module) not in (module, MAIN):
            wanted.setdefault(home[name], []).append(name)
    return [ImportItem(other, tuple((name, name) for name in wanted[other])) for other in sorted(wanted, key=_rank)]


def _rank(module: str) -> tuple[int, str]:
    return ["models", "schemas", "shared", "routers", "main"].index(top_of(module)), module


def _router_name(source: Source, module: str) -> str:
    taken = source.bound_by.keys()
    return "router" if "router" not in taken else fresh(f"{module.partition('.')[2]}_router", taken)


def _main(
    source: Source,
    decisions: Decisions,
    placement: Placement,
    layout: Layout,
    home: dict[str, str],
    exported: frozenset[str],
) -> list[Item]:
    needed = _needed(source, placement, MAIN) | (exported & source.bound_by.keys())
    own = _own_items(source, placement, MAIN, decisions, needed)
    imports = _imports(home, needed, MAIN)
    aliases: dict[str, str] = {}
    for module, name in layout.router_names.items():
        taken = {*source.bound_by, *aliases.values(), *(each for use in source.uses for each in use.needs)}
        aliases[module] = fresh(f"{module.partition('.')[2]}_router", taken)
        more = next((item.names for item in imports if item.module == module), ())
        imports = [item for item in imports if item.module != module]
        imports.append(ImportItem(module, (*more, (name, aliases[module]))))
    for module in placement.names:
        if module not in _reached(layout, imports):
            imports.append(ImportItem(module, _something_of(source, placement, module), unused=True))
    imports.sort(key=lambda item: _rank(item.module))
    threshold = _where_to_import(source, placement, own)
    includes: dict[int, IncludeItem] = {}
    for module, alias in aliases.items():
        first = min(unit for unit in placement.units_of(module) if unit in source.routes.routes)
        includes[first] = IncludeItem(alias)
    at = [(item.unit, item) for item in own if isinstance(item, UnitItem)]
    every: list[tuple[float, Item]] = [*at, *includes.items(), *((threshold - 0.5, item) for item in imports)]
    return [item for _, item in sorted(every, key=lambda pair: pair[0])]


def _reached(layout: Layout, imports: list[ImportItem]) -> set[str]:
    found: set[str] = set()
    queue = [item.module for item in imports]
    while queue:
        module = queue.pop()
        if module not in found:
            found.add(module)
            queue += [item.module for item in layout.modules[module] if isinstance(item, ImportItem)]
    return found


def _something_of(source: Source, placement: Placement, module: str) -> tuple[tuple[str, str], ...]:
    bound = sorted(name for unit in placement.units_of(module) for name in source.uses[unit].binds)
    return ((bound[0], bound[0]),) if bound else ()


def _where_to_import(source: Source, placement: Placement, own: list[Item]) -> int:
    """The unit before which the main file imports the new ones: the first that is no import, or where something
    was done before what is now in those files."""
    units = [item.unit for item in own if isinstance(item, UnitItem)]
    moved = {unit for unit, module in placement.modules.items() if module != MAIN}
    bound_elsewhere = {name for unit in moved for name in source.uses[unit].binds}
    first_moved = min((unit for unit in moved if source.effects[unit]), default=0)
    quiet = (Kind.DOCSTRING, Kind.FUTURE, Kind.IMPORT)
    threshold = next((index for index, kind in enumerate(source.kinds) if kind not in quiet), len(source.kinds))
    for unit in units:
        if source.kinds[unit] in quiet:
            continue
        if unit > first_moved or source.uses[unit].needs & bound_elsewhere or _imports_inside(source, unit):
            break
        if Effect.DOES in source.effects[unit]:
            threshold = unit + 1
    return threshold


def _imports_inside(source: Source, unit: int) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.level for node in source.units[unit].nodes)
