"""Several processes serve one app side by side: they share its address, and what is known of it adds up."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.databases import NOTES
from support.load import under_load
from support.platform import Platform, get, running_platform
from support.waiting import held_until, until
from support.workers import (
    deploy_with,
    serving,
    set_workers,
    source,
    until_serving,
    until_told,
)
from websockets.sync.client import connect as connect_websocket

from gofastapi_ext.core.errors import ConflictError, InvalidRequestError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.core.models import AppChange, AppView


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """One of its own: credentials are rotated in it."""
    with running_platform() as running:
        yield running


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
