"""Sleep: an app that nobody asks for has no process; the next request wakes it."""

from __future__ import annotations

import asyncio
import logging
import math

from gofastapi_ext.core.errors import ConflictError, GoFastAPIError
from gofastapi_ext.platform.control.health import HealthWatch
from gofastapi_ext.platform.control.observer import Observer
from gofastapi_ext.platform.control.supervisor import Supervisor
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.store.apps import AppRecord, AppStore, SleeperRecord

logger = logging.getLogger(__name__)

_LONGEST_INTERVAL_SECONDS = 10.0
_SHORTEST_INTERVAL_SECONDS = 0.2
# The shorter an app may be idle, the more often it is looked at.
_LOOKS_PER_SLEEP_AFTER = 5
_TRIED_AFTER_SECONDS = (0.0, 0.2, 0.4)


class Sleeper:
    """A loop that puts those apps to sleep whose time has come. Waking is each app's supervisor's."""

    def __init__(
        self,
        apps: AppStore,
        supervisors: Supervisors,
        observer: Observer,
        health: HealthWatch,
        default_seconds: float | None,
        telemetry: Telemetry,
    ) -> None:
        self._apps = apps
        self._supervisors = supervisors
        self._observer = observer
        self._health = health
        self._default_seconds = default_seconds
        self._telemetry = telemetry
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sleep")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def sleep_after_seconds(self, own: float | None) -> float | None:
        """What is in force where an app's own setting is `own`; None where it never sleeps."""
        return self._default_seconds if own is None else own or None

    async def put_to_sleep(self, record: AppRecord, by: str) -> None:
        """Now, if nobody is using it. Raises `ConflictError`."""
        supervisor = self._supervisors.of(record)
        if record.live_version is None or not supervisor.is_serving:
            raise ConflictError(f'"{record.id}" does not run, so it has no need to sleep.')
        # It may only be busy with the last change made to it, or slow to tell.
        for wait_seconds in _TRIED_AFTER_SECONDS:
            await asyncio.sleep(wait_seconds)
            # Asked of all its workers first: none is let go while another one is in use.
            is_in_use = await self._observer.ask_idle_seconds(record.id) == 0.0
            if not is_in_use and await self._fall_asleep(supervisor, by):
                return
        raise ConflictError(f'"{record.id}" is in use. It can sleep when no request and no WebSocket is open.')

    async def _run(self) -> None:
        while True:
            interval = _LONGEST_INTERVAL_SECONDS
            try:
                with self._telemetry.loop("sleep"):
                    interval = await self._once()
            except GoFastAPIError as error:
                logger.warning("sleep: %s", error.message)
            except Exception:
                logger.exception("sleep")
            await asyncio.sleep(interval)

    async def _once(self) -> float:
        """Look at every app; how long to wait until the next look."""
        apps = await self._apps.sleepers()
        # At once: an app that is slow to answer must not keep the others awake.
        await asyncio.gather(*map(self._look_at, apps))
        limits = [self.sleep_after_seconds(app.after_seconds) for app in apps]
        shortest = min([seconds for seconds in [*limits, self._default_seconds] if seconds], default=math.inf)
        return min(max(_SHORTEST_INTERVAL_SECONDS, shortest / _LOOKS_PER_SLEEP_AFTER), _LONGEST_INTERVAL_SECONDS)

    async def _look_at(self, app: SleeperRecord) -> None:
        supervisor = self._supervisors.find(app.id)
        if supervisor is None or not supervisor.is_serving:
            return
        after_seconds = self.sleep_after_seconds(app.after_seconds)
        try:
            if not app.is_shown_running:
                await supervisor.settle()
            if after_seconds and await self._is_idle(app.id, after_seconds):
                await self._fall_asleep(supervisor)
        except GoFastAPIError as error:
            logger.info("%s stays awake: %s", app.id, error.message)

    async def _is_idle(self, app_id: str, after_seconds: float) -> bool:
        """Ask the instance itself only where, as far as is known, nobody has for long enough."""
        known = self._observer.idle_seconds(app_id)
        if known is not None and known < after_seconds:
            return False
        known = await self._observer.ask_idle_seconds(app_id)
        return known is not None and known >= after_seconds

    async def _fall_asleep(self, supervisor: Supervisor, by: str | None = None) -> bool:
        # A probe that came to a socket where nobody accepts any more would wake the app.
        async with self._health.undisturbed(supervisor.app_id):
            return await supervisor.fall_asleep(by)
