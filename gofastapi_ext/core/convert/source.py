"""A single-file app, read: its units, what each is, binds, needs and does."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

from gofastapi_ext.core.convert.effects import Effect, Effects
from gofastapi_ext.core.convert.kinds import Kind, kind_of
from gofastapi_ext.core.convert.routes import Routes
from gofastapi_ext.core.convert.units import Unit, Use, code_of, split_units, use_of
from gofastapi_ext.core.validation.names import Names, names_of
from gofastapi_ext.core.validation.statements import last_name

# No name that anybody has.
_OWNER = "gofastapi_router_of_this_file"


@dataclass(frozen=True)
class Source:
    """The main file of an app, whose app is called `app`."""

    path: str
    lines: list[str]
    tree: ast.Module
    names: Names
    app: str
    units: list[Unit]
    kinds: list[Kind]
    uses: list[Use]
    effects: list[Effect]
    routes: Routes
    bound_by: dict[str, list[int]]
    """The units that bind each name of the module, imports among them, where it takes more than one all of them."""
    users: dict[str, frozenset[int]]
    """The units that need each name."""

    @property
    def is_in_folder(self) -> bool:
        return len(PurePosixPath(self.path).parts) > 1

    def name_of(self, unit: int) -> str:
        """What to call a unit."""
        each = self.units[unit]
        if each.function or each.class_:
            return getattr(each.node, "name", "")
        bound = sorted(self.uses[unit].binds)
        return bound[0] if bound else f"line {each.line}"

    def needs(self, unit: int) -> set[int]:
        """The units that bind what the unit needs, imports and itself left out."""
        return {
            other
            for name in self.uses[unit].needs
            for other in self.bound_by.get(name, ())
            if other != unit and self.kinds[other] is not Kind.IMPORT
        }

    def is_star(self, unit: int) -> bool:
        return any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in self.units[unit].nodes)


def read_source(path: str, lines: list[str], tree: ast.Module, app: str, own_modules: frozenset[str]) -> Source:
    """Read a module that parses, where the `FastAPI` object is bound to `app`."""
    units = split_units(tree, lines)
    names = names_of(tree)
    routes = Routes(units, names, app)
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    uses = [use_of(_text(unit, routes, app, lines), unit.nodes) for unit in units]
    kinds = [
        Kind.ROUTE if unit.index in routes.routes else kind_of(unit, names, classes, uses[unit.index].binds)
        for unit in units
    ]
    effects = Effects(tree, names, frozenset({app, *routes.routers.values()}), own_modules)
    bound_by: dict[str, list[int]] = {}
    for unit in units:
        if kinds[unit.index] is not Kind.FUTURE:
            for name in uses[unit.index].binds:
                bound_by.setdefault(name, []).append(unit.index)
    users: dict[str, set[int]] = {}
    for unit in units:
        for name in uses[unit.index].needs:
            users.setdefault(name, set()).add(unit.index)
    leading = _leading_imports(kinds)
    bound_by = {name: _who_binds(name, found, kinds, units, leading) for name, found in bound_by.items()}
    return Source(
        path=path,
        lines=lines,
        tree=tree,
        names=names,
        app=app,
        units=units,
        kinds=kinds,
        uses=uses,
        effects=[effects.of(unit, kinds[unit.index]) for unit in units],
        routes=routes,
        bound_by=bound_by,
        users={name: frozenset(found) for name, found in users.items()},
    )


def class_names(tree: ast.AST) -> Counter[str]:
    """How often each name stands for a class in the text, at any depth; imported names count by what they were."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found[node.name] += 1
        elif isinstance(node, ast.ImportFrom):
            found.update({alias.name: 1 for alias in node.names if alias.asname and alias.asname != alias.name})
        elif isinstance(node, ast.Call) and last_name(node.func) in ("create_model", "Enum", "TypedDict") and node.args:
            found.update(str(each.value) for each in node.args[:1] if isinstance(each, ast.Constant))
    return found


def _text(unit: Unit, routes: Routes, app: str, lines: list[str]) -> str:
    """The code of the unit, the `app` of a route's decorators under a name that means nothing here."""
    route = routes.routes.get(unit.index)
    renamed = dict.fromkeys(route.owners, _OWNER) if route is not None and route.owner == app else {}
    return "\n".join(code_of(unit, lines, renamed)) + "\n"


def _leading_imports(kinds: list[Kind]) -> int:
    """How many units are imports, or the docstring, before anything else."""
    quiet = (Kind.DOCSTRING, Kind.FUTURE, Kind.IMPORT)
    return next((index for index, kind in enumerate(kinds) if kind not in quiet), len(kinds))


def _who_binds(name: str, found: list[int], kinds: list[Kind], units: list[Unit], leading: int) -> list[int]:
    """Of imports that say the same the first decides, of those at the top the last. `import a.b` adds to `import a`."""
    if len(found) == 1 or any(kinds[index] is not Kind.IMPORT for index in found):
        return found
    meant = [_imported(name, units[index]) for index in found]
    if all(each == name for each in meant):
        return found
    if len(set(meant)) == 1:
        return found[:1]
    return found[-1:] if found[-1] < leading else found


def _imported(name: str, unit: Unit) -> str:
    """What an import binds to `name`: "from a import b", or "a" for `import a.c`."""
    for node in unit.nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.ImportFrom):
                if any((alias.asname or alias.name) == name for alias in inner.names):
                    original = next(alias.name for alias in inner.names if (alias.asname or alias.name) == name)
                    return f"from {'.' * inner.level}{inner.module or ''} import {original}"
            elif isinstance(inner, ast.Import):
                for alias in inner.names:
                    if alias.asname == name:
                        return f"from {alias.name}"
                    if alias.asname is None and alias.name.partition(".")[0] == name:
                        return name
    return ""
