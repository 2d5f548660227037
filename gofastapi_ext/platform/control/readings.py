"""What an instance says of itself in Prometheus text, read without believing it."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from gofastapi_ext.core.counts import Counts, increase
from gofastapi_ext.core.histogram import BUCKETS, bucket_of

logger = logging.getLogger(__name__)

Route = tuple[str, str]
"""Method and template."""

MAX_ROUTES = 200
OTHER: Route = ("OTHER", "(other)")
"""What comes after so many routes is counted together."""
MAX_TEXT = 500_000
_MAX_NAME = 200
# More than any machine does in a second: a counter that grows faster is no count.
MAX_REQUESTS_PER_SECOND = 1_000_000
MAX_BYTES_PER_SECOND = 100_000_000_000
_MACHINE_BYTES = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
_CPUS = os.cpu_count() or 1
# Beyond this a float is no whole number any more.
_MAX_COUNTER = 2.0**53


@dataclass(slots=True)
class Reading:
    """Cumulative counters since an instance's start, and gauges of this moment."""

    routes: dict[Route, list[float]] = field(default_factory=dict)
    """By `_FIELDS`, then the buckets of the histogram."""
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    in_flight: int = 0


_FIELDS = ("requests", "client_errors", "server_errors", "seconds", "bytes_in", "bytes_out")
_HISTOGRAM = len(_FIELDS)
_WIDTH = _HISTOGRAM + BUCKETS


def read(text: str) -> Reading:
    """Never raises. What is no number, negative or beyond counting is left out; broken text is read up to there."""
    reading = Reading()
    try:
        for family in text_string_to_metric_families(text[:MAX_TEXT]):
            for sample in family.samples:
                _take(reading, sample.name, sample.labels, float(sample.value))
    except Exception as error:
        # Whatever an app's process sends, and whatever the parser makes of that: the rest of it does not count.
        logger.debug("metrics that cannot be read: %s", error)
    for counters in reading.routes.values():
        counters[_HISTOGRAM:] = _apart(counters[_HISTOGRAM:])
    return reading


def _take(reading: Reading, name: str, labels: dict[str, str], value: float) -> None:
    if not 0 <= value <= _MAX_COUNTER:
        return
    match name:
        case "process_cpu_seconds_total":
            reading.cpu_seconds = value
        case "process_resident_memory_bytes":
            reading.memory_bytes = int(min(value, _MACHINE_BYTES))
        case "gofastapi_requests_in_flight" | "gofastapi_websockets_open":
            reading.in_flight += int(min(value, MAX_REQUESTS_PER_SECOND))
        case "gofastapi_requests_total":
            counters = _counters(reading, labels)
            counters[0] += value
            if labels.get("status") == "4xx":
                counters[1] += value
            elif labels.get("status") == "5xx":
                counters[2] += value
        case "gofastapi_request_seconds_sum":
            _counters(reading, labels)[3] += value
        case "gofastapi_request_bytes_total":
            _counters(reading, labels)[4] += value
        case "gofastapi_response_bytes_total":
            _counters(reading, labels)[5] += value
        case "gofastapi_request_seconds_bucket":
            bound = float(labels.get("le", "nan"))
            if not math.isnan(bound):
                counters, place = _counters(reading, labels), _HISTOGRAM + bucket_of(bound)
                counters[place] = max(counters[place], value)


def _counters(reading: Reading, labels: dict[str, str]) -> list[float]:
    route = (labels.get("method", "")[:_MAX_NAME], labels.get("route", "")[:_MAX_NAME])
    counters = reading.routes.get(route)
    if counters is None:
        if len(reading.routes) >= MAX_ROUTES:
            route = OTHER
        counters = reading.routes.setdefault(route, [0.0] * _WIDTH)
    return counters


def requests_between(before: Reading, now: Reading, seconds: float) -> Iterable[tuple[Route, Counts]]:
    """What came on each route in the `seconds` between two readings of one instance, within what can be."""
    most_requests = max(seconds, 1.0) * MAX_REQUESTS_PER_SECOND
    most_bytes = max(seconds, 1.0) * MAX_BYTES_PER_SECOND
    nothing = [0.0] * _WIDTH
    for route, counters in now.routes.items():
        earlier = before.routes.get(route, nothing)
        if counters == earlier:
            continue
        if counters[0] < earlier[0]:
            # It began again. All of it did: a single counter may be past its old value already.
            earlier = nothing
        grown = [increase(old, new) for old, new in zip(earlier, counters, strict=True)]
        requests = int(min(grown[0], most_requests))
        client_errors = int(min(grown[1], requests))
        yield (
            route,
            Counts(
                requests=requests,
                client_errors=client_errors,
                server_errors=int(min(grown[2], requests - client_errors)),
                microseconds=int(min(grown[3] * 1e6, most_requests * 1e6)),
                bytes_in=int(min(grown[4], most_bytes)),
                bytes_out=int(min(grown[5], most_bytes)),
                histogram=[int(min(count, requests)) for count in grown[_HISTOGRAM:]],
            ),
        )


def cpu_between(before: Reading, now: Reading, seconds: float) -> float:
    """No more than all processors can have done, with some grace for clocks that differ."""
    return min(increase(before.cpu_seconds, now.cpu_seconds), 2.0 * _CPUS * max(seconds, 1.0))


def _apart(cumulative: list[float]) -> list[float]:
    """Each bucket by itself: in Prometheus text each counts those below it too, and is left out where it adds none."""
    buckets, below = [], 0.0
    for count in cumulative:
        buckets.append(max(count - below, 0.0))
        below = max(count, below)
    return buckets
