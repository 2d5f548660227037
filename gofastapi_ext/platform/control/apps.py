"""Apps as their owner sees them: find, list, rename, stop, clone, delete, restore."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from gofastapi_ext.core.drafts import DraftInfo, code_state
from gofastapi_ext.core.errors import ConflictError, NotFoundError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Stage, Status, Target, shown_state
from gofastapi_ext.core.logs import LogQuery
from gofastapi_ext.core.models import AppChange, AppView, LogLine, StageEvent, VersionView
from gofastapi_ext.core.naming import check_app_id
from gofastapi_ext.platform.control.attempt import DeployTools
from gofastapi_ext.platform.control.deployments import Deployments
from gofastapi_ext.platform.control.health import HealthWatch
from gofastapi_ext.platform.control.observer import Observer
from gofastapi_ext.platform.control.options import in_words, options_of
from gofastapi_ext.platform.control.removal import Removal
from gofastapi_ext.platform.control.sleep import Sleeper
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.versions import Kind, VersionRecord, kept


class Apps:
    """Use cases on apps, each for one owner: what is not yours does not exist."""

    def __init__(
        self,
        tools: DeployTools,
        supervisors: Supervisors,
        deployments: Deployments,
        removal: Removal,
        health: HealthWatch,
        sleeper: Sleeper,
        observer: Observer,
        last_request_at: Callable[[str], datetime | None],
    ) -> None:
        """`last_request_at` knows of an app what is not stored yet."""
        self._tools = tools
        self._apps = tools.apps
        self._supervisors = supervisors
        self._deployments = deployments
        self._removal = removal
        self._health = health
        self._sleeper = sleeper
        self._observer = observer
        self._last_request_at = last_request_at

    async def find(self, app_id: str, owner: str) -> AppRecord:
        """Raises `NotFoundError`."""
        record = await self._apps.get(app_id)
        if record is None or record.owner != owner or record.target is Target.DELETED:
            hint = _hint_to_restore(record, owner) or await self._hint_to_others(app_id, owner)
            raise NotFoundError(f'There is no app "{app_id}".{hint}')
        return record

    async def _hint_to_others(self, app_id: str, owner: str) -> str:
        near = get_close_matches(app_id, [record.id for record in await self._apps.of_owner(owner)], 1)
        return f' Did you mean "{near[0]}"?' if near else ""

    async def find_or_create(self, app_id: str, owner: str) -> AppRecord:
        """The app to deploy to, or to save a draft of. One that was deleted comes back, stopped, as far as it can."""
        record = await self._apps.get(app_id)
        if record is None:
            return await self._apps.create(check_app_id(app_id), owner)
        if record.owner != owner:
            raise ConflictError(f'The name "{app_id}" is taken. Choose another.')
        if record.target is not Target.DELETED:
            return record
        return await self._undelete(record)

    async def view(self, app_id: str, owner: str) -> AppView:
        return await self._with_draft(await self.find(app_id, owner))

    async def of(self, owner: str) -> list[AppView]:
        """By name."""
        records, drafts = await asyncio.gather(self._apps.of_owner(owner), self._tools.drafts.of_owner(owner))
        return [self._view(record, drafts.get(record.id)) for record in records]

    async def deleted(self, owner: str) -> list[AppView]:
        """Those that can still be restored, by name."""
        records = [record for record in await self._apps.deleted(owner) if _is_restorable(record)]
        return [await self._with_draft(record) for record in records]

    async def change(self, app_id: str, owner: str, change: AppChange) -> AppView:
        """Change what was given. Link previews show a new title from the next start on; an empty one is the id.

        Workers are started or let go in the background, without a pause.
        """
        record = await self.find(app_id, owner)
        options = options_of(change, self._tools.settings.limits.max_workers)
        if options:
            await self._apps.set_options(record.id, options)
            self._publish(EventKind.CHANGED, in_words(options), record, owner)
        if change.record_bodies is not None:
            for observed in self._observer.latest(record.id):
                observed.instance.record_bodies(change.record_bodies)
        if change.workers is not None:
            self._supervisors.of(record).scale()
        return await self.view(app_id, owner)

    async def sleep(self, app_id: str, owner: str) -> AppView:
        """Put an app to sleep now. Raises `ConflictError` where it is in use."""
        await self._sleeper.put_to_sleep(await self.find(app_id, owner), owner)
        return await self.view(app_id, owner)

    async def versions(self, app_id: str, owner: str) -> list[VersionView]:
        """Newest first."""
        record = await self.find(app_id, owner)
        # What is beyond the limit is on its way out.
        keep = self._tools.settings.limits.max_versions_kept
        stay = kept(await self._tools.versions.of_app(record.id), keep, record.live_version)
        return [version_view(version, record) for version in stay]

    async def stop(self, app_id: str, owner: str) -> AppView:
        """End the app's processes, once they have finished what they are at. Everything else of it stays."""
        record = await self.find(app_id, owner)
        if record.target is not Target.STOPPED:
            supervisor = self._supervisors.of(record)
            async with supervisor.exclusive():
                record = await self.find(app_id, owner)
                if record.live_version is None:
                    raise ConflictError(f'"{app_id}" does not run: nothing of it is deployed yet.')
                await self._apps.change(record, target=Target.STOPPED)
                await supervisor.halt()
            self._publish(EventKind.STOPPED, "It was stopped.", record, owner)
        return await self.view(app_id, owner)

    async def start(self, app_id: str, owner: str) -> AsyncIterator[StageEvent]:
        """Start a stopped app; one that runs is left alone."""
        record = await self.find(app_id, owner)
        supervisor = self._supervisors.of(record)
        if record.target is Target.RUNNING and supervisor.is_serving and record.port is not None:
            url = self._tools.runtime.url(record.port)
            # Workers that crashed and were given up get another chance.
            supervisor.scale()
            yield StageEvent(stage=Stage.LIVE, seconds=0.0, url=url, version=record.live_version, unchanged=True)
            return
        async for event in self._deployments.restart(record, owner, Kind.START):
            yield event

    async def delete(self, app_id: str, owner: str, *, forever: bool) -> AppView:
        """Take the app away. It can be restored for some days, unless it is `forever`; its name stays its owner's."""
        record = await self._apps.get(app_id)
        if record is None or record.owner != owner or record.purged:
            raise NotFoundError(f'There is no app "{app_id}".')
        if record.target is not Target.DELETED:
            record = await self._removal.retire(record)
            until = f", and can be restored until {record.restorable_until:%Y-%m-%d}"
            # Those who watch are told of what is gone for good, too; only its history goes with it.
            self._publish(EventKind.DELETED, f"It was deleted{' for good' if forever else until}.", record, owner)
        elif not forever:
            raise NotFoundError(f'There is no app "{app_id}".{_hint_to_restore(record, owner)}')
        if forever:
            record = await self._removal.purge(record)
        return self._view(record, None)

    async def restore(self, app_id: str, owner: str) -> AsyncIterator[StageEvent]:
        """Bring a deleted app back; it runs again where it ran. Raises `NotFoundError`, `ConflictError`."""
        record = await self._apps.get(app_id)
        if record is None or record.owner != owner or record.is_gone:
            raise NotFoundError(f'There is no deleted app "{app_id}" that could be restored.')
        if record.target is not Target.DELETED:
            raise ConflictError(f'"{app_id}" is not deleted.')
        ran = record.target_before in (Target.RUNNING, Target.ASLEEP) and record.live_version is not None
        record = await self._undelete(record)
        if not ran:
            self._publish(EventKind.RESTORED, "It was restored. It does not run, as before.", record, owner)
            yield StageEvent(stage=Stage.SAVED, seconds=0.0)
            return
        async for event in self._deployments.restart(record, owner, Kind.RESTORE):
            yield event

    async def logs(self, app_id: str, owner: str, query: LogQuery, follow: bool) -> AsyncGenerator[list[LogLine]]:
        """Raises `NotFoundError` before the first line."""
        record = await self.find(app_id, owner)
        return self._tools.runtime.logs(record.id, query, follow)

    async def _undelete(self, record: AppRecord) -> AppRecord:
        """A deleted app as it was, but stopped; a new one of its name where nothing else is left of it."""
        if record.status is not Status.STOPPED:
            raise ConflictError(f'"{record.id}" is just being removed. Try again in a moment.')
        if record.is_gone and not record.purged:
            record = await self._removal.purge(record)
        back: dict[str, Any] = {"deleted_at": None, "restorable_until": None, "target_before": None}
        supervisor = self._supervisors.of(record)
        async with supervisor.exclusive():
            current = await self._apps.get(record.id)
            if current is None or current.target is not Target.DELETED:
                raise ConflictError(f'"{record.id}" was changed by someone else meanwhile. Run it again.')
            if current.purged or current.live_version is None:
                back |= {"purged": False, "target": Target.RUNNING, "status": Status.NEW}
                return await self._apps.change(current, **back)
            record = await self._apps.change(current, **back, target=Target.STOPPED)
            await self._supervisors.show_stopped(record)
            return record

    def _publish(self, kind: EventKind, message: str, record: AppRecord, by: str) -> None:
        self._tools.events.publish(kind, message, owner=record.owner, app=record.id, by=by)

    async def _with_draft(self, record: AppRecord) -> AppView:
        draft = await self._tools.drafts.get(record.id)
        return self._view(record, draft.info if draft else None)

    def _view(self, record: AppRecord, draft: DraftInfo | None) -> AppView:
        supervisor = self._supervisors.find(record.id)
        return AppView(
            id=record.id,
            title=record.title or record.id,
            url=self._tools.runtime.url(record.port) if record.port else None,
            state=shown_state(record.target, record.status),
            target=record.target,
            status=record.status,
            reason=record.reason,
            version=record.live_version,
            code_hash=record.live_hash,
            db_branch=self._tools.launcher.databases.branch_in_force(record.owner, record.db_branch),
            code_state=code_state(draft.code_hash if draft else None, record.live_hash),
            draft=draft,
            port=record.port,
            created_at=record.created_at,
            updated_at=record.updated_at,
            deleted_at=record.deleted_at,
            restorable_until=record.restorable_until,
            sleep_after_seconds=self._sleeper.sleep_after_seconds(record.sleep_after_seconds),
            record_bodies=record.record_bodies,
            workers=record.workers,
            last_request_at=self._last_request_at(record.id) or record.last_request_at,
            health=self._health.of(record),
            instances=supervisor.instances() if supervisor else [],
            diagnostics=record.diagnostics,
        )


def version_view(version: VersionRecord, record: AppRecord) -> VersionView:
    """A version as its owner sees it; `record` tells which one is live."""
    if version.number == record.live_version:
        state = "live"
    else:
        state = "superseded" if version.state == "released" else version.state
    names = sorted(version.env_names or version.env)
    hidden = {"app", "entrypoint", "env", "env_names", "origins", "interpreter", "state"}
    return VersionView(**version.model_dump(exclude=hidden), state=state, env_names=names)


def _is_restorable(record: AppRecord) -> bool:
    until = record.restorable_until
    return not record.purged and until is not None and until > datetime.now(UTC)


def _hint_to_restore(record: AppRecord | None, owner: str) -> str:
    if record is None or record.owner != owner or not _is_restorable(record):
        return ""
    return f" It was deleted on {record.deleted_at:%Y-%m-%d}; to bring it back: gofastapi restore {record.id}"
