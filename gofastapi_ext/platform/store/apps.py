"""Apps: one document each. Targets change by compare-and-set; the status is the reconciler's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.errors import ConflictError
from gofastapi_ext.core.lifecycle import Status, Target
from gofastapi_ext.platform.store.database import Database, Document, patiently


class AppRecord(BaseModel):
    """An app as it is stored. `revision` grows with every change a request makes."""

    model_config = ConfigDict(frozen=True)

    id: str
    owner: str
    title: str | None = None
    target: Target
    status: Status
    reason: str | None = None
    diagnostics: list[Diagnostic] = Field(default_factory=list)
    port: int | None = None
    live_version: int | None = None
    live_hash: str | None = None
    db_branch: str | None = None
    """The branch of the owner's database that the live version was deployed with."""
    env_revision: int = 0
    """The snapshot of the app's own variables that is in force; 0 where it never had any."""
    next_version: int = 1
    revision: int = 1
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    restorable_until: datetime | None = None
    target_before: Target | None = None
    """Of a deleted app: what restoring it comes back to."""
    sleep_after_seconds: float | None = None
    """None: as the setting says. 0: never."""
    record_bodies: bool = False
    workers: int = 1
    """How many processes are to serve it side by side."""
    last_request_at: datetime | None = None
    """Of an outside request, to the minute or so."""
    removal_warned_at: datetime | None = None
    purged: bool = False
    """Nothing is left of a deleted app but its name, which stays its owner's for a while."""

    @property
    def is_gone(self) -> bool:
        """Whether it is deleted for good: what may still be left of it is being removed."""
        return self.target is Target.DELETED and self.restorable_until is None


@dataclass(frozen=True, slots=True)
class SleeperRecord:
    """Of an app, what it takes to know when it sleeps."""

    id: str
    after_seconds: float | None
    """As its owner said: None, as the setting says; 0, never."""
    is_shown_running: bool


class AppStore:
    """The collection of apps."""

    def __init__(self, database: Database) -> None:
        self._apps = database["apps"]

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._apps.create_index([("owner", 1), ("target", 1), ("_id", 1)])

    async def get(self, app_id: str) -> AppRecord | None:
        document = await patiently(lambda: self._apps.find_one({"_id": app_id}))
        return _record(document) if document else None

    async def of_owner(self, owner: str) -> list[AppRecord]:
        """The apps of an owner that are not deleted, by name."""
        query = {"owner": owner, "target": {"$ne": Target.DELETED}}
        documents = await patiently(lambda: self._apps.find(query).sort("_id").to_list())
        return [_record(document) for document in documents]

    async def deleted(self, owner: str | None = None) -> list[AppRecord]:
        """Deleted apps, of everybody or of one owner, by name; those too of which only the name is left."""
        query = {"target": Target.DELETED} | ({"owner": owner} if owner else {})
        documents = await patiently(lambda: self._apps.find(query).sort("_id").to_list())
        return [_record(document) for document in documents]

    async def unpurged(self) -> list[AppRecord]:
        """Every app of which more is left than its name, by name."""
        documents = await patiently(lambda: self._apps.find({"purged": {"$ne": True}}).sort("_id").to_list())
        return [_record(document) for document in documents]

    async def release_name(self, record: AppRecord) -> None:
        """Forget an app wholly: whoever comes first may have its name."""
        query = {"_id": record.id, "revision": record.revision, "purged": True}
        await patiently(lambda: self._apps.delete_one(query))

    async def all(self) -> list[AppRecord]:
        """Every app whose target is not reached for good: what a starting service restores."""
        query = {"$or": [{"target": {"$ne": Target.DELETED}}, {"status": {"$ne": Status.STOPPED}}]}
        documents = await patiently(lambda: self._apps.find(query).sort("_id").to_list())
        return [_record(document) for document in documents]

    async def create(self, app_id: str, owner: str) -> AppRecord:
        """Reserve the name. Raises `ConflictError` where somebody was faster."""
        now = datetime.now(UTC)
        record = AppRecord(
            id=app_id, owner=owner, target=Target.RUNNING, status=Status.NEW, created_at=now, updated_at=now
        )
        document = record.model_dump(mode="python", exclude={"id"}) | {"_id": app_id}
        try:
            await patiently(lambda: self._apps.insert_one(dict(document)))
        except DuplicateKeyError:
            existing = await self.get(app_id)
            if existing is None or existing.owner != owner:
                raise ConflictError(f'The name "{app_id}" is taken. Choose another.') from None
            return existing
        return record

    async def change(self, record: AppRecord, **changes: Any) -> AppRecord:
        """Compare-and-set: raises `ConflictError` where the app changed since `record` was read."""
        update = {"$set": changes | {"updated_at": datetime.now(UTC)}, "$inc": {"revision": 1}}
        query = {"_id": record.id, "revision": record.revision}
        document = await self._set(query, update)
        if document is None:
            # After a retry over a restart of the database our own change may be the one we see.
            current = await self.get(record.id)
            if current and all(getattr(current, name) == value for name, value in changes.items()):
                return current
            raise ConflictError(f'"{record.id}" was changed by someone else meanwhile. Run it again.')
        return _record(document)

    async def set_status(
        self, app_id: str, status: Status, reason: str | None = None, diagnostics: list[Diagnostic] | None = None
    ) -> None:
        """What the reconciler saw. No compare-and-set: it is the only writer of these fields."""
        found = [diagnostic.model_dump(mode="json", exclude_none=True) for diagnostic in diagnostics or []]
        update = {"$set": {"status": status, "reason": reason, "diagnostics": found}}
        await patiently(lambda: self._apps.update_one({"_id": app_id}, update))

    async def set_asleep(self, app_id: str, asleep: bool) -> bool:
        """Let an app that runs sleep, or one that sleeps run; False where it does neither.

        It is the reconciler's, and no change that anybody asked for: `revision` stays, so that a deploy under way
        need not mind.
        """
        was, to = (Target.RUNNING, Target.ASLEEP) if asleep else (Target.ASLEEP, Target.RUNNING)
        status = Status.ASLEEP if asleep else Status.RUNNING
        update: Document = {"$set": {"target": to, "status": status, "reason": None, "diagnostics": []}}
        # Said twice it comes to the same, also where the first answer was lost.
        query = {"_id": app_id, "target": {"$in": [was, to]}}
        result = await patiently(lambda: self._apps.update_one(query, update))
        return result.matched_count == 1

    async def sleepers(self) -> list[SleeperRecord]:
        """Every app that is to run, or to sleep."""
        query = {"target": {"$in": [Target.RUNNING, Target.ASLEEP]}, "live_version": {"$ne": None}}
        fields = {"target": 1, "status": 1, "sleep_after_seconds": 1}
        found = await patiently(lambda: self._apps.find(query, fields).to_list())
        return [
            SleeperRecord(
                id=each["_id"],
                after_seconds=each.get("sleep_after_seconds"),
                is_shown_running=each["target"] == Target.RUNNING and each["status"] == Status.RUNNING,
            )
            for each in found
        ]

    async def set_options(self, app_id: str, options: dict[str, Any]) -> None:
        """Settings of an app beside its code. No compare-and-set: a deploy under way need not mind."""
        query = {"_id": app_id, "target": {"$ne": Target.DELETED}}
        update = {"$set": options | {"updated_at": datetime.now(UTC)}}
        await patiently(lambda: self._apps.update_one(query, update))

    async def limit_workers(self, most: int) -> None:
        """No app is to have more; for good."""
        await patiently(lambda: self._apps.update_many({"workers": {"$gt": most}}, {"$set": {"workers": most}}))

    async def set_removal_warned(self, app_id: str, at: datetime) -> None:
        """No compare-and-set, and no use of the app: it is as it was."""
        await patiently(lambda: self._apps.update_one({"_id": app_id}, {"$set": {"removal_warned_at": at}}))

    async def set_port(self, app_id: str, port: int | None) -> None:
        await patiently(lambda: self._apps.update_one({"_id": app_id}, {"$set": {"port": port}}))

    async def set_last_requests(self, moments: dict[str, datetime]) -> None:
        """When somebody asked each of these apps for something last."""
        updates = [UpdateOne({"_id": app_id}, {"$set": {"last_request_at": at}}) for app_id, at in moments.items()]
        if updates:
            await patiently(lambda: self._apps.bulk_write(updates, ordered=False))

    async def take_version_number(self, app_id: str) -> int:
        """The next version's number. A number is never given twice; one may be skipped by a crash."""
        document = await self._set({"_id": app_id}, {"$inc": {"next_version": 1}}, before=True)
        if document is None:
            raise ConflictError(f'"{app_id}" was removed meanwhile.')
        number: int = document["next_version"]
        return number

    async def count(self) -> dict[tuple[Target, Status], int]:
        """How many apps, of everybody, there are of each target and status. Deleted ones are left out."""
        stages: list[Document] = [
            {"$match": {"target": {"$ne": Target.DELETED}}},
            {"$group": {"_id": {"target": "$target", "status": "$status"}, "count": {"$sum": 1}}},
        ]

        async def aggregate() -> list[Document]:
            return await (await self._apps.aggregate(stages)).to_list()

        groups = await patiently(aggregate)
        return {(Target(each["_id"]["target"]), Status(each["_id"]["status"])): each["count"] for each in groups}

    async def taken_ports(self) -> frozenset[int]:
        ports = await patiently(lambda: self._apps.distinct("port", {"port": {"$ne": None}}))
        return frozenset(ports)

    async def _set(self, query: Document, update: Document, *, before: bool = False) -> Document | None:
        which = ReturnDocument.BEFORE if before else ReturnDocument.AFTER
        return await patiently(lambda: self._apps.find_one_and_update(query, update, return_document=which))


def _record(document: Document) -> AppRecord:
    return AppRecord.model_validate({**document, "id": document["_id"]})
