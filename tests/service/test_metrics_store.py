"""Metrics in a real MongoDB: added up by minute, small, read from indexes, and gone after a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import AsyncMongoClient
from support.platform import Platform

from benchmarks.metrics import ROUTES, simulated_day, size_of
from gofastapi_ext.core.counts import Counts
from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.platform.control import metrics as recording
from gofastapi_ext.platform.control.day_totals import DayTotals
from gofastapi_ext.platform.control.metrics import MetricsRecorder
from gofastapi_ext.platform.control.observer import Observed, Observer
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.runtimes.base import Instance, InstanceFailedError, Report
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.database import Database, Document, connect
from gofastapi_ext.platform.store.metrics import AppTotals, MetricsStore, MinuteRecord

NOON = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
# More than the day that is written: MongoDB must not expire its first minutes while it is counted.
KEPT_SECONDS = 90_000
ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


class Telling(Instance):
    """An instance that says what it is told to say."""

    def __init__(self) -> None:
        self.pid, self.version, self.started_at, self.state = 1, 1, NOON, "serving"

    async def wait_loaded(self) -> None: ...

    async def wait_ready(self) -> None: ...

    async def accept(self) -> None: ...

    async def release(self) -> None: ...

    async def kill(self) -> None: ...

    async def wait_exited(self) -> InstanceFailedError:
        raise NotImplementedError

    async def report(self) -> Report | None:
        return None

    async def release_if_idle(self) -> bool:
        return False

    def record_bodies(self, wanted: bool) -> None: ...


class Scene:
    """A recorder with a clock of its own, over a real database."""

    def __init__(self, database: Database) -> None:
        self.now = NOON
        self.store = MetricsStore(database, KEPT_SECONDS)
        self.apps = AppStore(database)
        self.recorder = self.restarted()

    def restarted(self) -> MetricsRecorder:
        telemetry = Telemetry()
        self.recorder = MetricsRecorder(self.store, self.apps, Observer(15, telemetry), telemetry, lambda: self.now)
        return self.recorder

    def instance(self, app: str = "app") -> Observed:
        return Observed(app, "owner", 1, Telling())

    def tell(self, observed: Observed, requests: int, *, memory: int = 1000, cpu: float = 0.0) -> None:
        text = (
            f'gofastapi_requests_total{{method="GET",route="/",status="2xx"}} {requests}\n'
            f"process_resident_memory_bytes {memory}\nprocess_cpu_seconds_total {cpu}\n"
        )
        self.recorder.take(observed, Report(text, [], 1.0))

    async def flush(self, *, minutes: float = 1) -> None:
        self.now += timedelta(minutes=minutes)
        await self.recorder.flush()

    async def stored(self, app: str = "app") -> dict[str, int]:
        """Requests of each stored minute, by its time."""
        found: dict[str, int] = {}
        async for record in self.store.of_app(app, NOON - timedelta(days=1), NOON + timedelta(days=1)):
            requests = sum(counts.requests for counts in record.routes.values())
            found[f"{record.at:%H:%M}"] = found.get(f"{record.at:%H:%M}", 0) + requests
        return found


def in_database(platform: Platform, test: Callable[[Database], Awaitable[None]]) -> None:
    """Run a test in an empty database, dropped afterwards."""

    @asynccontextmanager
    async def own() -> AsyncIterator[Database]:
        client = connect(platform.root_uri)
        try:
            yield client["metrics-test"]
        finally:
            await client.drop_database("metrics-test")
            await client.close()

    async def run() -> None:
        async with own() as database:
            await test(database)

    asyncio.run(run())


def in_scene(platform: Platform, test: Callable[[Scene], Awaitable[None]]) -> None:
    async def run(database: Database) -> None:
        scene = Scene(database)
        await scene.store.prepare()
        await test(scene)

    in_database(platform, run)


def test_instances_of_an_app_add_up_each_from_zero(platform: Platform) -> None:
    async def test(scene: Scene) -> None:
        old, new = scene.instance(), scene.instance()
        scene.tell(old, 10, memory=3000)
        scene.tell(new, 2, memory=2000)
        scene.tell(old, 12, memory=3000)
        old.instance.state = "ended"
        scene.tell(old, 15, memory=3000)
        assert scene.recorder.memory_bytes("app") == 2000
        await scene.flush()
        assert await scene.stored() == {"12:00": 17}
        scene.tell(new, 2)
        scene.tell(new, 1)  # it began again
        await scene.flush()
        assert await scene.stored() == {"12:00": 17, "12:01": 1}
        [first, _] = [record async for record in scene.store.of_app("app", NOON, NOON + timedelta(hours=1))]
        assert first.memory_bytes == 5000 // 1024 * 1024

    in_scene(platform, test)


def test_what_is_read_is_what_was_written(platform: Platform) -> None:
    async def test(scene: Scene) -> None:
        counts = Counts(9, 2, 1, 123_456, 10, 20, [0, 5, 0, 4, *[0] * 10])
        record = MinuteRecord("app", NOON, 2, 1.5, 2048, {("GET", "/a.b/$x"): counts, ("", ""): Counts(1)})
        await scene.store.write([record])
        await scene.store.write([record])  # again, as after an answer that was lost
        assert [each async for each in scene.store.of_app("app", *ALWAYS)] == [record]
        totals = (await scene.store.totals(["app"], *ALWAYS))["app"]
        assert (totals.requests, totals.client_errors, totals.server_errors, totals.microseconds) == (10, 2, 1, 123_456)

    in_scene(platform, test)


def test_idling_is_written_every_tenth_minute(platform: Platform) -> None:
    async def test(scene: Scene) -> None:
        instance = scene.instance()
        for minute in range(25):
            scene.tell(instance, 0, memory=4096, cpu=minute * 0.5)
            await scene.flush()
        records = [each async for each in scene.store.of_app("app", NOON, NOON + timedelta(hours=1))]
        assert [f"{each.at:%H:%M}" for each in records] == ["12:00", "12:10", "12:20"]
        assert [each.memory_bytes for each in records] == [4096] * 3
        # What was used meanwhile is not lost.
        assert [each.cpu_seconds for each in records] == [0.0, 5.0, 5.0]
        scene.recorder.heed(EventKind.WOKE, "", "owner", "app", {})
        scene.recorder.heed(EventKind.SLEPT, "", "owner", "app", {})
        await scene.flush()
        assert [each.cold_starts async for each in scene.store.of_app("app", NOON, scene.now)] == [0, 0, 0, 1]

    in_scene(platform, test)


def test_clock_steps_change_names_of_minutes_and_no_count(platform: Platform) -> None:
    async def test(scene: Scene) -> None:
        instance = scene.instance()
        scene.tell(instance, 5)
        await scene.flush(minutes=600)
        scene.tell(instance, 8)
        await scene.flush(minutes=-600)
        scene.tell(instance, 20)
        await scene.flush(minutes=0)
        scene.tell(instance, 21)
        await scene.flush(minutes=-1)
        assert await scene.stored() == {"12:00": 18, "22:00": 3}
        assert sum(1 for _ in scene.recorder.pending()) == 0

    in_scene(platform, test)


def test_a_database_that_is_away_makes_a_gap_after_ten_minutes(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(scene: Scene) -> None:
        instance = scene.instance()
        # Nobody answers there: as a server that is away, but without the patience of fifteen seconds.
        nowhere = AsyncMongoClient[Document]("mongodb://127.0.0.1:9/", serverSelectionTimeoutMS=1)
        here, scene.recorder._store = scene.store, MetricsStore(nowhere["x"], 3600)
        monkeypatch.setattr("gofastapi_ext.platform.store.database._PATIENCE_SECONDS", 0.0)
        for minute in range(13):
            scene.tell(instance, minute + 1)
            with pytest.raises(UnavailableError):
                await scene.flush()
        # All that is kept is shown meanwhile.
        kept = sum(counts.requests for each in scene.recorder.pending("app") for counts in each.routes.values())
        assert kept == recording._KEPT_FLUSHES == 10
        scene.recorder._store = here
        await nowhere.close()
        scene.tell(instance, 100)
        await scene.flush()
        assert sum((await scene.stored()).values()) == 9 + 87
        assert "12:03" not in await scene.stored()

    in_scene(platform, test)


def test_what_is_not_over_yet_is_written_at_the_end(platform: Platform) -> None:
    async def test(scene: Scene) -> None:
        scene.tell(scene.instance(), 3)
        await scene.recorder.stop()
        scene.restarted()
        scene.tell(scene.instance(), 4)
        await scene.recorder.stop()
        assert await scene.stored() == {"12:00": 7}

    in_scene(platform, test)


def test_a_hundred_idle_apps_keep_next_to_nothing(platform: Platform) -> None:
    async def test(scene: Scene) -> None:
        instances = [scene.instance(f"app-{number}") for number in range(100)]
        started = time.process_time()
        for instance in instances:
            scene.tell(instance, 0)
        # In every report interval of fifteen seconds.
        assert time.process_time() - started < 0.3
        await scene.flush()
        instances.clear()
        del instance
        scene.now += timedelta(minutes=10)
        await scene.flush()
        assert not scene.recorder._followed

    in_scene(platform, test)


def test_a_day_is_small_and_read_from_indexes(platform: Platform) -> None:
    async def test(database: Database) -> None:
        store = MetricsStore(database, KEPT_SECONDS)
        await store.prepare()
        end = datetime.now(UTC).replace(second=0, microsecond=0)
        for records in simulated_day(10, end):
            await store.write(records)
        size = await size_of(database)
        assert size["documents"] == 10 * 1440
        # A tenth of the 45 MB that are promised for a hundred busy apps.
        assert size["bytes"] < 4_500_000, size
        names, since = [f"app-{number:03d}" for number in range(10)], end - timedelta(days=1)
        started = time.perf_counter()
        totals = await store.totals(names, since, end)
        assert time.perf_counter() - started < 5
        assert len(totals) == 10
        assert all(1440 * len(ROUTES) * 50 < each.requests < 1440 * len(ROUTES) * 70 for each in totals.values())

        group = {"$group": {"_id": "$a"} | {name: {"$sum": f"${name}"} for name in "ncst"}}
        match = {"$match": {"a": {"$in": names}, "at": {"$gte": since, "$lte": end}}}
        command = {"aggregate": "metrics", "pipeline": [match, group], "hint": "totals", "cursor": {}}
        plan = await database.command("explain", command, verbosity="executionStats")
        counted = plan["executionStats"] if "executionStats" in plan else plan["stages"][0]["$cursor"]["executionStats"]
        assert counted["totalDocsExamined"] == 0
        assert counted["totalKeysExamined"] <= 10 * 1440 + 20
        query = {"a": names[3], "at": {"$gte": end - timedelta(hours=1), "$lt": end}}
        plan = await database.command(
            "explain", {"find": "metrics", "filter": query, "sort": {"at": 1}}, verbosity="executionStats"
        )
        assert plan["executionStats"]["totalDocsExamined"] == plan["executionStats"]["nReturned"] == 60

        options = await database.command("listCollections", filter={"name": "metrics"})
        [collection] = options["cursor"]["firstBatch"]
        assert "zstd" in collection["options"]["storageEngine"]["wiredTiger"]["configString"]

    in_database(platform, test)


def test_a_list_reads_on_where_it_read_before(platform: Platform) -> None:
    async def test(scene: Scene) -> None:
        instances = {name: scene.instance(name) for name in ("one", "two")}
        totals, counted = DayTotals(scene.store, scene.recorder), 0

        async def is_right(*names: str) -> None:
            since = scene.now - timedelta(hours=2)
            found = await totals.of(names, since)
            exact = await scene.store.totals(names, since, scene.recorder.written_until)
            assert found == {name: exact.get(name, AppTotals()) for name in names}

        for step in range(40):
            counted += step
            scene.tell(instances["one"], counted)
            if step % 3 == 0:
                scene.tell(instances["two"], step)
            await scene.flush(minutes=7 if step != 20 else -45)
            # Not everybody is asked for each time, and some never were.
            await is_right(*[("one",), ("one", "two"), ("two", "never")][step % 3])
        await scene.recorder.remove_app("one")
        await is_right("one", "two")

    in_scene(platform, test)


def test_asked_again_a_list_is_there_at_once(platform: Platform) -> None:
    async def test(scene: Scene) -> None:
        end = datetime.now(UTC).replace(second=0, microsecond=0)
        scene.now = end
        for records in simulated_day(10, end):
            await scene.store.write(records)
        recorder = scene.restarted()
        totals, names = DayTotals(scene.store, recorder), [f"app-{number:03d}" for number in range(10)]
        since = end - timedelta(days=1)
        assert await totals.of(names, since) == await scene.store.totals(names, since, end)
        seconds = []
        for _ in range(10):
            started = time.perf_counter()
            await totals.of(names, since)
            seconds.append(time.perf_counter() - started)
        assert min(seconds) < 0.05, "the quickest: others work on this machine too"

    in_scene(platform, test)


def test_the_time_they_are_kept_follows_the_setting(platform: Platform) -> None:
    async def test(database: Database) -> None:
        async def expiry() -> dict[str, object]:
            return (await database["metrics"].index_information())["expiry"]

        await MetricsStore(database, 86_400).prepare()
        assert (await expiry())["expireAfterSeconds"] == 86_400
        store = MetricsStore(database, 3600)
        await store.write([MinuteRecord("app", NOON)])
        await store.prepare()
        assert (await expiry())["expireAfterSeconds"] == 3600
        assert [key for key, _ in (await expiry())["key"]] == ["at"]
        assert await database["metrics"].count_documents({}) == 1
        await store.remove_app("app")
        assert await database["metrics"].count_documents({}) == 0

    in_database(platform, test)


def test_the_service_keeps_them_as_long_as_its_setting_says(platform: Platform) -> None:
    with platform.database() as database:
        assert database["metrics"].index_information()["expiry"]["expireAfterSeconds"] == 86_400
