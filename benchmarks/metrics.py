"""How much MongoDB takes for a day of metrics, and how fast they are read: simulated apps, written as the service does.

Every app is asked for something on each of five routes in each minute, which is more than most ever are.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from gofastapi_ext.core.counts import Counts
from gofastapi_ext.core.histogram import bucket_of
from gofastapi_ext.platform.control.day_totals import DayTotals
from gofastapi_ext.platform.control.metrics import MetricsRecorder
from gofastapi_ext.platform.control.observer import Observer
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.mongod import EmbeddedMongo
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.database import DATABASE, Database, connect
from gofastapi_ext.platform.store.metrics import MetricsStore, MinuteRecord

ROUTES = (
    ("GET", "/"),
    ("GET", "/items"),
    ("POST", "/items"),
    ("GET", "/items/{item_id}"),
    ("GET", "/users/{user_id}/orders"),
)
_VARIANTS = 2000
_MINUTES_AT_ONCE = 10


def simulated_day(apps: int, end: datetime, hours: int = 24) -> Iterator[list[MinuteRecord]]:
    """The records of so many hours before `end`, a few minutes at a time, as they come."""
    rng = random.Random(4)
    variants = {route: [_minute(rng) for _ in range(_VARIANTS)] for route in ROUTES}
    names = [f"app-{number:03d}" for number in range(apps)]
    for begin in range(60 * hours, 0, -_MINUTES_AT_ONCE):
        yield [
            MinuteRecord(
                name,
                end - timedelta(minutes=minute),
                cpu_seconds=rng.uniform(0.05, 2),
                memory_bytes=rng.randint(40_000_000, 90_000_000),
                routes={route: rng.choice(each) for route, each in variants.items()},
            )
            for minute in range(begin, max(begin - _MINUTES_AT_ONCE, 0), -1)
            for name in names
        ]


def _minute(rng: random.Random) -> Counts:
    """About sixty requests to one route, most of them fast, a few of them refused."""
    counts = Counts(requests=max(1, round(rng.gauss(60, 20))))
    counts.client_errors = sum(rng.random() < 0.03 for _ in range(counts.requests))
    counts.server_errors = int(rng.random() < 0.02)
    counts.bytes_in = counts.requests * rng.randint(0, 400)
    counts.bytes_out = counts.requests * rng.randint(300, 4000)
    for _ in range(counts.requests):
        seconds = rng.lognormvariate(-5, 1)
        counts.microseconds += round(seconds * 1e6)
        counts.histogram[bucket_of(seconds)] += 1
    return counts


async def _measure(folder: Path, apps: int) -> dict[str, Any]:
    folder.mkdir()
    server = EmbeddedMongo(folder / "mongo", folder / "mongod.sock", PlatformKey.load(folder / "key"), None)
    client = connect(server.root_uri)
    try:
        await server.start()
        return await _measure_store(client[DATABASE], apps)
    finally:
        await client.close()
        await server.stop()


async def _measure_store(database: Database, apps: int) -> dict[str, Any]:
    store = MetricsStore(database, 86_400 * 2)
    await store.prepare()
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    begun = time.perf_counter()
    for records in simulated_day(apps, end):
        await store.write(records)
    written = time.perf_counter() - begun
    since, names = end - timedelta(days=1), [f"app-{number:03d}" for number in range(apps)]
    lists, views = [], []
    telemetry = Telemetry()
    day = DayTotals(store, MetricsRecorder(store, AppStore(database), Observer(15, telemetry), telemetry, lambda: end))
    for _ in range(6):
        begun = time.perf_counter()
        await day.of(names, since)
        lists.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        _ = [record async for record in store.of_app(names[0], since, end)]
        views.append(time.perf_counter() - begun)
    size = await size_of(database)
    return size | {"write_seconds": written, "list_seconds": lists, "one_app_seconds": views}


async def size_of(database: Database) -> dict[str, Any]:
    """What is on disk once everything is."""
    await database.client.admin.command("fsync")
    stats = await database.command("collStats", "metrics")
    return {
        "bytes": stats["storageSize"] + stats["totalIndexSize"],
        "index_bytes": stats["totalIndexSize"],
        "documents": stats["count"],
    }


def day_of_metrics(folder: Path, apps: int) -> dict[str, Any]:
    """Written to a server of its own in `folder`. The size of fewer apps stands for that of a hundred."""
    measured = asyncio.run(_measure(folder, apps))
    return {
        "metrics_24h_100_apps_mb": measured["bytes"] / 1e6 * 100 / apps,
        # The first has all of the day to read; those after it what came meanwhile.
        "metrics_list_first_ms": measured["list_seconds"][0] * 1000,
        "metrics_list_ms": median(measured["list_seconds"][1:]) * 1000,
        "metrics_one_app_ms": median(measured["one_app_seconds"]) * 1000,
        "raw": {"metrics_apps": apps, "metrics_day": measured},
    }
