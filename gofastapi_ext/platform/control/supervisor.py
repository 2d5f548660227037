"""Keeps one app at its target: restores it, restarts it, switches versions, takes it away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.errors import ConflictError, GoFastAPIError, NotFoundError, SecretsUnreadableError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Status, Target, restart_delay_seconds
from gofastapi_ext.core.models import InstanceView
from gofastapi_ext.platform.control.diagnose import diagnose
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.live_version import LiveVersion, LiveVersions
from gofastapi_ext.platform.control.tasks import cancelled, to_its_end
from gofastapi_ext.platform.control.workers import Workers, accept_all
from gofastapi_ext.platform.runtimes.base import Instance, InstanceFailedError, Runtime
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.bundles import BundleStore

logger = logging.getLogger(__name__)

# How often an app is tried again whose port another program has, or whose database is away.
_RETRY_SECONDS = 2.0
_SECRETS_UNREADABLE = "Its secrets cannot be read. Its owner is told why."
_DATABASE_GONE = "What it needs to start is gone. Its owner is told why."
_STOPPED = "It was stopped by its owner, who can start it again."


class Supervisor:
    """The reconciler of one app, and the only writer of its status."""

    def __init__(
        self,
        app_id: str,
        owner: str,
        *,
        apps: AppStore,
        bundles: BundleStore,
        runtime: Runtime,
        live_versions: LiveVersions,
        settings: Settings,
        starts: asyncio.Semaphore,
        events: EventFeed,
    ) -> None:
        self.app_id = app_id
        self._owner = owner
        self._apps = apps
        self._bundles = bundles
        self._runtime = runtime
        self._live_versions = live_versions
        self._settings = settings
        self._starts = starts
        self._events = events
        self.finishing = False
        """The one who has the app to himself has told his caller the end, and will be done in a moment."""
        self._lock = asyncio.Lock()
        self._busy_since = 0.0
        self._workers = Workers(self._worker_ended)
        self._crashes = 0
        """In a row."""
        self._failure: InstanceFailedError | None = None
        """Of the worker that ended last, until its place is taken."""
        self._status: Status | None = None
        self._reason: str | None = None
        self._recovery: asyncio.Task[None] | None = None
        self._is_to_look_again = False
        """What the recovery is to do before it ends: something has changed since it last looked."""
        self._is_to_scale = False
        """What is to be done when nobody has the app to himself any more."""
        self._closed = False

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """One deploy, rollback or removal at a time. Raises `ConflictError` for a second one, or after a removal."""
        if self._lock.locked() and not self.finishing:
            since = time.monotonic() - self._busy_since
            raise ConflictError(
                f'Another deploy of "{self.app_id}" is under way, since {since:.1f} s. Run it again when it is over.'
            )
        try:
            async with self._lock:
                self._busy_since = time.monotonic()
                self.finishing = False
                if self._closed:
                    # The app may be back by now, under another supervisor.
                    raise ConflictError(f'"{self.app_id}" was removed meanwhile. Run it again.')
                yield
        finally:
            if self._is_to_scale:
                self.scale()

    def instances(self) -> list[InstanceView]:
        """The processes of this app, those that serve first."""
        return self._workers.views()

    @property
    def is_busy(self) -> bool:
        """Whether somebody has the app to himself, as a deploy does."""
        return self._lock.locked()

    @property
    def is_serving(self) -> bool:
        return len(self._workers) > 0

    @property
    def answers(self) -> bool:
        """Whether a request is answered: by a process that serves, or after it has woken the app."""
        return self.is_serving or self._status is Status.ASLEEP

    @property
    def serving_pid(self) -> int | None:
        """Of the instance that takes the traffic; of several, the one that does so for the longest time."""
        serving = self._workers.serving
        return serving[0].pid if serving else None

    async def open(self, record: AppRecord, *, may_move: bool) -> int:
        """Listen at the app's port; at another one where that is taken and `may_move`."""
        return await self._live_versions.open(record, may_move=may_move)

    async def switch_to(self, instances: Sequence[Instance]) -> None:
        """Give ready instances the traffic; those before drain and go.

        All accept for a moment, so no request is lost. Raises `InstanceFailedError` where a new
        one fails at the last moment; then nothing has changed, but that a recovery has to be begun anew.
        """
        # It would bring up further instances of the version that is to be live.
        await cancelled(self._recovery)
        await accept_all(instances)
        # Once more: one of those before may have crashed while the new ones began.
        await cancelled(self._recovery)
        self._failure = None
        await self._workers.replace(instances)
        await self._set_status(Status.RUNNING)

    async def fall_asleep(self, by: str | None = None) -> bool:
        """Let the app's process go until the next request comes; False where it is in use.

        No request is lost: from the moment the instance accepts no more, who connects waits for the next one.
        """
        # One that has told its end, as a deploy, is waited for.
        if (self._lock.locked() and not self.finishing) or not self.is_serving:
            return False
        async with self.exclusive():
            # It takes a moment: who comes to deploy waits for it, rather than being sent away.
            self.finishing = True
            # First what is to be: after a crash in between the app sleeps, and the next request wakes it.
            if not self.is_serving or not await self._apps.set_asleep(self.app_id, True):
                return False
            self._status = Status.ASLEEP
            # It would bring up a worker again that has just been let go.
            await cancelled(self._recovery)
            if not self.is_serving or not await self._workers.release_if_idle():
                await self._awake()
                self.recover()
                return False
            await cancelled(self._recovery)
            self.doze()
        why = "It was put to sleep" if by else "Nobody asked for it: it sleeps"
        self._publish(EventKind.SLEPT, f"{why}, and wakes with the next request.", by=by)
        return True

    async def settle(self) -> None:
        """Note that the app runs, where it does and is shown as something else: the database was away when it woke."""
        if self._lock.locked():
            return
        async with self.exclusive():
            self.finishing = True
            if self.is_serving:
                await self._awake()

    def doze(self) -> None:
        """Wait for a visitor and bring the app up for him."""
        if not self._closed:
            self._recovery = asyncio.create_task(self._doze(), name=f"doze {self.app_id}")

    def recover(self) -> None:
        """Bring the live version up where it is not, in the background, with a growing delay between attempts."""
        self._crashes = 0
        self._begin_recovery()

    def scale(self) -> None:
        """Have as many workers as are wanted now; where somebody has the app to himself, when he is done."""
        self._is_to_scale = self._lock.locked()
        if self.is_serving and not self._is_to_scale:
            self.recover()

    async def show_failure(self, reason: str, diagnostics: list[Diagnostic]) -> None:
        """A deploy failed and nothing is serving: say so, also to who opens the URL."""
        await self._set_status(Status.FAILED, reason, diagnostics)
        await self._runtime.park(self.app_id, f"{self.app_id}: {reason}")

    async def halt(self) -> None:
        """Let the app's processes finish what they are at and go; its address says that it is stopped."""
        await cancelled(self._recovery)
        await self._workers.release()
        await self.show_stopped(None, [])

    async def show_stopped(self, reason: str | None, diagnostics: list[Diagnostic]) -> None:
        """The app does not run, as its owner wants; `reason` is why it could not be started just now."""
        await self._set_status(Status.STOPPED, reason, diagnostics)
        await self._runtime.park(self.app_id, f"{self.app_id}: {reason or _STOPPED}")

    async def remove(self) -> None:
        """Take the app's processes and address away. What is stored of it stays."""
        await self.close()
        await self._runtime.close(self.app_id)
        await self._set_status(Status.STOPPED)

    async def close(self) -> None:
        """End this app's processes and whatever runs for it here."""
        self._closed = True
        await cancelled(self._recovery)
        await self._workers.kill()

    def _worker_ended(self, instance: Instance, failure: InstanceFailedError, seconds: float) -> None:
        """Take up that a worker ended which was not asked to."""
        if self._closed:
            return
        if not self._is_to_look_again:
            # Several that end together, before one is started anew, are one crash.
            stable = seconds > self._settings.stable_after_seconds
            self._crashes = (0 if stable else self._crashes) + failure.is_crash
        self._failure = failure
        logger.warning("%s: instance %d ended: %s", self.app_id, instance.pid, failure.message)
        if failure.is_crash:
            others = f" {_serve(self._workers)} still." if self.is_serving else ""
            self._publish(EventKind.CRASHED, failure.message + others, version=instance.version)
        self._begin_recovery()

    def _begin_recovery(self) -> None:
        """Where one is under way, it looks once more before it ends."""
        self._is_to_look_again = True
        if not self._closed and (self._recovery is None or self._recovery.done()):
            self._recovery = asyncio.create_task(self._recover(), name=f"recover {self.app_id}")

    async def _doze(self) -> None:
        """Asleep: no process, but somebody at the door."""
        while True:
            try:
                record = await self._apps.get(self.app_id)
                if record is not None:
                    await self.open(record, may_move=False)
                break
            except GoFastAPIError as error:
                await self._set_status(Status.FAILED, error.message)
                await asyncio.sleep(_RETRY_SECONDS)
        await self._set_status(Status.ASLEEP)
        await self._runtime.wait_for_visitor(self.app_id)
        arrived = time.perf_counter()
        self._crashes, self._failure, self._is_to_look_again = 0, None, False
        try:
            served = await self._start_live_version()
        except Exception as error:
            self._note(error)
        else:
            seconds = max((served or arrived) - arrived, 0.0)
            self._publish(EventKind.WOKE, f"A request woke it in {seconds:.2f} s.", details={"seconds": seconds})
        if self._is_to_look_again:
            await self._recover()

    async def _awake(self) -> None:
        """Note that it runs again."""
        try:
            await self._apps.set_asleep(self.app_id, False)
            self._status, self._reason = Status.RUNNING, None
        except GoFastAPIError as error:
            # Until it settles it is shown as asleep; after a crash it sleeps until somebody comes.
            logger.warning("%s: that it is awake was not stored: %s", self.app_id, error.message)

    def _note(self, error: Exception) -> None:
        """A worker did not come up: there is one to be started still."""
        self._is_to_look_again = True
        if isinstance(error, InstanceFailedError):
            self._failure = error
            self._crashes += error.is_crash

    async def _recover(self) -> None:
        """Start what is missing, and again until nothing is; give up when too much of it crashed in a row."""
        while self._crashes < self._settings.max_crashes:
            failure, before = self._failure, len(self._workers)
            if failure is not None:
                if not self.is_serving:
                    await self._set_status(Status.RESTARTING, failure.message)
                await asyncio.sleep(restart_delay_seconds(self._crashes))
            elif not self.is_serving:
                await self._set_status(Status.STARTING)
            self._failure, self._is_to_look_again = None, False
            try:
                async with self._starts:
                    await self._start_live_version()
                if failure is not None:
                    self._publish(EventKind.RECOVERED, "It is back after a crash.")
                elif before and len(self._workers) != before:
                    self._publish(EventKind.SCALED, f"{_serve(self._workers)} it now.")
                if not self._is_to_look_again:
                    return
            except InstanceFailedError as error:
                self._note(error)
            except GoFastAPIError as error:
                # Not the app's fault: its port or the database is away. It comes back by itself.
                self._failure = self._failure or failure
                if not self.is_serving:
                    await self._show_unavailable(error)
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:
                logger.exception("%s: cannot be started", self.app_id)
                self._failure = self._failure or failure
                await asyncio.sleep(_RETRY_SECONDS)
        if self._failure is not None:
            await self._give_up(self._failure)

    async def _start_live_version(self) -> float | None:
        """Start the workers that are missing, let those go that are too many; when the first one began to serve.

        By `time.perf_counter`. Raises what the first one that failed does; the others serve.
        """
        live = await self._live_versions.find(self.app_id)
        if live is None or not live.is_to_run:
            return None
        missing = live.app.workers - len(self._workers)
        if missing <= 0:
            await self._workers.dismiss(-missing)
            await self._set_status(Status.RUNNING)
            return None
        await self.open(live.app, may_move=False)
        results = await asyncio.gather(*(self._start_worker(live) for _ in range(missing)), return_exceptions=True)
        if failures := [result for result in results if isinstance(result, BaseException)]:
            raise failures[0]
        return min(result for result in results if isinstance(result, float))

    async def _start_worker(self, live: LiveVersion) -> float:
        await to_its_end(self._workers.add(await self._live_versions.start(live)))
        served = time.perf_counter()
        if live.app.target is Target.ASLEEP:
            await self._awake()
        else:
            await self._set_status(Status.RUNNING)
        return served

    async def _show_unavailable(self, error: GoFastAPIError) -> None:
        await self._set_status(Status.FAILED, error.message)
        if isinstance(error, SecretsUnreadableError | NotFoundError):
            # That may last: who opens the app is not left waiting. The reason is for its owner alone.
            why = _SECRETS_UNREADABLE if isinstance(error, SecretsUnreadableError) else _DATABASE_GONE
            await self._runtime.park(self.app_id, f"{self.app_id}: {why}")

    async def _give_up(self, failure: InstanceFailedError) -> None:
        """A crash loop: stop restarting, and say why. Other workers go on."""
        live = await self._live_versions.find(self.app_id)
        version = live.version if live else None
        crashes = f"crashed {self._crashes} times in a row and"
        if left := len(self._workers):
            all_of_them = live.app.workers if live else left
            reason = f"{left} of {all_of_them} workers serve it: the others {crashes} are not restarted any more"
        else:
            reason = f"It {crashes} is not restarted any more"
        reason = f"{reason}: {failure.message}"
        diagnostics = [await diagnose(failure, version, self._bundles)] if version else []
        if self.is_serving:
            await self._set_status(Status.RUNNING, reason, diagnostics)
        else:
            await self.show_failure(reason, diagnostics)
        self._publish(EventKind.CRASH_LOOP, reason, version=version.number if version else None)

    def _publish(self, kind: EventKind, message: str, **more: Any) -> None:
        self._events.publish(kind, message, owner=self._owner, app=self.app_id, **more)

    async def _set_status(
        self, status: Status, reason: str | None = None, diagnostics: list[Diagnostic] | None = None
    ) -> None:
        if status is self._status is Status.RUNNING and reason == self._reason:
            return
        try:
            await self._apps.set_status(self.app_id, status, reason, diagnostics)
            self._status, self._reason = status, reason
        except GoFastAPIError as error:
            # The app itself is not touched by this; the next change of status is written again.
            logger.warning("%s: status %s was not stored: %s", self.app_id, status, error.message)


def _serve(workers: Workers) -> str:
    return "1 worker serves" if len(workers) == 1 else f"{len(workers)} workers serve"
