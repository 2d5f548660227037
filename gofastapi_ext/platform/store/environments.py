"""The variables and secrets of apps: a document for each state they were in, which never changes."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from pymongo.errors import DuplicateKeyError

from gofastapi_ext.platform.keyring import Sealed
from gofastapi_ext.platform.store.database import Database, Document, patiently


class VariableRecord(BaseModel):
    """A variable as it is stored: a `value`, or a secret that is `sealed`, or missing where it is not."""

    model_config = ConfigDict(frozen=True)

    name: str
    secret: bool = False
    value: str | None = None
    sealed: Sealed | None = None
    updated_at: datetime
    updated_by: str


class EnvRecord(BaseModel):
    """All variables of an app at one revision. Which one is in force, the app's own document says."""

    model_config = ConfigDict(frozen=True)

    app: str
    revision: int
    variables: list[VariableRecord] = Field(default_factory=list)


class EnvStore:
    """The collection `env`. Nothing in it is ever changed but the key a secret is encrypted with."""

    def __init__(self, database: Database) -> None:
        self._env = database["env"]

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._env.create_index([("app", 1), ("revision", -1)], unique=True)

    async def get(self, app_id: str, revision: int) -> EnvRecord | None:
        document = await patiently(lambda: self._env.find_one({"_id": f"{app_id}:{revision}"}))
        return _record(document) if document else None

    async def add(self, app_id: str, after: int, variables: list[VariableRecord]) -> EnvRecord:
        """Store the next revision: a number above `after`, and above all that this app ever had here."""
        while True:
            newest = await patiently(
                lambda: self._env.find_one({"app": app_id}, {"revision": 1}, sort=[("revision", -1)])
            )
            revision = max(after, newest["revision"] if newest else 0) + 1
            record = EnvRecord(app=app_id, revision=revision, variables=variables)
            document = record.model_dump() | {"_id": f"{app_id}:{revision}"}
            try:
                await self._insert(document)
            except DuplicateKeyError:
                continue  # taken meanwhile, or our own write over a restart of the database: nobody points to it
            return record

    async def _insert(self, document: Document) -> None:
        await patiently(lambda: self._env.insert_one(document))

    async def with_secrets(self) -> list[EnvRecord]:
        """Every revision of every app that holds an encrypted secret."""
        query = {"variables.sealed.key": {"$exists": True}}
        documents = await patiently(lambda: self._env.find(query).sort("_id").to_list())
        return [_record(document) for document in documents]

    async def reseal(self, record: EnvRecord, sealed: dict[str, Sealed]) -> None:
        """Put secrets in that are encrypted anew, by name. Nothing happens to a record that is gone."""
        changed = {
            f"variables.{index}.sealed": sealed[variable.name].model_dump()
            for index, variable in enumerate(record.variables)
            if variable.name in sealed
        }
        query = {"_id": f"{record.app}:{record.revision}"}
        await patiently(lambda: self._env.update_one(query, {"$set": changed}))

    async def remove_app(self, app_id: str) -> None:
        await patiently(lambda: self._env.delete_many({"app": app_id}))

    async def prune(self, app_id: str, keep: int) -> None:
        """Forget every revision of an app but one."""
        await patiently(lambda: self._env.delete_many({"app": app_id, "revision": {"$ne": keep}}))


def _record(document: Document) -> EnvRecord:
    return EnvRecord.model_validate(document)
