"""What instances report is merged, bounded and stored, whatever they say and however long the database is away."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from support.platform import Platform

from gofastapi_ext.platform.control.error_recorder import ErrorRecorder
from gofastapi_ext.platform.control.observer import Observed, Observer
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.runtimes.base import Instance, Report, ReportedError
from gofastapi_ext.platform.store.database import Database, connect
from gofastapi_ext.platform.store.errors import ErrorStore


def an_error(**changes: Any) -> ReportedError:
    error = ReportedError(
        method="GET",
        route="/menu/{item}",
        path="/menu/toast",
        status=500,
        exception="KeyError",
        message="'toast'",
        traceback="Traceback",
        file="main.py",
        line=12,
        count=1,
        at=datetime.now(UTC),
        headers={"accept": "*/*"},
        body=None,
        has_body=False,
        answer="Internal Server Error",
        columns=(4, 9),
    )
    return replace(error, **changes)


def recorded(
    platform: Platform, work: Callable[[ErrorRecorder, ErrorStore, Database], Awaitable[None]], most: int = 50
) -> None:
    """Do the work with a recorder and a store in a database of their own."""

    async def run() -> None:
        async with connect(platform.root_uri) as client:
            database = client["errors_test"]
            await client.drop_database("errors_test")
            store = ErrorStore(database, 3600, most)
            await store.prepare()
            recorder = ErrorRecorder(store, Observer(3600, Telemetry()), most)
            recorder.start()
            try:
                await work(recorder, store, database)
            finally:
                await recorder.stop()
                await client.drop_database("errors_test")

    asyncio.run(run())


def tell(recorder: ErrorRecorder, *errors: ReportedError, app: str = "hello", version: int = 1) -> None:
    # Who takes a report asks nothing of the instance.
    observed = Observed(app, "ann", version, cast(Instance, None))
    recorder.take(observed, Report("", list(errors), 0.0))


def test_the_same_error_is_one_with_the_latest_request(platform: Platform) -> None:
    async def work(recorder: ErrorRecorder, store: ErrorStore, _: Database) -> None:
        begin = datetime.now(UTC) - timedelta(minutes=5)
        tell(recorder, an_error(at=begin), an_error(count=3, path="/menu/tea", at=begin + timedelta(minutes=1)))
        await recorder.catch_up("hello")
        tell(recorder, an_error(count=2, path="/menu/jam", message="'jam'"), an_error(line=13))
        await recorder.catch_up("hello")
        tell(recorder, an_error(), app="other")
        await recorder.catch_up("other")
        [latest] = [error for error in await store.of_app("hello") if error.line == 12]
        assert (latest.count, latest.message, latest.request.path, latest.owner) == (6, "'jam'", "/menu/jam", "ann")
        assert abs(latest.first_at - begin) < timedelta(seconds=1)
        assert latest.last_at > begin + timedelta(minutes=4)
        assert latest.columns == (4, 9)
        assert len(await store.of_app("hello")) == 2
        assert await store.get(latest.id, "ann") == latest
        assert await store.get(latest.id, "bob") is None
        await recorder.remove_app("hello")
        assert await store.of_app("hello") == []
        assert len(await store.of_app("other")) == 1

    recorded(platform, work)


def test_a_batch_that_is_written_twice_counts_once(platform: Platform) -> None:
    async def work(recorder: ErrorRecorder, store: ErrorStore, _: Database) -> None:
        tell(recorder, an_error())
        await recorder.catch_up("hello")
        [error] = await store.of_app("hello")
        more = [error.model_copy(update={"count": 5}), error.model_copy(update={"id": "new", "count": 7})]
        for _again in range(2):
            await store.add("the same batch", more)
        assert {each.id: each.count for each in await store.of_app("hello")} == {error.id: 6, "new": 7}
        await store.add("another", more)
        assert {each.id: each.count for each in await store.of_app("hello")} == {error.id: 11, "new": 14}

    recorded(platform, work)


def test_of_many_different_errors_the_latest_stay(platform: Platform) -> None:
    async def work(recorder: ErrorRecorder, store: ErrorStore, database: Database) -> None:
        begin = datetime.now(UTC) - timedelta(minutes=30)
        for line in range(1, 200):
            tell(recorder, an_error(line=line, at=begin + timedelta(seconds=line)))
        await recorder.catch_up("hello")
        assert [error.line for error in await store.of_app("hello")] == list(range(199, 149, -1))
        assert await database["errors"].count_documents({"app": "hello"}) == 50
        # All in one report: no more of it is taken than is kept.
        tell(recorder, *(an_error(line=line) for line in range(1000, 101_000)))
        await recorder.catch_up("hello")
        assert {error.line for error in await store.of_app("hello")} == set(range(100_950, 101_000))
        assert await database["errors"].count_documents({"app": "hello"}) == 50

    recorded(platform, work)


def test_whatever_a_process_says_can_be_stored(platform: Platform) -> None:
    async def work(recorder: ErrorRecorder, store: ErrorStore, _: Database) -> None:
        huge = "\ud800" + "x" * 10**6
        headers = {f"h{number}.$\0{huge}": huge for number in range(100)}
        hostile = an_error(
            method=huge, route=huge, path=huge, status=10**30, exception=huge, message=huge, traceback=huge, file=huge,
            line=10**30, count=10**30, at=datetime(9999, 1, 1, tzinfo=UTC), headers=headers, body=b"x" * 10**6,
            has_body=True, answer=huge, columns=(10**30, -1),
        )  # fmt: skip
        tell(recorder, hostile, an_error(count=-5, line=-1, at=datetime(1970, 1, 1, tzinfo=UTC), columns=None))
        await recorder.catch_up("hello")
        latest, oldest = await store.of_app("hello")
        assert len(latest.model_dump_json()) < 300_000
        assert latest.request.body == b"x" * 65_536
        assert latest.request.whole_body is None
        assert (latest.line, latest.columns, latest.status) == (None, None, 999)
        assert latest.last_at <= datetime.now(UTC)
        assert (oldest.count, oldest.line) == (1, None)
        assert oldest.last_at > datetime.now(UTC) - timedelta(hours=2)

    recorded(platform, work)


def test_while_the_database_is_away_it_waits_in_bounds(platform: Platform) -> None:
    mongod = platform.mongod_pid

    async def work(recorder: ErrorRecorder, store: ErrorStore, _: Database) -> None:
        os.kill(mongod, signal.SIGSTOP)
        try:
            tell(recorder, an_error(line=1))
            while recorder.waiting_bytes:
                await asyncio.sleep(0.01)  # until it is on its way to the database
            began = time.monotonic()
            for line in range(2, 500):
                tell(recorder, an_error(line=line, traceback="x" * 60_000))
            assert time.monotonic() - began < 5
            assert recorder.waiting_bytes <= 8_000_000
        finally:
            os.kill(mongod, signal.SIGCONT)
        while recorder.waiting_bytes:
            await recorder.catch_up("hello")
        lines = {error.line for error in await store.of_app("hello")}
        assert {1, 499} <= lines
        assert 2 not in lines, "the oldest go first"
        assert 100 < len(lines) < 400

    recorded(platform, work, most=500)


def test_how_long_errors_are_kept_can_be_changed(platform: Platform) -> None:
    async def work(recorder: ErrorRecorder, store: ErrorStore, database: Database) -> None:
        indexes = await database["errors"].index_information()
        assert indexes["last_at_1"]["expireAfterSeconds"] == 3600
        await ErrorStore(database, 7200, 50).prepare()
        indexes = await database["errors"].index_information()
        assert indexes["last_at_1"]["expireAfterSeconds"] == 7200

    recorded(platform, work)
