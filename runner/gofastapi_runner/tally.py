"""Who answered what, counted some requests at a time.

A request leaves a short note; the look-ups are made for many notes in a row. One by one they cost three
times as much, for what they need has left the processor's caches in between.
"""

from __future__ import annotations

from typing import Any

from gofastapi_runner.metrics import Metrics, RouteCounters
from gofastapi_runner.routes import NO_ROUTE, Routes

NOTES_AT_ONCE = 100
"""After so many they are to be settled."""
# Routes are few; root paths and methods come from visitors.
_MAX_KNOWN = 1000
# What a note keeps of the scope: all that tells the route, and nothing of the app's own.
_OF_SCOPE = ("endpoint", "route", "fastapi", "root_path", "app_root_path", "path")


class Tally:
    """Counts the requests of an app by its routes."""

    def __init__(self, metrics: Metrics, app: Any) -> None:
        self._metrics = metrics
        self._routes = Routes(app)
        self.notes: list[tuple[Any, ...]] = []
        """Each: method, path of an answer of the gate's own or None, what is in `_OF_SCOPE`, status, seconds, bytes
        in, bytes out. They are written without a call, for there is one for every request.
        """
        self._known: dict[tuple[Any, ...], tuple[RouteCounters, Any]] = {}

    def settle(self) -> None:
        """Count what has been noted."""
        notes, self.notes = self.notes, []
        for method, own, *of_scope, status, seconds, bytes_in, bytes_out in notes:
            self._counters(method, own, of_scope).observe(status, seconds, bytes_in, bytes_out)

    def template(self, scope: Any) -> str:
        """The template of the route that this scope was answered by."""
        try:
            return self._routes.template(scope)
        except Exception:
            return NO_ROUTE  # apps may put into the scope what they like

    def _counters(self, method: str, own: str | None, of_scope: list[Any]) -> RouteCounters:
        if own is not None:
            return self._metrics.of(method, own)
        try:
            endpoint, route, fastapi, root_path, *_ = of_scope
            included = fastapi.get("effective_route_context") if fastapi else None
            key = (method, id(endpoint), id(route), id(included), root_path)
            known = self._known.get(key)
            if known is None:
                scope = {name: value for name, value in zip(_OF_SCOPE, of_scope, strict=True) if value is not None}
                # What the key names goes along, so that no other object gets its id.
                known = self._metrics.of(method, self.template(scope)), of_scope
                if len(self._known) < _MAX_KNOWN and self._routes.is_sure(scope):
                    self._known[key] = known
            return known[0]
        except Exception:
            return self._metrics.of(method, NO_ROUTE)
