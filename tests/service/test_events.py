"""The feed of events: listed, streamed, resumed, over the worst days of the service and its database."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue

import httpx
import pytest
from support.platform import Platform, running_platform
from support.waiting import until

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.drafts import DraftFileSave, DraftSave
from gofastapi_ext.core.errors import GoFastAPIError, InvalidRequestError, NotFoundError
from gofastapi_ext.core.events import Event, EventKind
from gofastapi_ext.core.models import AppChange, CloneRequest

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"


@pytest.fixture(scope="module")
def hurt() -> Iterator[Platform]:
    """A service of its own, for tests that do it harm."""
    with running_platform(GOFASTAPI_EVENTS_KEEP_DAYS="3") as running:
        yield running


def rename(platform: Platform, app_id: str, title: str) -> None:
    platform.client.change(app_id, AppChange(title=title))


@contextmanager
def stream(platform: Platform, path: str = "/api/events", **headers: str) -> Iterator[Iterator[str]]:
    """The lines of a stream of server-sent events."""
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with (
        httpx.Client(transport=transport, base_url="http://service", timeout=10) as http,
        http.stream("GET", path, headers={"Accept": "text/event-stream"} | headers) as response,
    ):
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield response.iter_lines()


def received(lines: Iterator[str], count: int) -> list[Event]:
    """The next events of a stream, whose frames agree with their data."""
    events, frame = [], dict[str, str]()
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            frame[name] = value
            continue
        if "data" in frame:
            event = Event.model_validate_json(frame["data"])
            assert frame["id"] == str(event.id)
            assert frame["event"] == event.kind
            events.append(event)
        frame = {}
        if len(events) == count:
            break
    return events


def messages(events: list[Event]) -> list[str]:
    return [event.message for event in events]


def test_what_happens_to_an_app_is_listed_the_latest_first(platform: Platform) -> None:
    platform.deploy_live("told", APP)
    platform.deploy_live("other", APP)
    rename(platform, "told", "Told")
    platform.client.clone("told", CloneRequest(to="copy"))
    of_app = platform.client.events("told")
    assert [event.kind for event in of_app] == [EventKind.CHANGED, EventKind.DEPLOYED]
    assert {event.app for event in of_app} == {"told"}
    assert of_app[-1].version == 1
    assert of_app[-1].by == platform.client.me().user
    everything = platform.client.events()
    assert [(event.app, event.kind) for event in everything[:2]] == [
        ("copy", EventKind.CLONED),
        ("told", EventKind.CHANGED),
    ]
    ids = [event.id for event in everything]
    assert ids == sorted(set(ids), reverse=True)
    assert platform.client.events(limit=1) == everything[:1]
    second = platform.client._request("GET", "/api/events", params={"limit": 1, "before": ids[0]}).json()
    assert [event["id"] for event in second] == ids[1:2]


def test_who_follows_hears_of_what_the_list_does_not_keep(platform: Platform) -> None:
    with stream(platform, "/api/events?app=drafted") as lines:
        draft = platform.client.save_draft("drafted", DraftSave(bundle=Bundle(files={"main.py": BundleFile(text=APP)})))
        platform.client.save_draft_file("drafted", "a.txt", DraftFileSave(file=BundleFile(text="a")))
        platform.client.discard_draft("drafted", platform.client.draft("drafted").etag)
        platform.client.delete("drafted", forever=True)
        heard = received(lines, 4)
    assert [event.app for event in heard] == ["drafted"] * 4
    assert [event.kind for event in heard] == [*[EventKind.DRAFT_SAVED] * 3, EventKind.DELETED]
    assert messages(heard[:3]) == ["Its draft was saved.", "Its draft was saved.", "Its draft was discarded."]
    assert draft.info is not None
    assert heard[0].by == draft.info.saved_by
    assert "drafted" not in {event.app for event in platform.client.events(limit=500)}


def test_a_new_error_is_told_at_once_to_those_who_follow(platform: Platform) -> None:
    source = (
        APP
        + '@app.get("/words/{word}")\ndef root(word: str):\n    return {"tea": 1}[word] if word != "two" else 1 / 0\n'
    )
    url = platform.deploy_live("failing", source)
    with stream(platform, "/api/events?app=failing") as lines:
        begin = time.monotonic()
        for word in ("one", "one", "two"):
            assert httpx.get(f"{url}/words/{word}").status_code == 500
        # Instances are asked every 15 seconds; one that says it has something new, at once.
        [first] = received(lines, 1)
        assert time.monotonic() - begin < 8
        assert (first.kind, first.version, first.by) == (EventKind.NEW_ERROR, 1, None)
        assert first.message.startswith("Something new went wrong: ")
        # What is known already is no news.
        assert httpx.get(f"{url}/words/one").status_code == 500
        rename(platform, "failing", "Failing")
        assert {error.exception for error in platform.client.errors("failing")} == {"KeyError", "ZeroDivisionError"}
        [second] = received(lines, 1)
    assert second.kind == EventKind.CHANGED
    assert [event.kind for event in platform.client.events("failing")] == [EventKind.CHANGED, EventKind.DEPLOYED]


def test_what_is_asked_for_wrongly_is_refused_with_words(platform: Platform) -> None:
    with pytest.raises(InvalidRequestError, match="limit"):
        platform.client.events(limit=501)
    with pytest.raises(NotFoundError, match="nosuch"):
        platform.client.events("nosuch")
    with pytest.raises(NotFoundError, match="nosuch"):
        next(platform.client.follow_events("nosuch", after=0))
    with pytest.raises(InvalidRequestError, match="Last-Event-ID"):
        platform.client._request("GET", "/api/events", headers={"Last-Event-ID": "x", "Accept": "text/event-stream"})


def test_another_owners_events_are_nobody_elses(platform: Platform) -> None:
    platform.deploy_live("mine", APP)
    theirs = {"owner": "somebody", "at": datetime.now(UTC), "kind": "deployed", "message": "psst", "details": {}}
    with platform.database() as database:
        # One of them of an app with the same name.
        database["events"].insert_many([theirs | {"_id": 1, "app": "mine"}, theirs | {"_id": 2, "app": "theirs"}])
    rename(platform, "mine", "Still mine")
    mine = platform.client.events("mine")
    assert "psst" not in messages(mine + platform.client.events(limit=500))
    with stream(platform, "/api/apps/mine/events?after=0") as lines:
        assert received(lines, 2) == mine[::-1]
    with stream(platform, "/api/events?after=0") as lines:
        count = len(platform.client.events(limit=500))
        assert "psst" not in messages(received(lines, count))


def test_a_stream_goes_on_after_the_last_id_without_gap_or_repetition(platform: Platform) -> None:
    platform.deploy_live("resumed", APP)
    first = platform.client.events("resumed")[0].id
    done = threading.Event()

    def change() -> None:
        with running_client(platform) as client:
            for number in range(60):
                client.change("resumed", AppChange(title=f"title {number}"))
        done.set()

    thread = threading.Thread(target=change)
    thread.start()
    seen: list[Event] = []
    last = first
    # Many viewers who come and go while it happens; what the header says counts, as a browser's address stays.
    while len(seen) < 60:
        with stream(platform, "/api/apps/resumed/events?after=1", **{"Last-Event-ID": str(last)}) as lines:
            seen += received(lines, min(7, 60 - len(seen)))
            last = seen[-1].id
    thread.join()
    assert [event.message.rpartition("title ")[2].rstrip(".") for event in seen] == [str(n) for n in range(60)]


@contextmanager
def running_client(platform: Platform):  # type: ignore[no-untyped-def]
    from gofastapi_ext.client.client import Client

    with Client(platform.places) as client:
        yield client


def test_the_command_shows_the_latest_last(platform: Platform) -> None:
    platform.deploy_live("shown", APP)
    rename(platform, "shown", "One\nTwo")

    def run(*arguments: str) -> str:
        command = [str(Path(sys.executable).with_name("gofastapi")), "events", *arguments]
        return subprocess.run(command, env=platform.environment, capture_output=True, text=True, check=True).stdout

    *_, deployed, changed = run("shown").splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  shown  Version 1 is live\.", deployed)
    assert changed.endswith("shown  Changed: its title is One Two.")
    (told,) = json.loads(run("--limit", "1", "--json"))
    assert (told["app"], told["kind"]) == ("shown", "changed")


def test_events_expire_and_lists_have_indexes(hurt: Platform) -> None:
    with hurt.database() as database:
        indexes = database["events"].index_information()
        ttl = [index["expireAfterSeconds"] for index in indexes.values() if index["key"] == [("at", 1)]]
        assert ttl == [3 * 86_400]
        plan = database["events"].find({"owner": "x", "_id": {"$lt": 5}}).sort("_id", -1).explain()
    assert "SORT" not in str(plan["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])


def test_what_is_gone_for_good_leaves_no_events(hurt: Platform) -> None:
    hurt.deploy_live("gone", APP)
    with hurt.database() as database:
        until(lambda: database["events"].count_documents({"app": "gone"}), what="stored")
        hurt.client.delete("gone", forever=True)
        until(lambda: not database["events"].count_documents({"app": "gone", "kind": "deployed"}), what="forgotten")


def test_events_are_told_while_the_database_is_away_and_stored_when_it_is_back(hurt: Platform) -> None:
    hurt.deploy_live("away", APP)
    pid = hurt.app("away").instances[0].pid
    with stream(hurt, "/api/apps/away/events") as lines:
        mongod = hurt.mongod_pid
        os.kill(mongod, signal.SIGSTOP)
        try:
            os.kill(pid, signal.SIGKILL)
            (crash,) = received(lines, 1)
            assert crash.kind is EventKind.CRASHED
        finally:
            os.kill(mongod, signal.SIGCONT)

    def stored() -> bool:
        with hurt.database() as database:
            return database["events"].find_one({"_id": crash.id}) is not None

    until(stored, what="the crash is stored")
    assert crash in hurt.client.events("away")


def test_following_goes_on_when_the_service_is_killed(hurt: Platform) -> None:
    hurt.deploy_live("follower", APP)
    newest = hurt.client.events("follower")[0]
    seen: Queue[Event] = Queue()

    def follow() -> None:
        with running_client(hurt) as client:
            for event in client.follow_events("follower"):
                seen.put(event)
                if event.message.endswith("the end."):
                    return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    with hurt.database() as database:
        until(lambda: database["events"].find_one({"_id": newest.id}), what="stored")
    rename(hurt, "follower", "before")
    assert seen.get(timeout=10).message.endswith("before.")
    assert hurt.process is not None
    hurt.process.kill()
    hurt.process.wait()
    # Nobody but the follower starts it again.
    until(lambda: able(hurt), 30, "service back")
    rename(hurt, "follower", "after")
    rename(hurt, "follower", "the end")
    thread.join(20)
    events = []
    while not seen.empty():
        events.append(seen.get())
    titles = [event.message for event in events if event.kind is EventKind.CHANGED]
    assert [title.rpartition("is ")[2] for title in titles] == ["after.", "the end."]
    ids = [newest.id, *(event.id for event in events)]
    assert ids == sorted(set(ids))


def able(platform: Platform) -> bool:
    try:
        return platform.client.me() is not None
    except GoFastAPIError:
        return False


def test_a_service_that_is_stopped_lets_go_of_those_who_follow() -> None:
    with running_platform() as own:
        own.deploy_live("followed", APP)
        follow = {"follow": "true"}
        with (
            httpx.Client(
                timeout=30, transport=httpx.HTTPTransport(uds=str(own.places.socket)), base_url="http://service"
            ) as http,
            http.stream("GET", "/api/events", params=follow) as events,
            http.stream("GET", "/api/apps/followed/logs", params=follow) as lines,
        ):
            assert (events.status_code, lines.status_code) == (200, 200)
            own.stop()
            for response in (events, lines):
                with pytest.raises(httpx.TransportError):
                    response.read()
        # They were not waited for, nor broken off with a traceback.
        assert "ASGI" not in own.log_text()
        assert "timeout graceful shutdown" not in own.log_text()


def test_who_follows_hears_of_data_that_are_changed_by_hand_or_imported(platform: Platform) -> None:
    client = platform.client
    with stream(platform) as lines:
        client.insert_document("told", {"_id": 1})
        client.delete_document("told", "1")
        list(client.import_documents("told", [b'{"_id": 2}\n']))
        client.drop_collection("told", confirm="told")
        heard = received(lines, 4)
    assert [event.kind for event in heard] == [EventKind.DATA_CHANGED] * 4
    assert [event.details for event in heard] == [{"collection": "told", "branch": None}] * 4
    assert EventKind.DATA_CHANGED not in {event.kind for event in client.events(limit=500)}
