"""Backups: make, list, take in, restore, and take a restore back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from gofastapi_ext.core.backups import BackupKind, BackupsView, BackupView, DataProgress, DataStage, PreviousView
from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError, UnavailableError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.platform.control.backup_files import BackupFiles, sha256_of
from gofastapi_ext.platform.control.database_changes import DatabaseChanges
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.filling import Filling
from gofastapi_ext.platform.control.jobs import Jobs, Teller
from gofastapi_ext.platform.control.rebinding import Rebinding
from gofastapi_ext.platform.databases.archive.manifest import Manifest
from gofastapi_ext.platform.databases.archive.reader import Archive


class Backups:
    """Each use case that takes time yields how far it is, and goes on without its caller."""

    def __init__(
        self,
        databases: Databases,
        changes: DatabaseChanges,
        files: BackupFiles,
        filling: Filling,
        jobs: Jobs,
        rebinding: Rebinding,
        events: EventFeed,
        *,
        nightly_at: str | None,
        nightly_kept: int,
    ) -> None:
        self._databases = databases
        self._changes = changes
        self._files = files
        self._filling = filling
        self._jobs = jobs
        self._rebinding = rebinding
        self._events = events
        self._nightly_at = nightly_at
        self._nightly_kept = nightly_kept

    async def view(self, user: str) -> BackupsView:
        backups = await asyncio.to_thread(self._files.of, user)
        previous = await self._changes.previous(user)
        return BackupsView(
            backups=backups, previous=previous, nightly_at=self._nightly_at, nightly_kept=self._nightly_kept
        )

    async def find(self, user: str, backup_id: str) -> BackupView:
        """Raises `NotFoundError`."""
        return await asyncio.to_thread(self._files.find, user, backup_id)

    async def content(self, user: str, backup_id: str) -> tuple[BackupView, Path]:
        """A backup, and where its file is. Raises `NotFoundError`."""
        return await self.find(user, backup_id), self._files.path(user, backup_id)

    async def delete(self, user: str, backup_id: str) -> BackupView:
        """Raises `NotFoundError`."""
        return await asyncio.to_thread(self._files.remove, user, backup_id)

    async def create(
        self, user: str, branch: str | None, by: str | None, kind: BackupKind = BackupKind.MANUAL
    ) -> AsyncIterator[DataProgress]:
        """The database as it is at one moment, into a file. Of the nightly ones the last few stay.

        Raises `OverLimitError` where the user's own take what they may already.
        """
        record = await self._databases.binding(user, branch)
        if kind is not BackupKind.NIGHTLY:
            await asyncio.to_thread(self._files.check_limit, user, 1)

        async def work(teller: Teller) -> None:
            backup = await self._filling.back_up(record, kind, teller)
            if kind is BackupKind.NIGHTLY:
                await asyncio.to_thread(self._prune, user)
            said = f"The database was backed up: {backup.documents} documents in {format_bytes(backup.file_bytes)}."
            details = {"backup": backup.id, "kind": kind.value, "sha256": backup.sha256}
            self._events.publish(EventKind.BACKED_UP, said, owner=user, by=by, details=details)
            teller.tell(DataStage.DONE, backup=backup)

        async for event in self._jobs.run(user, "A backup", work):
            yield event

    async def restore(
        self, user: str, branch: str | None, backup_id: str, confirm: str, by: str
    ) -> AsyncIterator[DataProgress]:
        """The content of a backup takes the place of the data; running apps move over without a failed request.

        It is loaded under a new name first: where anything fails, nothing was changed. What it replaces can come
        back for a while.
        """
        backup = await self.find(user, backup_id)
        record = await self._databases.binding(user, branch)
        if confirm != record.name:
            raise InvalidRequestError(
                f"This replaces what is in your database. If that is meant, confirm its name: {record.name}"
            )

        async def work(teller: Teller) -> None:
            async with self._filling.restored(user, backup, teller) as name:

                async def change() -> None:
                    await self._changes.replace(record, name)
                    said = (
                        f"The database is as it was on {backup.created_at:%Y-%m-%d %H:%M} UTC: a backup was restored."
                    )
                    details = {"backup": backup.id, "database": name, "before": record.name}
                    self._events.publish(EventKind.DATABASE_RESTORED, said, owner=user, by=by, details=details)
                    teller.tell(DataStage.SWITCH)

                await self._move(user, by, change, teller)
            previous = await self._previous(user, record.name)
            teller.tell(DataStage.DONE, backup=backup, previous=previous)

        async for event in self._jobs.run(user, "A restore", work):
            yield event

    async def undo(self, user: str, name: str | None, by: str) -> AsyncIterator[DataProgress]:
        """Bring back what a restore or a promotion replaced, by default the last one. Raises `NotFoundError`."""
        previous = await self._changes.previous(user)
        back = next((each for each in previous if name in (None, each.name)), None)
        if back is None:
            raise NotFoundError("There is no former database that could come back.")
        before = await self._databases.binding(user, back.branch)

        async def work(teller: Teller) -> None:
            teller.tell(DataStage.CHECK)

            async def change() -> None:
                await self._changes.undo(user, back.name)
                said = f"The database is the one again that was replaced on {back.replaced_at:%Y-%m-%d %H:%M} UTC."
                details = {"database": back.name, "before": before.name}
                self._events.publish(EventKind.DATABASE_RESTORED, said, owner=user, by=by, details=details)
                teller.tell(DataStage.SWITCH)

            await self._move(user, by, change, teller)
            teller.tell(DataStage.DONE, previous=await self._previous(user, before.name))

        async for event in self._jobs.run(user, "A restore", work):
            yield event

    async def receive(self, user: str, content: AsyncIterator[bytes]) -> BackupView:
        """Take a file in that was downloaded here or elsewhere.

        Raises `DamagedBackupError`, `OverLimitError`, `UnavailableError`.
        """
        await self._databases.binding(user)
        left = await asyncio.to_thread(self._files.left_bytes, user)
        with self._files.partial(user) as path:
            try:
                with path.open("xb") as file:
                    size = 0
                    async for piece in content:
                        size += len(piece)
                        self._files.check_room(size, "this backup")
                        if size > left:
                            await asyncio.to_thread(self._files.check_limit, user, size)
                        await asyncio.to_thread(file.write, piece)
            except OSError as error:
                raise UnavailableError(
                    f"The backup could not be stored: {error.strerror}. Is the disk full? Nothing was changed."
                ) from error
            manifest, sha256 = await asyncio.to_thread(self._checked, path)
            return await asyncio.to_thread(self._files.add, user, path, manifest, sha256, BackupKind.UPLOADED)

    def _checked(self, path: Path) -> tuple[Manifest, str]:
        with Archive.open(path) as archive:
            # What could never be restored here is not unpacked: a small file may hold a very large one.
            self._files.check_room(archive.manifest.size_bytes, "what is in this backup")
            archive.verify()
            return archive.manifest, sha256_of(path)

    async def _move(self, user: str, by: str, change: Callable[[], Awaitable[None]], teller: Teller) -> None:
        async for move in self._rebinding.carry_out(user, by, change):
            teller.tell(DataStage.APP, app=move)

    async def _previous(self, user: str, name: str) -> PreviousView | None:
        return next((each for each in await self._changes.previous(user) if each.name == name), None)

    def _prune(self, user: str) -> None:
        nightly = [each for each in self._files.of(user) if each.kind is BackupKind.NIGHTLY]
        for old in nightly[self._nightly_kept :]:
            self._files.remove(user, old.id)
