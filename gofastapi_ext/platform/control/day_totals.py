"""The totals of many apps of a day, for lists of them: of what was read once, whole hours are remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gofastapi_ext.platform.control.metrics import MetricsRecorder
from gofastapi_ext.platform.store.metrics import AppTotals, MetricsStore

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class _Remembered:
    """Of one app: every minute that is stored from the beginning of an hour until `until`, by the hour."""

    since: datetime
    until: datetime
    hours: dict[datetime, AppTotals] = field(default_factory=dict)


class DayTotals:
    """A day of a hundred apps is 144,000 minutes, most of which were there when somebody asked before."""

    def __init__(self, store: MetricsStore, recorder: MetricsRecorder) -> None:
        self._store = store
        self._recorder = recorder
        self._remembered: dict[str, _Remembered] = {}
        self._rewrites = 0
        self._reading = asyncio.Lock()

    async def of(self, app_ids: Sequence[str], since: datetime) -> dict[str, AppTotals]:
        """Of all that is written of each app from `since` on, which is the beginning of a minute."""
        until = self._recorder.written_until
        hour = hour_of(since + _HOUR - _MINUTE)
        async with self._reading:
            await self._read_on(app_ids, hour, until)
            # What is left of the first hour changes from minute to minute, and is little.
            totals = await self._store.totals(app_ids, since, min(hour - _MINUTE, until)) if since < hour else {}
            for app_id in app_ids:
                into = totals.setdefault(app_id, AppTotals())
                for each in self._remembered[app_id].hours.values():
                    into.add(each)
        return totals

    def hourly(self, app_id: str) -> Mapping[datetime, AppTotals]:
        """Of an app that `of` was asked for: its whole hours, by their beginning, as they were then."""
        return self._remembered[app_id].hours

    async def _read_on(self, app_ids: Sequence[str], hour: datetime, until: datetime) -> None:
        if self._rewrites != self._recorder.rewrites:
            self._rewrites = self._recorder.rewrites
            self._remembered.clear()
        missing: dict[datetime, list[str]] = {}
        for app_id in app_ids:
            known = self._remembered.get(app_id)
            if known is None or known.since > hour:
                known = self._remembered[app_id] = _Remembered(hour, hour - _MINUTE)
            for gone in [each for each in known.hours if each < hour]:
                del known.hours[gone]
            known.since, known.until = hour, max(known.until, hour - _MINUTE)
            missing.setdefault(known.until + _MINUTE, []).append(app_id)
        for begin, names in missing.items():
            if begin > until:
                continue
            found = await self._store.totals_by_hour(names, begin, until)
            for (app_id, each), totals in found.items():
                self._remembered[app_id].hours.setdefault(each, AppTotals()).add(totals)
            for app_id in names:
                self._remembered[app_id].until = until


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
