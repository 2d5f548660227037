"""Take an app away: first so that it can come back, in the end for good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from gofastapi_ext.core.errors import ConflictError, NotFoundError
from gofastapi_ext.core.lifecycle import Target
from gofastapi_ext.platform.control.attempt import DeployTools
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.versions import new_version_time


class Removal:
    """Asked for by an app's owner, or by what time does to it."""

    def __init__(
        self, tools: DeployTools, supervisors: Supervisors, forget: Sequence[Callable[[str], Awaitable[None]]]
    ) -> None:
        """`forget` takes away, each, what else is kept of an app that is gone."""
        self._tools = tools
        self._supervisors = supervisors
        self._forget = forget

    async def retire(self, record: AppRecord, *, unless_changed: bool = False) -> AppRecord:
        """End the app and give up its address; for some days it can be restored.

        Raises `NotFoundError` where it is gone already, and `ConflictError` where it is being deployed, or, with
        `unless_changed`, where it is no longer what `record` says.
        """
        apps, supervisor = self._tools.apps, self._supervisors.of(record)
        async with supervisor.exclusive():
            current = await apps.get(record.id)
            if current is None or current.owner != record.owner or current.target is Target.DELETED:
                raise NotFoundError(f'There is no app "{record.id}".')
            if unless_changed and current.revision != record.revision:
                raise ConflictError(f'"{record.id}" was changed meanwhile.')
            now = new_version_time()
            retired = await apps.change(
                current,
                target=Target.DELETED,
                target_before=current.target,
                deleted_at=now,
                restorable_until=now + timedelta(days=self._tools.settings.restore_days),
                removal_warned_at=None,
            )
            await self._supervisors.remove(supervisor)
        # With the status that it came to meanwhile.
        return await apps.get(record.id) or retired

    async def purge(self, record: AppRecord) -> AppRecord:
        """Remove everything of a deleted app but its name: versions, draft, code, variables, files."""
        tools, app_id = self._tools, record.id
        supervisor = self._supervisors.of(record)
        async with supervisor.exclusive():
            current = await tools.apps.get(app_id)
            if current is None or current.target is not Target.DELETED:
                return current or record
            # First of all: what is removed by half can only be removed wholly, also after a crash.
            current = await tools.apps.change(current, restorable_until=None)
            hashes = {version.code_hash for version in await tools.versions.remove_app(app_id)}
            draft = await tools.drafts.get(app_id)
            if draft is not None:
                await tools.drafts.remove(app_id, None)
                hashes.add(draft.code_hash)
            await tools.environments.remove_app(app_id)
            for code_hash in hashes:
                await tools.garbage.bundle(code_hash)
            await tools.launcher.forget_app(app_id)
            await self._supervisors.remove(supervisor)
            for forget in self._forget:
                await forget(app_id)
            gone = {
                "port": None,
                "live_version": None,
                "live_hash": None,
                "db_branch": None,
                "env_revision": 0,
                "next_version": 1,
                "sleep_after_seconds": None,
                "record_bodies": False,
                "workers": 1,
                "last_request_at": None,
                "removal_warned_at": None,
            }
            return await tools.apps.change(current, **gone, purged=True, title=None, reason=None, diagnostics=[])
