"""What time takes away: deleted apps, names nobody came back for, code that nothing names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from gofastapi_ext.core.errors import ConflictError, GoFastAPIError
from gofastapi_ext.core.lifecycle import Status, Target
from gofastapi_ext.platform.control.attempt import DeployTools
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.store.apps import AppRecord

logger = logging.getLogger(__name__)

# A name stays its owner's for this long after the app was deleted.
NAME_RESERVED = timedelta(days=90)
_INTERVAL_SECONDS = 3600.0


class Cleanup:
    """A loop that runs at the start of the service and every hour; each step may be cut short and run again."""

    def __init__(
        self, tools: DeployTools, supervisors: Supervisors, forget: Sequence[Callable[[str], Awaitable[None]]]
    ) -> None:
        """`forget` takes away, each, what else is kept of an app that is gone."""
        self._tools = tools
        self._supervisors = supervisors
        self._forget = forget
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="cleanup")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def once(self) -> None:
        """Everything that is due."""
        for record in await self._tools.apps.deleted():
            try:
                await self._take_away(record, datetime.now(UTC))
            except ConflictError as error:
                logger.info("clean-up of %s waits: %s", record.id, error.message)
        await self._tools.garbage.sweep()

    async def _take_away(self, record: AppRecord, now: datetime) -> None:
        if record.status is not Status.STOPPED:
            return
        if not record.purged and (record.restorable_until is None or record.restorable_until <= now):
            await self.purge(record)
        elif record.purged and record.deleted_at is not None and record.deleted_at + NAME_RESERVED <= now:
            await self._tools.apps.release_name(record)

    async def purge(self, record: AppRecord) -> AppRecord:
        """Remove everything of a deleted app but its name: versions, draft, code, variables, files."""
        tools, app_id = self._tools, record.id
        supervisor = self._supervisors.of(record)
        async with supervisor.exclusive():
            current = await tools.apps.get(app_id)
            if current is None or current.target is not Target.DELETED:
                return current or record
            # First of all: what is removed by half can only be removed wholly, also after a crash.
            current = await tools.apps.change(current, restorable_until=None)
            hashes = {version.code_hash for version in await tools.versions.remove_app(app_id)}
            draft = await tools.drafts.get(app_id)
            if draft is not None:
                await tools.drafts.remove(app_id, None)
                hashes.add(draft.code_hash)
            await tools.environments.remove_app(app_id)
            for code_hash in hashes:
                await tools.garbage.bundle(code_hash)
            await tools.launcher.forget_app(app_id)
            await self._supervisors.remove(supervisor)
            for forget in self._forget:
                await forget(app_id)
            gone = {
                "port": None,
                "live_version": None,
                "live_hash": None,
                "env_revision": 0,
                "next_version": 1,
            }
            return await tools.apps.change(current, **gone, purged=True, title=None, reason=None, diagnostics=[])

    async def _run(self) -> None:
        while True:
            try:
                await self.once()
            except GoFastAPIError as error:
                logger.warning("clean-up: %s", error.message)
            except Exception:
                logger.exception("clean-up")
            await asyncio.sleep(_INTERVAL_SECONDS)
