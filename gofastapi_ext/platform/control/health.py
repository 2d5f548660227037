"""How every app is doing: a loop that asks those that serve, and the colour that follows from it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from zlib import crc32

from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.health import CHECKS_JUDGED, Health, HealthCheck, HealthColor, HealthView, Verdict, judge
from gofastapi_ext.core.lifecycle import Status, Target
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.probes import Prober
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.store.apps import AppRecord

logger = logging.getLogger(__name__)

_CHECKS_KEPT = 60
# Who asks how an app is doing gets an answer no older than this, where the app gives one in time.
_FRESH_SECONDS = 5.0
_ANSWER_WITHIN_SECONDS = 6.0
_LIST_WITHIN_SECONDS = 2.0
_TOLD = frozenset({HealthColor.GREEN, HealthColor.YELLOW, HealthColor.RED})


@dataclass(eq=False, slots=True)
class _State:
    """What is remembered of one app."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the app is asked, or must not be."""
    checks: deque[HealthCheck] = field(default_factory=lambda: deque(maxlen=_CHECKS_KEPT))
    pid: int | None = None
    """The process that served, of several for the longest time, when the first `of_pid` checks were made."""
    of_pid: int = 0
    pid_since: float = 0.0
    """When it was first asked, of the monotonic clock."""
    asked_at: float = 0.0
    """Of the monotonic clock."""
    shown: Health | None = None
    """What was last said of the app, at `shown_at`, of what the platform had stored of it then."""
    shown_as: object = None
    shown_at: float = 0.0
    color: HealthColor | None = None
    since: datetime | None = None
    told: HealthColor | None = None
    """The last of green, yellow and red: what the feed of events knows."""


class HealthWatch:
    """Asks each app that serves once in every interval, at a moment of its own.

    `apps` lists those that may run, `serving` tells the process that serves an app at this moment (of several, the one
    that does so for the longest time), `lacks` what one that runs does not have, in words, and `recent` its
    requests and server errors of the last so many seconds, 5 minutes at most. Changes between green, yellow and red
    are events; that an app sleeps, stops or starts is told by those who do it.
    """

    def __init__(
        self,
        *,
        apps: Callable[[], Awaitable[list[AppRecord]]],
        serving: Callable[[str], int | None],
        lacks: Callable[[str], str | None] = lambda _: None,
        url: Callable[[int], str],
        recent: Callable[[str, float], tuple[int, int]],
        prober: Prober,
        events: EventFeed,
        telemetry: Telemetry,
        interval_seconds: float,
    ) -> None:
        self._list_apps = apps
        self._serving = serving
        self._lacks = lacks
        self._url = url
        self._recent = recent
        self._prober = prober
        self._events = events
        self._telemetry = telemetry
        self._interval_seconds = interval_seconds
        self._states: dict[str, _State] = {}
        self._apps: list[AppRecord] = []
        self._checks: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="health")

    async def stop(self) -> None:
        tasks = [*self._checks, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._prober.close()

    @asynccontextmanager
    async def undisturbed(self, app_id: str) -> AsyncIterator[None]:
        """No check of the app is under way in here: it cannot be woken by one that comes just as it falls asleep.

        Waits for one that is, which the timeout bounds. To cut it off would not do: its connection may wait still
        to be accepted, and look like a visitor's.
        """
        async with self._state(app_id).lock:
            yield

    def of(self, record: AppRecord) -> Health:
        """How the app is doing as far as known, from memory; of apps in a list, to the second."""
        asked = (record.target, record.status, record.reason, self._lacks(record.id), self._serving(record.id))
        now = time.monotonic()
        state = self._states.get(record.id)
        if state is not None and state.shown is not None and state.shown_as == asked and now - state.shown_at < 1.0:
            return state.shown
        verdict = self._judge(record, record.target, record.status)
        since = state.since if state is not None and state.color is verdict.color else None
        health = Health(color=verdict.color, reason=verdict.reason, since=since)
        if state is not None:
            state.shown, state.shown_as, state.shown_at = health, asked, now
        return health

    async def view(self, record: AppRecord) -> HealthView:
        """How the app is doing now: it is asked first, where that was not just done."""
        if self._serving(record.id) is not None:
            # On its own: who does not wait for the answer must not cut the question off.
            await asyncio.wait([self._begin(record, _FRESH_SECONDS)], timeout=_ANSWER_WITHIN_SECONDS)
        state = self._states.get(record.id)
        return HealthView(
            **self.of(record).model_dump(), app=record.id, checks=list(state.checks) if state is not None else []
        )

    async def once(self) -> None:
        """Ask every app that serves right now, and wait for the last answer."""
        if asked := await self._ask_all(spread_seconds=0.0):
            await asyncio.wait(asked)

    async def _run(self) -> None:
        due = time.monotonic()
        while True:
            try:
                with self._telemetry.loop("health"):
                    await self._ask_all(self._interval_seconds)
            except Exception:
                logger.exception("health")
            # A machine that was suspended does not make up for what it missed.
            due = max(due + self._interval_seconds, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def _ask_all(self, spread_seconds: float) -> list[asyncio.Task[None]]:
        """Begin a check of each app, every one at its own moment of the time; look at those that do not serve."""
        try:
            async with asyncio.timeout(_LIST_WITHIN_SECONDS):
                self._apps = await self._list_apps()
            self._forget_the_gone()
        except (GoFastAPIError, TimeoutError):
            # Apps go on without the database, and so do their checks.
            self._telemetry.loop_failed("health")
            logger.info("The database does not answer: health goes by the apps known before.")
        begin = time.monotonic()
        begun: list[asyncio.Task[None]] = []
        for record in sorted(self._apps, key=lambda record: _moment(record.id)):
            await asyncio.sleep(max(begin + _moment(record.id) * spread_seconds - time.monotonic(), 0))
            if self._serving(record.id) is not None:
                if not self._state(record.id).lock.locked():
                    begun.append(self._begin(record, 0.0))
            elif record.status is not Status.RUNNING:
                self._note(record, self._judge(record, record.target, record.status))
        return begun

    def _begin(self, record: AppRecord, fresh_seconds: float) -> asyncio.Task[None]:
        task = asyncio.create_task(self._check(record, fresh_seconds), name=f"health of {record.id}")
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)
        return task

    async def _check(self, record: AppRecord, fresh_seconds: float) -> None:
        """Ask the app, unless it does not serve, or was asked less than `fresh_seconds` ago."""
        state = self._state(record.id)
        async with state.lock:
            pid = self._serving(record.id)
            is_fresh = state.pid == pid and time.monotonic() - state.asked_at < fresh_seconds
            if pid is None or record.port is None or is_fresh:
                return
            check = await self._prober.ask(self._url(record.port))
            self._telemetry.health_checked("failed" if check.problem else "ok")
            if self._serving(record.id) != pid:
                return  # it went meanwhile: what it said, or did not, is of no interest any more
            if state.pid != pid:
                state.pid, state.of_pid, state.pid_since = pid, 0, time.monotonic()
            state.checks.appendleft(check)
            state.of_pid += 1
            state.asked_at = time.monotonic()
            state.shown = None
            self._note(record, self._judge(record, Target.RUNNING, Status.RUNNING))

    def _judge(self, record: AppRecord, target: Target, status: Status) -> Verdict:
        state = self._states.get(record.id)
        # A record may be as old as the list that a cycle goes by.
        reason = self._lacks(record.id) if status is Status.RUNNING else record.reason
        if state is None or state.pid is None or state.pid != self._serving(record.id):
            return judge(target, status, reason, [])
        # Neither checks nor errors of what ran before speak against what runs now.
        checks = list(islice(state.checks, min(state.of_pid, CHECKS_JUDGED)))
        recent = self._recent(record.id, time.monotonic() - state.pid_since)
        return judge(target, status, reason, checks, *recent)

    def _note(self, record: AppRecord, verdict: Verdict) -> None:
        """Remember the colour; tell where it changed."""
        state = self._state(record.id)
        color, reason = verdict
        if state.color is not color:
            state.color, state.since = color, datetime.now(UTC)
        if color not in _TOLD:
            return
        before, state.told = state.told, color
        if before is None or before is color:
            return
        turned = "It is green again" if color is HealthColor.GREEN else f"It turned {color}"
        self._events.publish(
            EventKind.HEALTH,
            f"{turned}: {reason}",
            owner=record.owner,
            app=record.id,
            version=record.live_version,
            details={"color": str(color), "before": str(before), "reason": reason},
        )

    def _state(self, app_id: str) -> _State:
        state = self._states.get(app_id)
        if state is None:
            state = self._states[app_id] = _State()
        return state

    def _forget_the_gone(self) -> None:
        known = {record.id for record in self._apps}
        for app_id in [app_id for app_id, state in self._states.items() if app_id not in known]:
            if not self._states[app_id].lock.locked():
                del self._states[app_id]


def _moment(app_id: str) -> float:
    """From 0 to 1: the part of a cycle after which this app is asked, in every cycle the same."""
    return crc32(app_id.encode()) / 2**32
