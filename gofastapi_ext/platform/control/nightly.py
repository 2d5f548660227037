"""A loop: each night every user's database is backed up, and what is over goes."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from gofastapi_ext.core.backups import BackupKind, DataStage
from gofastapi_ext.core.errors import ConflictError, GoFastAPIError, NotFoundError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.platform.control.backups import Backups
from gofastapi_ext.platform.control.data_upkeep import DataUpkeep
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.databases.copies import Copies
from gofastapi_ext.platform.store.databases import BindingRecord

logger = logging.getLogger(__name__)

_TRY_AGAIN = timedelta(hours=1)


class Nightly:
    """A machine that was off at night makes the backup when it is on again."""

    def __init__(
        self,
        databases: Databases,
        copies: Copies,
        backups: Backups,
        upkeep: DataUpkeep,
        events: EventFeed,
        telemetry: Telemetry,
        at: str | None,
        interval_seconds: float,
    ) -> None:
        """`at` is a time of day of this machine, as `03:00`; None where there are no nightly backups.

        It looks what is due after half an interval first: whoever starts the service wants to deploy first of all.
        """
        self._databases = databases
        self._copies = copies
        self._backups = backups
        self._upkeep = upkeep
        self._events = events
        self._telemetry = telemetry
        self._at = at
        self._interval_seconds = interval_seconds
        self._failed_at: dict[str, datetime] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="nightly backups")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        await asyncio.sleep(self._interval_seconds / 2)
        while True:
            try:
                with self._telemetry.loop("nightly"):
                    await self._once()
            except GoFastAPIError as error:
                logger.warning("upkeep of databases: %s", error.message)
            except Exception:
                logger.exception("upkeep of databases")
            await asyncio.sleep(self._interval_seconds)

    async def _once(self) -> None:
        await self._copies.release()
        for step in await self._upkeep.steps():
            try:
                if await step.carry_out():
                    logger.info("clean-up: %s %s: %s", step.item.what, step.item.name, step.item.reason)
            except (ConflictError, NotFoundError) as error:
                logger.info("%s %s stays for now: %s", step.item.what, step.item.name, error.message)
        for record in await self._databases.all():
            if record.branch is not None:
                continue
            if record.retiring:
                await self._databases.drop_retired(record.user)
            if self._at is not None and await self._is_due(record, last_occurrence(self._at, datetime.now(UTC))):
                await self._back_up(record.user)

    async def _is_due(self, record: BindingRecord, since: datetime) -> bool:
        """Whether there is something that no nightly backup holds which was made since then."""
        failed_at = self._failed_at.get(record.user)
        if record.created_at > since or (failed_at is not None and datetime.now(UTC) - failed_at < _TRY_AGAIN):
            return False
        backups = (await self._backups.view(record.user)).backups
        if any(each.kind is BackupKind.NIGHTLY and each.created_at >= since for each in backups):
            return False
        return (await self._copies.size(record.name)).documents > 0

    async def _back_up(self, user: str) -> None:
        try:
            async for event in self._backups.create(user, None, None, BackupKind.NIGHTLY):
                if event.stage is DataStage.FAILED and event.error is not None:
                    self._note_failure(user, event.error.message)
        except ConflictError:
            # Somebody makes or restores one just now: the next look does it.
            return
        except GoFastAPIError as error:
            self._note_failure(user, error.message)

    def _note_failure(self, user: str, why: str) -> None:
        self._failed_at[user] = datetime.now(UTC)
        self._events.publish(EventKind.BACKUP_FAILED, f"The nightly backup failed: {why}", owner=user)


def last_occurrence(at: str, now: datetime) -> datetime:
    """The latest moment, up to `now`, at which the clock on this machine's wall said `at`."""
    hour, minute = map(int, at.split(":"))
    # Without a time zone, so that it is the clock on the wall also around a change to summer time.
    wall = now.astimezone().replace(tzinfo=None)
    then = wall.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (then if then <= wall else then - timedelta(days=1)).astimezone()
