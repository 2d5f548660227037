"""Apps as their owner sees them: find, list, delete."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from gofastapi_ext.core.drafts import code_state
from gofastapi_ext.core.errors import ConflictError, NotFoundError
from gofastapi_ext.core.lifecycle import Status, Target, shown_state
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.models import AppView, LogLine, VersionView
from gofastapi_ext.core.naming import check_app_id
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.runtimes.base import Runtime
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.versions import VersionRecord, VersionStore, kept


class Apps:
    """Use cases on apps, each for one owner: what is not yours does not exist."""

    def __init__(
        self, apps: AppStore, versions: VersionStore, runtime: Runtime, supervisors: Supervisors, limits: Limits
    ) -> None:
        self._limits = limits
        self._apps = apps
        self._versions = versions
        self._runtime = runtime
        self._supervisors = supervisors

    async def find(self, app_id: str, owner: str) -> AppRecord:
        """Raises `NotFoundError`."""
        record = await self._apps.get(app_id)
        if record is None or record.owner != owner or record.target is Target.DELETED:
            raise NotFoundError(f'There is no app "{app_id}".')
        return record

    async def find_or_create(self, app_id: str, owner: str) -> AppRecord:
        """The app to deploy to; a deleted one of the same owner comes back under its name."""
        record = await self._apps.get(app_id)
        if record is None:
            return await self._apps.create(check_app_id(app_id), owner)
        if record.owner != owner:
            raise ConflictError(f'The name "{app_id}" is taken. Choose another.')
        if record.target is Target.DELETED:
            if record.status is not Status.STOPPED:
                raise ConflictError(f'"{app_id}" is just being removed. Try again in a moment.')
            return await self._apps.change(
                record, target=Target.RUNNING, status=Status.NEW, deleted_at=None, next_version=1
            )
        return record

    async def view(self, app_id: str, owner: str) -> AppView:
        return self._view(await self.find(app_id, owner))

    async def of(self, owner: str) -> list[AppView]:
        return [self._view(record) for record in await self._apps.of_owner(owner)]

    async def versions(self, app_id: str, owner: str) -> list[VersionView]:
        """Newest first."""
        record = await self.find(app_id, owner)
        # What is beyond the limit is on its way out.
        stay = kept(await self._versions.of_app(record.id), self._limits.max_versions_kept, record.live_version)
        return [_version_view(version, record) for version in stay]

    async def delete(self, app_id: str, owner: str) -> None:
        """Take the app and everything of it away. The name stays its owner's."""
        record = await self.find(app_id, owner)
        supervisor = self._supervisors.of(record)
        async with supervisor.exclusive():
            await self._apps.change(
                await self.find(app_id, owner),
                target=Target.DELETED,
                deleted_at=datetime.now(UTC),
                live_version=None,
                live_hash=None,
            )
            await self._supervisors.remove(supervisor)

    async def logs(self, app_id: str, owner: str, tail: int, follow: bool) -> AsyncGenerator[list[LogLine]]:
        """Raises `NotFoundError` before the first line."""
        record = await self.find(app_id, owner)
        return self._runtime.logs(record.id, tail, follow)

    def _view(self, record: AppRecord) -> AppView:
        supervisor = self._supervisors.find(record.id)
        return AppView(
            id=record.id,
            title=record.id,
            url=self._runtime.url(record.port) if record.port else None,
            state=shown_state(record.target, record.status),
            target=record.target,
            status=record.status,
            reason=record.reason,
            version=record.live_version,
            code_hash=record.live_hash,
            code_state=code_state(None, record.live_hash),
            port=record.port,
            created_at=record.created_at,
            updated_at=record.updated_at,
            instances=supervisor.instances() if supervisor else [],
            diagnostics=record.diagnostics,
        )


def _version_view(version: VersionRecord, record: AppRecord) -> VersionView:
    if version.number == record.live_version:
        state = "live"
    else:
        state = "superseded" if version.state == "released" else version.state
    return VersionView(
        **version.model_dump(exclude={"app", "entrypoint", "env", "origins", "interpreter", "state"}),
        state=state,
        env_names=sorted(version.env),
    )
