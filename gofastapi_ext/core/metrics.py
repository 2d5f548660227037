"""How an app is doing, in numbers: requests, errors, latency, bytes, processor and memory, by minute and by route."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class Numbers(_Frozen):
    """What is counted, of some stretch of time. Latencies are of whole answers, in milliseconds; None without any.

    Percentiles are read off a histogram, so they are as fine as its buckets.
    """

    requests: int = 0
    client_errors: int = 0
    """Answered 4xx."""
    server_errors: int = 0
    """Answered 5xx, or not at all because of an exception."""
    latency_ms: float | None = None
    """The average."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    bytes_in: int = 0
    bytes_out: int = 0


class RouteNumbers(Numbers):
    """One route: the template it was declared with, as `/items/{id}`."""

    method: str
    route: str


class MetricsPoint(Numbers):
    """One step of the time line. Steps in which nothing was measured are left out: a gap is a gap."""

    at: datetime
    """Its beginning."""
    cold_starts: int = 0
    cpu_seconds: float = 0.0
    memory_bytes: int | None = None
    """The most of all processes together."""


class MetricsView(Numbers):
    """GET /api/apps/{id}/metrics"""

    app: str
    since: datetime
    until: datetime
    step_seconds: int
    in_flight: int = 0
    """Requests and WebSockets open at this moment."""
    cold_starts: int = 0
    cpu_seconds: float = 0.0
    memory_bytes: int | None = None
    """Now; None where no process runs."""
    last_request_at: datetime | None = None
    points: list[MetricsPoint] = Field(default_factory=list)
    routes: list[RouteNumbers] = Field(default_factory=list)
    """The busiest first."""


class AppNumbers(_Frozen):
    """GET /api/metrics: one app of all of its owner's, as on a card of a dashboard."""

    app: str
    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    latency_ms: float | None = None
    """The average."""
    hourly: list[int] = Field(default_factory=list)
    """Requests of each hour, the oldest first; the last is the hour that is running. Empty without any."""
