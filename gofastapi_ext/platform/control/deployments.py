"""Deploy, roll back, start, restart: each in a task of its own that outlives its caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from gofastapi_ext.core.drafts import DraftConflict
from gofastapi_ext.core.errors import ConflictError, DraftConflictError, GoFastAPIError, NotFoundError
from gofastapi_ext.core.lifecycle import Target
from gofastapi_ext.core.models import DeployRequest, StageEvent
from gofastapi_ext.core.variables import EnvChange
from gofastapi_ext.platform.control.attempt import Attempt, DeployTools
from gofastapi_ext.platform.control.deploy import Deploy
from gofastapi_ext.platform.control.latest import with_code
from gofastapi_ext.platform.control.restart import Restart
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.versions import Kind, VersionRecord


class Deployments:
    """The use cases that bring an instance live. Each yields stages as they end, and goes on without its caller."""

    def __init__(self, tools: DeployTools, supervisors: Supervisors) -> None:
        self._tools = tools
        self._supervisors = supervisors
        self._running: set[asyncio.Task[None]] = set()

    async def deploy(self, record: AppRecord, request: DeployRequest, by: str) -> AsyncIterator[StageEvent]:
        """Bring a bundle live, or the app's draft. Raises `NotFoundError`, `DraftConflictError`."""
        if request.bundle is None:
            request = await self._draft_as_request(record, request)
        bundle = request.bundle
        if bundle is None:
            raise NotFoundError(f'"{record.id}" has no code yet: save a draft of it, or deploy a cell.')
        async for event in self._run(lambda now: Deploy(self._tools, now, by, request, bundle), record):
            yield event

    async def roll_back(self, record: AppRecord, number: int, by: str) -> AsyncIterator[StageEvent]:
        """Make a new version of an old one's bundle and variables. Raises `NotFoundError`."""
        version = await self.version(record, number)
        bundle = await self._tools.bundles.get(version.code_hash)
        request = _as_request(version, f"Rollback to version {number}")
        async for event in self._run(lambda now: Deploy(self._tools, now, by, request, bundle, number), record):
            yield event

    async def restart(self, record: AppRecord, by: str, kind: Kind = Kind.RESTART) -> AsyncIterator[StageEvent]:
        """A new instance of the live version, also of a stopped app. Raises `NotFoundError` where none was live."""
        if record.live_version is None:
            raise NotFoundError(f'"{record.id}" has no version yet that could be started. Deploy it first.')
        async for event in self._run(lambda now: Restart(self._tools, now, by, kind), record):
            yield event

    async def change_env(self, record: AppRecord, change: EnvChange, by: str) -> AsyncIterator[StageEvent]:
        """Set and take away variables of the app; where it runs, a new instance with them takes over."""
        async for event in self._run(lambda now: Restart(self._tools, now, by, Kind.ENVIRONMENT, change), record):
            yield event

    async def version(self, record: AppRecord, number: int) -> VersionRecord:
        """Raises `NotFoundError` that names those there are."""
        version = await self._tools.versions.get(record.id, number)
        if version is None:
            known = ", ".join(str(v.number) for v in await self._tools.versions.of_app(record.id)) or "none"
            raise NotFoundError(f'"{record.id}" has no version {number}. It has: {known}.')
        return version

    def keep(self, task: asyncio.Task[None]) -> None:
        """Have a task that brings several apps up, one after the other, given up where the service stops."""
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """Give deployments under way up; they are marked as interrupted by the next service."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _draft_as_request(self, record: AppRecord, request: DeployRequest) -> DeployRequest:
        """The draft with what was saved beside it; what is live where there is no draft."""
        draft, bundle = await with_code(lambda: self._tools.drafts.get(record.id), self._tools.bundles)
        if draft is not None:
            if request.draft_etag not in (None, "*", draft.etag):
                raise DraftConflictError(
                    f'The draft of "{record.id}" was saved again by {draft.saved_by} since you read it. '
                    "Look at it and deploy again.",
                    DraftConflict(
                        etag=draft.etag, saved_at=draft.saved_at, saved_by=draft.saved_by, files=[]
                    ).model_dump(mode="json"),
                )
            saved = {
                "bundle": bundle,
                "env": draft.env | request.env,
                "origins": draft.origins,
                "interpreter": request.interpreter or draft.interpreter,
                "draft_etag": draft.etag,
                # Whoever goes on with an experiment must not come upon the data unasked.
                "db_branch": request.db_branch or record.db_branch,
            }
            return request.model_copy(update=saved)
        if record.live_version is None:
            return request
        version = await self.version(record, record.live_version)
        live = _as_request(version, request.message)
        bundle = await self._tools.bundles.get(version.code_hash)
        asked = {"env": version.env | request.env, "client_seconds": request.client_seconds}
        asked["db_branch"] = request.db_branch or live.db_branch
        return live.model_copy(update={"bundle": bundle, **asked})

    async def _run(self, begin: Callable[[AppRecord], Attempt], record: AppRecord) -> AsyncIterator[StageEvent]:
        """Run the attempt in a task of its own, so that a closed notebook does not end it half-way."""
        supervisor = self._supervisors.of(record)
        begun: asyncio.Future[Attempt] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            attempt = None
            try:
                async with supervisor.exclusive():
                    attempt = begin(await self._refreshed(record.id))
                    begun.set_result(attempt)
                    await attempt.run(supervisor)
            except GoFastAPIError as error:
                if begun.done():
                    raise
                begun.set_exception(error)
            finally:
                # For a caller who still waits: an attempt that ends well has said so itself.
                if attempt is not None:
                    attempt.events.put_nowait(None)
                elif not begun.done():
                    begun.cancel()

        task = asyncio.create_task(work(), name=f"attempt {record.id}")
        self.keep(task)
        try:
            attempt = await asyncio.shield(begun)
        except asyncio.CancelledError:
            if not begun.cancelled():
                raise
            return
        while (event := await attempt.events.get()) is not None:
            yield event

    async def _refreshed(self, app_id: str) -> AppRecord:
        """Look at the app again, now that nobody else changes it. Raises `ConflictError` where it is gone."""
        record = await self._tools.apps.get(app_id)
        if record is None or record.target is Target.DELETED:
            raise ConflictError(f'"{app_id}" was removed meanwhile. Run it again.')
        return record


def _as_request(version: VersionRecord, message: str) -> DeployRequest:
    return DeployRequest(
        env=version.env,
        origins=version.origins,
        interpreter=version.interpreter,
        message=message,
        db_branch=version.db_branch,
    )
