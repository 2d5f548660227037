"""Keeps one app at its target: restores it, restarts it, switches versions, takes it away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.errors import ConflictError, GoFastAPIError, NotFoundError, SecretsUnreadableError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Status, Target, restart_delay_seconds
from gofastapi_ext.core.models import InstanceView
from gofastapi_ext.platform.control.diagnose import diagnose
from gofastapi_ext.platform.control.environments import Environments
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.launcher import Launcher
from gofastapi_ext.platform.control.tasks import cancelled, to_its_end
from gofastapi_ext.platform.runtimes.base import Instance, InstanceFailedError, Runtime
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.versions import VersionStore

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
        versions: VersionStore,
        bundles: BundleStore,
        runtime: Runtime,
        launcher: Launcher,
        environments: Environments,
        settings: Settings,
        starts: asyncio.Semaphore,
        events: EventFeed,
    ) -> None:
        self.app_id = app_id
        self._owner = owner
        self._apps = apps
        self._versions = versions
        self._bundles = bundles
        self._runtime = runtime
        self._launcher = launcher
        self._environments = environments
        self._settings = settings
        self._starts = starts
        self._events = events
        self.finishing = False
        """The one who has the app to himself has told his caller the end, and will be done in a moment."""
        self._lock = asyncio.Lock()
        self._busy_since = 0.0
        self._crashes = 0
        self._status: Status | None = None
        self._current: Instance | None = None
        self._draining: list[Instance] = []
        self._recovery: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._closed = False

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
            if self._closed:
                # The app may be back by now, under another supervisor.
                raise ConflictError(f'"{self.app_id}" was removed meanwhile. Run it again.')
            yield

    def instances(self) -> list[InstanceView]:
        """The processes of this app, the serving one first."""
        self._draining = [instance for instance in self._draining if instance.state != "ended"]
        alive = [instance for instance in [self._current, *self._draining] if instance is not None]
        return [
            InstanceView(pid=i.pid, version=i.version, state=i.state, started_at=i.started_at)
            for i in alive
            if i.state != "ended"
        ]

    @property
    def is_busy(self) -> bool:
        """Whether somebody has the app to himself, as a deploy does."""
        return self._lock.locked()

    @property
    def is_serving(self) -> bool:
        return self._current is not None and self._current.state == "serving"

    @property
    def answers(self) -> bool:
        """Whether a request is answered: by the process that serves, or after it has woken the app."""
        return self.is_serving or self._status is Status.ASLEEP

    @property
    def serving_pid(self) -> int | None:
        """Of the instance that takes the traffic."""
        current = self._current
        return current.pid if current is not None and current.state == "serving" else None

    async def open(self, record: AppRecord, *, may_move: bool) -> int:
        """Listen at the app's port; at another one where that is taken and `may_move`."""
        taken = frozenset[int]() if record.port else await self._apps.taken_ports()
        try:
            port = await self._runtime.open(self.app_id, record.port, taken)
        except GoFastAPIError:
            if not may_move:
                raise
            port = await self._runtime.open(self.app_id, None, await self._apps.taken_ports())
        if port != record.port:
            await self._apps.set_port(self.app_id, port)
        return port

    async def switch_to(self, instance: Instance) -> None:
        """Give a ready instance the traffic; the one before drains and goes.

        Both accept for a moment, so no request is lost. Raises `InstanceFailedError` where the new
        one fails at the last moment; then nothing has changed, but that a recovery has to be begun anew.
        """
        # It would bring up a second instance of the version that is to be live.
        await cancelled(self._recovery)
        await instance.accept()
        # Once more: the one before may have crashed while the new one began.
        await cancelled(self._recovery)
        before, self._current = self._current, instance
        self._follow(instance)
        if before is not None and before.state == "serving":
            self._draining.append(before)
            await before.release()
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
            current = self._current
            # First what is to be: after a crash in between the app sleeps, and the next request wakes it.
            if current is None or not await self._apps.set_asleep(self.app_id, True):
                return False
            self._status = Status.ASLEEP
            if current is not self._current or not await current.release_if_idle():
                await self._awake()
                return False
            self._current = None
            self._draining.append(current)
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
        if self._closed or self._current is not None or (self._recovery is not None and not self._recovery.done()):
            return
        self._recovery = asyncio.create_task(self._recover(crashes=0, failure=None), name=f"recover {self.app_id}")

    async def show_failure(self, reason: str, diagnostics: list[Diagnostic]) -> None:
        """A deploy failed and nothing is serving: say so, also to who opens the URL."""
        await self._set_status(Status.FAILED, reason, diagnostics)
        await self._runtime.park(self.app_id, f"{self.app_id}: {reason}")

    async def halt(self) -> None:
        """Let the app's processes finish what they are at and go; its address says that it is stopped."""
        await cancelled(self._recovery)
        before, self._current = self._current, None
        if before is not None and before.state == "serving":
            self._draining.append(before)
            await before.release()
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
        await cancelled(self._watch)
        current, self._current = self._current, None
        for instance in [current, *self._draining]:
            if instance is not None:
                await instance.kill()

    def _follow(self, instance: Instance) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch = asyncio.create_task(self._watch_exit(instance), name=f"watch {self.app_id}")

    async def _watch_exit(self, instance: Instance) -> None:
        started = time.monotonic()
        failure = await instance.wait_exited()
        if instance is not self._current or self._closed:
            return
        self._current = None
        stable = time.monotonic() - started > self._settings.stable_after_seconds
        self._crashes = (0 if stable else self._crashes) + failure.is_crash
        logger.warning("%s: instance %d ended: %s", self.app_id, instance.pid, failure.message)
        if failure.is_crash:
            self._publish(EventKind.CRASHED, failure.message, version=instance.version)
        self._recovery = asyncio.create_task(self._recover(self._crashes, failure), name=f"recover {self.app_id}")

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
        try:
            await self._start_live_version()
        except Exception as error:
            failure = error if isinstance(error, InstanceFailedError) else None
            await self._recover(crashes=failure.is_crash if failure else 0, failure=failure)
        else:
            seconds = time.perf_counter() - arrived
            self._publish(EventKind.WOKE, f"A request woke it in {seconds:.2f} s.", details={"seconds": seconds})

    async def _awake(self) -> None:
        """Note that it runs again."""
        try:
            await self._apps.set_asleep(self.app_id, False)
            self._status = Status.RUNNING
        except GoFastAPIError as error:
            # Until it settles it is shown as asleep; after a crash it sleeps until somebody comes.
            logger.warning("%s: that it is awake was not stored: %s", self.app_id, error.message)

    async def _recover(self, crashes: int, failure: InstanceFailedError | None) -> None:
        while crashes < self._settings.max_crashes:
            if failure is not None:
                await self._set_status(Status.RESTARTING, failure.message)
                await asyncio.sleep(restart_delay_seconds(crashes))
            else:
                await self._set_status(Status.STARTING)
            try:
                async with self._starts:
                    await self._start_live_version()
                if failure is not None:
                    self._publish(EventKind.RECOVERED, "It is back after a crash.")
                return
            except InstanceFailedError as error:
                failure = error
                crashes += error.is_crash
            except GoFastAPIError as error:
                # Not the app's fault: its port or the database is away. It comes back by itself.
                await self._set_status(Status.FAILED, error.message)
                if isinstance(error, SecretsUnreadableError | NotFoundError):
                    # That may last: who opens the app is not left waiting. The reason is for its owner alone.
                    why = _SECRETS_UNREADABLE if isinstance(error, SecretsUnreadableError) else _DATABASE_GONE
                    await self._runtime.park(self.app_id, f"{self.app_id}: {why}")
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:
                logger.exception("%s: cannot be started", self.app_id)
                await asyncio.sleep(_RETRY_SECONDS)
        if failure is not None:
            await self._give_up(failure, crashes)

    async def _start_live_version(self) -> None:
        record = await self._apps.get(self.app_id)
        if record is None or record.live_version is None or record.target not in (Target.RUNNING, Target.ASLEEP):
            return
        version = await self._versions.get(self.app_id, record.live_version)
        if version is None:
            return
        await self.open(record, may_move=False)
        environment = await self._environments.resolve(self.app_id, record.env_revision)
        instance = await self._launcher.launch(version, record, environment)
        try:
            await instance.wait_loaded()
            await instance.wait_ready()
        except BaseException:
            await asyncio.shield(instance.kill())
            raise
        await to_its_end(self._begin_to_serve(instance))
        if record.target is Target.ASLEEP:
            await self._awake()
        else:
            await self._set_status(Status.RUNNING)

    async def _begin_to_serve(self, instance: Instance) -> None:
        try:
            await instance.accept()
        except BaseException:
            await asyncio.shield(instance.kill())
            raise
        self._current = instance
        self._follow(instance)

    async def _give_up(self, failure: InstanceFailedError, crashes: int) -> None:
        """A crash loop: stop restarting, and say why."""
        record = await self._apps.get(self.app_id)
        version = await self._versions.get(self.app_id, record.live_version) if record and record.live_version else None
        reason = f"It crashed {crashes} times in a row and is not restarted any more: {failure.message}"
        diagnostics = [await diagnose(failure, version, self._bundles)] if version else []
        await self.show_failure(reason, diagnostics)
        self._publish(EventKind.CRASH_LOOP, reason, version=version.number if version else None)

    def _publish(self, kind: EventKind, message: str, **more: Any) -> None:
        self._events.publish(kind, message, owner=self._owner, app=self.app_id, **more)

    async def _set_status(
        self, status: Status, reason: str | None = None, diagnostics: list[Diagnostic] | None = None
    ) -> None:
        if status is self._status is Status.RUNNING:
            return
        try:
            await self._apps.set_status(self.app_id, status, reason, diagnostics)
            self._status = status
        except GoFastAPIError as error:
            # The app itself is not touched by this; the next change of status is written again.
            logger.warning("%s: status %s was not stored: %s", self.app_id, status, error.message)
