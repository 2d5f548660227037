"""Has as many workers of an app serve as are wanted, and gives up on what crashes again and again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine

from gofastapi_ext.core.errors import GoFastAPIError, NotFoundError, SecretsUnreadableError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Status, Target, restart_delay_seconds
from gofastapi_ext.platform.control.app_status import AppStatus
from gofastapi_ext.platform.control.diagnose import diagnose
from gofastapi_ext.platform.control.launcher import STARTED_AT_ONCE
from gofastapi_ext.platform.control.live_version import LiveVersion, LiveVersions
from gofastapi_ext.platform.control.tasks import cancelled, to_its_end
from gofastapi_ext.platform.control.workers import Workers
from gofastapi_ext.platform.runtimes.base import Instance, InstanceFailedError, Runtime
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.bundles import BundleStore

logger = logging.getLogger(__name__)

# How often an app is tried again whose port another program has, or whose database is away.
_RETRY_SECONDS = 2.0
_SECRETS_UNREADABLE = "Its secrets cannot be read. Its owner is told why."
_DATABASE_GONE = "What it needs to start is gone. Its owner is told why."


class Recovery:
    """One at a time, in the background. What changes while it is under way, it looks at before it ends.

    `starts` bounds how many workers of all apps start at the same time.
    """

    def __init__(
        self,
        app_id: str,
        *,
        status: AppStatus,
        live_versions: LiveVersions,
        bundles: BundleStore,
        runtime: Runtime,
        settings: Settings,
        starts: asyncio.Semaphore,
    ) -> None:
        self.workers = Workers(self._worker_ended)
        self._app_id = app_id
        self._status = status
        self._live_versions = live_versions
        self._bundles = bundles
        self._runtime = runtime
        self._settings = settings
        self._starts = starts
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        self._crashes = 0
        """In a row."""
        self._failure: InstanceFailedError | None = None
        """Of the worker that ended last, until one is started in its place."""
        self._has_changed = False
        """Something is not yet looked at: a worker ended, or another number of them is wanted."""

    @property
    def is_under_way(self) -> bool:
        return self._task is not None and not self._task.done()

    def begin(self) -> None:
        """Look at what is missing, in the background; crashes up to now do not count."""
        self._crashes = 0
        self._look()

    def doze(self) -> None:
        """Asleep: wait for a visitor, and bring the app up for him."""
        self._start(self._doze())

    async def cancel(self) -> bool:
        """End it, and forget what went wrong; whether it was under way."""
        was_under_way = self.is_under_way
        await cancelled(self._task)
        self._forget()
        return was_under_way

    async def close(self) -> None:
        """End it, and begin no other."""
        self._is_closed = True
        await self.cancel()

    def _forget(self) -> None:
        self._crashes, self._failure, self._has_changed = 0, None, False

    def _worker_ended(self, instance: Instance, failure: InstanceFailedError, seconds: float) -> None:
        """Take up that a worker ended which was not asked to."""
        if not failure.is_crash:
            self._crashes = 0
        elif not self._has_changed:
            # Several that end together, before one is started anew, are one crash.
            is_stable = seconds > self._settings.stable_after_seconds
            self._crashes = 1 if is_stable else self._crashes + 1
        self._failure = failure
        logger.warning("%s: instance %d ended: %s", self._app_id, instance.pid, failure.message)
        if failure.is_crash:
            others = f" {self._who_serves()} still." if self.workers.count else ""
            self._status.publish(EventKind.CRASHED, failure.message + others, version=instance.version)
        self._look()

    def _look(self) -> None:
        self._has_changed = True
        if not self.is_under_way:
            self._start(self._recover())

    def _start(self, work: Coroutine[None, None, None]) -> None:
        if self._is_closed:
            work.close()
        else:
            self._task = asyncio.create_task(work, name=f"recovery of {self._app_id}")

    async def _doze(self) -> None:
        while True:
            try:
                await self._live_versions.open_again(self._app_id)
                break
            except GoFastAPIError as error:
                await self._status.set(Status.FAILED, error.message)
                await asyncio.sleep(_RETRY_SECONDS)
        await self._status.set(Status.ASLEEP)
        await self._runtime.wait_for_visitor(self._app_id)
        arrived = time.perf_counter()
        self._forget()
        try:
            # Whoever waits at the door does not wait for the apps of others.
            await self._start_missing(asyncio.Semaphore(STARTED_AT_ONCE))
        except Exception as error:
            self._note(error)
        if self.workers.count:
            seconds = max(self.workers.serving_since - arrived, 0.0)
            details = {"seconds": seconds}
            self._status.publish(EventKind.WOKE, f"A request woke it in {seconds:.2f} s.", details=details)
        await self._recover()

    async def _recover(self) -> None:
        """Try, with a growing delay, until nothing is missing or too much has crashed in a row."""
        while self._has_changed:
            if self._crashes < self._settings.max_crashes:
                await self._try()
            else:
                await self._give_up()

    async def _try(self) -> None:
        failure, before = self._failure, self.workers.count
        if failure is not None:
            if not before:
                await self._status.set(Status.RESTARTING, failure.message)
            await asyncio.sleep(restart_delay_seconds(self._crashes))
        elif not before:
            await self._status.set(Status.STARTING)
        self._failure, self._has_changed = None, False
        try:
            await self._start_missing(self._starts)
            self._tell(failure, before)
        except InstanceFailedError as error:
            self._note(error)
        except Exception as error:
            # Not the app's fault: its port or the database is away. It comes back by itself.
            self._note(error)
            self._failure = self._failure or failure
            await self._show_unavailable(error)
            await asyncio.sleep(_RETRY_SECONDS)

    def _note(self, error: Exception) -> None:
        """A worker did not come up: one is missing still."""
        self._has_changed = True
        if isinstance(error, InstanceFailedError):
            self._failure = error
            self._crashes += error.is_crash

    async def _start_missing(self, slots: asyncio.Semaphore) -> None:
        """Start the workers that are missing, or let those go that are too many.

        Raises what the first one that failed does; the others serve.
        """
        live = await self._live_versions.find(self._app_id)
        if live is None or not live.is_to_run:
            return
        missing = live.app.workers - self.workers.count
        if missing <= 0:
            await to_its_end(self.workers.dismiss(-missing))
            await self._show_running(live)
            return
        await self._live_versions.open(live.app, may_move=False)
        starts = (self._start_worker(live, slots) for _ in range(missing))
        results = await asyncio.gather(*starts, return_exceptions=True)
        if failures := [result for result in results if isinstance(result, BaseException)]:
            raise failures[0]

    async def _start_worker(self, live: LiveVersion, slots: asyncio.Semaphore) -> None:
        async with slots:
            await to_its_end(self.workers.add(await self._live_versions.start(live)))
        await self._show_running(live)

    async def _show_running(self, live: LiveVersion) -> None:
        if live.app.target is Target.ASLEEP:
            await self._status.wake()
        else:
            await self._status.set(Status.RUNNING)

    def _tell(self, failure: InstanceFailedError | None, before: int) -> None:
        now = self.workers.count
        if failure is not None and now > before:
            self._status.publish(EventKind.RECOVERED, "It is back after a crash.")
        elif failure is None and before and now != before:
            self._status.publish(EventKind.SCALED, f"{self._who_serves()} it now.")

    async def _show_unavailable(self, error: Exception) -> None:
        if not isinstance(error, GoFastAPIError):
            logger.error("%s: cannot be started", self._app_id, exc_info=error)
        reason = error.message if isinstance(error, GoFastAPIError) else "Something of ours broke; the log says more."
        if self.workers.count:
            await self._status.set(Status.RUNNING, f"{self._who_serves()} it, and no other can be started: {reason}")
            return
        await self._status.set(Status.FAILED, reason)
        if isinstance(error, SecretsUnreadableError | NotFoundError):
            # That may last: who opens the app is not left waiting. The reason is for its owner alone.
            why = _SECRETS_UNREADABLE if isinstance(error, SecretsUnreadableError) else _DATABASE_GONE
            await self._runtime.park(self._app_id, f"{self._app_id}: {why}")

    async def _give_up(self) -> None:
        """A crash loop: stop restarting, and say why. Other workers go on."""
        failure, self._failure, self._has_changed = self._failure, None, False
        if failure is None:
            return
        crashed = f"crashed {self._crashes} times in a row and"
        live = await self._live_versions.find(self._app_id)
        diagnostics = [await diagnose(failure, live.version, self._bundles)] if live else []
        if serving := self.workers.count:
            wanted = live.app.workers if live else serving
            reason = f"{serving} of {wanted} workers serve it: the others {crashed} are not restarted any more"
        else:
            reason = f"It {crashed} is not restarted any more"
        reason = f"{reason}: {failure.message}"
        if serving:
            await self._status.set(Status.RUNNING, reason, diagnostics)
        else:
            await self._status.show_failure(reason, diagnostics)
        self._status.publish(EventKind.CRASH_LOOP, reason, version=live.version.number if live else None)

    def _who_serves(self) -> str:
        return "1 worker serves" if self.workers.count == 1 else f"{self.workers.count} workers serve"
