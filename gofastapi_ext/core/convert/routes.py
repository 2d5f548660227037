"""The app of a module, its routes and its routers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from gofastapi_ext.core.convert.kinds import METHODS
from gofastapi_ext.core.convert.paths import ANYTHING, group_of, module_name_for
from gofastapi_ext.core.convert.units import Unit
from gofastapi_ext.core.validation.names import Names
from gofastapi_ext.core.validation.statements import is_never_deployed

# What may be done with the app without its routes being looked at, or changed.
_NO_MATTER_OF_ROUTES = frozenset(
    {"add_event_handler", "add_exception_handler", "add_middleware", "exception_handler", "exception_handlers"}
    | {"middleware", "on_event", "state", "title", "version", "description", "debug", "extra", "user_middleware"}
    | {"openapi", "openapi_schema", "openapi_tags", "dependency_overrides", "url_path_for", "build_middleware_stack"}
)


@dataclass(frozen=True)
class Registration:
    """Paths that a unit tells the app about, in its order. None is one nobody knows."""

    unit: int
    paths: tuple[str | None, ...]
    name: str = ""
    """Of the function: `url_for` takes the first route of a name."""


@dataclass(frozen=True)
class Route:
    """A function that is nothing but routes of `owner`, the app or a router."""

    unit: int
    owner: str
    paths: tuple[str | None, ...]
    group: str | None
    """What its tag, else its path, says it is about."""
    is_tagged: bool
    owners: tuple[ast.Name, ...] = field(repr=False)
    """Where `owner` is named by its decorators."""


class Routes:
    """Reads the routes of one module."""

    def __init__(self, units: list[Unit], names: Names, app: str) -> None:
        self._names = names
        self._app = app
        self._constants = dict(_constants(units, names))
        self.routers = {unit.index: name for unit in units if (name := self._router_of(unit))}
        owners = {app, *self.routers.values()}
        self.routes = {unit.index: route for unit in units if (route := self._route_of(unit, owners))}

    def registrations(self, units: list[Unit]) -> Iterator[Registration]:
        """What tells the app about paths, by units, in order."""
        for unit in units:
            route = self.routes.get(unit.index)
            if route is not None:
                if route.owner == self._app:
                    yield Registration(unit.index, route.paths, unit.function.name if unit.function else "")
                continue
            for node in unit.nodes:
                if isinstance(node, ast.If) and is_never_deployed(node.test):
                    continue
                paths = tuple(self._told_by(node))
                if paths:
                    name = getattr(node, "name", "")
                    yield Registration(unit.index, paths, name)

    def prefix(self, router: str) -> str | None:
        """The prefix a router was made with; None where it is not known."""
        binding = self._names.bindings[router]
        return self._keyword(binding.value, "prefix", "") if isinstance(binding.value, ast.Call) else None

    def group_of_router(self, router: str) -> str:
        """What a router is about, by its tag, its prefix or its name."""
        call = self._names.bindings[router].value
        tag = self._tag(call) if isinstance(call, ast.Call) else None
        plain = router.removesuffix("_router").removeprefix("router_").removesuffix("_api")
        word = tag or group_of(self.prefix(router) or "") or (None if plain == "router" else module_name_for(plain))
        return word or next((r.group for r in self.routes.values() if r.owner == router and r.group), "general")

    def _router_of(self, unit: Unit) -> str | None:
        node = unit.node
        if len(unit.nodes) != 1 or not isinstance(node, ast.Assign) or len(node.targets) != 1:
            return None
        target, value = node.targets[0], node.value
        if not (isinstance(target, ast.Name) and isinstance(value, ast.Call)):
            return None
        made = self._names.qualified(value.func)
        return target.id if made in ("fastapi.APIRouter", "fastapi.routing.APIRouter") else None

    def _route_of(self, unit: Unit, owners: set[str]) -> Route | None:
        function = unit.function
        if function is None or len(unit.nodes) != 1:
            return None
        found: list[tuple[ast.Name, ast.Call]] = []
        for decorator in function.decorator_list:
            name = _owner(decorator, owners)
            if name is not None and isinstance(decorator, ast.Call):
                found.append((name, decorator))
        if not found or len({name.id for name, _ in found}) > 1:
            return None
        calls = [call for _, call in reversed(found)]  # the lowest decorator is the first to be called
        paths = tuple(self._path(call) for call in calls)
        tag = next((tag for call in calls if (tag := self._tag(call))), None)
        known = [path for path in paths if path]
        group = tag or (group_of(known[-1]) if known else None)
        return Route(unit.index, found[0][0].id, paths, group, tag is not None, tuple(name for name, _ in found))

    def _told_by(self, node: ast.stmt) -> Iterator[str | None]:
        """The paths that a statement which is no plain route tells the app about."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            looked_at: list[ast.AST] = list(node.decorator_list)
        elif isinstance(node, ast.ClassDef | ast.Import | ast.ImportFrom):
            looked_at = list(getattr(node, "decorator_list", []))
        else:
            looked_at = [node]
        for top in looked_at:
            handled: set[ast.Name] = set()
            for inner in ast.walk(top):
                if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
                    if inner.value.id == self._app and inner.attr in _NO_MATTER_OF_ROUTES:
                        handled.add(inner.value)
                elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
                    name, method = inner.func.value, inner.func.attr
                    if isinstance(name, ast.Name) and name.id == self._app and method not in _NO_MATTER_OF_ROUTES:
                        handled.add(name)
                        yield self._path_told(inner, method)
            named = (inner for inner in ast.walk(top) if isinstance(inner, ast.Name) and inner.id == self._app)
            if any(isinstance(name.ctx, ast.Load) and name not in handled for name in named):
                yield None

    def _path_told(self, call: ast.Call, method: str) -> str | None:
        if method in METHODS | {"route", "websocket_route", "add_api_route", "add_route", "add_api_websocket_route"}:
            return self._path(call)
        if method in ("mount", "frontend"):
            path = self._path(call)
            return None if path is None else path.rstrip("/") + ANYTHING
        if method == "include_router":
            prefix = self._keyword(call, "prefix", "")
            given = call.args[0] if call.args else None
            own = self.prefix(given.id) if isinstance(given, ast.Name) and given.id in self.routers.values() else None
            return None if prefix is None or not prefix + (own or "") else prefix + (own or "") + ANYTHING
        return None

    def _path(self, call: ast.Call) -> str | None:
        return self.text(call.args[0]) if call.args else self._keyword(call, "path", None)

    def _keyword(self, call: ast.Call, name: str, default: str | None) -> str | None:
        if any(keyword.arg is None for keyword in call.keywords):
            return None
        return next((self.text(keyword.value) for keyword in call.keywords if keyword.arg == name), default)

    def _tag(self, call: ast.Call) -> str | None:
        for keyword in call.keywords:
            if keyword.arg == "tags" and isinstance(keyword.value, ast.List | ast.Tuple) and keyword.value.elts:
                text = self.text(keyword.value.elts[0])
                return module_name_for(text) if text else None
        return None

    def text(self, node: ast.expr) -> str | None:
        """The text an expression stands for, where that is plain: constants, their sums, f-strings of them."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return self._constants.get(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.text(node.left), self.text(node.right)
            return None if left is None or right is None else left + right
        if isinstance(node, ast.JoinedStr):
            parts = [
                self.text(part.value)
                if isinstance(part, ast.FormattedValue) and part.conversion == -1 and part.format_spec is None
                else self.text(part)
                for part in node.values
            ]
            return None if None in parts else "".join(part for part in parts if part is not None)
        return None


def _owner(decorator: ast.expr, owners: set[str]) -> ast.Name | None:
    if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)):
        return None
    name = decorator.func.value
    if isinstance(name, ast.Name) and name.id in owners and decorator.func.attr in METHODS:
        return name
    return None


def _constants(units: list[Unit], names: Names) -> Iterator[tuple[str, str]]:
    """The texts that names stand for all the time."""
    bound: dict[str, int] = {}
    for unit in units:
        for node in unit.nodes:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    bound[inner.id] = bound.get(inner.id, 0) + 1
    for name, binding in names.bindings.items():
        if isinstance(binding.value, ast.Constant) and isinstance(binding.value.value, str) and bound.get(name) == 1:
            yield name, binding.value.value
