"""Asks every instance how it is doing, and hands what it says to those who keep it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.runtimes.base import Instance, LaunchSpec, Report

logger = logging.getLogger(__name__)

# An instance answers when its event loop has a moment: many may be asked at once.
_ASKED_AT_ONCE = 50
# One that says it has something new to tell is asked soon, but no more often than this.
_HURRY_SECONDS = 0.2
_HURRIED_EVERY_SECONDS = 2.0


@dataclass(eq=False)
class Observed:
    """An instance that is followed from its start to its last word."""

    app_id: str
    owner: str
    version: int
    instance: Instance
    last: Report | None = None
    heard_at: float = 0.0
    """Of the monotonic clock."""
    hurry: asyncio.Task[None] | None = None
    """Asks it out of turn."""

    @property
    def idle_seconds(self) -> float:
        """How long ago, as far as known, the last request ended; 0.0 where one is open, or nothing is known."""
        if self.last is None or not self.last.idle_seconds:
            return 0.0
        return self.last.idle_seconds + time.monotonic() - self.heard_at


Sink = Callable[[Observed, Report], None]
"""Takes what an instance reported. It must not wait; what it raises is logged."""


class Observer:
    """A loop over all instances, each followed from `follow` until it has ended and its last report was taken."""

    def __init__(self, interval_seconds: float, telemetry: Telemetry) -> None:
        self._interval_seconds = interval_seconds
        self._telemetry = telemetry
        self._sinks: list[Sink] = []
        self._followed: set[Observed] = set()
        self._asking = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._task: asyncio.Task[None] | None = None

    def add_sink(self, sink: Sink) -> None:
        self._sinks.append(sink)

    def follow(self, spec: LaunchSpec, instance: Instance) -> None:
        observed = Observed(spec.app_id, spec.owner, spec.version, instance)
        instance.on_failing = partial(self._hurry, observed)
        self._followed.add(observed)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="observer")

    async def stop(self) -> None:
        tasks = [self._task, *(observed.hurry for observed in self._followed)]
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def refresh(self, app_id: str) -> None:
        """Ask this app's instances now. Those that do not answer in a second are left out."""
        await asyncio.gather(*(self._ask(observed) for observed in self._of(app_id)))

    async def refresh_all(self) -> None:
        """Ask everybody, as before they end."""
        await asyncio.gather(*(self._ask(observed) for observed in list(self._followed)))

    async def ask_idle_seconds(self, app_id: str) -> float | None:
        """The same as `idle_seconds`, asked now; 0.0 where one of them does not answer, for it may be at something."""
        asked = time.monotonic()
        await self.refresh(app_id)
        if any(each.heard_at < asked for each in self.latest(app_id)):
            return 0.0
        return self.idle_seconds(app_id)

    def idle_seconds(self, app_id: str) -> float | None:
        """How long nobody has asked the app for anything, as far as known; None where no instance has told yet."""
        told = [each for each in self._of(app_id) if each.last is not None and each.instance.state != "ended"]
        if not told:
            return None
        return min(each.idle_seconds for each in told)

    def latest(self, app_id: str) -> list[Observed]:
        """The app's instances that run, each with its last report."""
        return [each for each in self._of(app_id) if each.instance.state != "ended"]

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_seconds)
            try:
                with self._telemetry.loop("observer"):
                    await self.refresh_all()
            except Exception:
                logger.exception("observer")

    def _hurry(self, observed: Observed) -> None:
        if observed.hurry is None or observed.hurry.done():
            observed.hurry = asyncio.create_task(self._ask_soon(observed), name="observer: hurry")

    async def _ask_soon(self, observed: Observed) -> None:
        # What fails first is seldom alone.
        await asyncio.sleep(_HURRY_SECONDS)
        try:
            await self._ask(observed)
        except Exception:
            logger.exception("observer")
        await asyncio.sleep(_HURRIED_EVERY_SECONDS)

    async def _ask(self, observed: Observed) -> None:
        has_ended = observed.instance.state == "ended"
        async with self._asking:
            report = await observed.instance.report()
        if report is not None and report is not observed.last:
            observed.last, observed.heard_at = report, time.monotonic()
            for sink in self._sinks:
                try:
                    sink(observed, report)
                except Exception:
                    logger.exception("what %s reported was not taken", observed.app_id)
        if has_ended:
            self._followed.discard(observed)

    def _of(self, app_id: str) -> list[Observed]:
        return [observed for observed in self._followed if observed.app_id == app_id]
