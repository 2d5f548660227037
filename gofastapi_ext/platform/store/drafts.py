"""Drafts: at most one for each app. What they hold is a bundle in the `BundleStore`, under its code hash."""

from __future__ import annotations

import time
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from pymongo.errors import DuplicateKeyError

from gofastapi_ext.core.bundle import Origins
from gofastapi_ext.core.drafts import DraftInfo
from gofastapi_ext.platform.store.database import Database, Document, patiently

_INFO = {"revision": 1, "code_hash": 1, "saved_at": 1, "saved_by": 1}


class DraftRecord(BaseModel):
    """A draft as it is stored. `revision` grows with every save."""

    model_config = ConfigDict(frozen=True)

    app: str
    owner: str
    revision: int
    code_hash: str
    origins: Origins = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)
    interpreter: str | None = None
    saved_at: datetime
    saved_by: str

    @property
    def etag(self) -> str:
        return _etag(self.revision, self.code_hash)

    @property
    def info(self) -> DraftInfo:
        return DraftInfo(etag=self.etag, code_hash=self.code_hash, saved_at=self.saved_at, saved_by=self.saved_by)


class DraftStore:
    """The collection of drafts."""

    def __init__(self, database: Database) -> None:
        self._drafts = database["drafts"]

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._drafts.create_index("owner")
        await self._drafts.create_index("code_hash")

    async def get(self, app_id: str) -> DraftRecord | None:
        document = await patiently(lambda: self._drafts.find_one({"_id": app_id}))
        return _record(document) if document else None

    async def of_owner(self, owner: str) -> dict[str, DraftInfo]:
        """What a list shows of an owner's drafts, by app."""
        documents = await patiently(lambda: self._drafts.find({"owner": owner}, _INFO).to_list())
        return {
            document["_id"]: DraftInfo(
                etag=_etag(document["revision"], document["code_hash"]),
                code_hash=document["code_hash"],
                saved_at=document["saved_at"],
                saved_by=document["saved_by"],
            )
            for document in documents
        }

    async def save(self, draft: DraftRecord, expected_revision: int | None) -> bool:
        """Compare-and-set: whether the draft of `expected_revision` (None: no draft) was there, and now is this one."""
        document = draft.model_dump(mode="python", exclude={"app"}) | {
            "_id": draft.app,
            # Paths hold dots, which are no good in a document's keys: stored as pairs.
            "env": [[name, value] for name, value in draft.env.items()],
            "origins": [[path, [part.model_dump() for part in parts]] for path, parts in draft.origins.items()],
        }
        if await self._write(document, expected_revision):
            return True
        # After a retry over a restart of the database our own write may be the one that stood in the way.
        return await self.get(draft.app) == draft

    async def remove(self, app_id: str, revision: int | None) -> bool:
        """Remove the draft of this revision (None: whichever); return whether it was there."""
        query = {"_id": app_id} if revision is None else {"_id": app_id, "revision": revision}
        return (await patiently(lambda: self._drafts.delete_one(query))).deleted_count > 0

    async def bundles(self) -> set[str]:
        """The code hash of every draft of every app."""
        return set(await patiently(lambda: self._drafts.distinct("code_hash")))

    async def uses_bundle(self, code_hash: str) -> bool:
        return await patiently(lambda: self._drafts.find_one({"code_hash": code_hash}, {"_id": 1})) is not None

    async def _write(self, document: Document, expected_revision: int | None) -> bool:
        if expected_revision is None:
            try:
                await patiently(lambda: self._drafts.insert_one(dict(document)))
            except DuplicateKeyError:
                return False
            return True
        query = {"_id": document["_id"], "revision": expected_revision}
        return (await patiently(lambda: self._drafts.replace_one(query, document))).matched_count > 0


def first_revision() -> int:
    """The revision of an app's new draft: the milliseconds of now, so that none of a draft before comes again."""
    return time.time_ns() // 1_000_000


def _etag(revision: int, code_hash: str) -> str:
    return f"{revision}-{code_hash[:12]}"


def _record(document: Document) -> DraftRecord:
    pairs = {"app": document["_id"], "env": dict(document["env"]), "origins": dict(document["origins"])}
    return DraftRecord.model_validate({**document, **pairs})
