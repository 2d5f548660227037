"""Takes a deletion back, for a minute."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gofastapi_ext.core.errors import NotFoundError
from gofastapi_ext.platform.keyring import KeyRing
from gofastapi_ext.platform.store.undo import DeletedRecord, UndoStore

_KEEP = timedelta(seconds=60)


@dataclass(frozen=True)
class Deleted:
    """A document that was deleted, and where."""

    token: str
    branch: str | None
    collection: str
    raw: bytes
    """In BSON."""


class Undo:
    """Keeps what is deleted, encrypted, in the platform's database.

    Not in the user's own: a database over its limit takes no writes, and deleting is how it gets below. Kept before
    the document goes, so that a crash in between loses nothing.
    """

    def __init__(self, store: UndoStore, keyring: KeyRing) -> None:
        self._store = store
        self._keyring = keyring

    async def keep(self, user: str, branch: str | None, collection: str, raw: bytes) -> tuple[str, datetime]:
        """Keep a document; return the token that brings it back, and until when."""
        token = secrets.token_urlsafe(24)
        expires_at = datetime.now(UTC) + _KEEP
        record_id = _hash(token)
        async with self._keyring.sealing:
            sealed = self._keyring.seal(base64.b64encode(raw).decode(), _bound_to(user, record_id))
            await self._store.add(
                DeletedRecord(
                    id=record_id,
                    user=user,
                    branch=branch,
                    collection=collection,
                    sealed=sealed,
                    expires_at=expires_at,
                )
            )
        return token, expires_at

    async def find(self, user: str, token: str) -> Deleted:
        """What was kept. Raises `NotFoundError`, also for what is somebody else's or over."""
        record_id = _hash(token)
        record = await self._store.get(record_id, user)
        if record is None:
            raise NotFoundError("There is nothing to take back any more: that is possible for a short time only, once.")
        raw = base64.b64decode(self._keyring.open(record.sealed, _bound_to(user, record_id)))
        return Deleted(token=token, branch=record.branch, collection=record.collection, raw=raw)

    async def forget(self, token: str) -> None:
        await self._store.remove(_hash(token))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def _bound_to(user: str, record_id: str) -> str:
    return f"undo/{user}/{record_id}"
