"""What keeps databases within their bounds: size, how long an operation runs, how many connections an app has."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pymongo
import pytest
from pymongo.errors import OperationFailure
from support.cli import CommandLine
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.core.events import Event

LIMIT = 1_000_000
CAP = 15
APP = (
    "import os, pymongo\n"
    "from fastapi import FastAPI\n"
    "app = FastAPI()\n"
    "uri = os.environ['PLATFORM_MONGO_URI']\n"
    "db = pymongo.MongoClient(uri).get_default_database()\n"
    "leaked = []\n"
    "@app.get('/fill/{count}')\n"
    "def fill(count: int):\n"
    "    db.big.insert_many({'text': 'x' * 1000} for _ in range(count))\n"
    "@app.get('/count')\n"
    "def count():\n"
    "    return db.big.count_documents({})\n"
    "@app.get('/delete')\n"
    "def delete():\n"
    "    return db.big.delete_many({}).deleted_count\n"
    "@app.get('/slow')\n"
    "def slow():\n"
    "    return db.few.find_one({'name': 'hunter2', '$where': 'sleep(100) || false'})\n"
    "@app.get('/cross')\n"
    "def cross():\n"
    "    join = {'$lookup': {'from': 'few', 'pipeline': [], 'as': 'x'}}\n"
    "    unwind = {'$unwind': '$x'}\n"
    "    return list(db.few.aggregate([join, unwind] * 6 + [{'$count': 'n'}]))\n"
    "@app.get('/leak')\n"
    "def leak():\n"
    "    for _ in range(20):\n"
    "        leaked.append(pymongo.MongoClient(uri))\n"
    "        leaked[-1].admin.command('ping')\n"
    "@app.get('/pid')\n"
    "def pid():\n"
    "    return os.getpid()\n"
)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Platform]:
    settings = {
        "GOFASTAPI_DATABASE_LIMIT_BYTES": str(LIMIT),
        "GOFASTAPI_DATABASE_CHECK_SECONDS": "0.25",
        "GOFASTAPI_DATABASE_OPERATION_SECONDS": "1.5",
        "GOFASTAPI_DATABASE_CONNECTIONS_PER_APP": str(CAP),
    }
    with running_platform(**settings) as platform:
        yield platform


@pytest.fixture(scope="module")
def url(guarded: Platform) -> str:
    return guarded.deploy_live("keeper", APP)


def events(platform: Platform, kind: str) -> list[Event]:
    return [event for event in platform.client.events(limit=200) if event.kind == kind]


def test_over_its_limit_a_database_is_read_and_emptied_but_not_written(guarded: Platform, url: str) -> None:
    assert get(url, "/fill/1200").status_code == 200
    view = until(lambda: view if (view := guarded.client.database()).over_limit else None, what="over the limit")
    assert view.bytes > LIMIT == view.limit_bytes
    # The database itself refuses, on the connections that the app has open.
    assert get(url, "/fill/1").status_code == 500
    assert get(url, "/count").json() == 1200
    error = next(error for error in guarded.client.errors("keeper") if error.route == "/fill/{count}")
    assert "not authorized" in error.message
    assert error.diagnostic is not None
    assert error.diagnostic.hint is not None
    assert "over its limit" in error.diagnostic.hint
    assert "Hint: Your database is over its limit" in guarded.logs("keeper")

    uri = guarded.client.database_uri(confirm=view.name).uri
    with pymongo.MongoClient(uri) as client:
        data = client.get_default_database()
        writes = [
            lambda: data.big.update_one({}, {"$set": {"x": 1}}),
            lambda: data.other.insert_one({}),
            lambda: data.create_collection("other"),
            lambda: data.big.create_index("text"),
            lambda: data.big.aggregate([{"$out": "copy"}]),
            lambda: data.command("createUser", "me", pwd="x", roles=["dbOwner"]),
            lambda: data.command("grantRolesToUser", f"{view.name}.1", roles=["readWrite"]),
        ]
        for write in writes:
            with pytest.raises(OperationFailure) as caught:
                write()
            assert caught.value.code == 13

    [told] = events(guarded, "database_full")
    assert "takes no more writes" in told.message
    assert "gofastapi db" in told.message
    shown = CommandLine(guarded.places.home, guarded.places.home).run("db")
    assert "takes no more writes" in shown
    assert "Most of it is big" in shown

    # New credentials have no more rights than those before.
    list(guarded.client.rotate_credentials())
    assert get(url, "/fill/1").status_code == 500

    freed = time.monotonic()
    assert get(url, "/delete").json() == 1200
    until(lambda: get(url, "/fill/1").status_code == 200, 60, "writes are taken again")
    assert time.monotonic() - freed < 60
    until(lambda: not guarded.client.database().over_limit)
    assert events(guarded, "database_writable")


def test_what_is_over_its_limit_stays_so_when_everything_is_killed(guarded: Platform, url: str) -> None:
    get(url, "/fill/1200")
    until(lambda: guarded.client.database().over_limit, 20, "over the limit")
    mongod = psutil.Process(guarded.mongod_pid)
    assert guarded.process is not None
    guarded.process.kill()
    guarded.process.wait(5)
    mongod.kill()
    psutil.wait_procs([mongod], 5)
    guarded.start()
    try:
        until(lambda: answers(url), 20, "the app is back")
    except AssertionError:
        print(guarded.log_text()[-4000:], guarded.client.apps(), guarded.logs("keeper")[-3000:])
        raise
    assert get(url, "/fill/1").status_code == 500
    # What MongoDB says of sizes after a crash is old; it is made to count anew.
    counted = until(lambda: view if (view := guarded.client.database()).documents else None, 20, "counted anew")
    assert counted.bytes > LIMIT
    assert counted.over_limit
    get(url, "/delete")
    until(lambda: get(url, "/fill/1").status_code == 200, 60, "writes are taken again")
    assert "Traceback" not in guarded.log_text()


def answers(url: str) -> bool:
    try:
        return get(url, "/count").status_code == 200
    except httpx.HTTPError:
        return False


def test_dropping_a_collection_frees_space_too(guarded: Platform, url: str) -> None:
    get(url, "/fill/1200")
    until(lambda: guarded.client.database().over_limit, what="over the limit")
    uri = guarded.client.database_uri(confirm=guarded.client.me().database).uri
    with pymongo.MongoClient(uri) as client:
        client.get_default_database().big.drop()
    until(lambda: get(url, "/fill/1").status_code == 200, 60, "writes are taken again")


@pytest.mark.parametrize(("path", "shape"), [("/slow", '"$where": "string"'), ("/cross", '"$lookup"')])
def test_an_operation_that_runs_away_is_ended(guarded: Platform, url: str, path: str, shape: str) -> None:
    uri = guarded.client.database_uri(confirm=guarded.client.me().database).uri
    with pymongo.MongoClient(uri) as client:
        few = client.get_default_database().few
        few.drop()
        few.insert_many({"name": "hunter2"} for _ in range(300))
    before = len(events(guarded, "operation_ended"))
    began = time.monotonic()
    assert get(url, path).status_code == 500
    assert time.monotonic() - began < 10
    told = until(lambda: events(guarded, "operation_ended")[: -before or None], what="told")[0]
    assert told.app == "keeper"
    assert shape in told.message
    assert "few" in told.message
    assert "hunter2" not in told.model_dump_json()
    assert told.details["collection"] == "few"
    assert get(url, "/count").status_code == 200


def test_a_person_who_only_waits_is_not_disturbed(guarded: Platform) -> None:
    """A cursor on a capped collection that waits for what comes runs for nobody."""
    uri = guarded.client.database_uri(confirm=guarded.client.me().database).uri
    with pymongo.MongoClient(uri) as client:
        data = client.get_default_database()
        data.create_collection("feed", capped=True, size=10_000)
        data.feed.insert_one({"n": 1})
        cursor = data.feed.find(cursor_type=pymongo.CursorType.TAILABLE_AWAIT).max_await_time_ms(4000)
        assert next(cursor)["n"] == 1
        began = time.monotonic()
        assert next(cursor, None) is None
        assert time.monotonic() - began > 3
        assert cursor.alive


def test_an_app_that_leaks_connections_is_told_and_restarted(guarded: Platform, url: str) -> None:
    pid = get(url, "/pid").json()
    assert get(url, "/leak").status_code == 200
    first = until(lambda: events(guarded, "too_many_connections"), what="told")[0]
    assert first.app == "keeper"
    assert f"{CAP} are allowed" in first.message
    with ThreadPoolExecutor(2) as pool:
        statuses: list[int] = []

        def ask() -> int:
            now = 0
            while now in (0, pid):
                response = get(url, "/pid")
                statuses.append(response.status_code)
                now = response.json()
            return now

        assert pool.submit(ask).result(30) != pid
    assert set(statuses) == {200}
    assert any("it is restarted" in event.message for event in events(guarded, "too_many_connections"))
