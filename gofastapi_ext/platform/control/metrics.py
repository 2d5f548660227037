"""Adds up what instances report, by app and minute, and writes it once a minute."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

from gofastapi_ext.core.counts import Counts
from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.platform.control.observer import Observed, Observer
from gofastapi_ext.platform.control.readings import (
    MAX_ROUTES,
    OTHER,
    Reading,
    Route,
    cpu_between,
    read,
    requests_between,
)
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.runtimes.base import Report
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.metrics import MetricsStore, MinuteRecord

logger = logging.getLogger(__name__)

# Of an app that nobody asks for anything one minute in ten is written: it shows that it runs, and its memory.
_IDLE_EVERY_MINUTES = 10
_KEPT_FLUSHES = 10
_FLUSH_SECONDS = 30.0
_LAST_FLUSH_SECONDS = 3.0
# An instance's first words may be of the time before it was asked at all.
_FIRST_SECONDS = 60.0
_RECENT_SECONDS = 300.0


@dataclass(slots=True)
class _Heard:
    """Of one instance: what it said last, and when by the monotonic clock."""

    reading: Reading
    at: float


@dataclass(slots=True)
class _Followed:
    """Of one app: its instances, and the minute that is being added up."""

    instances: WeakKeyDictionary[Observed, _Heard] = field(default_factory=WeakKeyDictionary)
    minute: MinuteRecord | None = None
    idle_cpu_seconds: float = 0.0
    """Of minutes that were not worth writing."""
    last_request_at: datetime | None = None
    recent: deque[tuple[float, int, int]] = field(default_factory=deque)
    """When by the monotonic clock, requests and server errors: of the last five minutes."""


class MetricsRecorder:
    """A sink of the observer. The wall clock only names minutes; nothing is computed with it.

    What cannot be written is kept for ten minutes, then dropped.
    """

    def __init__(
        self,
        store: MetricsStore,
        apps: AppStore,
        observer: Observer,
        telemetry: Telemetry,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._apps = apps
        self._observer = observer
        observer.add_sink(self.take)
        self._telemetry = telemetry
        self._clock = clock
        self._followed: dict[str, _Followed] = {}
        self._over: list[MinuteRecord] = []
        self._unwritten: deque[list[MinuteRecord]] = deque(maxlen=_KEPT_FLUSHES)
        self._last_requests: dict[str, datetime] = {}
        self._task: asyncio.Task[None] | None = None
        self.written_until = _minute_of(clock())
        """No minute after this one is stored yet: those are all in `pending`."""
        self.rewrites = 0
        """How often something stored has changed that was there already: an app removed, a clock set back."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="metrics")

    async def stop(self) -> None:
        """Write everything, as far as the database answers in a moment."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._flush(_LAST_FLUSH_SECONDS, whole=True)

    def take(self, observed: Observed, report: Report) -> None:
        """Add what is new in a report of an instance."""
        app = self._followed.setdefault(observed.app_id, _Followed())
        now, reading = time.monotonic(), read(report.metrics)
        heard = app.instances.get(observed)
        before = heard.reading if heard else Reading()
        seconds = now - heard.at if heard else _FIRST_SECONDS
        app.instances[observed] = _Heard(reading, now)
        minute = self._minute(observed.app_id, app)
        requests = errors = 0
        for route, counts in requests_between(before, reading, seconds):
            requests, errors = requests + counts.requests, errors + counts.server_errors
            _add(minute, route, counts)
        minute.cpu_seconds += cpu_between(before, reading, seconds)
        memory = sum(heard.reading.memory_bytes for heard in _running(app))
        if memory:
            minute.memory_bytes = max(memory, minute.memory_bytes or 0)
        if requests:
            app.recent.append((now, requests, errors))
        if requests or report.idle_seconds == 0.0:
            self._note_request(observed.app_id, app, report.idle_seconds)

    def heed(
        self, kind: EventKind, message: str, owner: str, app_id: str | None, details: Mapping[str, object]
    ) -> None:
        """A listener of the feed of events: an app that wakes was started because somebody asked for it."""
        if kind is EventKind.WOKE and app_id is not None:
            app = self._followed.setdefault(app_id, _Followed())
            self._minute(app_id, app).cold_starts += 1

    async def remove_app(self, app_id: str) -> None:
        """Remove all that is known of an app that is gone; its instances' last words count no more."""
        await self._observer.refresh(app_id)
        self._followed.pop(app_id, None)
        self._last_requests.pop(app_id, None)
        for batch in [self._over, *self._unwritten]:
            batch[:] = [minute for minute in batch if minute.app != app_id]
        await self._store.remove_app(app_id)
        self.rewrites += 1

    def pending(self, app_id: str | None = None) -> Iterator[MinuteRecord]:
        """What is not written yet, of one app or of all."""
        for batch in [*self._unwritten, self._over]:
            yield from (minute for minute in batch if app_id in (None, minute.app))
        if app_id is None:
            yield from (app.minute for app in self._followed.values() if app.minute is not None)
        elif (followed := self._followed.get(app_id)) and followed.minute is not None:
            yield followed.minute

    def in_flight(self, app_id: str) -> int:
        """Requests and WebSockets that are open, as last heard."""
        app = self._followed.get(app_id)
        return sum(heard.reading.in_flight for heard in _running(app)) if app else 0

    def memory_bytes(self, app_id: str) -> int | None:
        """Of all processes together, as last heard; None where none runs."""
        app = self._followed.get(app_id)
        return (sum(heard.reading.memory_bytes for heard in _running(app)) or None) if app else None

    def recent(self, app_id: str, seconds: float = math.inf) -> tuple[int, int]:
        """Requests, and those of them that were server errors, of the last `seconds`, five minutes at most."""
        app = self._followed.get(app_id)
        if app is None:
            return 0, 0
        while app.recent and app.recent[0][0] < time.monotonic() - _RECENT_SECONDS:
            app.recent.popleft()
        since = time.monotonic() - seconds
        counted = [each for each in app.recent if each[0] >= since]
        return sum(requests for _, requests, _ in counted), sum(errors for _, _, errors in counted)

    def last_request_at(self, app_id: str) -> datetime | None:
        """As far as known since the service started."""
        app = self._followed.get(app_id)
        return app.last_request_at if app else None

    async def flush(self, *, whole: bool = False) -> None:
        """Write every minute that is over; with `whole`, the present one too. Raises `UnavailableError`."""
        now = _minute_of(self._clock())
        for app_id, app in list(self._followed.items()):
            if app.minute is not None and (whole or app.minute.at != now):
                self._end_minute(app)
            if app.minute is None and not app.instances and self.recent(app_id) == (0, 0):
                del self._followed[app_id]
        if self._over:
            self._unwritten.append(self._over)
            self._over = []
        while self._unwritten:
            batch = self._unwritten[0]
            await self._store.write(batch)
            self.rewrites += any(minute.at <= self.written_until for minute in batch)
            self.written_until = max([self.written_until, *(minute.at for minute in batch)])
            self._unwritten.popleft()
        noted = dict(self._last_requests)
        await self._apps.set_last_requests(noted)
        for app_id, at in noted.items():
            if self._last_requests.get(app_id) == at:
                del self._last_requests[app_id]

    def _minute(self, app_id: str, app: _Followed) -> MinuteRecord:
        """The present one."""
        now = _minute_of(self._clock())
        if app.minute is not None and app.minute.at != now:
            self._end_minute(app)
        if app.minute is None:
            app.minute = MinuteRecord(app_id, now, cpu_seconds=app.idle_cpu_seconds)
            app.idle_cpu_seconds = 0.0
        return app.minute

    def _end_minute(self, app: _Followed) -> None:
        over, app.minute = app.minute, None
        if over is None:
            return
        if over.is_idle and over.at.minute % _IDLE_EVERY_MINUTES:
            app.idle_cpu_seconds = over.cpu_seconds
        else:
            self._over.append(over)

    def _note_request(self, app_id: str, app: _Followed, idle_seconds: float) -> None:
        ago = idle_seconds if math.isfinite(idle_seconds) else 0.0
        at = self._clock() - timedelta(seconds=min(max(ago, 0.0), 3600.0))
        app.last_request_at = self._last_requests[app_id] = at

    async def _run(self) -> None:
        while True:
            # A moment after the minute; at a clock that is set meanwhile, at most a minute late.
            await asyncio.sleep(60.5 - self._clock().timestamp() % 60)
            await self._flush(_FLUSH_SECONDS)

    async def _flush(self, timeout_seconds: float, *, whole: bool = False) -> None:
        try:
            with self._telemetry.loop("metrics"):
                async with asyncio.timeout(timeout_seconds):
                    await self.flush(whole=whole)
        except GoFastAPIError as error:
            logger.warning("metrics wait to be written: %s", error.message)
        except TimeoutError:
            logger.warning("metrics wait to be written: the database takes too long")
        except Exception:
            logger.exception("metrics")


def _add(minute: MinuteRecord, route: Route, counts: Counts) -> None:
    if route not in minute.routes and len(minute.routes) >= MAX_ROUTES:
        route = OTHER
    minute.routes.setdefault(route, Counts()).add(counts)


def _running(app: _Followed) -> list[_Heard]:
    return [heard for observed, heard in app.instances.items() if observed.instance.state != "ended"]


def _minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
