"""Which route answered a request, as the template it was declared with: `/items/{id}`, not `/items/7`.

FastAPI and Starlette leave what they found in the request's scope: the route, or its endpoint alone,
and the path that mounts took off. Nothing of them is imported here: an app may use neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

NO_ROUTE = "(no route)"
"""Stands for everything that no route was found for."""

_PARAMETER = r"{[^}]*}"
_MAX_DEPTH = 10


class Routes:
    """The routes of one app. What is needed of them is looked up once, when it is first asked for."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def template(self, scope: Any) -> str:
        """The template of the route that this scope was answered by, with those of the mounts around it."""
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return _frontend_template(scope)
        mount = self._mount_template(scope)
        path = self._own_path(scope, endpoint, mount)
        if path is not None:
            return mount + path or "/"
        # It was left to a mount: to files, say. An app that has routes found none of them.
        return NO_ROUTE if getattr(endpoint, "routes", None) else f"{mount}/*"

    def is_sure(self, scope: Any) -> bool:
        """Whether every scope with this route, endpoint and root path has the same template."""
        endpoint = scope.get("endpoint")
        return endpoint is not None and len(self._plain_routes.get(id(endpoint), ())) < 2

    def _own_path(self, scope: Any, endpoint: Any, mount: str) -> str | None:
        """The path the endpoint was declared with, or None where it is no endpoint of a route."""
        included = included_route(scope)
        if included is not None and getattr(included.original_route, "endpoint", None) is endpoint:
            return _path_of(getattr(included, "starlette_route", None) or included)
        route = scope.get("route")
        if getattr(route, "endpoint", None) is endpoint:
            return _path_of(route)
        # A plain route of Starlette's, of which FastAPI tells the endpoint only.
        found = [route for prefix, route in self._plain_routes.get(id(endpoint), ()) if prefix == mount]
        if len(found) > 1:
            path = scope["path"].removeprefix(scope["root_path"])
            found = [each for each in found if each.path_regex.match(path)] or found
        return _path_of(found[0]) if found else None

    def _mount_template(self, scope: Any) -> str:
        """The template of the mounts that were passed on the way to the route."""
        before = scope.get("app_root_path")
        if before is None:
            return ""
        path: str = scope["root_path"].removeprefix(before)
        return next((template for pattern, template in self._mounts if pattern.fullmatch(path)), path)

    @cached_property
    def _plain_routes(self) -> dict[int, list[tuple[str, Any]]]:
        """By the id of the endpoint: each route with the template of the mounts it is in."""
        found: dict[int, list[tuple[str, Any]]] = {}
        for prefix, route in _walk(self._app, "", 0):
            if hasattr(route, "endpoint"):
                found.setdefault(id(route.endpoint), []).append((prefix, route))
        return found

    @cached_property
    def _mounts(self) -> list[tuple[re.Pattern[str], str]]:
        """The mounts with parameters in their paths."""
        templates = (prefix + _path_of(each) for prefix, each in _walk(self._app, "", 0) if _is_mount(each))
        return [(_pattern_of(template), template) for template in templates if "{" in template]


def serves(app: Any, path: str) -> bool:
    """Whether the app has a route, or a mount, for GET `path`. Apps whose routes we cannot see do."""
    routes = getattr(app, "routes", None)
    if routes is None:
        return True
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": [], "query_string": b""}
    # `Match.NONE` is 0; read so, to need nothing of the framework here.
    return any(route.matches(dict(scope))[0].value > 0 for route in routes if hasattr(route, "matches"))


def included_route(scope: Any) -> Any:
    """What newer versions of FastAPI keep of a route that came with `include_router`: it has the whole path."""
    found = scope.get("fastapi")
    return found.get("effective_route_context") if found else None


def _frontend_template(scope: Any) -> str:
    """Of files that newer versions of FastAPI serve where no route was found."""
    path = (scope.get("fastapi") or {}).get("frontend_path")
    return NO_ROUTE if path is None else scope["path"].removesuffix(path).rstrip("/") + "/*"


def _pattern_of(template: str) -> re.Pattern[str]:
    parts = re.split(f"({_PARAMETER})", template)
    return re.compile("".join(".+" if part.startswith("{") else re.escape(part) for part in parts))


def _path_of(route: Any) -> str:
    # A mount's format goes on to what is mounted.
    path = getattr(route, "path_format", None) if hasattr(route, "endpoint") else None
    return str(path or getattr(route, "path", ""))


def _is_mount(route: Any) -> bool:
    return hasattr(route, "app") and not hasattr(route, "endpoint")


def _walk(app: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    """All routes and mounts, each with the template of the mounts it is in."""
    routes = getattr(app, "routes", None)
    for route in routes if isinstance(routes, list) and depth < _MAX_DEPTH else ():
        yield prefix, route
        if _is_mount(route):
            yield from _walk(route, prefix + _path_of(route), depth + 1)
