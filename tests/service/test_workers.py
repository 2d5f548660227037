"""Several processes serve one app side by side: they share its address, and what is known of it adds up."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import httpx
import psutil
import pytest
from support.databases import NOTES
from support.load import under_load
from support.platform import Platform, get, running_platform
from support.waiting import held_until, until
from websockets.sync.client import connect as connect_websocket

from gofastapi_ext.core.errors import ConflictError, InvalidRequestError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.health import HealthColor
from gofastapi_ext.core.lifecycle import Stage, State
from gofastapi_ext.core.models import AppChange, AppView
from gofastapi_ext.platform.control.launcher import STARTED_AT_ONCE

SOURCE = """
import asyncio, os
from fastapi import FastAPI, WebSocket

app = FastAPI()

@app.get("/")
async def root():
    return {"pid": os.getpid(), "version": VERSION}

@app.get("/sleep/{seconds}")
async def sleep(seconds: float):
    await asyncio.sleep(seconds)
    return os.getpid()

@app.get("/fail")
async def fail():
    raise LookupError("not here")

@app.websocket("/ws")
async def ws(socket: WebSocket):
    await socket.accept()
    await socket.send_text(str(os.getpid()))
    await socket.receive_text()
"""


def source(version: int = 1) -> str:
    return f"VERSION = {version}\n{SOURCE}"


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """One of its own: processes are killed in it."""
    with running_platform(GOFASTAPI_STABLE_AFTER_SECONDS="1", GOFASTAPI_MAX_CRASHES="3") as running:
        yield running


def serving(platform: Platform, name: str) -> set[int]:
    return {each.pid for each in platform.app(name).instances if each.state == "serving"}


def until_serving(platform: Platform, name: str, count: int) -> set[int]:
    return until(lambda: pids if len(pids := serving(platform, name)) == count else None, what=f"{count} workers")


def set_workers(platform: Platform, name: str, count: int) -> set[int]:
    assert platform.client.change(name, AppChange(workers=count)).workers == count
    return until_serving(platform, name, count)


def deploy_with(platform: Platform, name: str, workers: int, code: str | None = None) -> str:
    url = platform.deploy_live(name, code or source())
    set_workers(platform, name, workers)
    return url


def until_stable(platform: Platform, name: str) -> None:
    """Until the workers have served for so long that a crash is no part of a loop."""
    began = max(each.started_at for each in platform.app(name).instances)
    until(lambda: datetime.now(UTC) - began > timedelta(seconds=1.5), what="stable")


def greedy(lock: Path) -> str:
    """An app of which only one process comes up: each wants the one port, GPU or lock there is, say."""
    guard = f"import os, pathlib\nlock = pathlib.Path({str(lock)!r})\nif lock.exists(): os._exit(7)\nlock.touch()\n"
    return guard + source()


def until_told(platform: Platform, name: str, kind: EventKind) -> str:
    """The latest of its kind, in words."""
    return until(
        lambda: next((event.message for event in platform.client.events(name) if event.kind is kind), None),
        what=f"{name} {kind}",
    )


def who_answers(url: str, at_once: int = 12) -> Counter[int]:
    """Which processes take so many requests that are open at the same time."""
    answered: Counter[int] = Counter()

    def ask() -> None:
        answered[get(url, "/sleep/0.2").json()] += 1

    threads = [threading.Thread(target=ask) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answered


def test_workers_come_and_go_while_requests_do_not_notice(platform: Platform) -> None:
    url = platform.deploy_live("grows", source())
    assert platform.app("grows").workers == 1
    [first] = serving(platform, "grows")
    with under_load(url) as failures:
        three = set_workers(platform, "grows", 3)
        assert first in three, "the one that served went, for no reason"
        assert "3 workers serve it now" in until_told(platform, "grows", EventKind.SCALED)
        until(lambda: set(who_answers(url)) == three, what="a request for each")
        [last] = set_workers(platform, "grows", 1)
        assert last == first
        until(lambda: len(platform.app("grows").instances) == 1, what="the others gone")
    assert failures == []
    for pid in three - {first}:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_how_many_is_checked_and_told(platform: Platform) -> None:
    deploy_with(platform, "counted", 2)
    with pytest.raises(InvalidRequestError, match="8 workers at most"):
        platform.client.change("counted", AppChange(workers=9))
    assert platform.app("counted").workers == 2
    assert "it has 2 workers" in until_told(platform, "counted", EventKind.CHANGED)


def test_what_they_count_adds_up(platform: Platform) -> None:
    url = deploy_with(platform, "sums", 3)
    asked = sum(who_answers(url).values())
    for _ in range(7):
        assert get(url, "/fail").status_code == 500
    metrics = platform.client.metrics("sums")
    assert {(route.route, route.requests) for route in metrics.routes} == {("/sleep/{seconds}", asked), ("/fail", 7)}
    assert metrics.server_errors == 7
    [error] = platform.client.errors("sums")
    assert error.count == 7
    with connect_websocket(url.replace("http", "ws") + "/ws"), connect_websocket(url.replace("http", "ws") + "/ws"):
        assert platform.client.metrics("sums").in_flight == 2
    # Last words of one that goes are not lost, nor counted twice.
    set_workers(platform, "sums", 1)
    until(lambda: len(platform.app("sums").instances) == 1, what="the others gone")
    assert platform.client.metrics("sums").requests == asked + 7


def test_a_redeploy_takes_the_place_of_all_of_them_and_no_request_fails(platform: Platform) -> None:
    url = deploy_with(platform, "moves", 2)
    with under_load(url) as failures:
        for version in (2, 3):
            before = serving(platform, "moves")
            platform.deploy_live("moves", source(version))
            assert {get(url).json()["version"] for _ in range(20)} == {version}
            now = serving(platform, "moves")
            assert len(now) == 2
            assert not now & before
    assert failures == []


def test_a_version_that_fails_in_one_of_them_is_not_live(platform: Platform, tmp_path: Path) -> None:
    url = deploy_with(platform, "all-or-none", 2)
    before = serving(platform, "all-or-none")
    once = f"import os\nos.mkdir({str(tmp_path / 'taken')!r})\n"
    failed = platform.deploy_failed("all-or-none", once + source(2))
    assert "FileExistsError" in failed.diagnostics[0].message
    assert serving(platform, "all-or-none") == before
    assert {get(url).json()["version"] for _ in range(10)} == {1}
    until(lambda: len(platform.app("all-or-none").instances) == 2, what="the half of the new one gone")


def test_one_that_is_killed_is_replaced_while_the_others_serve(platform: Platform) -> None:
    url = deploy_with(platform, "hurt", 2)
    victim, other = serving(platform, "hurt")
    os.kill(victim, signal.SIGKILL)
    for _ in range(20):
        assert get(url).status_code == 200
    assert other in until(lambda: now if victim not in (now := serving(platform, "hurt")) and len(now) == 2 else None)
    assert "1 worker serves still" in until_told(platform, "hurt", EventKind.CRASHED)
    until_told(platform, "hurt", EventKind.RECOVERED)
    assert platform.app("hurt").state is State.RUNNING


def test_many_that_end_at_once_are_no_crash_loop(platform: Platform) -> None:
    url = deploy_with(platform, "felled", 5)
    before = serving(platform, "felled")
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(now := serving(platform, "felled")) == 5 and not now & before, what="all of them anew")
    assert get(url).status_code == 200
    [zygote] = {psutil.Process(pid).ppid() for pid in serving(platform, "felled")}
    os.kill(zygote, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(zygote) and len(serving(platform, "felled")) == 5, what="all of them again")
    assert get(url).status_code == 200


def test_the_others_go_on_where_one_of_them_crashes_again_and_again(platform: Platform, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    url = platform.deploy_live("greedy", greedy(lock))
    platform.client.change("greedy", AppChange(workers=2))
    told = until_told(platform, "greedy", EventKind.CRASH_LOOP)
    assert "1 of 2 workers serve it" in told
    assert "status 7" in told
    assert get(url).status_code == 200
    view = platform.app("greedy")
    assert (view.state, view.reason) == (State.RUNNING, told)
    assert view.health is not None
    assert (view.health.color, view.health.reason) == (HealthColor.YELLOW, told)
    # Whoever mends the cause has it tried again: by a start, or by deploying the same once more.
    lock.unlink()
    [started] = platform.client.start("greedy")
    assert started.stage is Stage.LIVE
    until_serving(platform, "greedy", 2)
    until(lambda: platform.app("greedy").reason is None, what="no reason left")
    os.kill(max(serving(platform, "greedy")), signal.SIGKILL)
    until(lambda: platform.app("greedy").reason, what="given up again")
    lock.unlink()
    assert platform.deploy("greedy", greedy(lock))[-1].unchanged
    until_serving(platform, "greedy", 2)


def test_who_wants_no_more_of_them_is_not_told_of_a_recovery(platform: Platform, tmp_path: Path) -> None:
    platform.deploy_live("modest", greedy(tmp_path / "lock"))
    platform.client.change("modest", AppChange(workers=2))
    until_told(platform, "modest", EventKind.CRASH_LOOP)
    platform.client.change("modest", AppChange(workers=1))
    until(lambda: platform.app("modest").reason is None, what="nothing missing")
    assert EventKind.RECOVERED not in [event.kind for event in platform.client.events("modest")]


@pytest.mark.parametrize("victim", ["worker", "zygote"])
def test_what_was_left_after_a_crash_loop_may_crash_once(platform: Platform, tmp_path: Path, victim: str) -> None:
    lock, name = tmp_path / "lock", f"left-{victim}"
    platform.deploy_live(name, greedy(lock))
    platform.client.change(name, AppChange(workers=2))
    until_told(platform, name, EventKind.CRASH_LOOP)
    lock.unlink()
    until_stable(platform, name)
    [pid] = serving(platform, name)
    os.kill(pid if victim == "worker" else psutil.Process(pid).ppid(), signal.SIGKILL)
    until(lambda: (now := serving(platform, name)) and pid not in now, what="up again")
    platform.until_state(name, State.RUNNING)


def test_a_mended_version_may_crash_once(platform: Platform, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    platform.deploy_live("mended", greedy(lock))
    os.kill(serving(platform, "mended").pop(), signal.SIGKILL)
    platform.until_state("mended", State.FAILED)
    platform.deploy_live("mended", source())
    [pid] = serving(platform, "mended")
    os.kill(pid, signal.SIGKILL)
    until(lambda: len(now := serving(platform, "mended")) == 1 and pid not in now, what="up again")


@pytest.mark.parametrize("moment", ["restart", "wake"])
def test_a_number_that_changes_in_a_start_holds_after_it(platform: Platform, tmp_path: Path, moment: str) -> None:
    gate, begun, name = tmp_path / "gate", tmp_path / "begun", f"while-{moment}"
    gate.touch()
    url = platform.deploy_live(name, f"open({str(begun)!r}, 'w')\n{held_until(gate)}{source()}")
    gate.unlink()
    begun.unlink()
    if moment == "wake":
        platform.client.sleep(name)
    else:
        os.kill(serving(platform, name).pop(), signal.SIGKILL)
    visitor = threading.Thread(target=get, args=(url,))
    visitor.start()
    until(begun.exists, what="it is started")
    platform.client.change(name, AppChange(workers=2))
    gate.touch()
    visitor.join()
    until_serving(platform, name, 2)


def test_one_that_does_not_answer_keeps_the_others_awake(platform: Platform) -> None:
    deploy_with(platform, "frozen", 3)
    pids = serving(platform, "frozen")
    stuck = max(pids)
    os.kill(stuck, signal.SIGSTOP)
    try:
        with pytest.raises(ConflictError, match="in use"):
            platform.client.sleep("frozen")
        assert serving(platform, "frozen") == pids
    finally:
        os.kill(stuck, signal.SIGCONT)


def test_one_that_cannot_be_started_is_told_of(platform: Platform) -> None:
    deploy_with(platform, "short", 2)
    code = platform.places.home / "apps" / "short" / "versions" / "1"
    with platform.database() as database:
        # Its files are gone, and so is what they could be written from.
        files = database["bundles.files"]
        kept = list(files.find())
        files.delete_many({})
        code.rename(code.with_name("hidden"))
        os.kill(max(serving(platform, "short")), signal.SIGKILL)
        until(lambda: platform.app("short").reason, what="a reason")
        view = platform.app("short")
        assert (view.state, str(view.reason)[:40]) == (State.RUNNING, "1 worker serves it, and no other can be ")
        assert view.health is not None
        assert view.health.color is HealthColor.YELLOW
        files.insert_many(kept)
    until_serving(platform, "short", 2)
    until(lambda: platform.app("short").reason is None, what="nothing missing")


def test_a_new_app_of_an_old_name_has_one(platform: Platform) -> None:
    deploy_with(platform, "again", 2)
    platform.client.delete("again", forever=True)
    platform.deploy_live("again", source())
    assert platform.app("again").workers == 1


def test_they_fall_asleep_and_wake_together(platform: Platform) -> None:
    url = deploy_with(platform, "naps", 2)
    both = serving(platform, "naps")
    with connect_websocket(url.replace("http", "ws") + "/ws") as busy:
        busy_pid = int(busy.recv())
        with pytest.raises(ConflictError, match="in use"):
            platform.client.sleep("naps")
        assert busy_pid in serving(platform, "naps")
        assert serving(platform, "naps") == both, "one was let go for nothing"
        assert platform.app("naps").state is State.RUNNING
        busy.send("bye")
    until(lambda: _sleeps(platform, "naps"), what="asleep")
    until(lambda: not platform.app("naps").instances, what="no process left")
    # Asleep, none is started for the sake of the number.
    assert platform.client.change("naps", AppChange(workers=3)).state is State.ASLEEP
    with under_load(url) as failures:
        until_serving(platform, "naps", 3)
    assert failures == []
    assert platform.app("naps").state is State.RUNNING


def _sleeps(platform: Platform, name: str) -> AppView | None:
    try:
        return platform.client.sleep(name)
    except ConflictError:
        return None


def test_a_number_that_changes_in_a_deploy_holds_after_it(platform: Platform, tmp_path: Path) -> None:
    platform.deploy_live("midway", source())
    gate, begun = tmp_path / "gate", tmp_path / "begun"
    code = f"open({str(begun)!r}, 'w')\n{held_until(gate)}{source(2)}"
    deploying = threading.Thread(target=platform.deploy_live, args=("midway", code))
    deploying.start()
    until(begun.exists, what="the new one begun")
    platform.client.change("midway", AppChange(workers=2))
    gate.touch()
    deploying.join()
    until(
        lambda: [each.version for each in platform.app("midway").instances if each.state == "serving"] == [2, 2],
        what="two of the new one",
    )


def test_new_credentials_reach_all_of_them(platform: Platform) -> None:
    url = deploy_with(platform, "stores", 2, NOTES)
    before = serving(platform, "stores")
    with under_load(f"{url}/add/x", f"{url}/count") as failures:
        *_, end = platform.client.rotate_credentials()
    assert end.done
    assert failures == []
    now = serving(platform, "stores")
    assert len(now) == 2
    assert not now & before
    assert len({get(url, "/user").json() for _ in range(20)}) == 1


def test_after_a_crash_of_the_service_there_are_as_many_as_before(platform: Platform) -> None:
    url = deploy_with(platform, "returns", 2)
    assert platform.process is not None
    platform.process.kill()
    platform.process.wait()
    platform.start()
    until_serving(platform, "returns", 2)
    assert get(url).json()["version"] == 1
    platform.client.stop("returns")
    until(lambda: not platform.app("returns").instances, what="stopped")
    with pytest.raises(httpx.HTTPStatusError):
        get(url).raise_for_status()
    assert list(platform.client.start("returns"))[-1].stage is Stage.LIVE
    assert len(serving(platform, "returns")) == 2


def test_a_few_start_at_a_time(tmp_path: Path) -> None:
    """More would wait for a processor, while their time to start runs out."""
    log = tmp_path / "log"
    noted = (
        "import time\n"
        f"def note(sign):\n with open({str(log)!r}, 'a') as log: log.write(sign)\n"
        "note('+')\ntime.sleep(0.3)\nnote('-')\n"
    )

    def at_once() -> int:
        """The most that were being imported at the same time."""
        signs = log.read_text()
        log.unlink()
        return max(accumulate(1 if sign == "+" else -1 for sign in signs))

    with running_platform() as platform:
        for name in ("one", "two"):
            platform.deploy_live(name, noted + source())
            set_workers(platform, name, 8)
        log.unlink()
        # All are to be ready before the first one of them serves.
        platform.deploy_live("one", noted + source(2))
        assert len(serving(platform, "one")) == 8
        assert at_once() == STARTED_AT_ONCE
        assert platform.process is not None
        platform.process.kill()
        platform.process.wait()
        platform.environment["GOFASTAPI_LIMITS"] = '{"max_workers": 6}'
        platform.start()
        for name in ("one", "two"):
            until_serving(platform, name, 6)
        assert 1 < at_once() <= 8
