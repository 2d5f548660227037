"""Documents that people have deleted, kept for as long as that can be undone."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from gofastapi_ext.platform.keyring import Sealed
from gofastapi_ext.platform.store.database import Database, expire_after, patiently


class DeletedRecord(BaseModel):
    """A document, encrypted: it is the user's, and here it is outside of the user's own database."""

    model_config = ConfigDict(frozen=True)

    id: str
    """The hash of the token that brings it back."""
    user: str
    branch: str | None
    collection: str
    sealed: Sealed
    expires_at: datetime


class UndoStore:
    """The collection `undo`. MongoDB itself forgets what is over, also where no service runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._deleted = database["undo"]

    async def prepare(self) -> None:
        """Make the indexes."""
        await expire_after(self._database, "undo", "expires_at", 1)

    async def add(self, record: DeletedRecord) -> None:
        document = record.model_dump(exclude={"id"}) | {"_id": record.id}
        await patiently(lambda: self._deleted.replace_one({"_id": record.id}, document, upsert=True))

    async def get(self, record_id: str, user: str) -> DeletedRecord | None:
        query = {"_id": record_id, "user": user, "expires_at": {"$gt": datetime.now(UTC)}}
        document = await patiently(lambda: self._deleted.find_one(query))
        return DeletedRecord.model_validate({**document, "id": document["_id"]}) if document else None

    async def keys(self) -> set[str]:
        """The ids of the keys that open what is kept."""
        return set(await patiently(lambda: self._deleted.distinct("sealed.key")))

    async def remove(self, record_id: str) -> None:
        await patiently(lambda: self._deleted.delete_one({"_id": record_id}))
