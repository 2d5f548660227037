"""`%metrics` in a real kernel, and its picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.kernel import Kernel, running_kernel
from support.platform import Platform, get

from gofastapi_ext.core.counts import Counts
from gofastapi_ext.core.histogram import bucket_of
from gofastapi_ext.core.metrics import MetricsPoint, MetricsView, RouteNumbers
from gofastapi_ext.notebook.chart import chart
from gofastapi_ext.notebook.metrics import metrics_as_html

APP = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/items/{item_id}")
def item(item_id: int):
    return 1 / item_id
"""


@pytest.fixture(scope="module")
def kernel(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder: Path = tmp_path_factory.mktemp("metrics")
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


def test_of_one_app_and_of_all(kernel: Kernel, platform: Platform) -> None:
    kernel.run("%%deploy measured" + APP)
    url = str(platform.app("measured").url)
    for number in (0, 1, 2, "none"):
        get(url, f"/items/{number}")
    ran = kernel.run("%metrics measured --window 1h")
    assert "<svg" in ran.html
    assert "GET /items/{item_id}" in ran.html
    assert "Requests   4   1 × 4xx (25.0 %)   1 × 5xx (25.0 %)" in ran.plain
    assert len(ran.html) < 40_000
    # All of it was in this hour, so that is what is drawn by default.
    assert " in 1m" in kernel.run("%metrics measured").plain
    # Known to the list once it was asked for by name.
    listed = kernel.run("%metrics")
    assert re.search(r"<td>measured</td>(<td[^>]*>[411]</td>){3}", listed.html)
    assert re.search(r"^measured +4 +1 +1 ", listed.plain, re.MULTILINE)


def test_one_that_nobody_asked(kernel: Kernel, platform: Platform) -> None:
    kernel.run("%%deploy lonely" + APP)
    ran = kernel.run("%metrics lonely")
    assert "<svg" not in ran.html
    assert "Requests   0" in ran.plain


def test_mistakes_are_one_line(kernel: Kernel) -> None:
    assert kernel.run("%metrics nobody").error.startswith('There is no app "nobody".')
    assert "Usage: %metrics [NAME [--window DURATION]]" in str(kernel.run("%metrics one two").error)
    assert "Usage: %metrics" in str(kernel.run("%metrics --window 1h").error)
    assert "is no duration" in str(kernel.run("%metrics measured --window soon").error)
    assert "ask for one between" in str(kernel.run("%metrics measured --window 10s").error)


def test_completion(kernel: Kernel) -> None:
    assert "measured" in kernel.complete("%metrics ")
    assert kernel.complete("%metrics measured --w") == ["--window"]
    assert "1h" in kernel.complete("%metrics measured --window ")


def view(points: dict[int, Counts], *, minutes: int = 1440, step: int = 900) -> MetricsView:
    """A day as the platform tells it, with counts at some of its steps."""
    until = datetime(2030, 5, 1, 12, 7, tzinfo=UTC)
    since = datetime.fromtimestamp((until.timestamp() - minutes * 60) // step * step, UTC)
    total = Counts()
    for counts in points.values():
        total.add(counts)
    return MetricsView(
        app="shop",
        since=since,
        until=until,
        step_seconds=step,
        points=[
            MetricsPoint(at=since + timedelta(seconds=place * step), **counts.numbers())
            for place, counts in points.items()
        ],
        routes=[RouteNumbers(method="GET", route="/<b>&", **total.numbers())],
        **total.numbers(),
    )


def some(requests: int, client_errors: int = 0, server_errors: int = 0, seconds: float = 0.004) -> Counts:
    counts = Counts(requests, client_errors, server_errors, round(requests * seconds * 1e6))
    counts.histogram[bucket_of(seconds)] = requests
    return counts


def test_the_picture_shows_what_was_measured() -> None:
    picture = ElementTree.fromstring(chart(view({3: some(8, 2, 1), 4: some(4), 9: some(1)})))
    paths = {each.get("class"): each.get("d", "") for each in picture.iter("path") if each.get("class")}
    assert {name: d.count("M") for name, d in paths.items()} == {
        "gofastapi-5xx": 1,
        "gofastapi-4xx": 1,
        "gofastapi-ok": 3,
        # Two that follow each other are a line; the one by itself is a stroke of its own.
        "gofastapi-p95": 2,
        "gofastapi-p50": 2,
    }
    titles = [each.text or "" for each in picture.iter("title")]
    assert len(titles) == 3
    assert titles[0].split("\n")[1:] == ["8 requests", "2 × 4xx", "1 × 5xx", "p50 3.8 ms, p95 4.9 ms"]
    labels = [each.text for each in picture.iter("text")]
    assert labels[:4] == ["Requests", "0", "4", "8"]
    assert sum(bool(re.fullmatch(r"\d\d:\d\d", str(label))) for label in labels) >= 4


@pytest.mark.parametrize("minutes", [60, 360, 1440, 7 * 1440])
def test_a_picture_stays_small_and_within_its_frame(minutes: int) -> None:
    step = minutes * 60 // 120 or 60
    whole = view({place: some(1000 + place, 20, 3) for place in range(120)}, minutes=minutes, step=step)
    html = metrics_as_html(whole)
    assert len(html) < 40_000
    assert "/&lt;b&gt;&amp;" in html
    numbers = [float(x) for d in re.findall(r' d="M([^"]*)"', chart(whole)) for x in re.findall(r"[MLV](-?[\d.]+)", d)]
    assert all(-1 <= number <= 640 for number in numbers)


def test_one_error_among_thousands_is_to_be_seen() -> None:
    picture = chart(view({1: some(100_000, 0, 1)}))
    [(low, high)] = re.findall(r'gofastapi-5xx" d="M[\d.]+ ([\d.]+)V([\d.]+)', picture)
    assert float(low) - float(high) >= 1.5
