"""Apps that nobody asks for have no process; the next request wakes them, and none is lost."""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Iterator
from threading import Barrier, Thread
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from support.platform import Platform, get, running_platform
from support.waiting import until
from websockets.sync.client import connect as connect_websocket

from gofastapi_ext.core.errors import ConflictError, InvalidRequestError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Stage, State, Target
from gofastapi_ext.core.models import AppChange
from gofastapi_ext.core.variables import EnvChange, Setting

SOURCE = """
import asyncio, os
from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse

app = FastAPI()

@app.get("/")
def root():
    return {"version": VERSION, "mode": os.environ.get("MODE")}

@app.post("/echo")
async def echo(body: dict):
    return body

@app.get("/stream/{seconds}")
def stream(seconds: float):
    async def parts():
        yield b"first"
        await asyncio.sleep(seconds)
        yield b"last"
    return StreamingResponse(parts())

@app.websocket("/ws")
async def ws(socket: WebSocket):
    await socket.accept()
    while True:
        await socket.send_text(await socket.receive_text())
"""
SLEEP_AFTER = 1.0


@pytest.fixture(scope="module")
def sleepy() -> Iterator[Platform]:
    with running_platform(GOFASTAPI_SLEEP_AFTER="1s", GOFASTAPI_HEALTH_INTERVAL_SECONDS="0.3") as running:
        yield running


def source(version: int) -> str:
    return f"VERSION = {version}\n{SOURCE}"


def asleep(platform: Platform, name: str, *, now: bool = False) -> None:
    """Until it sleeps; `now`: without waiting until its time has come."""
    if now:
        until(lambda: _put_to_sleep(platform, name), what="nothing is open")
    view = platform.until_state(name, State.ASLEEP)
    assert view.target is Target.ASLEEP
    until(lambda: platform.app(name).instances == [], what="no process")


def _put_to_sleep(platform: Platform, name: str) -> bool:
    try:
        platform.client.sleep(name)
    except ConflictError:
        return platform.app(name).state is State.ASLEEP
    return True


def kinds(platform: Platform, name: str) -> list[EventKind]:
    return [event.kind for event in platform.client.events(name, limit=500)]


def test_an_app_sleeps_without_a_process_and_the_next_request_wakes_it(sleepy: Platform) -> None:
    url = sleepy.deploy_live("naps", source(1))
    [instance] = sleepy.app("naps").instances
    asleep(sleepy, "naps")
    until(lambda: not psutil.pid_exists(instance.pid), what="the process is gone")
    # Probes come three times a second here: none of them woke it, or kept it awake.
    time.sleep(1.0)
    assert sleepy.app("naps").state is State.ASLEEP
    assert EventKind.WOKE not in kinds(sleepy, "naps")
    assert get(url).json() == {"version": 1, "mode": None}
    until(lambda: EventKind.WOKE in kinds(sleepy, "naps"), what="told that it woke")
    asleep(sleepy, "naps")
    assert httpx.post(url + "/echo", json={"kept": "whole"}, timeout=15).json() == {"kept": "whole"}
    until(lambda: kinds(sleepy, "naps").count(EventKind.WOKE) == 2, what="told of both")
    # Two wakes by two requests: no probe counts as one.
    metrics = sleepy.client.metrics("naps")
    assert (metrics.cold_starts, metrics.requests) == (2, 2)


def test_open_streams_and_websockets_keep_an_app_awake(sleepy: Platform) -> None:
    url = sleepy.deploy_live("held", source(1))
    with connect_websocket(url.replace("http", "ws") + "/ws") as socket:
        time.sleep(SLEEP_AFTER * 2)
        socket.send("still here")
        assert socket.recv(5) == "still here"
        with pytest.raises(ConflictError, match="in use"):
            sleepy.client.sleep("held")
    assert get(url, f"/stream/{SLEEP_AFTER * 2}").content == b"firstlast"
    assert EventKind.SLEPT not in kinds(sleepy, "held")
    asleep(sleepy, "held")


def test_each_app_sleeps_as_its_owner_says(sleepy: Platform) -> None:
    sleepy.deploy_live("restless", source(1))
    assert sleepy.app("restless").sleep_after_seconds == SLEEP_AFTER
    assert sleepy.client.change("restless", AppChange(sleep_after="never")).sleep_after_seconds is None
    assert sleepy.client.change("restless", AppChange(title="Same")).sleep_after_seconds is None
    time.sleep(SLEEP_AFTER * 2)
    assert sleepy.app("restless").state is State.RUNNING
    assert sleepy.client.sleep("restless").state is State.ASLEEP
    with pytest.raises(ConflictError, match="does not run"):
        sleepy.client.sleep("restless")
    assert sleepy.client.change("restless", AppChange(sleep_after="2h")).sleep_after_seconds == 7200
    assert sleepy.client.change("restless", AppChange(sleep_after="default")).sleep_after_seconds == SLEEP_AFTER
    for wrong in ("soon", "0s", "400d", "-1h"):
        with pytest.raises(InvalidRequestError):
            sleepy.client.change("restless", AppChange(sleep_after=wrong))


def test_no_request_is_lost_around_the_moment_of_falling_asleep(sleepy: Platform) -> None:
    """Clients that come just when an app falls asleep, on new connections and on those they kept."""
    url = sleepy.deploy_live("edge", source(1))
    failures: list[str] = []
    rounds, clients = 10, 6
    together = Barrier(clients)
    until_then = [0.0]

    def visit(number: int) -> None:
        choose = random.Random(number)
        kept = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        for _ in range(rounds):
            if together.wait() == 0:
                until_then[0] = choose.uniform(SLEEP_AFTER * 0.9, SLEEP_AFTER * 1.5)
            together.wait()
            time.sleep(until_then[0] + choose.uniform(0, 0.02))
            try:
                if number % 2:
                    assert get(url).status_code == 200
                    continue
                # The server closes what is idle when it goes, as servers do; what it took, it answers.
                if kept.sock is None or _is_closed(kept):
                    kept.close()
                kept.request("GET", "/")
                answer = kept.getresponse()
                answer.read()
                assert answer.status == 200
            except Exception as error:
                failures.append(f"{'new' if number % 2 else 'kept'}: {error!r}")
                kept.close()
        kept.close()

    threads = [Thread(target=visit, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert EventKind.SLEPT in kinds(sleepy, "edge")


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the other end has closed a connection that waits for nothing: it can be read from."""
    connection.sock.setblocking(False)
    try:
        return connection.sock.recv(1) == b""
    except BlockingIOError:
        return False
    finally:
        connection.sock.settimeout(20)


def test_a_deploy_wakes_an_app_and_a_failed_one_lets_it_sleep(sleepy: Platform) -> None:
    url = sleepy.deploy_live("changed", source(1))
    asleep(sleepy, "changed", now=True)
    assert sleepy.deploy("changed", source(1))[-1].unchanged
    assert sleepy.app("changed").state is State.ASLEEP
    sleepy.deploy_failed("changed", "raise SystemExit('no')")
    assert sleepy.app("changed").state is State.ASLEEP
    assert get(url).json()["version"] == 1
    asleep(sleepy, "changed", now=True)
    sleepy.deploy_live("changed", source(2))
    assert sleepy.app("changed").state is State.RUNNING
    assert get(url).json()["version"] == 2


def test_a_request_that_wakes_an_app_is_answered_where_a_deploy_comes_just_then(sleepy: Platform) -> None:
    """The deploy comes when the instance that the request woke takes connections already, and has not yet said so."""
    late = (
        "import asyncio\n"
        "from fastapi import FastAPI\n"
        "from gofastapi_runner.channel import Channel\n"
        "app, send = FastAPI(), Channel.send\n"
        "def slow_to_say(self, message):\n"
        "    say = asyncio.get_running_loop().call_later\n"
        "    say(1.0 if message['event'] == 'serving' else 0.0, send, self, message)\n"
        "Channel.send = slow_to_say\n"
        "@app.get('/')\n"
        "async def root():\n"
        "    print('taken')\n"
        "    await asyncio.sleep(1.0)\n"
        "    return 'answered'\n"
    )
    url = sleepy.deploy_live("woken", late)
    asleep(sleepy, "woken", now=True)
    answers: list[httpx.Response] = []
    visitor = Thread(target=lambda: answers.append(get(url)))
    visitor.start()
    until(lambda: "taken" in sleepy.logs("woken"), what="the request has been taken")
    sleepy.deploy_live("woken", source(2))
    visitor.join()
    assert [answer.json() for answer in answers] == ["answered"]
    assert get(url).json()["version"] == 2


def test_what_runs_is_shown_so_again_after_the_database_was_away_when_it_woke(sleepy: Platform) -> None:
    url = sleepy.deploy_live("shown", source(1))
    sleepy.client.change("shown", AppChange(sleep_after="never"))
    with sleepy.database() as database:
        database["apps"].update_one({"_id": "shown"}, {"$set": {"target": "asleep", "status": "asleep"}})
    view = sleepy.until_state("shown", State.RUNNING)
    assert view.target is Target.RUNNING
    assert get(url).json()["version"] == 1


def test_a_sleeping_app_is_led_through_its_life_as_any(sleepy: Platform) -> None:
    url = sleepy.deploy_live("led", source(1))
    asleep(sleepy, "led", now=True)
    *_, last = sleepy.client.change_env("led", EnvChange(set={"MODE": Setting(value="new")}))
    assert last.stage is Stage.LIVE
    assert get(url).json()["mode"] == "new"
    asleep(sleepy, "led", now=True)
    assert sleepy.client.stop("led").state is State.STOPPED
    assert get(url).status_code == 503
    assert list(sleepy.client.start("led"))[-1].stage is Stage.LIVE
    asleep(sleepy, "led", now=True)
    sleepy.client.delete("led")
    with pytest.raises(httpx.ConnectError):
        get(url)
    assert list(sleepy.client.restore("led"))[-1].stage is Stage.LIVE
    assert get(url).json() == {"version": 1, "mode": "new"}


def test_an_app_that_cannot_wake_says_why(sleepy: Platform) -> None:
    code = (
        "import os, pathlib\n"
        "from fastapi import FastAPI\n"
        "app = FastAPI()\n"
        "mark = pathlib.Path('mark')\n"
        "if mark.exists():\n"
        "    raise RuntimeError('once only')\n"
        "mark.touch()\n"
    )
    url = sleepy.deploy_live("once", code)
    asleep(sleepy, "once", now=True)
    with httpx.Client(timeout=30) as visitor:
        answer = visitor.get(url)
    assert answer.status_code == 503
    assert "once only" in answer.text
    view = sleepy.until_state("once", State.FAILED)
    assert view.diagnostics[0].line == 6
    assert EventKind.CRASH_LOOP in kinds(sleepy, "once")


def test_what_sleeps_goes_on_sleeping_over_a_crash_of_the_service_and_wakes_without_its_database() -> None:
    with running_platform(GOFASTAPI_SLEEP_AFTER="1s") as own:
        url = own.deploy_live("deep", source(1))
        asleep(own, "deep", now=True)
        assert own.process is not None
        own.process.kill()
        own.process.wait(5)
        own.start()
        view = own.app("deep")
        assert (view.state, view.instances) == (State.ASLEEP, [])
        assert get(url).json()["version"] == 1
        asleep(own, "deep", now=True)
        # The database comes back by itself, and the request waits for it.
        psutil.Process(own.mongod_pid).kill()
        assert get(url).json()["version"] == 1
