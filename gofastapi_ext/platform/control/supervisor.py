"""Keeps one app at its target: restores it, switches versions, lets it sleep, takes it away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.errors import ConflictError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Status
from gofastapi_ext.core.models import InstanceView
from gofastapi_ext.platform.control.app_status import AppStatus
from gofastapi_ext.platform.control.live_version import LiveVersions
from gofastapi_ext.platform.control.recovery import Recovery
from gofastapi_ext.platform.runtimes.base import Instance, Runtime
from gofastapi_ext.platform.store.apps import AppRecord


class Supervisor:
    """The reconciler of one app: together with its recovery, the only one that writes its status."""

    def __init__(
        self, app_id: str, *, status: AppStatus, recovery: Recovery, live_versions: LiveVersions, runtime: Runtime
    ) -> None:
        self.app_id = app_id
        self._status = status
        self._recovery = recovery
        self._workers = recovery.workers
        self._live_versions = live_versions
        self._runtime = runtime
        self.finishing = False
        """The one who has the app to himself has told his caller the end, and will be done in a moment."""
        self._lock = asyncio.Lock()
        self._busy_since = 0.0
        self._is_closed = False

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """One deploy, rollback or removal at a time. Raises `ConflictError` for a second one, or after a removal."""
        if self._lock.locked() and not self.finishing:
            since = time.monotonic() - self._busy_since
            raise ConflictError(
                f'Another deploy of "{self.app_id}" is under way, since {since:.1f} s. Run it again when it is over.'
            )
        async with self._lock:
            self._busy_since = time.monotonic()
            self.finishing = False
            if self._is_closed:
                # The app may be back by now, under another supervisor.
                raise ConflictError(f'"{self.app_id}" was removed meanwhile. Run it again.')
            yield

    def instances(self) -> list[InstanceView]:
        """The processes of this app, those that serve first."""
        return self._workers.views()

    @property
    def is_busy(self) -> bool:
        """Whether somebody has the app to himself, as a deploy does."""
        return self._lock.locked()

    @property
    def is_serving(self) -> bool:
        return self._workers.count > 0

    @property
    def answers(self) -> bool:
        """Whether a request is answered: by a process that serves, or after it has woken the app."""
        return self.is_serving or self._status.is_asleep

    @property
    def serving_pid(self) -> int | None:
        """Of the process that takes the traffic; of several, the one that does so for the longest time."""
        serving = self._workers.serving
        return serving[0].pid if serving else None

    @property
    def lacks(self) -> str | None:
        """What an app that runs does not have, in words: workers, say."""
        return self._status.lacks

    async def open(self, record: AppRecord, *, may_move: bool) -> int:
        """Listen at the app's port; at another one where that is taken and `may_move`."""
        return await self._live_versions.open(record, may_move=may_move)

    async def switch_to(self, instances: Sequence[Instance]) -> None:
        """Give ready instances the traffic; those before drain and go.

        All accept for a moment, so no request is lost. Raises `InstanceFailedError` where a new
        one fails at the last moment; then nothing has changed, but that a recovery has to be begun anew.
        """
        # It would bring up further instances of the version that is to be live.
        was_cut_off = await self._recovery.cancel()
        await self._workers.accept(instances)
        # Once more: one of those before may have crashed while the new ones began.
        was_cut_off |= await self._recovery.cancel()
        await self._workers.replace(instances)
        await self._status.set(Status.RUNNING)
        if was_cut_off:
            # Another number of workers may be wanted since they were started.
            self._recovery.begin()

    async def fall_asleep(self, by: str | None = None) -> bool:
        """Let the app's processes go until the next request comes; False where it is in use.

        No request is lost: from the moment none accepts any more, who connects waits for the next one.
        """
        # One that has told its end, as a deploy, is waited for.
        if (self._lock.locked() and not self.finishing) or not self.is_serving:
            return False
        async with self.exclusive():
            # It takes a moment: who comes to deploy waits for it, rather than being sent away.
            self.finishing = True
            # First what is to be: after a crash in between the app sleeps, and the next request wakes it.
            if not self.is_serving or not await self._status.fall_asleep():
                return False
            # It would bring up a worker again that has just been let go.
            await self._recovery.cancel()
            if not self.is_serving or not await self._workers.release_if_idle():
                await self._status.wake()
                self._recovery.begin()
                return False
            await self._recovery.cancel()
            self._recovery.doze()
        why = "It was put to sleep" if by else "Nobody asked for it: it sleeps"
        self._status.publish(EventKind.SLEPT, f"{why}, and wakes with the next request.", by=by)
        return True

    async def settle(self) -> None:
        """Note that the app runs, where it does and is shown as something else: the database was away when it woke."""
        if self._lock.locked():
            return
        async with self.exclusive():
            self.finishing = True
            if self.is_serving:
                await self._status.wake()

    def doze(self) -> None:
        """Wait for a visitor and bring the app up for him."""
        self._recovery.doze()

    def recover(self) -> None:
        """Bring up what is missing of the live version, in the background, with a growing delay between attempts."""
        self._recovery.begin()

    def scale(self) -> None:
        """Have as many workers as are wanted by now, in the background, where the app runs or is being brought up."""
        if self.is_serving or self._recovery.is_under_way:
            self._recovery.begin()

    async def show_failure(self, reason: str, diagnostics: Sequence[Diagnostic]) -> None:
        """A deploy failed and nothing is serving."""
        await self._status.show_failure(reason, diagnostics)

    async def show_stopped(self, reason: str | None, diagnostics: Sequence[Diagnostic]) -> None:
        """The app does not run, as its owner wants; `reason` is why it could not be started just now."""
        await self._status.show_stopped(reason, diagnostics)

    async def halt(self) -> None:
        """Let the app's processes finish what they are at and go; its address says that it is stopped."""
        await self._recovery.cancel()
        await self._workers.release()
        await self._status.show_stopped(None, [])

    async def remove(self) -> None:
        """Take the app's processes and address away. What is stored of it stays."""
        await self.close()
        await self._runtime.close(self.app_id)
        await self._status.set(Status.STOPPED)

    async def close(self) -> None:
        """End this app's processes and whatever runs for it here."""
        self._is_closed = True
        await self._recovery.close()
        await self._workers.kill()
