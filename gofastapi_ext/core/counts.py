"""What is counted of requests, as plain sums: these add up over routes, instances and minutes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

from gofastapi_ext.core.histogram import BUCKETS, quantile_seconds


class NumberFields(TypedDict):
    """The fields of `core.metrics.Numbers`."""

    requests: int
    client_errors: int
    server_errors: int
    latency_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    bytes_in: int
    bytes_out: int


@dataclass(slots=True)
class Counts:
    """Of one route or of many, of one minute or of a day."""

    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    microseconds: int = 0
    """Of all answers together."""
    bytes_in: int = 0
    bytes_out: int = 0
    histogram: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    def add(self, other: Counts) -> None:
        self.requests += other.requests
        self.client_errors += other.client_errors
        self.server_errors += other.server_errors
        self.microseconds += other.microseconds
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        for index, count in enumerate(other.histogram):
            if count:
                self.histogram[index] += count

    def numbers(self) -> NumberFields:
        """As people ask for them: the average and the percentiles in milliseconds."""
        return {
            "requests": self.requests,
            "client_errors": self.client_errors,
            "server_errors": self.server_errors,
            "latency_ms": average_ms(self.microseconds, self.requests),
            "p50_ms": self._quantile_ms(0.5),
            "p95_ms": self._quantile_ms(0.95),
            "p99_ms": self._quantile_ms(0.99),
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
        }

    def _quantile_ms(self, share: float) -> float | None:
        return _ms(quantile_seconds(self.histogram, share, self.microseconds / 1e6))


def increase(before: float, now: float) -> float:
    """How much a cumulative counter has grown; one that is lower than before began again at zero."""
    return now - before if now >= before else now


def average_ms(microseconds: int, requests: int) -> float | None:
    """None without requests."""
    return round(microseconds / requests / 1000, 3) if requests else None


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
