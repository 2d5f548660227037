"""Where each unit goes, so that no two files need each other.

Models need models only, schemas need those, what is shared needs both, routers need all of it, and the main
file needs whatever it likes. What a model needs goes with the models, what a schema needs with the schemas.
Within a folder a file of one group needs `common` at most: whatever two groups need is in there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gofastapi_ext.core.convert.kinds import Kind
from gofastapi_ext.core.convert.paths import fresh
from gofastapi_ext.core.convert.reasons import must_be_beside
from gofastapi_ext.core.convert.source import Source

MAIN, SHARED = "main", "shared"
MODELS, SCHEMAS, ROUTERS = "models", "schemas", "routers"
_RANKS = {MODELS: 0, SCHEMAS: 1, SHARED: 2, ROUTERS: 3, MAIN: 4}
GENERAL = "path:general"
# So few routes that are about nothing in particular are no router.
_FEW = 3


@dataclass
class Decisions:
    """What was found out so far about what cannot be moved. It only ever grows."""

    stays: dict[int, str]
    """Units that stay in the main file, with the reason."""
    shared: set[int] = field(default_factory=set)
    """Statements that go to the shared module, to be in time for what stands behind them."""
    kept: set[int] = field(default_factory=set)
    """Imports that the main file keeps, to be in time."""


@dataclass(frozen=True)
class Placement:
    """The module of each unit: "main", "shared", "routers.users" and so on; imports have none."""

    modules: dict[int, str]
    routers: dict[str, str]
    """The group or router that each module of `routers` is for."""
    because: dict[int, int]
    """For a unit that stays for the sake of another one, that one."""

    def units_of(self, module: str) -> list[int]:
        return sorted(unit for unit, place in self.modules.items() if place == module)

    @property
    def names(self) -> list[str]:
        """The new modules, lowest first."""
        return sorted({*self.modules.values()} - {MAIN}, key=lambda module: (_RANKS[top_of(module)], module))


def top_of(module: str) -> str:
    return module.partition(".")[0]


def place(source: Source, decisions: Decisions) -> Placement:
    """Place every unit; whoever needs what stays, stays too."""
    because = dict(_dependents(source, decisions.stays))
    staying = decisions.stays.keys() | because.keys()
    groups = {unit: group for unit, group in _groups(source, staying).items() if unit not in staying}
    files = _router_files(source, groups)
    roots = _roots(source, decisions, staying, groups)
    reach = _spread(source, roots, groups)
    orphans = [i for i in _placeable(source) if source.kinds[i] in (Kind.MODEL, Kind.SCHEMA) and not reach[i]]
    reach = _spread(source, {**roots, **{index: {SHARED} for index in orphans}}, groups)
    modules = dict.fromkeys(_placeable(source), MAIN)
    modules |= {unit: files[group] for unit, group in groups.items()}
    for index in decisions.shared - staying:
        modules[index] = SHARED
    free = {i for i in modules if i not in staying and i not in groups and source.kinds[i] is not Kind.STATEMENT}
    for folder, kind in ((MODELS, Kind.MODEL), (SCHEMAS, Kind.SCHEMA)):
        seeds = {index for index in free if source.kinds[index] is kind}
        for index in _closure(source, seeds, free):
            modules[index] = f"{folder}.{_file_of(reach[index], files)}"
            free.discard(index)
    for index in free:
        file = _file_of(reach[index], files)
        if file != "common" and not _has_to_be_shared(source, index):
            modules[index] = files[next(iter(reach[index]))]
        elif not reach[index] <= {MAIN}:
            modules[index] = SHARED
    return Placement(modules, {file: group for group, file in files.items()}, because)


def misplaced(source: Source, placement: Placement) -> Iterator[tuple[int, str]]:
    """Units that cannot be where they are, each with the reason."""
    modules = placement.modules
    for index, module in modules.items():
        for other in source.needs(index):
            if not _may_import(module, modules[other]):
                user, used = source.name_of(index), source.name_of(other)
                yield (
                    (index, f"`{user}` needs `{used}`")
                    if modules[other] == MAIN
                    else (other, f"`{used}` is needed by `{user}`, which is about something else")
                )
        if module not in (MAIN, SHARED) and must_be_beside(source, index):
            yield index, f"`{source.name_of(index)}` asks for the folder it is in"
    for name, units in rebound(source).items():
        if len({modules[index] for index in units}) > 1:
            by = next(source.name_of(index) for index in sorted(units) if name in source.uses[index].rebinds)
            for index in units:
                yield index, f"`{name}` is rebound by `{by}` with `global`"


def rebound(source: Source) -> dict[str, set[int]]:
    """For each name that a function rebinds by `global`, the units that have to be in one file."""
    names = {name for use in source.uses for name in use.rebinds}
    found: dict[str, set[int]] = {}
    for name in names:
        units = {index for index, use in enumerate(source.uses) if name in use.needs or name in use.rebinds}
        units |= set(source.bound_by.get(name, ()))
        found[name] = {index for index in units if source.kinds[index] is not Kind.IMPORT}
    return found


def _may_import(module: str, other: str) -> bool:
    if module in (other, MAIN):
        return True
    rank, rank_of_other = _RANKS[top_of(module)], _RANKS[top_of(other)]
    return rank_of_other < rank or (rank_of_other == rank and rank < _RANKS[SHARED] and other.endswith(".common"))


def _placeable(source: Source) -> list[int]:
    return [index for index, kind in enumerate(source.kinds) if kind not in (Kind.IMPORT, Kind.FUTURE)]


def _dependents(source: Source, stays: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Everything that needs what stays, with what it needs."""
    staying = set(stays)
    users = _users(source)
    queue = sorted(staying)
    for index in queue:
        for user in sorted(users[index] - staying):
            staying.add(user)
            queue.append(user)
            yield user, index


def _users(source: Source) -> list[set[int]]:
    """Who needs each unit: also an import that stays, and whoever shares a name that is rebound."""
    users: list[set[int]] = [set() for _ in source.units]
    for name, binders in source.bound_by.items():
        for binder in binders:
            users[binder] |= source.users.get(name, frozenset()) - {binder}
    for units in rebound(source).values():
        for index in units:
            users[index] |= units - {index}
    return users


def _groups(source: Source, staying: set[int]) -> dict[int, str]:
    """The group of each route that is to move, and of each router: `path:users`, `router:users_router`."""
    groups = {unit: f"router:{name}" for unit, name in source.routes.routers.items()}
    groups |= {r.unit: f"router:{r.owner}" for r in source.routes.routes.values() if r.owner != source.app}
    routes = [r for r in source.routes.routes.values() if r.owner == source.app and r.unit not in staying]
    sizes = Counter(route.group for route in routes)
    tagged = {route.group for route in routes if route.is_tagged}
    alone = []
    for route in routes:
        if route.group is not None and (sizes[route.group] > 1 or route.group in tagged):
            groups[route.unit] = f"path:{route.group}"
        elif None not in route.paths:
            alone.append(route.unit)
    if len(alone) >= _FEW:
        groups |= dict.fromkeys(alone, GENERAL)
    return groups


def _router_files(source: Source, groups: dict[int, str]) -> dict[str, str]:
    """The module of each group."""
    files: dict[str, str] = {}
    for group in sorted(set(groups.values())):
        sort, _, name = group.partition(":")
        name = source.routes.group_of_router(name) if sort == "router" else name
        files[group] = f"{ROUTERS}.{fresh(name, (file.partition('.')[2] for file in files.values()))}"
    return files


def _roots(source: Source, decisions: Decisions, staying: set[int], groups: dict[int, str]) -> dict[int, set[str]]:
    """Who wants each unit for a start: a group, the main file, or the shared module."""
    roots: dict[int, set[str]] = {}
    users = _users(source)
    for index in _placeable(source):
        kind = source.kinds[index]
        unused = kind is Kind.HELPER and not users[index]
        if index in groups:
            roots[index] = {groups[index]}
        elif index in decisions.shared - staying:
            roots[index] = {SHARED}
        elif unused or index in staying or kind in (Kind.STATEMENT, Kind.DOCSTRING, Kind.ROUTE):
            roots[index] = {MAIN}
    return roots


def _spread(source: Source, roots: dict[int, set[str]], groups: dict[int, str]) -> list[set[str]]:
    """Who wants each unit, directly or through what it wants. What a router needs is wanted by it alone."""
    reach: list[set[str]] = [set(roots.get(index, ())) for index in range(len(source.units))]
    together = list(rebound(source).values())
    queue = list(range(len(source.units)))
    while queue:
        index = queue.pop()
        wanted = {groups[index]} if index in groups else set(reach[index])
        if source.kinds[index] is Kind.HELPER and wanted - {MAIN} and _has_to_be_shared(source, index):
            wanted.add(SHARED)
        others = source.needs(index).union(*(units for units in together if index in units))
        for other in others | {index}:
            if not wanted <= reach[other]:
                reach[other] |= wanted
                queue.append(other)
    return reach


def _has_to_be_shared(source: Source, index: int) -> bool:
    """What does something when it is imported is where everything else of the kind is, in its order."""
    return bool(source.effects[index]) or must_be_beside(source, index)


def _closure(source: Source, seeds: set[int], free: set[int]) -> set[int]:
    """The seeds and all that they need of what is free to go."""
    found, queue = set(seeds), list(seeds)
    while queue:
        for other in (source.needs(queue.pop()) & free) - found:
            found.add(other)
            queue.append(other)
    return found


def _file_of(reach: set[str], files: dict[str, str]) -> str:
    """The one group that wants it, by the name of its file; else `common`."""
    (only, *more) = reach or {SHARED}
    return "common" if more or only not in files else files[only].partition(".")[2]
