"""Counters of one instance, read by the platform in Prometheus text."""

from __future__ import annotations

from bisect import bisect_left
from time import perf_counter

LATENCY_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What the gate counts. Touched by the event loop's thread alone, so plain integers do."""

    __slots__ = ("_buckets", "_by_class", "exceptions", "in_flight", "last_ended", "seconds_total")

    def __init__(self) -> None:
        self.in_flight = 0
        self.last_ended = perf_counter()
        self.exceptions = 0
        self.seconds_total = 0.0
        self._by_class = [0] * 6
        self._buckets = [0] * (len(LATENCY_BUCKETS_SECONDS) + 1)

    def observe(self, status: int, seconds: float) -> None:
        """One answered request."""
        self._by_class[status // 100 if 100 <= status < 600 else 5] += 1
        self._buckets[bisect_left(LATENCY_BUCKETS_SECONDS, seconds)] += 1
        self.seconds_total += seconds

    @property
    def requests(self) -> int:
        return sum(self._by_class)

    def render(self) -> str:
        """The counters in the Prometheus text format."""
        lines = ["# TYPE gofastapi_requests_total counter"]
        lines += [
            f'gofastapi_requests_total{{status="{status}xx"}} {count}'
            for status, count in enumerate(self._by_class)
            if status
        ]
        lines.append("# TYPE gofastapi_request_seconds histogram")
        running = 0
        for bound, count in zip((*LATENCY_BUCKETS_SECONDS, "+Inf"), self._buckets, strict=True):
            running += count
            lines.append(f'gofastapi_request_seconds_bucket{{le="{bound}"}} {running}')
        lines += [
            f"gofastapi_request_seconds_sum {self.seconds_total:.6f}",
            f"gofastapi_request_seconds_count {running}",
            "# TYPE gofastapi_exceptions_total counter",
            f"gofastapi_exceptions_total {self.exceptions}",
            "# TYPE gofastapi_requests_in_flight gauge",
            f"gofastapi_requests_in_flight {self.in_flight}",
        ]
        return "\n".join(lines) + "\n"
