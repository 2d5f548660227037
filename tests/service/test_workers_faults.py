"""Workers that crash, and services that do: the others serve on, and there are as many as before."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import httpx
import psutil
import pytest
from support.platform import Platform, get, running_platform
from support.waiting import until
from support.workers import (
    deploy_with,
    greedy,
    serving,
    set_workers,
    source,
    until_serving,
    until_stable,
    until_told,
)

from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.health import HealthColor
from gofastapi_ext.core.lifecycle import Stage, State
from gofastapi_ext.core.models import AppChange
from gofastapi_ext.platform.control.launcher import STARTED_AT_ONCE


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """One of its own: processes are killed in it."""
    with running_platform(GOFASTAPI_STABLE_AFTER_SECONDS="1", GOFASTAPI_MAX_CRASHES="3") as running:
        yield running


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
    # An import that takes a while, so that all that begin together are seen together.
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
