"""Read a whole database as it is at one moment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError

from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.platform.databases.archive.manifest import Consistency

logger = logging.getLogger(__name__)

# Whoever writes waits for as long. A database as large as is allowed takes a second or two.
_LONGEST_LOCK_SECONDS = 60.0
_UNLOCK_ATTEMPTS = 20
_UNLOCK_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Reading:
    """What a consistent read needs; `session` is to be passed along with each."""

    consistency: Consistency
    session: AsyncClientSession | None


class ConsistentReads:
    """On a replica set a snapshot, which nobody notices; on a standalone server writes wait meanwhile.

    That a standalone server is locked by us is noted in the file `mark` first: a service that crashed meanwhile
    unlocks it when it starts again, and one whose operator locked it for a reason of his own is left alone.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], mark: Path) -> None:
        self._client = client
        self._mark = mark
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """Raises `UnavailableError` where the server cannot be locked, or it takes too long."""
        hello = await self._client.admin.command("hello")
        if "setName" in hello or hello.get("msg") == "isdbgrid":
            async with self._client.start_session(snapshot=True) as session:
                yield Reading(Consistency.SNAPSHOT, session)
            return
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(_LONGEST_LOCK_SECONDS), self._locked():
                    yield Reading(Consistency.LOCKED, None)
            except TimeoutError:
                raise UnavailableError(
                    f"The database was not copied in {_LONGEST_LOCK_SECONDS:.0f} s, for which nobody could write. "
                    "It is too large for a backup by lock; on a replica set backups need none."
                ) from None

    async def release(self) -> None:
        """Unlock what a service that crashed left locked."""
        async with self._one_at_a_time:
            if not self._mark.exists():
                return
            logger.warning("a backup was cut short: MongoDB is unlocked")
            with contextlib.suppress(OperationFailure):
                await self._client.admin.command("fsyncUnlock")
            self._mark.unlink(missing_ok=True)

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        self._mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._mark.touch(mode=0o600)
        try:
            locking = asyncio.ensure_future(self._client.admin.command("fsync", lock=True))
            try:
                await asyncio.shield(locking)
            except asyncio.CancelledError:
                # Else the server might lock itself after it was unlocked.
                await asyncio.gather(locking, return_exceptions=True)
                raise
            except OperationFailure as error:
                raise UnavailableError(
                    "MongoDB cannot be locked for a backup, which a server that is no replica set needs: "
                    f"{error.details.get('errmsg', error) if error.details else error}"
                ) from error
            yield
        finally:
            # Whatever ends this, and however impatiently: a server that stays locked takes no write any more.
            unlocking = asyncio.ensure_future(self._unlock())
            try:
                await asyncio.shield(unlocking)
            except asyncio.CancelledError:
                await unlocking
                raise

    async def _unlock(self) -> None:
        for _ in range(_UNLOCK_ATTEMPTS):
            try:
                await self._client.admin.command("fsyncUnlock")
            except OperationFailure:
                # It is not locked: it was started anew meanwhile, or was never locked.
                break
            except PyMongoError:
                await asyncio.sleep(_UNLOCK_PAUSE_SECONDS)
            else:
                break
        else:
            logger.error("MongoDB could not be unlocked after a backup; it is tried again")
            return
        self._mark.unlink(missing_ok=True)
