"""Apps that nobody visits any more: warned, and then removed, so that they can be restored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from gofastapi_ext.core.cleanup import CleanupItem, Leftover
from gofastapi_ext.core.durations import format_duration
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.idle import IdleVerdict, judge_idle
from gofastapi_ext.core.lifecycle import Target
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.observer import Observer
from gofastapi_ext.platform.control.removal import Removal
from gofastapi_ext.platform.control.steps import Step
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.drafts import DraftStore


class IdleApps:
    """Judges every app that has a live version, also a stopped one: it keeps its address and its files.

    What was never live is somebody's work and runs nothing: it stays. What counts as use is a request from outside,
    a deploy or another change of the app, and the saving of its draft.
    """

    def __init__(
        self,
        *,
        apps: AppStore,
        drafts: DraftStore,
        removal: Removal,
        observer: Observer,
        last_request_at: Callable[[str], datetime | None],
        events: EventFeed,
        remove_after_seconds: float | None,
    ) -> None:
        self._apps = apps
        self._drafts = drafts
        self._removal = removal
        self._observer = observer
        self._last_request_at = last_request_at
        self._events = events
        self._remove_after_seconds = remove_after_seconds
        self._begun = time.monotonic()

    async def steps(self) -> list[Step]:
        """Who is to be warned, and who is to go."""
        if self._remove_after_seconds is None:
            return []
        records = [record for record in await self._apps.all() if _may_go(record)]
        due = [record for record in records if self._judge(record, self._used_at(record)).due]
        steps = await asyncio.gather(*(self._step(record) for record in due))
        return [step for step in steps if step is not None]

    async def _step(self, record: AppRecord) -> Step | None:
        verdict = await self._judge_anew(record)
        if verdict.due is None:
            return None
        warns = verdict.due is Leftover.APP_WARNED
        item = CleanupItem(
            what=verdict.due,
            name=record.id,
            reason=f"nobody uses it{'' if warns else f', for {self._idle_time}'}",
            due_at=verdict.goes_at if warns else None,
        )
        return Step(item, partial(self._warn if warns else self._remove, record.id))

    async def _warn(self, app_id: str) -> bool:
        record = await self._apps.get(app_id)
        if record is None or not _may_go(record):
            return False
        verdict = await self._judge_anew(record)
        if verdict.due is not Leftover.APP_WARNED:
            return False
        await self._apps.set_removal_warned(app_id, datetime.now(UTC))
        self._events.publish(
            EventKind.REMOVAL_WARNING,
            f"{app_id} will be removed on {_moment(verdict.goes_at)}, because nobody uses it. "
            "A visit or a deploy keeps it.",
            owner=record.owner,
            app=app_id,
            details={"goes_at": verdict.goes_at.isoformat()},
        )
        return True

    async def _remove(self, app_id: str) -> bool:
        record = await self._apps.get(app_id)
        if record is None or not _may_go(record):
            return False
        if (await self._judge_anew(record)).due is not Leftover.APP_REMOVED:
            return False
        removed = await self._removal.retire(record, unless_changed=True)
        until = f" until {_moment(removed.restorable_until)}" if removed.restorable_until else ""
        self._events.publish(
            EventKind.REMOVED,
            f"{app_id} was removed, because nobody had used it for {self._idle_time}. "
            f"It can be brought back{until}: gofastapi restore {app_id}",
            owner=record.owner,
            app=app_id,
            details={"restorable_until": removed.restorable_until.isoformat() if removed.restorable_until else None},
        )
        return True

    @property
    def _idle_time(self) -> str:
        return format_duration(self._remove_after_seconds or 0.0)

    async def _judge_anew(self, record: AppRecord) -> IdleVerdict:
        """With what its instances say at this moment: a request of just now counts."""
        # In use, being started, or too busy to answer: this is no moment to judge it.
        is_in_use = await self._observer.ask_idle_seconds(record.id) == 0.0
        used_at = datetime.now(UTC) if is_in_use else self._used_at(record)
        draft = await self._drafts.get(record.id)
        return self._judge(record, max(used_at, draft.saved_at) if draft else used_at)

    def _used_at(self, record: AppRecord) -> datetime:
        heard = (record.last_request_at, self._last_request_at(record.id))
        return max(record.created_at, record.updated_at, *(each for each in heard if each is not None))

    def _judge(self, record: AppRecord, used_at: datetime) -> IdleVerdict:
        now = datetime.now(UTC)
        return judge_idle(
            used_at=used_at,
            warned_at=record.removal_warned_at,
            now=now,
            remove_after=timedelta(seconds=self._remove_after_seconds or 0.0),
            # By the monotonic clock: whoever sets the wall clock does not end a wait.
            running_since=now - timedelta(seconds=time.monotonic() - self._begun),
        )


def _may_go(record: AppRecord) -> bool:
    return record.target is not Target.DELETED and record.live_version is not None


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d at %H:%M} UTC"
