"""All supervisors of this service: restores every app at start, ends them at the end."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.lifecycle import Status, Target
from gofastapi_ext.platform.control.app_status import AppStatus
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.environments import Environments
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.launcher import Launcher
from gofastapi_ext.platform.control.live_version import LiveVersions
from gofastapi_ext.platform.control.observer import Observer
from gofastapi_ext.platform.control.recovery import Recovery
from gofastapi_ext.platform.control.supervisor import Supervisor
from gofastapi_ext.platform.runtimes.base import Runtime
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.versions import VersionStore

_STARTED_AT_ONCE = 8


class Supervisors:
    """One `Supervisor` for each app that is not deleted."""

    def __init__(
        self,
        *,
        home: Path,
        apps: AppStore,
        versions: VersionStore,
        bundles: BundleStore,
        environments: Environments,
        databases: Databases,
        runtime: Runtime,
        settings: Settings,
        observer: Observer,
        events: EventFeed,
    ) -> None:
        self.launcher = Launcher(home, bundles, databases, runtime, observer)
        self._live_versions = LiveVersions(apps, versions, environments, self.launcher, runtime)
        self._apps = apps
        self._versions = versions
        self._bundles = bundles
        self._runtime = runtime
        self._settings = settings
        self._events = events
        # After a crash of the service every worker starts again: a few at a time come up sooner than all at once.
        self._starts = asyncio.Semaphore(_STARTED_AT_ONCE)
        self._by_app: dict[str, Supervisor] = {}

    def of(self, record: AppRecord) -> Supervisor:
        """The supervisor of an app, made on first use."""
        supervisor = self._by_app.get(record.id)
        if supervisor is None:
            supervisor = self._by_app[record.id] = self._supervise(record.id, record.owner)
        return supervisor

    def _supervise(self, app_id: str, owner: str) -> Supervisor:
        status = AppStatus(app_id, owner, self._apps, self._runtime, self._events)
        recovery = Recovery(
            app_id,
            status=status,
            live_versions=self._live_versions,
            bundles=self._bundles,
            runtime=self._runtime,
            settings=self._settings,
            starts=self._starts,
        )
        return Supervisor(
            app_id, status=status, recovery=recovery, live_versions=self._live_versions, runtime=self._runtime
        )

    def find(self, app_id: str) -> Supervisor | None:
        return self._by_app.get(app_id)

    def serving_pid(self, app_id: str) -> int | None:
        """The process that takes an app's traffic at this moment."""
        supervisor = self._by_app.get(app_id)
        return supervisor.serving_pid if supervisor is not None else None

    def lacks(self, app_id: str) -> str | None:
        """What an app that runs does not have, in words."""
        supervisor = self._by_app.get(app_id)
        return supervisor.lacks if supervisor is not None else None

    async def restore(self) -> None:
        """Bring every app to its target: what ran before a crash runs again, what was going is gone."""
        for record in await self._apps.all():
            supervisor = self.of(record)
            if record.target is Target.DELETED:
                await self.remove(supervisor)
            elif record.target is Target.STOPPED:
                await self.show_stopped(record)
            elif record.target is Target.ASLEEP:
                self.of(record).doze()
            elif record.live_version is not None:
                # A crash may have come between the commit and this mark.
                await self._versions.set_state(record.id, record.live_version, "released")
                supervisor.recover()
            elif record.status is Status.STARTING:
                await self._apps.set_status(record.id, Status.NEW)

    async def show_stopped(self, record: AppRecord) -> None:
        """Say at the app's address that it is stopped."""
        supervisor = self.of(record)
        if record.port is not None:
            # Somebody else may have the port by now; starting the app finds it another one.
            with contextlib.suppress(GoFastAPIError):
                await supervisor.open(record, may_move=False)
        await supervisor.show_stopped(record.reason, record.diagnostics)

    async def remove(self, supervisor: Supervisor) -> None:
        await supervisor.remove()
        self._by_app.pop(supervisor.app_id, None)

    async def stop(self) -> None:
        """End every instance; targets stay, so the next service restores them."""
        await asyncio.gather(*(supervisor.close() for supervisor in self._by_app.values()))
