"""What time takes away of databases: branches, what was replaced, half-written files."""

from __future__ import annotations

import asyncio
from functools import partial

from gofastapi_ext.core.cleanup import CleanupItem, Leftover
from gofastapi_ext.platform.control.backup_files import BackupFiles
from gofastapi_ext.platform.control.branches import Branches
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.leftovers import unlink
from gofastapi_ext.platform.control.steps import Step
from gofastapi_ext.platform.store.databases import BindingRecord, Retired


class DataUpkeep:
    """Steps, as clean-up carries them out; the loop of nightly backups does so sooner."""

    def __init__(self, databases: Databases, branches: Branches, files: BackupFiles) -> None:
        self._databases = databases
        self._branches = branches
        self._files = files

    async def steps(self) -> list[Step]:
        return [*await self._expired(), *await self._replaced(), *await self._remains()]

    async def _expired(self) -> list[Step]:
        return [
            Step(
                CleanupItem(what=Leftover.BRANCH, name=str(record.branch), reason="its time is over"),
                partial(self._branches.end_expired, record),
            )
            for record in await self._branches.due()
        ]

    async def _replaced(self) -> list[Step]:
        return [
            Step(
                CleanupItem(what=Leftover.DATABASE, name=retired.name, reason="another one took its place"),
                partial(self._drop_replaced, record, retired),
            )
            for record in await self._databases.all()
            for retired in record.retiring
            if retired.drop_database and not self._databases.is_held(retired)
        ]

    async def _remains(self) -> list[Step]:
        return [
            Step(
                CleanupItem(
                    what=Leftover.FILES,
                    name=str(path.relative_to(self._files.folder.parent)),
                    reason="it is a piece of a backup",
                    size_bytes=size,
                ),
                partial(unlink, path),
            )
            for path, size in await asyncio.to_thread(self._files.remains)
        ]

    async def _drop_replaced(self, record: BindingRecord, retired: Retired) -> bool:
        await self._databases.drop_retired(record.user)
        left = [each for found in await self._databases.of_user(record.user) for each in found.retiring]
        return retired not in left
