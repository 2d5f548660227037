"""What instances say of themselves is read, and not believed."""

from __future__ import annotations

import time

import pytest
from gofastapi_runner.metrics import Metrics

from gofastapi_ext.core.counts import Counts
from gofastapi_ext.core.histogram import BUCKETS
from gofastapi_ext.platform.control import readings
from gofastapi_ext.platform.control.readings import MAX_ROUTES, OTHER, Reading, cpu_between, read, requests_between

START = Reading()


def requests(count: object, route: str = "/", status: str = "2xx") -> str:
    return f'gofastapi_requests_total{{method="GET",route="{route}",status="{status}"}} {count}\n'


def between(before: Reading, now: Reading, seconds: float = 15.0) -> dict[tuple[str, str], Counts]:
    return dict(requests_between(before, now, seconds))


def test_what_the_runner_says_is_what_it_counted() -> None:
    metrics = Metrics()
    for status, seconds in ((200, 0.0004), (204, 0.02), (404, 0.0004), (500, 0.3), (200, 30.0)):
        metrics.of("GET", "/items/{id}").observe(status, seconds, 10, 100)
    metrics.of("POST", 'odd "quoted" \\ route').observe(200, 0.001, 0, 0)
    metrics.in_flight, metrics.websockets_open = 2, 1
    first = read(metrics.render())
    counted = between(START, first)
    assert set(counted) == {("GET", "/items/{id}"), ("POST", 'odd "quoted" \\ route')}
    items = counted["GET", "/items/{id}"]
    assert (items.requests, items.client_errors, items.server_errors) == (5, 1, 1)
    assert (items.bytes_in, items.bytes_out) == (50, 500)
    assert items.microseconds == pytest.approx(30_320_800, abs=10)
    assert items.histogram == [2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert first.in_flight == 3
    assert first.memory_bytes > 1_000_000
    metrics.of("GET", "/items/{id}").observe(200, 0.003, 0, 0)
    # Buckets that add nothing are left out of the text: this one came to be between two that were there.
    [(route, more)] = between(first, read(metrics.render())).items()
    assert (route, more.requests, more.histogram) == (("GET", "/items/{id}"), 1, [0, 0, 1] + [0] * (BUCKETS - 3))


def test_counters_that_went_back_began_again() -> None:
    before, now = read(requests(100) + requests(7, status="5xx")), read(requests(4) + requests(9, status="5xx"))
    [counts] = between(before, now).values()
    assert (counts.requests, counts.server_errors) == (13, 9)


def test_what_did_not_change_is_not_there() -> None:
    text = requests(5, "/a") + requests(5, "/b")
    assert between(read(text), read(text)) == {}
    assert set(between(read(text), read(text + requests(1, "/c")))) == {("GET", "/c")}


@pytest.mark.parametrize("value", ["-5", "NaN", "+Inf", "-Inf", "1e300", "abc", "", "9" * 5000])
def test_what_is_no_count_does_not_count(value: str) -> None:
    text = requests(3, "/real") + requests(value, "/lie") + f"process_resident_memory_bytes {value}\n"
    reading = read(text)
    assert between(START, reading)["GET", "/real"].requests == 3
    assert sum(counts.requests for counts in between(START, reading).values()) == 3
    assert reading.memory_bytes == 0


@pytest.mark.parametrize(
    "text",
    ["", "\x00\xff", "{{{{", 'gofastapi_requests_total{method="GET', "x" * 2_000_000, "# TYPE x\n# HELP", "\ud800 1"],
)
def test_what_cannot_be_read_harms_nobody(text: str) -> None:
    assert read(requests(3) + text).routes[("GET", "/")][0] == 3
    read(text)


def test_what_no_machine_can_do_is_cut_to_what_one_can(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = 9_000_000_000_000_000
    text = requests(huge) + requests(huge, status="4xx") + requests(huge, status="5xx")
    for name in ("seconds_sum", "bytes_total"):
        text += f'gofastapi_request_{name}{{method="GET",route="/"}} {huge}\n'
    text += f'gofastapi_request_seconds_bucket{{method="GET",route="/",le="0.5"}} {huge}\n'
    text += f"process_cpu_seconds_total {huge}\nprocess_resident_memory_bytes {huge}\n"
    text += f"gofastapi_requests_in_flight {huge}\n"
    reading = read(text)
    [counts] = between(START, reading, 2.0).values()
    assert counts.requests == 2_000_000
    assert counts.client_errors + counts.server_errors <= counts.requests
    assert max(counts.histogram) <= counts.requests
    assert counts.bytes_in <= 2 * readings.MAX_BYTES_PER_SECOND
    # What is stored of a minute, and of many added up, is a whole number of 64 bits.
    assert counts.microseconds * 60 * 1440 < 2**63
    assert cpu_between(START, reading, 1.0) < 10_000
    assert reading.memory_bytes < huge
    assert reading.in_flight <= 1_000_000


def test_a_flood_of_routes_is_bounded() -> None:
    text = "".join(requests(1, f"/{number}") for number in range(5 * MAX_ROUTES))
    started = time.process_time()
    reading = read(text)
    assert time.process_time() - started < 2
    assert len(reading.routes) == MAX_ROUTES + 1
    assert between(START, reading)[OTHER].requests == 4 * MAX_ROUTES
    [(_, long)] = read(requests(1, "x" * 5000)).routes
    assert len(long) == 200


def test_a_bucket_of_another_make_counts_where_it_ends() -> None:
    text = "".join(
        f'gofastapi_request_seconds_bucket{{method="GET",route="/",le="{bound}"}} {count}\n'
        for bound, count in (("0.0005", 1), ("0.001", 3), ("0.7", 4), ("nonsense", 9), ("NaN", 9), ("+Inf", 4))
    )
    counts = between(START, read(requests(4) + text))["GET", "/"]
    assert counts.histogram == [3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
