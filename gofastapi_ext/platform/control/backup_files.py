"""The files of backups, a folder for each user, readable by this user of the machine alone."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from pydantic import ValidationError

from gofastapi_ext.core.backups import BackupKind, BackupView
from gofastapi_ext.core.errors import DamagedBackupError, NotFoundError, OverLimitError, UnavailableError
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.platform.databases.archive.manifest import SUFFIX, Manifest
from gofastapi_ext.platform.databases.archive.reader import Archive

PARTIAL = ".partial"
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
# A description is there a moment before its file.
_LOST_AFTER_SECONDS = 60.0
# What a database takes on disk beside its documents: indexes, the journal, what is written before it is compressed.
_ROOM_FACTOR = 1.5


class BackupFiles:
    """A backup is there when its file is: that is put in its place last. Blocking where it is not `async`."""

    def __init__(self, home: Path, installation: str, min_free_bytes: int, limit_bytes: int) -> None:
        """`limit_bytes` is what the backups of one user may take, without the nightly ones."""
        self.folder = home / "backups"
        self._installation = installation
        self._min_free_bytes = min_free_bytes
        self._limit_bytes = limit_bytes
        self._in_use: set[Path] = set()

    def of(self, user: str) -> list[BackupView]:
        """The latest first."""
        found = [self._described(path) for path in self._folder(user).glob("*.json")]
        return sorted((view for view in found if view is not None), key=lambda view: view.created_at, reverse=True)

    def find(self, user: str, backup_id: str) -> BackupView:
        """Raises `NotFoundError`."""
        view = self._described(self._description(user, backup_id)) if _ID.fullmatch(backup_id) else None
        if view is None:
            raise NotFoundError(f'There is no backup "{backup_id[:60]}". `gofastapi db backups` lists those there are.')
        return view

    def path(self, user: str, backup_id: str) -> Path:
        """Where the file of a backup is."""
        return self._folder(user) / f"{backup_id}{SUFFIX}"

    @contextlib.contextmanager
    def partial(self, user: str) -> Iterator[Path]:
        """A place for a file that is being written. What is not added by the end of this goes."""
        folder = self._folder(user)
        for each in (self.folder, folder):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{secrets.token_hex(8)}{PARTIAL}"
        self._in_use.add(path)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)
            self._in_use.discard(path)

    def add(self, user: str, partial: Path, manifest: Manifest, sha256: str, kind: BackupKind) -> BackupView:
        """Put a finished file in its place. After a crash it is wholly there, or it is no backup.

        Raises `OverLimitError` as `check_limit` does.
        """
        if kind is not BackupKind.NIGHTLY:
            self.check_limit(user, partial.stat().st_size)
        backup_id = f"{manifest.created_at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        view = BackupView(
            id=backup_id,
            kind=kind,
            created_at=manifest.created_at,
            database=manifest.database,
            branch=manifest.branch,
            documents=manifest.documents,
            collections=[entry.name for entry in manifest.collections],
            bytes=manifest.size_bytes,
            file_bytes=partial.stat().st_size,
            sha256=sha256,
            user=manifest.user,
            elsewhere=manifest.installation != self._installation or manifest.user != user,
            notes=manifest.notes,
        )
        with self.partial(user) as description:
            descriptor = os.open(description, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(view.model_dump_json())
                file.flush()
                os.fsync(file.fileno())
            description.rename(self._description(user, backup_id))
        partial.rename(self.path(user, backup_id))
        folder = os.open(self._folder(user), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return view

    def remove(self, user: str, backup_id: str) -> BackupView:
        """Raises `NotFoundError`."""
        view = self.find(user, backup_id)
        self.path(user, backup_id).unlink(missing_ok=True)
        self._description(user, backup_id).unlink(missing_ok=True)
        return view

    def remove_all(self, user: str) -> None:
        """Every backup of a user, and what is half written of one."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder(user))

    async def check(self, user: str, view: BackupView) -> None:
        """Read all of a backup. Raises `DamagedBackupError` where it is not what was written."""

        def work() -> None:
            path = self.path(user, view.id)
            try:
                if sha256_of(path) != view.sha256:
                    raise DamagedBackupError(f"The file {path} is damaged: its hash is another one than it had.")
                with Archive.open(path) as archive:
                    archive.verify()
            except FileNotFoundError:
                raise DamagedBackupError(f"The file {path} is gone.") from None

        await asyncio.to_thread(work)

    def check_room(self, needed_bytes: int, what: str) -> None:
        """Raises `UnavailableError` where the disk has no room for this and what has to stay free."""
        probe = self.folder if self.folder.exists() else self.folder.parent
        free, needed = shutil.disk_usage(probe).free, int(needed_bytes * _ROOM_FACTOR) + self._min_free_bytes
        if free < needed:
            raise UnavailableError(
                f"The disk is too full for {what}: {format_bytes(free)} are free, {format_bytes(needed)} are needed. "
                "Nothing was changed; free some space and run it again."
            )

    def left_bytes(self, user: str) -> int:
        """How much more a user's own backups may take; those of the night do not count."""
        return self._limit_bytes - sum(each.file_bytes for each in self._own(user))

    def check_limit(self, user: str, file_bytes: int) -> None:
        """Raises `OverLimitError` where a user's own backups would take more than they may with one of this size."""
        left = self.left_bytes(user)
        if file_bytes <= left:
            return
        limit, taken, own = format_bytes(self._limit_bytes), format_bytes(self._limit_bytes - left), self._own(user)
        if not own:
            raise OverLimitError(f"This backup is larger than the {limit} that your own backups may take.")
        oldest = own[-1]
        raise OverLimitError(
            f"Your own backups may take {limit}, and they take {taken}: this one does not fit. Delete some of them. "
            f"The oldest is of {oldest.created_at:%Y-%m-%d} and takes {format_bytes(oldest.file_bytes)}: "
            f"gofastapi db backups --delete {oldest.id}"
        )

    def _own(self, user: str) -> list[BackupView]:
        return [each for each in self.of(user) if each.kind is not BackupKind.NIGHTLY]

    def remains(self) -> list[tuple[Path, int]]:
        """Files that a crash left, each with its size: half-written ones, and descriptions of nothing."""
        found = []
        for folder in _folders(self.folder):
            for path in folder.iterdir():
                is_lost = path.suffix == ".json" and not path.with_suffix(SUFFIX).exists()
                if (path.suffix == PARTIAL or is_lost) and path not in self._in_use:
                    with contextlib.suppress(OSError):
                        info = path.stat()
                        if not is_lost or time.time() - info.st_mtime > _LOST_AFTER_SECONDS:
                            found.append((path, info.st_size))
        return found

    def _folder(self, user: str) -> Path:
        return self.folder / quote(user, safe="").replace(".", "%2E")

    def _description(self, user: str, backup_id: str) -> Path:
        return self._folder(user) / f"{backup_id}.json"

    def _described(self, path: Path) -> BackupView | None:
        try:
            view = BackupView.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        return view if path.with_name(f"{view.id}{SUFFIX}").exists() else None


def sha256_of(path: Path) -> str:
    """Blocking."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folders(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [each for each in folder.iterdir() if each.is_dir()]
    return []
