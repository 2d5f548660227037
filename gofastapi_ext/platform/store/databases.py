"""Which database a user's data is in, and with which credentials: one document for each, changed by compare-and-set."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from gofastapi_ext.core.errors import ConflictError
from gofastapi_ext.platform.store.database import Database, Document, patiently


class Retired(BaseModel):
    """Credentials that are not given out any more, and are dropped once nothing uses them."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Of the database."""
    generation: int
    drop_database: bool = False
    """Whether the database itself goes with them: another one has taken its place, or it never came into force."""
    retired_at: datetime | None = None
    keep_until: datetime | None = None
    """Until when the database stays all the same, for what took its place to be undone."""


class BindingRecord(BaseModel):
    """Where the data of a user is, or of a branch of it. `revision` grows with every change."""

    model_config = ConfigDict(frozen=True)

    user: str
    branch: str | None = None
    """None: the user's own data, which no experiment touches."""
    name: str
    """Of the database in MongoDB. Another one takes its place where a backup is restored, or a branch promoted."""
    generation: int = 1
    """Of the credentials. Those before and after a rotation are valid side by side until all apps have moved."""
    over_limit: bool = False
    """Whether it holds more than is allowed, so that its credentials may read and delete only."""
    retiring: list[Retired] = Field(default_factory=list)
    promoted: dict[str, str] = Field(default_factory=dict)
    """Of the user's own: branches that became the data themselves, each with the name of its database then. Who was
    deployed with such a branch works on the data."""
    created_at: datetime
    rotated_at: datetime | None = None
    expires_at: datetime | None = None
    """Of a branch: when it goes by itself."""
    revision: int = 1


class DatabaseStore:
    """The collection `databases`."""

    def __init__(self, database: Database) -> None:
        self._bindings = database["databases"]

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._bindings.create_index([("user", 1), ("branch", 1)], unique=True)

    async def get(self, user: str, branch: str | None = None) -> BindingRecord | None:
        document = await patiently(lambda: self._bindings.find_one({"_id": _id(user, branch)}))
        return _record(document) if document else None

    async def of_user(self, user: str) -> list[BindingRecord]:
        """The user's own one first, then branches by name."""
        return await self._find({"user": user})

    async def all(self) -> list[BindingRecord]:
        """Everybody's, by user."""
        return await self._find({})

    async def create(self, record: BindingRecord) -> BindingRecord:
        """Store a new one; where it is there already, that one comes back."""
        document = record.model_dump(mode="python") | {"_id": _id(record.user, record.branch)}
        try:
            await patiently(lambda: self._bindings.insert_one(dict(document)))
        except DuplicateKeyError:
            existing = await self.get(record.user, record.branch)
            if existing is None:
                raise ConflictError("The database was removed meanwhile. Run it again.") from None
            return existing
        return record

    async def change(self, record: BindingRecord, **changes: Any) -> BindingRecord:
        """Compare-and-set: raises `ConflictError` where it changed since `record` was read."""
        plain = {name: _plain(value) for name, value in changes.items()}
        # Its number, not one more: so the change may be tried again over a restart of the database.
        update = {"$set": plain | {"revision": record.revision + 1}}
        query = {"_id": _id(record.user, record.branch), "revision": record.revision}
        document = await patiently(
            lambda: self._bindings.find_one_and_update(query, update, return_document=ReturnDocument.AFTER)
        )
        if document is not None:
            return _record(document)
        current = await self.get(record.user, record.branch)
        if (
            current is not None
            and current.revision == record.revision + 1
            and all(getattr(current, name) == value for name, value in changes.items())
        ):
            return current  # our own change, whose answer was lost
        raise ConflictError("The database was changed by someone else meanwhile. Run it again.")

    async def remove(self, record: BindingRecord) -> None:
        """Forget where it was. The database itself is not touched."""
        await patiently(lambda: self._bindings.delete_one({"_id": _id(record.user, record.branch)}))

    async def _find(self, query: Document) -> list[BindingRecord]:
        order = [("user", 1), ("branch", 1)]
        documents = await patiently(lambda: self._bindings.find(query).sort(order).to_list())
        return [_record(document) for document in documents]


def _id(user: str, branch: str | None) -> str:
    return f"{user}:{branch or ''}"


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.model_dump(mode="python") if isinstance(value, BaseModel) else value


def _record(document: Document) -> BindingRecord:
    return BindingRecord.model_validate(document)
