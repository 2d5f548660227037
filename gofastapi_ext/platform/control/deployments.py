"""Deploy and roll back, each in a task of its own that outlives its caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from gofastapi_ext.core.errors import ConflictError, GoFastAPIError, NotFoundError
from gofastapi_ext.core.lifecycle import Target
from gofastapi_ext.core.models import DeployRequest, StageEvent
from gofastapi_ext.platform.control.attempt import Attempt, DeployTools
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.store.apps import AppRecord


class Deployments:
    """The use cases that make a version live."""

    def __init__(self, tools: DeployTools, supervisors: Supervisors) -> None:
        self._tools = tools
        self._supervisors = supervisors
        self._running: set[asyncio.Task[None]] = set()

    async def deploy(self, record: AppRecord, request: DeployRequest, by: str) -> AsyncIterator[StageEvent]:
        """Bring a bundle live; yields each stage as it ends. Goes on where the caller goes away."""
        attempt = Attempt(self._tools, record, by, request)
        async for event in self._run(attempt):
            yield event

    async def roll_back(self, record: AppRecord, number: int, by: str) -> AsyncIterator[StageEvent]:
        """Make a new version of an old one's bundle and environment. Raises `NotFoundError`."""
        version = await self._tools.versions.get(record.id, number)
        if version is None:
            known = ", ".join(str(v.number) for v in await self._tools.versions.of_app(record.id)) or "none"
            raise NotFoundError(f'"{record.id}" has no version {number}. It has: {known}.')
        request = DeployRequest(
            bundle=await self._tools.bundles.get(version.code_hash),
            env=version.env,
            origins=version.origins,
            interpreter=version.interpreter,
            message=f"Rollback to version {number}",
        )
        attempt = Attempt(self._tools, record, by, request, rollback_of=number)
        async for event in self._run(attempt):
            yield event

    async def stop(self) -> None:
        """Give deployments under way up; they are marked as interrupted by the next service."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _refresh(self, attempt: Attempt) -> None:
        """Look at the app again, now that nobody else changes it. Raises `ConflictError` where it is gone."""
        app_id = attempt.record.id
        record = await self._tools.apps.get(app_id)
        if record is None or record.target is Target.DELETED:
            raise ConflictError(f'"{app_id}" was removed meanwhile. Run it again.')
        attempt.record = record

    async def _run(self, attempt: Attempt) -> AsyncIterator[StageEvent]:
        """Run the attempt in a task of its own, so that a closed notebook does not end it half-way."""
        supervisor = self._supervisors.of(attempt.record)
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            try:
                async with supervisor.exclusive():
                    await self._refresh(attempt)
                    ready.set_result(None)
                    await attempt.run(supervisor)
            except GoFastAPIError as error:
                if ready.done():
                    raise
                ready.set_exception(error)
            finally:
                # For a caller who still waits: an attempt that ends well has said so itself.
                attempt.events.put_nowait(None)

        task = asyncio.create_task(work(), name=f"deploy {attempt.record.id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await ready
        while (event := await attempt.events.get()) is not None:
            yield event
