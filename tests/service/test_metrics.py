"""Metrics of real apps under load: what was asked is what is counted."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from support.cli import CommandLine
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError
from gofastapi_ext.core.metrics import MetricsView, Numbers, RouteNumbers

APP = """
import asyncio
from fastapi import FastAPI, HTTPException, Request

app = FastAPI()
VERSION = "one"

@app.get("/items/{item_id}")
async def item(item_id: int):
    return {"id": item_id}

@app.post("/items")
async def make(request: Request):
    return {"size": len(await request.body())}

@app.get("/missing/{name}")
async def missing(name: str):
    raise HTTPException(404)

@app.get("/broken")
async def broken():
    return 1 / 0

@app.get("/slow")
async def slow():
    await asyncio.sleep(0.3)
    return "slow"

@app.get("/version")
async def version():
    return VERSION
"""


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    """A service that asks its instances often, and that may be hurt."""
    with running_platform(GOFASTAPI_REPORT_INTERVAL_SECONDS="0.5", GOFASTAPI_METRICS_KEEP_HOURS="48") as platform:
        yield platform


def ask(url: str, *paths: str) -> list[int]:
    """The statuses of some requests on one connection."""
    with httpx.Client(base_url=url, timeout=15, trust_env=False) as client:
        return [client.get(path).status_code for path in paths]


def routes(view: MetricsView) -> dict[str, RouteNumbers]:
    return {f"{each.method} {each.route}": each for each in view.routes}


def three(numbers: Numbers) -> tuple[int, int, int]:
    return numbers.requests, numbers.client_errors, numbers.server_errors


def test_each_request_counts_for_its_template_at_once(platform: Platform) -> None:
    url = platform.deploy_live("counted", APP)
    before = datetime.now(UTC)
    ask(url, *(f"/items/{number}" for number in range(20)), "/missing/a", "/missing/b", "/items/none", "/broken")
    for size in (1000, 2000):
        httpx.post(f"{url}/items", content=b"x" * size, timeout=30, trust_env=False)
    view = platform.client.metrics("counted")
    found = routes(view)
    assert three(found["GET /items/{item_id}"]) == (21, 1, 0)
    assert three(found["GET /missing/{name}"]) == (2, 2, 0)
    assert three(found["GET /broken"]) == (1, 0, 1)
    assert three(found["POST /items"]) == (2, 0, 0)
    assert found["POST /items"].bytes_in == 3000
    assert found["POST /items"].bytes_out == len('{"size":1000}') * 2
    assert three(view) == (26, 3, 1)
    assert view.routes[0].route == "/items/{item_id}"
    assert sum(point.requests for point in view.points) == 26
    assert view.memory_bytes is not None
    assert 10_000_000 < view.memory_bytes < 500_000_000
    assert view.last_request_at is not None
    assert abs((view.last_request_at - before).total_seconds()) < 10
    # The app itself says so too, before it is stored.
    assert platform.app(view.app).last_request_at == view.last_request_at
    # One more, just now.
    ask(url, "/version")
    assert platform.client.metrics("counted").requests == 27


def test_percentiles_tell_fast_from_slow(platform: Platform) -> None:
    url = platform.deploy_live("timed", APP)
    ask(url, *["/version"] * 90, *["/slow"] * 10)
    view = platform.client.metrics("timed", window_seconds=3600, step_seconds=60)
    assert view.p50_ms is not None
    assert view.p50_ms < 150
    for ms in (view.p95_ms, view.p99_ms):
        assert ms is not None
        assert 250 <= ms <= 2000
    slow, fast = routes(view)["GET /slow"], routes(view)["GET /version"]
    assert slow.latency_ms is not None
    assert fast.latency_ms is not None
    assert 300 <= slow.latency_ms < 1200
    assert view.latency_ms == pytest.approx((slow.latency_ms * 10 + fast.latency_ms * 90) / 100, rel=0.01, abs=0.1)


def test_what_is_open_at_this_moment(platform: Platform, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    held = APP.replace("import asyncio", "import asyncio, pathlib").replace(
        "await asyncio.sleep(0.3)", f"while not pathlib.Path({str(gate)!r}).exists(): await asyncio.sleep(0.01)"
    )
    url = platform.deploy_live("opened", held)
    asking = [threading.Thread(target=ask, args=(url, "/slow")) for _ in range(3)]
    for each in asking:
        each.start()
    until(lambda: platform.client.metrics("opened").in_flight == 3, what="three in flight")
    gate.touch()
    for each in asking:
        each.join()
    view = platform.client.metrics("opened")
    assert (view.in_flight, view.requests) == (0, 3)


def test_windows_and_steps_have_words(platform: Platform) -> None:
    platform.deploy_live("windowed", APP)
    client = platform.client
    with pytest.raises(InvalidRequestError, match=r"A window of 30s cannot be shown.*for 1d: ask for one between"):
        client.metrics("windowed", window_seconds=30)
    with pytest.raises(InvalidRequestError, match="A window of 2d"):
        client.metrics("windowed", window_seconds=172_800)
    with pytest.raises(InvalidRequestError, match="whole minutes, from 1m to 1d"):
        client.metrics("windowed", step_seconds=90)
    with pytest.raises(NotFoundError, match='There is no app "nobody"'):
        client.metrics("nobody")
    view = client.metrics("windowed")
    assert (view.step_seconds, view.points) == (300, [point for point in view.points if not point.requests])
    assert (view.until - view.since).total_seconds() == pytest.approx(86_400, abs=300)


def test_all_apps_by_name(own: Platform) -> None:
    urls = {name: own.deploy_live(name, APP) for name in ("zebra", "ant")}
    ask(urls["zebra"], "/version", "/missing/x", "/broken")
    listed = {}

    def is_counted() -> bool:
        # As the instances report by themselves: nobody is asked for a list.
        listed.update({each.app: each for each in own.client.numbers()})
        return listed["zebra"].requests == 3

    until(is_counted, what="reported")
    assert [each.app for each in own.client.numbers()] == ["ant", "zebra"]
    zebra, ant = listed["zebra"], listed["ant"]
    assert (zebra.client_errors, zebra.server_errors) == (1, 1)
    assert zebra.latency_ms is not None
    assert (ant.requests, ant.latency_ms) == (0, None)
    # Two hours, where one has just begun.
    assert (len(zebra.hourly), sum(zebra.hourly[-2:])) == (24, 3)
    assert ant.hourly == []


def test_nothing_is_lost_or_counted_twice_over_redeploys(own: Platform) -> None:
    url = own.deploy_live("redeployed", APP)
    answered, stopped = [0] * 4, threading.Event()

    def load(number: int) -> None:
        with httpx.Client(base_url=url, timeout=15, trust_env=False) as client:
            while not stopped.is_set():
                client.get(random.choice(("/version", "/items/5"))).raise_for_status()
                answered[number] += 1

    clients = [threading.Thread(target=load, args=(number,)) for number in range(len(answered))]
    for each in clients:
        each.start()
    for version in range(5):
        own.deploy_live("redeployed", APP.replace("one", f"{version}"))
        own.client.metrics("redeployed")
    stopped.set()
    for each in clients:
        each.join()
    assert sum(answered) > 100
    view = until(
        lambda: view if (view := own.client.metrics("redeployed")).requests >= sum(answered) else None, what="all told"
    )
    # Those that drained have ended and said their last word.
    until(lambda: len(own.app("redeployed").instances) == 1, what="one instance left")
    assert (own.client.metrics("redeployed").requests, view.client_errors, view.server_errors) == (sum(answered), 0, 0)


def test_an_instance_that_lies_is_cut_to_what_can_be(own: Platform) -> None:
    liar = APP + (
        "\nfrom gofastapi_runner.metrics import Metrics\n"
        "def lie(self):\n"
        '    lines = [f\'gofastapi_requests_total{{method="GET",route="/{n}",status="2xx"}} 9e15\''
        " for n in range(1000)]\n"
        "    return '\\n'.join([*lines, 'process_resident_memory_bytes 1e30', 'gofastapi_requests_total NaN', '{{'])\n"
        "Metrics.render = lie\n"
    )
    url = own.deploy_live("liar", liar)
    assert get(url, "/version").json() == "one"
    view = own.client.metrics("liar")
    assert len(view.routes) <= 201
    assert view.requests < 201 * 61_000_000
    assert (view.memory_bytes, view.client_errors) == (None, 0)


def test_metrics_survive_a_restart_of_the_service(own: Platform) -> None:
    url = own.deploy_live("restarted", APP)
    ask(url, *["/version"] * 7, "/missing/x")
    own.stop()
    own.start()
    until(lambda: own.app("restarted").instances, what="back")
    assert three(own.client.metrics("restarted")) == (8, 1, 0)
    ask(url, *["/version"] * 3)
    assert three(own.client.metrics("restarted")) == (11, 1, 0)
    assert routes(own.client.metrics("restarted"))["GET /version"].requests == 10
    listed = next(each for each in own.client.numbers() if each.app == "restarted")
    assert (listed.requests, sum(listed.hourly)) == (11, 11)
    # What the liar before us said could be written, too.
    assert own.client.metrics("liar").requests > 0
    assert "Traceback" not in own.log_text()
    with own.database() as database:
        stored = database["apps"].find_one({"_id": "restarted"})
        assert stored is not None
        assert (datetime.now(UTC) - stored["last_request_at"].replace(tzinfo=UTC)).total_seconds() < 60


def test_while_the_database_is_away_apps_serve_and_are_counted(own: Platform) -> None:
    url = own.deploy_live("goes-on", APP)
    for _ in range(3):
        os.kill(own.mongod_pid, signal.SIGKILL)
        assert ask(url, *["/version"] * 10) == [200] * 10
        until(lambda: own.client.metrics("goes-on").requests % 10 == 0, what="answers again")
    assert own.client.metrics("goes-on").requests == 30


def test_metrics_of_a_removed_app_are_gone(own: Platform) -> None:
    url = own.deploy_live("removed", APP)
    ask(url, *["/version"] * 5)
    assert own.client.metrics("removed").requests == 5
    own.client.delete("removed", forever=True)
    own.deploy_live("removed", APP)
    assert own.client.metrics("removed").requests == 0


def test_the_command(own: Platform) -> None:
    url = own.deploy_live("told", APP)
    ask(url, *["/items/1"] * 5, "/missing/x", "/broken")
    cli = CommandLine(own.places.home, own.places.home)
    shown = cli.run("metrics", "told", "--window", "1h")
    assert "Requests   7   1 × 4xx (14.3 %)   1 × 5xx (14.3 %)" in shown
    assert "█" in shown
    assert next(line for line in shown.splitlines() if "GET /items/{item_id}" in line).split()[2:5] == ["5", "0", "0"]
    assert cli.json("metrics", "told")["requests"] == 7
    line = next(line for line in cli.run("metrics").splitlines() if line.startswith("told"))
    assert line.split()[1:4] == ["7", "1", "1"]
    assert {"app": "told", "requests": 7}.items() <= next(e for e in cli.json("metrics") if e["app"] == "told").items()
    refused = cli.finish("metrics", "told", "--window", "10s")
    assert (refused.returncode, "ask for one between" in refused.stderr) == (1, True)
    assert "--window needs the name of an app" in cli.finish("metrics", "--window", "1h").stderr
    assert json.loads(cli.run("metrics", "told", "--json"))["app"] == "told"
