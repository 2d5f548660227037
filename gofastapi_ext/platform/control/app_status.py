"""What people see of an app: its status, what its address says where it does not run, and its events."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Status
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.runtimes.base import Runtime
from gofastapi_ext.platform.store.apps import AppStore

logger = logging.getLogger(__name__)

_STOPPED = "It was stopped by its owner, who can start it again."


class AppStatus:
    """The reconciler's words. That they cannot be stored keeps no app from running."""

    def __init__(self, app_id: str, owner: str, apps: AppStore, runtime: Runtime, events: EventFeed) -> None:
        self._app_id = app_id
        self._owner = owner
        self._apps = apps
        self._runtime = runtime
        self._events = events
        self._status: Status | None = None
        self._reason: str | None = None

    @property
    def is_asleep(self) -> bool:
        return self._status is Status.ASLEEP

    @property
    def lacks(self) -> str | None:
        """What an app that runs does not have, in words."""
        return self._reason if self._status is Status.RUNNING else None

    async def set(self, status: Status, reason: str | None = None, diagnostics: Sequence[Diagnostic] = ()) -> None:
        if status is self._status is Status.RUNNING and reason == self._reason:
            return
        try:
            await self._apps.set_status(self._app_id, status, reason, list(diagnostics))
            self._status, self._reason = status, reason
        except GoFastAPIError as error:
            # The next change of status is written again.
            logger.warning("%s: status %s was not stored: %s", self._app_id, status, error.message)

    async def show_failure(self, reason: str, diagnostics: Sequence[Diagnostic]) -> None:
        """Nothing serves, and nothing will by itself: say so, also to who opens the URL."""
        await self.set(Status.FAILED, reason, diagnostics)
        await self._runtime.park(self._app_id, f"{self._app_id}: {reason}")

    async def show_stopped(self, reason: str | None, diagnostics: Sequence[Diagnostic]) -> None:
        """The app does not run, as its owner wants; `reason` is why it could not be started just now."""
        await self.set(Status.STOPPED, reason, diagnostics)
        await self._runtime.park(self._app_id, f"{self._app_id}: {reason or _STOPPED}")

    async def fall_asleep(self) -> bool:
        """Note that it sleeps; False where it is neither to run nor to sleep. Raises `UnavailableError`."""
        if not await self._apps.set_asleep(self._app_id, True):
            return False
        self._status, self._reason = Status.ASLEEP, None
        return True

    async def wake(self) -> None:
        """Note that it runs again."""
        try:
            await self._apps.set_asleep(self._app_id, False)
            self._status, self._reason = Status.RUNNING, None
        except GoFastAPIError as error:
            # Until it settles it is shown as asleep; after a crash it sleeps until somebody comes.
            logger.warning("%s: that it is awake was not stored: %s", self._app_id, error.message)

    def publish(self, kind: EventKind, message: str, **more: Any) -> None:
        self._events.publish(kind, message, owner=self._owner, app=self._app_id, **more)
