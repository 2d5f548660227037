"""What crashes leave behind: folders that no record names, sockets nobody listens at, processes without a master."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import stat
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from gofastapi_ext.core.cleanup import CleanupItem, Leftover
from gofastapi_ext.platform.control.steps import Step
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.runtimes.base import Runtime
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.versions import VersionStore

# A socket is bound a moment before somebody listens at it, a file written before it is put in place.
_MIN_AGE_SECONDS = 60.0
# The service's own, and its MongoDB's, which look after them.
_OURS = frozenset({"api.sock", "mongod.sock"})
_PARTIAL = ".partial"


class Leftovers:
    """In `home`, the platform's folder, and in `run`, that of its sockets."""

    def __init__(
        self,
        *,
        home: Path,
        run: Path,
        apps: AppStore,
        versions: VersionStore,
        supervisors: Supervisors,
        runtime: Runtime,
    ) -> None:
        self._home = home
        self._run = run
        self._apps = apps
        self._versions = versions
        self._supervisors = supervisors
        self._runtime = runtime

    async def steps(self) -> list[Step]:
        return [*await self.processes(), *await self._folders(), *await asyncio.to_thread(self._files)]

    async def processes(self) -> list[Step]:
        """What apps ran that is no longer below this service."""
        return [
            Step(
                CleanupItem(
                    what=Leftover.PROCESS,
                    name=str(orphan.pid),
                    reason=f"its app is gone, it goes on: {orphan.command}",
                ),
                partial(self._runtime.end_orphan, orphan),
            )
            for orphan in await self._runtime.orphans()
        ]

    async def _folders(self) -> list[Step]:
        # Looked at first: what is stored after that is not taken for missing.
        seen = await asyncio.to_thread(self._seen)
        records = {record.id: record for record in await self._apps.unpurged()}
        numbers = await self._versions.numbers()
        found: list[tuple[Path, str, Callable[[], Awaitable[bool]]]] = []
        for app_id, names in seen.items():
            record, folder = records.get(app_id), self._home / "apps" / app_id
            if record is None:
                found.append((folder, "there is no such app", partial(self._forget_app, app_id)))
                continue
            supervisor = self._supervisors.find(app_id)
            if supervisor is not None and supervisor.is_busy:
                continue
            for name in names:
                path = folder / "versions" / name
                if _is_stale(path, record, numbers.get(app_id, frozenset())):
                    found.append((path, "there is no such version", partial(self._forget_version, app_id, path)))
        steps = []
        for path, reason, act in found:
            size = await asyncio.to_thread(folder_bytes, path)
            if size is not None:
                name = str(path.relative_to(self._home))
                item = CleanupItem(what=Leftover.FILES, name=name, reason=reason, size_bytes=size)
                steps.append(Step(item, act))
        return steps

    def _seen(self) -> dict[str, list[str]]:
        """The folders of apps, and in each those of versions."""
        return {app.name: [each.name for each in _entries(app / "versions")] for app in _entries(self._home / "apps")}

    async def _forget_app(self, app_id: str) -> bool:
        record = await self._apps.get(app_id)
        if record is not None and not record.purged:
            return False
        return await _remove(self._home / "apps" / app_id)

    async def _forget_version(self, app_id: str, path: Path) -> bool:
        record = await self._apps.get(app_id)
        if record is None:
            return False
        supervisor = self._supervisors.of(record)
        async with supervisor.exclusive():
            # Who wants to deploy meanwhile waits for this moment to pass.
            supervisor.finishing = True
            record = await self._apps.get(app_id)
            numbers = (await self._versions.numbers(app_id)).get(app_id, frozenset())
            if record is None or not _is_stale(path, record, numbers):
                return False
            return await _remove(path)

    def _files(self) -> list[Step]:
        found = []
        for path in _entries(self._run, folders=False):
            with contextlib.suppress(OSError):
                info = path.stat()
                if path.name in _OURS or time.time() - info.st_mtime < _MIN_AGE_SECONDS:
                    continue
                is_socket = stat.S_ISSOCK(info.st_mode)
                if is_socket and not _is_deaf(path):
                    continue
                if is_socket or path.suffix == ".new":
                    reason = "nobody listens at it" if is_socket else "it was never put in place"
                    what, size = (Leftover.SOCKET, None) if is_socket else (Leftover.FILES, info.st_size)
                    item = CleanupItem(what=what, name=f"run/{path.name}", reason=reason, size_bytes=size)
                    found.append(Step(item, partial(unlink, path)))
        return found


def folder_bytes(folder: Path) -> int | None:
    """What the files below it hold; None where it is not there."""
    if not folder.is_dir():
        return None
    size = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(at, name)).st_size  # noqa: PTH118 - there may be many
    return size


def _is_stale(path: Path, record: AppRecord, numbers: frozenset[int]) -> bool:
    """Whether the folder of a version is of none; nobody deploys the app at this moment."""
    number, is_partial = path.name.removesuffix(_PARTIAL), path.name.endswith(_PARTIAL)
    if not path.is_dir() or not number.isdigit():
        return path.is_dir()
    if is_partial:
        # The live version may be being written anew, where its files are gone and it is started.
        return int(number) != record.live_version or path.with_name(number).exists()
    return int(number) not in numbers and int(number) != record.live_version


def _entries(folder: Path, *, folders: bool = True) -> list[Path]:
    with contextlib.suppress(OSError):
        return [each for each in folder.iterdir() if each.is_dir() == folders and not each.is_symlink()]
    return []


def _is_deaf(path: Path) -> bool:
    """Whether a socket refuses whoever connects."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


async def _remove(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    # Out of the way in one step: whoever needs a folder of this name meanwhile makes a new one.
    gone = folder.with_name(f".{folder.name}.gone")
    with contextlib.suppress(OSError):
        folder = folder.rename(gone)
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return not folder.exists()


async def unlink(path: Path) -> bool:
    """Whether a file went."""
    try:
        path.unlink()
    except OSError:
        return False
    return True
