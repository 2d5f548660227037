"""What time takes away: apps without visitors, deleted apps, names nobody came back for, what crashes left."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from gofastapi_ext.core.cleanup import CleanupItem, CleanupReport, Leftover
from gofastapi_ext.core.errors import ConflictError, GoFastAPIError, NotFoundError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Status
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.platform.control.attempt import DeployTools
from gofastapi_ext.platform.control.data_upkeep import DataUpkeep
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.idle import IdleApps
from gofastapi_ext.platform.control.leftovers import Leftovers, folder_bytes
from gofastapi_ext.platform.control.removal import Removal
from gofastapi_ext.platform.control.steps import Step
from gofastapi_ext.platform.store.apps import AppRecord

logger = logging.getLogger(__name__)

# A name stays its owner's for this long after the app was deleted.
NAME_RESERVED = timedelta(days=90)
_MAX_INTERVAL_SECONDS = 3600.0
# How often it is looked in the time that an app may be idle: a warning is heard for a quarter of it.
_LOOKS = 8
_TOLD_BY_THEMSELVES = frozenset({Leftover.APP_WARNED, Leftover.APP_REMOVED})


class Cleanup:
    """A loop that runs at the start of the service and every hour at least.

    Each round is a plan of steps, which are then carried out; each step may be cut short and come again.
    """

    def __init__(
        self,
        tools: DeployTools,
        *,
        removal: Removal,
        idle: IdleApps,
        leftovers: Leftovers,
        data: DataUpkeep,
        events: EventFeed,
        owner: str,
    ) -> None:
        """`owner` is told of what belongs to nobody."""
        self._tools = tools
        self._removal = removal
        self._idle = idle
        self._leftovers = leftovers
        self._data = data
        self._events = events
        self._owner = owner
        remove_after = tools.settings.remove_after
        self._interval_seconds = min(_MAX_INTERVAL_SECONDS, (remove_after or _MAX_INTERVAL_SECONDS * _LOOKS) / _LOOKS)
        self._at_work = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="cleanup")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def report(self, *, dry_run: bool) -> CleanupReport:
        """Everything that is due: what goes, or, of a dry run, would go now."""
        async with self._at_work:
            steps = await self._plan()
            items = [step.item for step in steps] if dry_run else await self._carry_out(steps)
        return CleanupReport(dry_run=dry_run, items=items)

    async def end_orphans(self) -> None:
        """Before apps are started: what a former service left running may hold their addresses."""
        async with self._at_work:
            await self._carry_out(await self._leftovers.processes())

    async def _plan(self) -> list[Step]:
        return [
            *await self._idle.steps(),
            *await self._deleted(),
            *await self._tools.garbage.steps(),
            *await self._leftovers.steps(),
            *await self._data.steps(),
        ]

    async def _carry_out(self, steps: Sequence[Step]) -> list[CleanupItem]:
        """One after the other; what went."""
        went = []
        for step in steps:
            item = step.item
            try:
                if await step.carry_out():
                    went.append(item)
                    logger.info("clean-up: %s %s: %s", item.what, item.name, item.reason)
            except (ConflictError, NotFoundError) as error:
                logger.info("clean-up of %s %s waits: %s", item.what, item.name, error.message)
        swept = [item for item in went if item.what not in _TOLD_BY_THEMSELVES]
        if swept:
            counts = Counter(item.what for item in swept)
            size = sum(item.size_bytes or 0 for item in swept)
            told = ", ".join(f"{count} {_noun(what, count)}" for what, count in counts.items())
            self._events.publish(
                EventKind.CLEANED,
                f"Swept what nobody needs any more: {told}; {format_bytes(size)}.",
                owner=self._owner,
                details={"counts": {what.value: count for what, count in counts.items()}, "size_bytes": size},
            )
        return went

    async def _deleted(self) -> list[Step]:
        """Deleted apps that cannot be restored any more, and names that are free again."""
        now = datetime.now(UTC)
        steps = []
        for record in await self._tools.apps.deleted():
            if record.status is not Status.STOPPED:
                continue
            if not record.purged and (record.restorable_until is None or record.restorable_until <= now):
                size = await asyncio.to_thread(folder_bytes, self._tools.home / "apps" / record.id)
                reason = f"it was deleted on {record.deleted_at:%Y-%m-%d}"
                item = CleanupItem(what=Leftover.APP_PURGED, name=record.id, reason=reason, size_bytes=size)
                steps.append(Step(item, partial(self._purge, record)))
            elif record.purged and record.deleted_at is not None and record.deleted_at + NAME_RESERVED <= now:
                item = CleanupItem(what=Leftover.NAME, name=record.id, reason="its owner did not come back for it")
                steps.append(Step(item, partial(self._release_name, record)))
        return steps

    async def _purge(self, record: AppRecord) -> bool:
        return (await self._removal.purge(record)).purged

    async def _release_name(self, record: AppRecord) -> bool:
        await self._tools.apps.release_name(record)
        return True

    async def _run(self) -> None:
        while True:
            try:
                with self._tools.telemetry.loop("cleanup"):
                    await self.report(dry_run=False)
            except GoFastAPIError as error:
                logger.warning("clean-up: %s", error.message)
            except Exception:
                logger.exception("clean-up")
            await asyncio.sleep(self._interval_seconds)


def _noun(what: Leftover, count: int) -> str:
    one = {
        Leftover.APP_PURGED: "deleted app",
        Leftover.NAME: "name",
        Leftover.BUNDLE: "bundle",
        Leftover.BLOB: "blob",
        Leftover.FILES: "folder",
        Leftover.SOCKET: "socket",
        Leftover.PROCESS: "process",
    }.get(what, str(what))
    if count == 1:
        return one
    return f"{one}es" if one.endswith("s") else f"{one}s"
