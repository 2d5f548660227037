"""How well the promise is kept here: from the cell to the URL, in seconds, and how surely."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import State, shown_state
from gofastapi_ext.core.stats import StatsView, percentile, promise_of, stage_numbers
from gofastapi_ext.platform.control.metrics_views import Metrics
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.events import EventStore
from gofastapi_ext.platform.store.versions import VersionStore

_DAYS = 7


class Stats:
    """Figures over all apps of somebody, or of everybody."""

    def __init__(self, apps: AppStore, versions: VersionStore, events: EventStore, metrics: Metrics) -> None:
        self._apps = apps
        self._versions = versions
        self._events = events
        self._metrics = metrics

    async def of(self, owner: str) -> StatsView:
        """Deploys of the last 7 days count, also of apps that are deleted by now, as long as they can be restored."""
        now = datetime.now(UTC)
        since = now - timedelta(days=_DAYS)
        records = await self._apps.of_owner(owner)
        deleted = await self._apps.deleted(owner)
        deploys = await self._versions.deploys([record.id for record in [*records, *deleted]], since)
        wakes = await self._events.seconds(owner, EventKind.WOKE, now - timedelta(days=1))
        states = Counter(shown_state(record.target, record.status) for record in records)
        return StatsView(
            since=since,
            promise=promise_of(deploys, _DAYS),
            stages=stage_numbers(deploys),
            apps=len(records),
            apps_running=states[State.RUNNING],
            apps_asleep=states[State.ASLEEP],
            wakes=len(wakes),
            wake_p50_seconds=percentile(wakes, 0.5),
            requests=sum(numbers.requests for numbers in await self._metrics.of(owner)),
        )

    async def apps_by_state(self) -> Counter[State]:
        """Of everybody; deleted ones are left out."""
        states: Counter[State] = Counter()
        for (target, status), count in (await self._apps.count()).items():
            states[shown_state(target, status)] += count
        return states
