"""What an app is to run: found, and started anew."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.lifecycle import Target
from gofastapi_ext.platform.control.environments import Environments
from gofastapi_ext.platform.control.launcher import Launcher
from gofastapi_ext.platform.runtimes.base import Instance, Runtime
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.versions import VersionRecord, VersionStore


@dataclass(frozen=True)
class LiveVersion:
    """An app and the version of it that is live."""

    app: AppRecord
    version: VersionRecord

    @property
    def is_to_run(self) -> bool:
        """Whether it is, now or when somebody comes."""
        return self.app.target in (Target.RUNNING, Target.ASLEEP)


class LiveVersions:
    """Finds them, and starts instances of them."""

    def __init__(
        self, apps: AppStore, versions: VersionStore, environments: Environments, launcher: Launcher, runtime: Runtime
    ) -> None:
        self._apps = apps
        self._versions = versions
        self._environments = environments
        self._launcher = launcher
        self._runtime = runtime

    async def find(self, app_id: str) -> LiveVersion | None:
        """None where nothing of the app is live."""
        app = await self._apps.get(app_id)
        if app is None or app.live_version is None:
            return None
        version = await self._versions.get(app_id, app.live_version)
        return LiveVersion(app, version) if version is not None else None

    async def open_again(self, app_id: str) -> None:
        """Listen at the app's port, as before."""
        app = await self._apps.get(app_id)
        if app is not None:
            await self.open(app, may_move=False)

    async def open(self, app: AppRecord, *, may_move: bool) -> int:
        """Listen at the app's port; at another one where that is taken and `may_move`."""
        taken = frozenset[int]() if app.port else await self._apps.taken_ports()
        try:
            port = await self._runtime.open(app.id, app.port, taken)
        except GoFastAPIError:
            if not may_move:
                raise
            port = await self._runtime.open(app.id, None, await self._apps.taken_ports())
        if port != app.port:
            await self._apps.set_port(app.id, port)
        return port

    async def start(self, live: LiveVersion) -> Instance:
        """An instance that is ready and does not accept yet. Raises `InstanceFailedError`."""
        environment = await self._environments.resolve(live.app.id, live.app.env_revision)
        instance = await self._launcher.launch(live.version, live.app, environment)
        try:
            await instance.wait_loaded()
            await instance.wait_ready()
        except BaseException:
            await asyncio.shield(instance.kill())
            raise
        return instance
