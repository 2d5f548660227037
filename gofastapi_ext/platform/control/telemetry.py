"""The platform's own figures, for Prometheus: what it is asked, what it does, and whether its loops go on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Outcome, Stage, State

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REQUEST_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_STAGE_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Telemetry:
    """One for each service, with a registry of its own. People build on the names: they stay.

    Everything here only counts: nothing waits, and no label is what a caller may choose freely.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series each, which nobody reads
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "gofastapi_api_requests", "Requests to the API.", ["method", "route", "status"], registry=registry
        )
        self._request_seconds = Histogram(
            "gofastapi_api_request_seconds",
            "Until an answer of the API begins; a stream may go on for long after that.",
            ["route"],
            buckets=_REQUEST_BUCKETS,
            registry=registry,
        )
        self._deployments = Counter(
            "gofastapi_deployments",
            "Attempts to bring an app live, by what for and how they ended.",
            ["kind", "outcome"],
            registry=registry,
        )
        self._deployment_seconds = Histogram(
            "gofastapi_deployment_seconds",
            "All of an attempt, from its request to its end.",
            ["kind"],
            buckets=_STAGE_BUCKETS,
            registry=registry,
        )
        self._stage_seconds = Histogram(
            "gofastapi_deployment_stage_seconds",
            "Each stage that was gone through.",
            ["stage"],
            buckets=_STAGE_BUCKETS,
            registry=registry,
        )
        self._events = Counter(
            "gofastapi_events", "What happened to apps, by its kind as in the feed.", ["kind"], registry=registry
        )
        self._wakes = Counter("gofastapi_wakes", "Apps woken by a request.", registry=registry)
        self._wake_seconds = Histogram(
            "gofastapi_wake_seconds",
            "From the request to an app that serves again.",
            buckets=_STAGE_BUCKETS,
            registry=registry,
        )
        self._health_checks = Counter(
            "gofastapi_health_checks", "Questions to the /health of apps.", ["result"], registry=registry
        )
        self._loop_success = Gauge(
            "gofastapi_loop_last_success_timestamp_seconds",
            "When a loop of the service last got through.",
            ["loop"],
            registry=registry,
        )
        self._loop_failures = Counter(
            "gofastapi_loop_failures", "Rounds of a loop that failed.", ["loop"], registry=registry
        )
        self._apps = Gauge("gofastapi_apps", "Apps by their state.", ["state"], registry=registry)
        ProcessCollector(registry=registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """An answer of the API began; `route` is the template of its path."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, f"{status // 100}xx").inc()
        self._request_seconds.labels(route).observe(seconds)

    def deployment_ended(self, kind: str, outcome: Outcome, seconds: float, stages: Mapping[Stage, float]) -> None:
        self._deployments.labels(kind, outcome.value).inc()
        self._deployment_seconds.labels(kind).observe(seconds)
        for stage, each in stages.items():
            self._stage_seconds.labels(stage.value).observe(each)

    def heed(self, kind: EventKind, _message: str, _owner: str, _app: str | None, details: Mapping[str, Any]) -> None:
        """Take an event of the feed."""
        self._events.labels(kind.value).inc()
        if kind is EventKind.WOKE:
            self._wakes.inc()
            self._wake_seconds.observe(details["seconds"])

    def health_checked(self, result: str) -> None:
        """`result` is one of a few words: the outcome of one check of one app."""
        self._health_checks.labels(result).inc()

    @contextmanager
    def loop(self, name: str) -> Iterator[None]:
        """Around one round of a loop; what it raises counts as a failure, and goes on."""
        try:
            yield
        except Exception:
            self.loop_failed(name)
            raise
        self._loop_success.labels(name).set(time.time())

    def loop_failed(self, name: str) -> None:
        """A round failed in a way that did not end it."""
        self._loop_failures.labels(name).inc()

    def render(self, apps: Mapping[State, int]) -> bytes:
        """All of it, in Prometheus text; `apps` is how many apps are in each state now."""
        for state in State:
            self._apps.labels(state.value).set(apps.get(state, 0))
        return generate_latest(self._registry)
