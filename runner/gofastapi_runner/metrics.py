"""Counters of one instance, read by the platform in Prometheus text.

All are totals since the instance started, but the gauges of what is open at this moment:

    gofastapi_requests_total{method,route,status}       status is "2xx" to "5xx"
    gofastapi_request_seconds{method,route}             a histogram: _bucket{le}, _sum, _count
    gofastapi_request_bytes_total{method,route}         bodies that came in
    gofastapi_response_bytes_total{method,route}        bodies that went out
    gofastapi_exceptions_total
    gofastapi_requests_in_flight, gofastapi_websockets_open
    process_cpu_seconds_total, process_resident_memory_bytes    of the process and those it started

Of routes, what is zero is left out, but for buckets.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from time import perf_counter

from gofastapi_runner.usage import Usage

LATENCY_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

OTHER_ROUTE = "(other)"
"""Stands for all routes beyond those that are counted one by one."""
OTHER_METHOD = "OTHER"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_BOUNDS = tuple(str(bound) for bound in (*LATENCY_BUCKETS_SECONDS, "+Inf"))
_STATUSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
_MAX_ROUTES = 200
_MAX_LABEL_LENGTH = 200
_MAX_TEXT_BYTES = 240_000
# The most lines one route may have, and what a line holds beside the route's labels.
_LINES_PER_ROUTE = len(_BOUNDS) + len(_STATUSES) + 4
_LINE_BYTES = 75


class RouteCounters:
    """What is counted of one route and method. Touched by the event loop's thread alone, so plain integers do."""

    __slots__ = ("buckets", "by_class", "bytes_in", "bytes_out", "labels", "method", "route", "seconds")

    def __init__(self, method: str, route: str) -> None:
        self.method = method
        self.route = route
        self.labels = f'method="{_escaped(method)}",route="{_escaped(route)}"'
        self.by_class = [0] * 6
        self.buckets = [0] * len(_BOUNDS)
        self.seconds = 0.0
        self.bytes_in = 0
        self.bytes_out = 0

    def observe(self, status: int, seconds: float, bytes_in: int, bytes_out: int) -> None:
        """One answered request."""
        self.by_class[status // 100 if 100 <= status < 600 else 5] += 1
        self.buckets[bisect_left(LATENCY_BUCKETS_SECONDS, seconds)] += 1
        self.seconds += seconds
        self.bytes_in += bytes_in
        self.bytes_out += bytes_out


class Metrics:
    """What the gate counts."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.websockets_open = 0
        self.exceptions = 0
        self.last_ended = perf_counter()
        self._routes: dict[tuple[str, str], RouteCounters] = {}
        self._room_bytes = _MAX_TEXT_BYTES
        self._usage = Usage()

    def of(self, method: str, route: str) -> RouteCounters:
        """The counters of a route; the same ones for all routes beyond what is kept apart."""
        method = method if method in _METHODS else OTHER_METHOD
        route = shown(route)
        found = self._routes.get((method, route))
        if found is None:
            found = RouteCounters(method, route)
            size = _LINES_PER_ROUTE * (len(found.labels.encode()) + _LINE_BYTES)
            if route != OTHER_ROUTE and (len(self._routes) >= _MAX_ROUTES or size > self._room_bytes):
                return self.of(method, OTHER_ROUTE)
            self._room_bytes -= size
            self._routes[method, route] = found
        return found

    @property
    def requests(self) -> int:
        return sum(sum(each.by_class) for each in self._routes.values())

    def render(self) -> str:
        """The counters in the Prometheus text format."""
        cpu_seconds, memory_bytes = self._usage.measure()
        lines = [
            *self._counted(),
            "# TYPE gofastapi_exceptions_total counter",
            f"gofastapi_exceptions_total {self.exceptions}",
            "# TYPE gofastapi_requests_in_flight gauge",
            f"gofastapi_requests_in_flight {self.in_flight}",
            "# TYPE gofastapi_websockets_open gauge",
            f"gofastapi_websockets_open {self.websockets_open}",
            "# TYPE process_cpu_seconds_total counter",
            f"process_cpu_seconds_total {cpu_seconds:.3f}",
            "# TYPE process_resident_memory_bytes gauge",
            f"process_resident_memory_bytes {memory_bytes}",
        ]
        return "\n".join(lines) + "\n"

    def _counted(self) -> Iterator[str]:
        routes = [each for each in self._routes.values() if any(each.by_class)]
        yield "# TYPE gofastapi_requests_total counter"
        for each in routes:
            for status, count in zip(_STATUSES, each.by_class[1:], strict=True):
                if count:
                    yield f'gofastapi_requests_total{{{each.labels},status="{status}"}} {count}'
        yield "# TYPE gofastapi_request_seconds histogram"
        for each in routes:
            for bound, count in zip(_BOUNDS, accumulate(each.buckets), strict=True):
                yield f'gofastapi_request_seconds_bucket{{{each.labels},le="{bound}"}} {count}'
            yield f"gofastapi_request_seconds_sum{{{each.labels}}} {each.seconds:.6f}"
            yield f"gofastapi_request_seconds_count{{{each.labels}}} {sum(each.buckets)}"
        yield "# TYPE gofastapi_request_bytes_total counter"
        for each in routes:
            if each.bytes_in:
                yield f"gofastapi_request_bytes_total{{{each.labels}}} {each.bytes_in}"
        yield "# TYPE gofastapi_response_bytes_total counter"
        for each in routes:
            if each.bytes_out:
                yield f"gofastapi_response_bytes_total{{{each.labels}}} {each.bytes_out}"


def shown(route: str) -> str:
    """A route as it stands in labels: of bounded length, without anything that breaks a line."""
    route = route[:_MAX_LABEL_LENGTH]
    return route if route.isprintable() else "".join(c if c.isprintable() else "?" for c in route)


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"')
