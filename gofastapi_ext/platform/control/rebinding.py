"""Moves the running apps of a user over to what is in force: new credentials, or another database in its place."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from gofastapi_ext.core.data import AppMove
from gofastapi_ext.core.errors import ConflictError, GoFastAPIError, NotFoundError, UnavailableError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.deployments import Deployments
from gofastapi_ext.platform.control.disk import check_disk
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.versions import Kind

logger = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 0.1
_MOVED_AT_ONCE = 4
# A deploy that is under way is waited for; it brings the app up with what is in force.
_PATIENCE_SECONDS = 120.0


class Rebinding:
    """Each app gets a new instance through the same safe steps as a restart, so no request fails.

    Apps that sleep or are stopped need nothing: they get what is in force when they start.
    """

    def __init__(
        self,
        databases: Databases,
        apps: AppStore,
        supervisors: Supervisors,
        deployments: Deployments,
        events: EventFeed,
        home: Path,
        settings: Settings,
    ) -> None:
        self._databases = databases
        self._apps = apps
        self._supervisors = supervisors
        self._deployments = deployments
        self._events = events
        self._home = home
        self._settings = settings

    async def rotate(self, user: str, branch: str | None, by: str) -> AsyncIterator[AppMove]:
        """New credentials; every running app is moved over, then those before are dropped."""

        async def change() -> None:
            record = await self._databases.rotate(user, branch)
            said = "The credentials of the database are new."
            details = {"database": record.name, "generation": record.generation}
            self._events.publish(EventKind.CREDENTIALS_ROTATED, said, owner=user, by=by, details=details)

        async for move in self.carry_out(user, by, change):
            yield move

    async def carry_out(self, user: str, by: str, change: Callable[[], Awaitable[None]]) -> AsyncIterator[AppMove]:
        """Put something else in force by `change`, then bring every app over that uses what no longer is.

        Yields each app as it is done, moved or not. What `change` raises is raised here. Once begun it goes on
        without its caller; after a crash every app starts with what is in force, and the rest is done at that start.
        """
        queue: asyncio.Queue[AppMove | None] = asyncio.Queue()
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        at_once = asyncio.Semaphore(_MOVED_AT_ONCE)

        async def move(app_id: str) -> None:
            async with at_once:
                queue.put_nowait(await self._move(app_id, user, by))

        async def work() -> None:
            try:
                what_then = "run it again; what is in force stays so."
                check_disk(self._home, self._settings.min_free_disk_bytes, what_then)
                await change()
                begun.set_result(None)
                await asyncio.gather(*map(move, self._stale_apps(user)))
                await self._drop_retired(user)
            except Exception as error:
                if not begun.done():
                    begun.set_exception(error)
                elif isinstance(error, GoFastAPIError):
                    logger.warning("what the database of %s was before is dropped later: %s", user, error.message)
                else:
                    logger.exception("moving the apps of %s", user)
            finally:
                queue.put_nowait(None)
                if not begun.done():
                    begun.cancel()

        self._deployments.keep(asyncio.create_task(work(), name=f"move apps of {user}"))
        try:
            await asyncio.shield(begun)
        except asyncio.CancelledError:
            if not begun.cancelled():
                raise
            raise UnavailableError("The service is being stopped. Run it again in a moment.") from None
        while (moved := await queue.get()) is not None:
            yield moved

    async def _drop_retired(self, user: str) -> None:
        """As soon as the instances before have finished their requests; what lasts longer is dropped later."""
        deadline = asyncio.get_running_loop().time() + self._settings.drain_seconds + 1
        while not await self._databases.drop_retired(user):
            late = asyncio.get_running_loop().time() > deadline
            if late or self._stale_apps(user):
                return
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def finish(self) -> None:
        """Before any app is started: drop what was retired, and still used when the service before this one ended."""
        try:
            await self._databases.drop_all_retired()
        except Exception:
            # No reason not to start: it is tried again while the service runs.
            logger.exception("what databases were before is dropped later")

    async def _move(self, app_id: str, user: str, by: str) -> AppMove:
        deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while True:
            try:
                return await self._move_once(app_id, user, by)
            except ConflictError as error:
                # Somebody deploys it, or it falls asleep or is removed just now.
                if asyncio.get_running_loop().time() > deadline:
                    return AppMove(app=app_id, moved=False, reason=error.message)
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            except GoFastAPIError as error:
                return AppMove(app=app_id, moved=False, reason=error.message)

    async def _move_once(self, app_id: str, user: str, by: str) -> AppMove:
        if app_id not in self._stale_apps(user):
            return AppMove(app=app_id, moved=True)
        record = await self._apps.get(app_id)
        supervisor = self._supervisors.find(app_id)
        if record is None or supervisor is None:
            raise NotFoundError(f'There is no app "{app_id}" any more.')
        if not supervisor.is_serving:
            # It is coming up, or going: look again when it has.
            raise ConflictError(f'"{app_id}" neither runs nor is it stopped.')
        async for event in self._deployments.restart(record, by, Kind.DATABASE):
            if event.stage is Stage.FAILED:
                reason = event.diagnostics[0].message if event.diagnostics else "it did not come up"
                return AppMove(app=app_id, moved=False, reason=reason)
            if event.stage is Stage.LIVE:
                return AppMove(app=app_id, moved=True, seconds=event.seconds)
        raise ConflictError("The service is being stopped.")

    def _stale_apps(self, user: str) -> list[str]:
        """Those of which an instance that is not on its way out uses what is not in force."""
        return sorted(
            {
                lease.app
                for lease in self._databases.stale(user)
                if lease.app and (lease.instance is None or lease.instance.state != "draining")
            }
        )
