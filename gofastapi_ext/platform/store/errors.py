"""What went wrong in apps: a document for each group of the same error."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from gofastapi_ext.core.app_errors import LEFT_OUT
from gofastapi_ext.platform.store.database import Database, Document, expire_after, patiently

_DUPLICATE_KEY = 11000
MAX_BODY_BYTES = 65_536
"""Of a request's body, where bodies are kept."""


class RequestRecord(BaseModel):
    """The latest request of a group."""

    model_config = ConfigDict(frozen=True)

    path: str
    """With its query."""
    headers: dict[str, str] = Field(default_factory=dict)
    body: bytes | None = None
    """As far as it is kept: its beginning, where it is long or the app did not read all of it."""
    has_body: bool = False

    @property
    def whole_body(self) -> bytes | None:
        """The body, where all of it is kept; b"" where there was none."""
        if not self.has_body:
            return b""
        stated = next((value for name, value in self.headers.items() if name.lower() == "content-length"), None)
        body = self.body or b""
        # Where a secret was in it, `***` stands in its place.
        is_whole = len(body) < MAX_BODY_BYTES and LEFT_OUT.encode() not in body
        return self.body if is_whole and stated in (None, str(len(body))) else None


class ErrorRecord(BaseModel):
    """A group as it is stored, or what is to be added to it: then `count` is how often it came."""

    model_config = ConfigDict(frozen=True)

    id: str
    app: str
    owner: str
    version: int
    method: str
    route: str
    status: int
    exception: str | None = None
    message: str
    traceback: str | None = None
    file: str | None = None
    line: int | None = None
    columns: tuple[int, int] | None = None
    count: int
    first_at: datetime
    last_at: datetime
    request: RequestRecord
    answer: str | None = None


class ErrorStore:
    """The collection of errors. What has not come for `keep_seconds` goes by itself, and so do the oldest of many."""

    def __init__(self, database: Database, keep_seconds: float, max_kept: int) -> None:
        self._database = database
        self._errors = database["errors"]
        self._keep_seconds = keep_seconds
        self._max_kept = max_kept

    async def prepare(self) -> None:
        """Make the indexes."""
        await expire_after(self._database, "errors", "last_at", self._keep_seconds)
        await self._errors.create_index([("app", 1), ("last_at", -1)])

    async def add(self, batch: str, records: list[ErrorRecord]) -> list[ErrorRecord]:
        """Count these in; answer those that are new. A second time, under the same name of `batch`, changes nothing."""
        updates = [_update(batch, record) for record in records]

        async def write() -> set[int]:
            try:
                result = await self._errors.bulk_write(updates, ordered=False)
            except BulkWriteError as error:
                # It was written before, and the answer lost: it may have made the group.
                if any(each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]):
                    raise
                return set(range(len(records)))
            return set(result.upserted_ids or {})

        made = [records[index] for index in await patiently(write)]
        for app_id in sorted({record.app for record in made}):
            await self._trim(app_id)
        return made

    async def of_app(self, app_id: str) -> list[ErrorRecord]:
        """The latest first."""
        found = self._errors.find({"app": app_id}).sort("last_at", -1).limit(self._max_kept)
        return [_record(document) for document in await patiently(found.to_list)]

    async def get(self, error_id: str, owner: str) -> ErrorRecord | None:
        document = await patiently(lambda: self._errors.find_one({"_id": error_id, "owner": owner}))
        return _record(document) if document else None

    async def remove_app(self, app_id: str) -> None:
        await patiently(lambda: self._errors.delete_many({"app": app_id}))

    async def _trim(self, app_id: str) -> None:
        """Forget the oldest where there are too many. The index alone says whether there are."""
        found = self._errors.find({"app": app_id}, {"_id": 1}).sort("last_at", -1).skip(self._max_kept)
        too_many = [document["_id"] for document in await patiently(found.to_list)]
        if too_many:
            await patiently(lambda: self._errors.delete_many({"_id": {"$in": too_many}}))


def _update(batch: str, record: ErrorRecord) -> UpdateOne:
    latest = record.model_dump(exclude={"id", "count", "first_at", "last_at"})
    # Names of headers may hold dots and dollars, which are no good in a document's keys: stored as pairs.
    latest["request"]["headers"] = [[name, value] for name, value in record.request.headers.items()]
    return UpdateOne(
        {"_id": record.id, "batch": {"$ne": batch}},
        {
            "$set": latest | {"batch": batch},
            "$inc": {"count": record.count},
            "$min": {"first_at": record.first_at},
            "$max": {"last_at": record.last_at},
        },
        upsert=True,
    )


def _record(document: Document) -> ErrorRecord:
    request = document["request"]
    return ErrorRecord.model_validate(
        {**document, "id": document["_id"], "request": request | {"headers": dict(request["headers"])}}
    )
