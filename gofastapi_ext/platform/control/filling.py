"""A new database with the content of another, or of a backup. It is nobody's until somebody brings it into force."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gofastapi_ext.core.backups import BackupKind, BackupView, DataStage
from gofastapi_ext.core.naming import next_database_name
from gofastapi_ext.platform.control.backup_files import BackupFiles
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.jobs import Teller
from gofastapi_ext.platform.databases.archive.manifest import Manifest
from gofastapi_ext.platform.databases.copies import Copies, Source
from gofastapi_ext.platform.store.databases import BindingRecord


class Filling:
    """Checks first that there is room, so that nothing has to be given up half-way."""

    def __init__(self, databases: Databases, copies: Copies, files: BackupFiles) -> None:
        self._databases = databases
        self._copies = copies
        self._files = files

    async def back_up(self, record: BindingRecord, kind: BackupKind, teller: Teller) -> BackupView:
        """The database as it is now, as a backup."""
        with self._files.partial(record.user) as path:
            manifest, sha256 = await self._saved(record, path, "a backup", 2, teller)
            return self._files.add(record.user, path, manifest, sha256, kind)

    @asynccontextmanager
    async def copied(self, record: BindingRecord, teller: Teller) -> AsyncIterator[str]:
        """The name of a new database with the content of that of `record` as it is now."""
        with self._files.partial(record.user) as path:
            manifest, _ = await self._saved(record, path, "a copy of the database", 3, teller)
            async with self._loaded(record.user, path, manifest.documents, teller) as name:
                yield name

    @asynccontextmanager
    async def restored(self, user: str, backup: BackupView, teller: Teller) -> AsyncIterator[str]:
        """The name of a new database with the content of a backup, which is read and believed first."""
        self._files.check_room(backup.bytes, "what is in this backup")
        await self._files.check(user, backup)
        teller.tell(DataStage.CHECK)
        path = self._files.path(user, backup.id)
        async with self._loaded(user, path, backup.documents, teller) as name:
            yield name

    async def _saved(
        self, record: BindingRecord, path: Path, what: str, times: int, teller: Teller
    ) -> tuple[Manifest, str]:
        size = await self._copies.size(record.name)
        self._files.check_room(times * size.bytes, what)
        teller.tell(DataStage.CHECK, of_documents=size.documents)
        source = Source(record.user, record.name, record.branch)
        saved = await self._copies.save(source, path, teller.copying(DataStage.COPY, size.documents))
        teller.tell(DataStage.COPY, documents=saved[0].documents, of_documents=saved[0].documents)
        return saved

    @asynccontextmanager
    async def _loaded(self, user: str, path: Path, documents: int, teller: Teller) -> AsyncIterator[str]:
        name = next_database_name(user)
        async with self._databases.making(user, name):
            await self._copies.load(path, name, teller.copying(DataStage.LOAD, documents))
            teller.tell(DataStage.LOAD, documents=documents, of_documents=documents)
            yield name
