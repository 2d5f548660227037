"""New credentials for a database: no request fails for it, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pymongo
import pytest
from pymongo.errors import OperationFailure
from support.cli import CommandLine
from support.databases import NOTES, mongo_users, uri_of
from support.disks import fill_disk, platform_on_small_disk
from support.load import under_load
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.data import AppMove, RotationEvent
from gofastapi_ext.core.errors import GoFastAPIError, UnavailableError
from gofastapi_ext.core.lifecycle import State

PLAIN = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/count')\ndef count(): return 0\n"
# It comes up once; after that it does not, as an app whose world has changed.
ONCE = (
    "import os, pathlib\n"
    "marker = pathlib.Path('/tmp') / ('once-' + os.environ['MARK'])\n"
    "if marker.exists(): raise RuntimeError('its world has changed')\n"
    "marker.touch()\n" + NOTES
)


def generation(url: str) -> int:
    """Of the credentials that an app was started with."""
    return int(get(url, "/user").json().rpartition(".")[2])


def works(url: str) -> bool:
    """Whether the app stores something."""
    try:
        return get(url, "/add/x").status_code == 200
    except httpx.HTTPError:
        return False


def test_new_credentials_take_the_place_of_those_before(platform: Platform) -> None:
    url = platform.deploy_live("notes", NOTES)
    before, generation = uri_of(platform), int(get(url, "/user").json().rpartition(".")[2])
    count = get(url, "/count").json()
    *moved, end = platform.client.rotate_credentials()
    assert [event.app for event in moved] == [AppMove(app="notes", moved=True, seconds=moved[0].app.seconds)]
    assert end.done
    assert not end.still_used
    assert get(url, "/user").json().endswith(f".{generation + 1}")
    assert get(url, "/count").json() == count
    assert uri_of(platform) != before
    with pymongo.MongoClient(before) as client, pytest.raises(OperationFailure) as caught:
        client.get_default_database().notes.find_one()
    assert caught.value.code == 18  # authentication failed
    kinds = [event.kind for event in platform.client.events()]
    assert "credentials_rotated" in kinds
    assert platform.client.database().credentials_rotated_at is not None


def test_no_request_fails_while_credentials_are_rotated(platform: Platform) -> None:
    busy = platform.deploy_live("busy", NOTES)
    idle = platform.deploy_live("idle", NOTES)
    plain = platform.deploy_live("plain", PLAIN)
    asleep = platform.deploy_live("asleep", NOTES)
    platform.deploy_live("stopped", NOTES)
    get(idle, "/count")
    platform.client.sleep("asleep")
    platform.client.stop("stopped")
    before = generation(busy)
    with under_load(f"{busy}/add/x", f"{busy}/count", f"{plain}/count") as failures:
        for _ in range(4):
            *moved, end = platform.client.rotate_credentials()
            assert {event.app.app for event in moved if event.app} == {"busy", "idle", "plain", "notes"} & {
                app.id for app in platform.client.apps()
            }
            assert all(event.app and event.app.moved for event in moved), moved
            assert end.done
            assert not end.still_used
    assert failures == []
    assert generation(busy) == generation(idle) == before + 4
    # One that slept was let sleep, and wakes with what is in force by then.
    assert platform.app("asleep").state is State.ASLEEP
    assert platform.app("stopped").state is State.STOPPED
    assert generation(asleep) == before + 4
    assert get(asleep, "/add/x").status_code == 200
    *_, live = platform.client.start("stopped")
    assert generation(str(live.url)) == before + 4
    assert {int(name.rpartition(".")[2]) for name in mongo_users(platform)} == {before + 4}


def test_a_branch_has_credentials_of_its_own_to_rotate(own: Platform) -> None:
    data = own.deploy_live("data", NOTES)
    assert get(data, "/add/x").json() == 1
    list(own.client.create_branch("try"))
    trial = own.deploy_live("trial", NOTES, db_branch="try")
    assert get(trial, "/add/y").json() == 2
    pids = {app: own.app(app).instances[0].pid for app in ("data", "trial")}
    with under_load(f"{trial}/add/z", f"{data}/count") as failures:
        *moved, end = own.client.rotate_credentials(branch="try")
    assert failures == []
    assert [event.app.app for event in moved if event.app] == ["trial"]
    assert not end.still_used
    assert own.app("data").instances[0].pid == pids["data"]
    assert own.app("trial").instances[0].pid != pids["trial"]
    assert (generation(data), generation(trial)) == (1, 2)
    assert get(data, "/count").json() == 1


def test_several_rotations_at_once_end_well(platform: Platform) -> None:
    url = platform.deploy_live("notes", NOTES)
    before = generation(url)
    ends: list[RotationEvent] = []

    def rotate() -> None:
        with Client(platform.places) as client:
            ends.append(list(client.rotate_credentials())[-1])

    threads = [threading.Thread(target=rotate) for _ in range(3)]
    with under_load(f"{url}/count") as failures:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert failures == []
    assert [end.done for end in ends] == [True] * 3
    assert generation(url) == before + 3
    until(lambda: len(mongo_users(platform)) == 1, what="those before are dropped")


def test_a_deploy_that_is_under_way_is_waited_for(platform: Platform) -> None:
    url = platform.deploy_live("slow", NOTES)
    before = generation(url)
    thread = threading.Thread(target=platform.deploy, args=("slow", "import time; time.sleep(3)\n" + NOTES))
    thread.start()
    until(lambda: len(platform.client.versions("slow")) == 2, what="deploy under way")
    with Client(platform.places) as client:
        *moved, end = client.rotate_credentials()
    thread.join(20)
    assert AppMove(app="slow", moved=True) in [
        event.app.model_copy(update={"seconds": None}) for event in moved if event.app
    ]
    assert generation(url) == before + 1
    assert end.done


def test_an_app_that_does_not_come_up_goes_on_with_the_credentials_it_has(own: Platform) -> None:
    url = own.deploy_live("once", ONCE, env={"MARK": own.places.home.name})
    assert get(url, "/add/x").json() == 1
    command = CommandLine(own.places.home, own.places.home)
    said = command.run("db", "rotate", status=1)
    assert "once goes on with those before" in said
    assert "its world has changed" in said
    assert "as soon as nothing uses them any more" in said
    assert get(url, "/add/x").json() == 2
    assert len(mongo_users(own)) == 2
    own.deploy_live("once", NOTES)
    assert get(url, "/add/x").json() == 3
    until(lambda: len(mongo_users(own)) == 1, what="those before are dropped")


def test_a_service_that_is_killed_in_a_rotation_ends_it_at_its_next_start(own: Platform) -> None:
    urls = [own.deploy_live(f"app{n}", "import time; time.sleep(0.5)\n" + NOTES) for n in range(3)]
    old = uri_of(own)
    with own.database() as database:
        thread = threading.Thread(target=rotate_whatever_happens, args=(own,))
        thread.start()
        until(lambda: database.databases.find_one()["generation"] == 2, what="new ones in force")
        assert own.process is not None
        own.process.kill()
        own.process.wait(5)
        thread.join(10)
    assert len(mongo_users_of(own, 2)) == 2
    own.start()
    for url in urls:
        until(lambda url=url: works(url), what="the app is back")
        assert generation(url) == 2
    until(lambda: len(mongo_users(own)) == 1, what="those before are dropped")
    with pymongo.MongoClient(old) as client, pytest.raises(OperationFailure):
        client.get_default_database().notes.find_one()


@pytest.mark.parametrize("delay_seconds", [0.0, 0.3, 0.8])
def test_mongod_killed_in_a_rotation_leaves_apps_that_work(own: Platform, delay_seconds: float) -> None:
    urls = [own.deploy_live(f"app{n}", "import time; time.sleep(0.3)\n" + NOTES) for n in range(2)]
    pid = own.mongod_pid
    thread = threading.Thread(target=rotate_whatever_happens, args=(own,))
    thread.start()
    thread.join(delay_seconds)
    os.kill(pid, signal.SIGKILL)
    thread.join(60)
    assert not thread.is_alive()
    for url in urls:
        until(lambda url=url: works(url), 30, "the app works")
    # It ended, or it did not come into force: then it is done now. Nothing of it is left either way.
    list(own.client.rotate_credentials())
    newest = {generation(url) for url in urls}
    assert len(newest) == 1
    until(lambda: {int(name.rpartition(".")[2]) for name in mongo_users(own)} == newest, 30, "one is left")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system to fill")
def test_on_a_full_disk_nothing_is_rotated_and_everything_goes_on() -> None:
    with platform_on_small_disk() as (platform, fill):
        url = platform.deploy_live("notes", NOTES)
        assert get(url, "/add/x").json() == 1
        fill_disk(fill)
        with pytest.raises(UnavailableError, match="The disk is nearly full: 0 B are free") as caught:
            list(platform.client.rotate_credentials())
        assert "what is in force stays so" in caught.value.message
        assert get(url, "/count").json() == 1
        fill.unlink()
        *_, end = platform.client.rotate_credentials()
        assert end.done
        assert works(url)


def rotate_whatever_happens(platform: Platform) -> None:
    with Client(platform.places) as client, suppress(GoFastAPIError):
        list(client.rotate_credentials())


def mongo_users_of(platform: Platform, at_least: int) -> set[str]:
    """Asked of the server alone, while no service runs."""
    from support.secrets import database_of

    with database_of(platform) as database:
        [name] = database.databases.distinct("name")
        found = {user["user"] for user in database.client[name].command("usersInfo", 1)["users"]}
    assert len(found) >= at_least
    return found


@pytest.fixture
def own() -> Iterator[Platform]:
    """A service to be hurt."""
    with running_platform(GOFASTAPI_DATABASE_CHECK_SECONDS="0.5") as running:
        yield running
