"""From a stored version to a launched instance: its files on disk, its environment."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gofastapi_ext.core.bundle import Bundle
from gofastapi_ext.platform.control.carry import carry_over
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.environments import Environment
from gofastapi_ext.platform.control.observer import Observer
from gofastapi_ext.platform.runtimes.base import Instance, LaunchSpec, Runtime
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.versions import VersionRecord

STARTED_AT_ONCE = max(os.cpu_count() or 1, 2)
"""Workers of one app: more of them would wait for a processor, while their time to start runs out."""


class Launcher:
    """Each version has a folder of its own, so a new one never touches what is serving."""

    def __init__(
        self, home: Path, bundles: BundleStore, databases: Databases, runtime: Runtime, observer: Observer
    ) -> None:
        self._home = home
        self._bundles = bundles
        self.databases = databases
        self._runtime = runtime
        self._observer = observer
        self._unpacking = asyncio.Lock()

    async def launch_some(
        self, count: int, version: VersionRecord, app: AppRecord, environment: Environment
    ) -> list[Instance]:
        """Start so many instances of the version. All are started, or none."""
        launches = (self.launch(version, app, environment) for _ in range(count))
        results = await asyncio.gather(*launches, return_exceptions=True)
        instances = [result for result in results if isinstance(result, Instance)]
        if failures := [result for result in results if isinstance(result, BaseException)]:
            await asyncio.gather(*(instance.kill() for instance in instances))
            raise failures[0]
        return instances

    async def launch(self, version: VersionRecord, app: AppRecord, environment: Environment) -> Instance:
        """Start an instance of the version, with the app's own variables beneath those of the version."""
        code_dir = self._code_dir(version.app, version.number)
        if not code_dir.exists():
            bundle = await self._bundles.get(version.code_hash)
            async with self._unpacking:
                # Another worker's launch may have been faster.
                if not code_dir.exists():
                    await self.unpack(version, bundle)
        lease = await self.databases.lease(app.owner, version.db_branch, app.id)
        spec = LaunchSpec(
            app_id=version.app,
            owner=app.owner,
            version=version.number,
            code_dir=code_dir,
            entrypoint=version.entrypoint,
            environment={"PLATFORM_MONGO_URI": lease.uri, **environment.values, **version.env},
            secrets=environment.secrets | _password_of(lease.uri),
            title=app.title or app.id,
            origins=version.origins,
            interpreter=version.interpreter,
            record_bodies=app.record_bodies,
        )
        try:
            instance = lease.instance = await self._runtime.launch(spec)
        except BaseException:
            lease.ended = True
            raise
        self._observer.follow(spec, instance)
        return instance

    async def unpack(self, version: VersionRecord, bundle: Bundle, previous: VersionRecord | None = None) -> None:
        """Write the version's files, and those the app wrote beside `previous`'s. All are there, or none."""
        code_dir = self._code_dir(version.app, version.number)
        before = self._code_dir(previous.app, previous.number) if previous else None
        partial = code_dir.with_name(f"{code_dir.name}.partial")
        try:
            await asyncio.to_thread(_write_files, bundle, partial)
            for path, file in bundle.files.items():
                if file.blob is not None:
                    await self._bundles.blobs.write_to(file.blob, partial / path)
            await asyncio.to_thread(_finish, partial, code_dir, before, previous.files if previous else [])
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    async def forget(self, app_id: str, number: int) -> None:
        """Remove a version's files."""
        await asyncio.to_thread(shutil.rmtree, self._code_dir(app_id, number), ignore_errors=True)

    async def forget_app(self, app_id: str) -> None:
        """Remove every file of an app."""
        await asyncio.to_thread(shutil.rmtree, self._home / "apps" / app_id, ignore_errors=True)

    def _code_dir(self, app_id: str, number: int) -> Path:
        return self._home / "apps" / app_id / "versions" / str(number)


def _password_of(uri: str) -> frozenset[str]:
    password = urlsplit(uri).password
    return frozenset({unquote(password)} if password else ())


def _write_files(bundle: Bundle, partial: Path) -> None:
    """Write what the bundle itself holds, and the folders of what is stored apart."""
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    for path, file in bundle.files.items():
        target = partial / path
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if file.blob is None:
            target.write_bytes(file.content)


def _finish(partial: Path, code_dir: Path, before: Path | None, files_before: list[str]) -> None:
    if before is not None:
        carry_over(before, files_before, partial)
    shutil.rmtree(code_dir, ignore_errors=True)
    partial.rename(code_dir)
