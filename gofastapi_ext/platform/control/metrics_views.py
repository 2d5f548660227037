"""How an app is doing, and how all of them are: what is stored, and what is not written yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gofastapi_ext.core.counts import Counts, average_ms
from gofastapi_ext.core.metrics import AppNumbers, MetricsPoint, MetricsView, RouteNumbers
from gofastapi_ext.core.windows import DAY, check_step, check_window
from gofastapi_ext.platform.control.apps import Apps
from gofastapi_ext.platform.control.day_totals import DayTotals, hour_of
from gofastapi_ext.platform.control.metrics import MetricsRecorder
from gofastapi_ext.platform.control.observer import Observer
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.metrics import AppTotals, MetricsStore, MinuteRecord


@dataclass(slots=True)
class _Sum:
    """Minutes added up."""

    counts: Counts = field(default_factory=Counts)
    cold_starts: int = 0
    cpu_seconds: float = 0.0
    memory_bytes: int | None = None

    def add(self, minute: MinuteRecord) -> None:
        self.cold_starts += minute.cold_starts
        self.cpu_seconds += minute.cpu_seconds
        if minute.memory_bytes:
            self.memory_bytes = max(minute.memory_bytes, self.memory_bytes or 0)
        for counts in minute.routes.values():
            self.counts.add(counts)


class Metrics:
    """Use cases on metrics, each for one owner: what is not yours does not exist."""

    def __init__(
        self,
        apps: Apps,
        app_store: AppStore,
        store: MetricsStore,
        recorder: MetricsRecorder,
        observer: Observer,
        keep_seconds: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._apps = apps
        self._app_store = app_store
        self._store = store
        self._recorder = recorder
        self._observer = observer
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._day_totals = DayTotals(store, recorder)

    async def view(
        self, app_id: str, owner: str, window_seconds: float | None = None, step_seconds: int | None = None
    ) -> MetricsView:
        """One app, up to this moment. Raises `InvalidRequestError` for a window or step that cannot be shown."""
        window = check_window(window_seconds, self._keep_seconds)
        step = check_step(step_seconds, window)
        record = await self._apps.find(app_id, owner)
        await self._observer.refresh(app_id)
        until = self._clock()
        since = _step_of(until - timedelta(seconds=window), step)
        recorder = self._recorder
        steps: dict[datetime, _Sum] = {}
        routes: dict[tuple[str, str], Counts] = {}

        def add(minute: MinuteRecord) -> None:
            steps.setdefault(_step_of(minute.at, step), _Sum()).add(minute)
            for route, counts in minute.routes.items():
                routes.setdefault(route, Counts()).add(counts)

        # Before the first await: what is written meanwhile is later than `written_until`, and not read twice.
        for minute in self._pending(since, until, app_id):
            add(minute)
        async for minute in self._store.of_app(app_id, since, min(recorder.written_until, until)):
            add(minute)
        total = _Sum()
        for part in steps.values():
            total.counts.add(part.counts)
            total.cold_starts += part.cold_starts
            total.cpu_seconds += part.cpu_seconds
        busiest = sorted(routes.items(), key=lambda item: (-item[1].requests, item[0]))
        return MetricsView(
            app=app_id,
            since=since,
            until=until,
            step_seconds=step,
            in_flight=recorder.in_flight(app_id),
            cold_starts=total.cold_starts,
            cpu_seconds=round(total.cpu_seconds, 3),
            memory_bytes=recorder.memory_bytes(app_id),
            last_request_at=recorder.last_request_at(app_id) or record.last_request_at,
            points=[_point(at, part) for at, part in sorted(steps.items())],
            routes=[
                RouteNumbers(method=method, route=route, **counts.numbers()) for (method, route), counts in busiest
            ],
            **total.counts.numbers(),
        )

    async def of(self, owner: str) -> list[AppNumbers]:
        """All apps of an owner in the last day, by name, as far as they have reported by themselves."""
        ids = [record.id for record in await self._app_store.of_owner(owner)]
        until = self._clock()
        since = _step_of(until - timedelta(seconds=min(DAY, self._keep_seconds)), 60)
        totals: dict[str, AppTotals] = {}
        hours = {app_id: _Hours(until) for app_id in ids}
        # First, as above.
        for minute in self._pending(since, until):
            into = totals.setdefault(minute.app, AppTotals())
            for counts in minute.routes.values():
                into.add(counts)
                if minute.app in hours:
                    hours[minute.app].add(minute.at, counts.requests)
        for app_id, stored in (await self._day_totals.of(ids, since)).items():
            totals.setdefault(app_id, AppTotals()).add(stored)
        for app_id in ids:
            for at, of_hour in self._day_totals.hourly(app_id).items():
                hours[app_id].add(at, of_hour.requests)
        return [_numbers(app_id, totals.get(app_id, AppTotals()), hours[app_id]) for app_id in ids]

    def _pending(self, since: datetime, until: datetime, app_id: str | None = None) -> Iterator[MinuteRecord]:
        return (minute for minute in self._recorder.pending(app_id) if since <= minute.at <= until)


class _Hours:
    """Requests in each of the 24 hours that end with the one of `until`."""

    def __init__(self, until: datetime) -> None:
        self._first = hour_of(until) - timedelta(hours=23)
        self._requests = [0] * 24

    def add(self, at: datetime, requests: int) -> None:
        hour = (at - self._first) // timedelta(hours=1)
        if 0 <= hour < 24:
            self._requests[hour] += requests

    def shown(self) -> list[int]:
        return self._requests if any(self._requests) else []


def _numbers(app_id: str, totals: AppTotals, hours: _Hours) -> AppNumbers:
    return AppNumbers(
        app=app_id,
        requests=totals.requests,
        client_errors=totals.client_errors,
        server_errors=totals.server_errors,
        latency_ms=average_ms(totals.microseconds, totals.requests),
        hourly=hours.shown(),
    )


def _point(at: datetime, part: _Sum) -> MetricsPoint:
    return MetricsPoint(
        at=at,
        cold_starts=part.cold_starts,
        cpu_seconds=round(part.cpu_seconds, 3),
        memory_bytes=part.memory_bytes,
        **part.counts.numbers(),
    )


def _step_of(moment: datetime, step_seconds: int) -> datetime:
    """The beginning of the step that a moment is in."""
    return datetime.fromtimestamp(moment.timestamp() // step_seconds * step_seconds, UTC)
