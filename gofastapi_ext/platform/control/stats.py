"""How well the promise is kept here: from the cell to the URL, in seconds, and how surely."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from gofastapi_ext.core.lifecycle import State, shown_state
from gofastapi_ext.core.stats import StatsView, promise_of, stage_numbers
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.versions import VersionStore

_DAYS = 7


class Stats:
    """Figures over all apps of somebody, or of everybody."""

    def __init__(self, apps: AppStore, versions: VersionStore) -> None:
        self._apps = apps
        self._versions = versions

    async def of(self, owner: str) -> StatsView:
        """Deploys of the last 7 days count, also of apps that are deleted by now, as long as they can be restored."""
        now = datetime.now(UTC)
        since = now - timedelta(days=_DAYS)
        records = await self._apps.of_owner(owner)
        deleted = await self._apps.deleted(owner)
        deploys = await self._versions.deploys([record.id for record in [*records, *deleted]], since)
        states = Counter(shown_state(record.target, record.status) for record in records)
        return StatsView(
            since=since,
            promise=promise_of(deploys, _DAYS),
            stages=stage_numbers(deploys),
            apps=len(records),
            apps_running=states[State.RUNNING],
            apps_asleep=states[State.ASLEEP],
            wakes=0,
            wake_p50_seconds=None,
            requests=0,
        )

    async def apps_by_state(self) -> Counter[State]:
        """Of everybody; deleted ones are left out."""
        return Counter(
            {shown_state(target, status): count for (target, status), count in (await self._apps.count()).items()}
        )
