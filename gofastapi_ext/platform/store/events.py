"""Events: one document each, written once, gone by themselves after some days."""

from __future__ import annotations

from datetime import datetime

from pymongo.errors import BulkWriteError, PyMongoError

from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.core.events import Event, EventKind
from gofastapi_ext.platform.store.database import Database, Document, expire_after, patiently

_DUPLICATE_KEY = 11000


class EventRecord(Event):
    """An event as it is stored."""

    owner: str


class EventStore:
    """The collection of events. Each goes by itself when it is `keep_seconds` old."""

    def __init__(self, database: Database, keep_seconds: float) -> None:
        self._database = database
        self._events = database["events"]
        self._keep_seconds = keep_seconds

    async def prepare(self) -> None:
        """Make the indexes."""
        await expire_after(self._database, "events", "at", self._keep_seconds)
        await self._events.create_index([("owner", 1), ("_id", -1)])
        await self._events.create_index([("app", 1), ("_id", -1)])

    async def newest_id(self) -> int:
        """The largest id that is stored; 0 without any."""
        document = await patiently(lambda: self._events.find_one({}, {"_id": 1}, sort=[("_id", -1)]))
        return int(document["_id"]) if document else 0

    async def add(self, records: list[EventRecord]) -> None:
        """Store these; a second time changes nothing. Raises `UnavailableError` where the database takes none now."""
        documents = [record.model_dump(exclude={"id"}) | {"_id": record.id} for record in records]

        async def write() -> None:
            try:
                await self._events.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                # They were written before, and the answer was lost.
                if any(each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]):
                    raise

        try:
            await patiently(write)
        except PyMongoError as error:
            raise UnavailableError(f"The platform's database takes no events: {error}") from error

    async def newest(self, owner: str, app: str | None, limit: int, before: int | None = None) -> list[EventRecord]:
        """Of an owner, or of one app of theirs: those before the id `before`, newest first."""
        query = _of(owner, app) | ({"_id": {"$lt": before}} if before is not None else {})
        return await self._find(query, -1, limit)

    async def between(
        self, owner: str, app: str | None, after: int, before: int, limit: int = 500
    ) -> list[EventRecord]:
        """Those with ids strictly between the two, oldest first."""
        return await self._find(_of(owner, app) | {"_id": {"$gt": after, "$lt": before}}, 1, limit)

    async def seconds(self, owner: str, kind: EventKind, since: datetime, limit: int = 10_000) -> list[float]:
        """How long each of an owner's events of this kind took, by their details; the latest `limit` since then."""
        query = {"owner": owner, "kind": kind, "at": {"$gte": since}}
        found = self._events.find(query, {"details.seconds": 1}).sort("at", -1).limit(limit)
        documents = await patiently(found.to_list)
        return [float(each["details"]["seconds"]) for each in documents if "seconds" in each.get("details", {})]

    async def remove_app(self, app_id: str) -> None:
        """Forget every event of an app."""
        await patiently(lambda: self._events.delete_many({"app": app_id}))

    async def _find(self, query: Document, order: int, limit: int) -> list[EventRecord]:
        documents = await patiently(lambda: self._events.find(query).sort("_id", order).limit(limit).to_list())
        return [EventRecord.model_validate({**document, "id": document["_id"]}) for document in documents]


def _of(owner: str, app: str | None) -> Document:
    return {"owner": owner} | ({"app": app} if app is not None else {})
