"""Webhooks, one for each user, and the messages to them: an outbox that no crash empties."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict
from pymongo.errors import DuplicateKeyError

from gofastapi_ext.core.alerts import AlertKind
from gofastapi_ext.platform.keyring import Sealed
from gofastapi_ext.platform.store.database import Database, Document, expire_after, patiently

_KEEP_SECONDS = 7 * 86_400.0


class WebhookRecord(BaseModel):
    """Where a user is told. The address may let anybody post there: it is sealed too."""

    model_config = ConfigDict(frozen=True)

    owner: str
    sealed: Sealed
    """JSON: the address and the signing secret."""


class AlertRecord(BaseModel):
    """A message. `next_attempt_at` is None where there is nothing left to do."""

    model_config = ConfigDict(frozen=True)

    id: str
    owner: str
    kind: AlertKind
    app: str | None = None
    message: str
    url: str | None = None
    at: datetime
    attempts: int = 0
    delivered: bool = False
    problem: str | None = None
    next_attempt_at: datetime | None = None


class AlertStore:
    """The collections `webhooks` and `alerts`. A message is kept for a week."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._webhooks = database["webhooks"]
        self._alerts = database["alerts"]

    async def prepare(self) -> None:
        """Make the indexes."""
        await expire_after(self._database, "alerts", "at", _KEEP_SECONDS)
        await self._alerts.create_index([("owner", 1), ("at", -1)])
        is_pending = {"next_attempt_at": {"$type": "date"}}
        await self._alerts.create_index("next_attempt_at", partialFilterExpression=is_pending)

    async def webhook(self, owner: str) -> WebhookRecord | None:
        document = await patiently(lambda: self._webhooks.find_one({"_id": owner}))
        return _webhook(document) if document else None

    async def webhooks(self) -> list[WebhookRecord]:
        """Everybody's."""
        documents = await patiently(lambda: self._webhooks.find().sort("_id").to_list())
        return [_webhook(document) for document in documents]

    async def set_webhook(self, record: WebhookRecord) -> None:
        document = {"sealed": record.sealed.model_dump()}
        await patiently(lambda: self._webhooks.replace_one({"_id": record.owner}, document, upsert=True))

    async def reseal(self, before: WebhookRecord, sealed: Sealed) -> None:
        """Put the same in that is encrypted anew. Nothing happens to one that was changed meanwhile."""
        query = {"_id": before.owner, "sealed": before.sealed.model_dump()}
        await patiently(lambda: self._webhooks.update_one(query, {"$set": {"sealed": sealed.model_dump()}}))

    async def remove_webhook(self, owner: str) -> None:
        """Take it away, and with it what was still to be told."""
        await patiently(lambda: self._webhooks.delete_one({"_id": owner}))
        query = {"owner": owner, "next_attempt_at": {"$type": "date"}}
        update = {"$set": {"next_attempt_at": None, "problem": "alerts were turned off"}}
        await patiently(lambda: self._alerts.update_many(query, update))

    async def add(self, record: AlertRecord) -> None:
        document = record.model_dump(exclude={"id"}) | {"_id": record.id}
        try:
            await self._insert(document)
        except DuplicateKeyError:
            return  # it was written before the database went away

    async def save(self, record: AlertRecord) -> None:
        """How its last attempt went."""
        outcome = record.model_dump(include={"attempts", "delivered", "problem", "next_attempt_at"})
        await patiently(lambda: self._alerts.update_one({"_id": record.id}, {"$set": outcome}))

    async def pending(self, limit: int) -> list[AlertRecord]:
        """What is still to be told, the next first."""
        query = {"next_attempt_at": {"$type": "date"}}
        documents = await patiently(lambda: self._alerts.find(query).sort("next_attempt_at").limit(limit).to_list())
        return [_alert(document) for document in documents]

    async def latest(self, owner: str, limit: int) -> list[AlertRecord]:
        """Newest first."""
        documents = await patiently(lambda: self._alerts.find({"owner": owner}).sort("at", -1).limit(limit).to_list())
        return [_alert(document) for document in documents]

    async def was_told(self, record: AlertRecord, kinds: Collection[AlertKind], within: timedelta) -> bool:
        """Whether its owner was told of one of `kinds` about the same app, within this time before it."""
        query = {
            "owner": record.owner,
            "at": {"$gt": record.at - within, "$lte": record.at},
            "app": record.app,
            "kind": {"$in": list(kinds)},
            "_id": {"$ne": record.id},
        }
        return await patiently(lambda: self._alerts.find_one(query, {"_id": 1})) is not None

    async def remove_app(self, app_id: str) -> None:
        await patiently(lambda: self._alerts.delete_many({"app": app_id}))

    async def _insert(self, document: Document) -> None:
        await patiently(lambda: self._alerts.insert_one(dict(document)))


def _webhook(document: Document) -> WebhookRecord:
    return WebhookRecord.model_validate({**document, "owner": document["_id"]})


def _alert(document: Document) -> AlertRecord:
    return AlertRecord.model_validate({**document, "id": document["_id"]})
