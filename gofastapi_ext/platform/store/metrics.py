"""Metrics: one document for each app and minute, written once. Several of the same minute add up when they are read."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.errors import BulkWriteError, CollectionInvalid, OperationFailure

from gofastapi_ext.core.counts import Counts
from gofastapi_ext.core.histogram import add_pairs, to_pairs
from gofastapi_ext.platform.store.database import Database, Document, patiently

# A tenth of the size on disk that documents of the same few words would take.
_COMPRESSED = {"wiredTiger": {"configString": "block_compressor=zstd"}}
_TTL = "expiry"
_TOTALS = "totals"
_SLICE = timedelta(hours=2)
_MOST_SLICES = 50
_DUPLICATE_KEY = 11000
_INDEX_OPTIONS_CONFLICT = 85


@dataclass(slots=True)
class MinuteRecord:
    """An app in one minute. `at` is its beginning."""

    app: str
    at: datetime
    cold_starts: int = 0
    cpu_seconds: float = 0.0
    memory_bytes: int | None = None
    """The most of all processes together."""
    routes: dict[tuple[str, str], Counts] = field(default_factory=dict)
    """By method and template."""
    id: ObjectId = field(default_factory=ObjectId)

    @property
    def is_idle(self) -> bool:
        return not self.routes and not self.cold_starts


@dataclass(slots=True)
class AppTotals:
    """What a list of apps shows of each."""

    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    microseconds: int = 0

    def add(self, more: AppTotals | Counts) -> None:
        self.requests += more.requests
        self.client_errors += more.client_errors
        self.server_errors += more.server_errors
        self.microseconds += more.microseconds


class MetricsStore:
    """The collection of metrics. Names of fields are short: each is stored with every document."""

    def __init__(self, database: Database, keep_seconds: float) -> None:
        self._database = database
        self._metrics = database["metrics"]
        self._keep_seconds = int(keep_seconds)

    async def prepare(self) -> None:
        """Make the collection and its indexes; what is older than is kept goes by itself."""
        # It may be there. A server of somebody else's that allows no such option compresses in its own way.
        with contextlib.suppress(CollectionInvalid, OperationFailure):
            await self._database.create_collection("metrics", storageEngine=_COMPRESSED)
        await self._expire_after(self._keep_seconds)
        # Everything that a list of apps shows: it is answered from the index alone.
        await self._metrics.create_index(
            [("a", 1), ("at", 1), ("n", 1), ("c", 1), ("s", 1), ("t", 1)],
            name=_TOTALS,
        )

    async def _expire_after(self, seconds: int) -> None:
        try:
            await self._metrics.create_index([("at", 1)], name=_TTL, expireAfterSeconds=seconds)
        except OperationFailure as error:
            if error.code != _INDEX_OPTIONS_CONFLICT:
                raise
            # The setting was another one when the index was made.
            await self._database.command("collMod", "metrics", index={"name": _TTL, "expireAfterSeconds": seconds})

    async def write(self, minutes: Sequence[MinuteRecord]) -> None:
        """Store new ones; those that are stored already are left alone. Raises `UnavailableError`."""
        if minutes:
            documents = [_document(minute) for minute in minutes]
            await patiently(lambda: self._insert(documents))

    async def of_app(self, app_id: str, since: datetime, until: datetime) -> AsyncIterator[MinuteRecord]:
        """Those that begin from `since` to `until`, both included, in order of time."""
        # Some at a time: an app of many routes has much to tell of a day.
        at_once = max(_SLICE, (until - since) / _MOST_SLICES)
        while since <= until:
            # Times are stored to the millisecond.
            end = min(since + at_once, until + timedelta(milliseconds=1))
            for document in await self._between(app_id, since, end):
                yield _record(document)
            since = end

    async def _between(self, app_id: str, since: datetime, end: datetime) -> list[Document]:
        query = {"a": app_id, "at": {"$gte": since, "$lt": end}}
        return await patiently(lambda: self._metrics.find(query, hint=_TOTALS).sort("at", 1).to_list())

    async def totals(self, app_ids: Iterable[str], since: datetime, until: datetime) -> dict[str, AppTotals]:
        """Of each app that has any, by its id; likewise both included."""
        found = await self._grouped("$a", app_ids, since, until)
        return {each["_id"]: _totals(each) for each in found}

    async def totals_by_hour(
        self, app_ids: Iterable[str], since: datetime, until: datetime
    ) -> dict[tuple[str, datetime], AppTotals]:
        """The same, of each hour apart."""
        hour = {"$subtract": ["$at", {"$mod": [{"$toLong": "$at"}, 3_600_000]}]}
        found = await self._grouped({"a": "$a", "h": hour}, app_ids, since, until)
        return {(each["_id"]["a"], each["_id"]["h"]): _totals(each) for each in found}

    async def remove_app(self, app_id: str) -> None:
        await patiently(lambda: self._metrics.delete_many({"a": app_id}))

    async def _grouped(self, by: Any, app_ids: Iterable[str], since: datetime, until: datetime) -> list[Document]:
        pipeline: list[Document] = [
            {"$match": {"a": {"$in": list(app_ids)}, "at": {"$gte": since, "$lte": until}}},
            {"$group": {"_id": by} | {name: {"$sum": f"${name}"} for name in "ncst"}},
        ]

        async def ask() -> list[Document]:
            cursor = await self._metrics.aggregate(pipeline, hint=_TOTALS)
            return await cursor.to_list()

        return await patiently(ask)

    async def _insert(self, documents: list[Document]) -> None:
        try:
            await self._metrics.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if any(each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise


def _totals(found: Document) -> AppTotals:
    return AppTotals(*(found[name] for name in "ncst"))


def _document(minute: MinuteRecord) -> Document:
    total = AppTotals()
    for counts in minute.routes.values():
        total.add(counts)
    document: Document = {
        "_id": minute.id,
        "a": minute.app,
        "at": minute.at,
        # These are in the index: there as numbers, also where they are 0.
        "n": total.requests,
        "c": total.client_errors,
        "s": total.server_errors,
        "t": total.microseconds,
    }
    rest = {
        "w": minute.cold_starts,
        "u": round(minute.cpu_seconds * 1000),
        "m": (minute.memory_bytes or 0) // 1024,
        "r": [_route(method, route, counts) for (method, route), counts in minute.routes.items()],
    }
    return document | {name: value for name, value in rest.items() if value}


def _route(method: str, route: str, counts: Counts) -> Document:
    document = {
        "m": method,
        "p": route,
        "n": counts.requests,
        "c": counts.client_errors,
        "s": counts.server_errors,
        "t": counts.microseconds,
        "i": counts.bytes_in,
        "o": counts.bytes_out,
        "h": to_pairs(counts.histogram),
    }
    return {name: value for name, value in document.items() if value}


def _record(document: Document) -> MinuteRecord:
    routes = {}
    for each in document.get("r", ()):
        counts = Counts(*(each.get(name, 0) for name in "ncstio"))
        add_pairs(counts.histogram, each.get("h", ()))
        routes[each.get("m", ""), each.get("p", "")] = counts
    memory = document.get("m")
    return MinuteRecord(
        app=document["a"],
        at=document["at"],
        cold_starts=document.get("w", 0),
        cpu_seconds=document.get("u", 0) / 1000,
        memory_bytes=memory * 1024 if memory else None,
        routes=routes,
        id=document["_id"],
    )
