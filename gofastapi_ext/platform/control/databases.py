"""Users' databases: where each is, its credentials, and who uses them at this moment."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gofastapi_ext.core.backups import MAIN
from gofastapi_ext.core.errors import ConflictError, NotFoundError, OverLimitError, UnavailableError
from gofastapi_ext.core.naming import database_name
from gofastapi_ext.platform.control.backup_files import BackupFiles
from gofastapi_ext.platform.databases.refusals import is_away, is_disk_full, is_unauthorized
from gofastapi_ext.platform.databases.users import Credentials, DatabaseUsers, UserDatabase
from gofastapi_ext.platform.runtimes.base import Instance
from gofastapi_ext.platform.store.database import patiently
from gofastapi_ext.platform.store.databases import BindingRecord, DatabaseStore, Retired
from gofastapi_ext.platform.store.versions import new_version_time

logger = logging.getLogger(__name__)

_Key = tuple[str, str | None]
_OVER_LIMIT = (
    "The database is over its limit and takes no more writes. Reading and deleting go on; once enough is deleted, "
    "writes are taken again within a minute."
)


@dataclass(eq=False)
class Lease:
    """Somebody uses these credentials: an instance of an app, or the platform itself for a person."""

    user: str
    branch: str | None
    credentials: Credentials
    uri: str = field(repr=False)
    app: str | None = None
    instance: Instance | None = None
    """None while it is being started."""
    ended: bool = False

    @property
    def is_over(self) -> bool:
        return self.ended or (self.instance is not None and self.instance.state == "ended")


class Databases:
    """Makes databases on first use. This service is the only one that changes bindings, so it knows them by heart.

    Everything here may be called at the same time, and again after a crash half-way.
    """

    def __init__(self, store: DatabaseStore, users: DatabaseUsers, backups: BackupFiles) -> None:
        self._store = store
        self._users = users
        self._backups = backups
        self._bindings: dict[_Key, BindingRecord] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._leases: list[Lease] = []
        self._looked_at: dict[Credentials, float] = {}
        self._in_making: set[str] = set()

    def changing(self, user: str) -> asyncio.Lock:
        """Held by whoever changes where a user's data is, or with which credentials."""
        return self._locks.setdefault(user, asyncio.Lock())

    async def binding(self, user: str, branch: str | None = None) -> BindingRecord:
        """Where the data is; made where the user has none yet. Raises `NotFoundError` for an unknown branch."""
        if branch is not None:
            await self.binding(user)
        key = (user, self.branch_in_force(user, branch))
        if key not in self._bindings:
            async with self.changing(user):
                if key not in self._bindings:
                    self._bindings[key] = await self._made(*key)
        return self._bindings[key]

    def branch_in_force(self, user: str, branch: str | None) -> str | None:
        """The branch that is meant by now; None where it was promoted, and is the data themselves."""
        own = self._bindings.get((user, None))
        return None if branch == MAIN or (own is not None and branch in own.promoted) else branch

    async def of_user(self, user: str) -> list[BindingRecord]:
        """The user's own first, then branches by name. Makes none."""
        return await self._store.of_user(user)

    async def all(self) -> list[BindingRecord]:
        """Everybody's."""
        return await self._store.all()

    async def uri(self, user: str, branch: str | None = None) -> str:
        """The connection string for a person's own tools."""
        return self._users.uri(credentials_of(await self.binding(user, branch)))

    async def lease(self, user: str, branch: str | None, app: str) -> Lease:
        """The connection string for an instance that is about to start. Say whose it is, or end the lease."""
        record = await self.binding(user, branch)
        # No waiting from here on: what is read is noted as used before anybody can retire it.
        credentials = credentials_of(record)
        return self._noted(Lease(user, record.branch, credentials, self._users.uri(credentials, app), app))

    @asynccontextmanager
    async def session(self, user: str, branch: str | None = None) -> AsyncIterator[UserDatabase]:
        """The user's database, acted on with the user's own rights and no others.

        What is refused in there because the database is over its limit is raised as `OverLimitError`; where the
        server is away, or has no room on the disk, `UnavailableError`.
        """
        record = await self.binding(user, branch)
        credentials = credentials_of(record)
        lease = self._noted(Lease(user, record.branch, credentials, uri=""))
        try:
            yield self._users.client(credentials)[credentials.database]
        except Exception as error:
            now = self._bindings.get((user, record.branch))
            if now is not None and now.over_limit and is_unauthorized(error):
                raise OverLimitError(_OVER_LIMIT) from error
            if is_disk_full(error):
                raise UnavailableError("The disk is full. Free some space and run it again.") from error
            if is_away(error):
                raise UnavailableError("The database does not answer. Try again in a moment.") from error
            raise
        finally:
            lease.ended = True
            self._looked_at[credentials] = time.monotonic()

    async def close_idle(self, after_seconds: float) -> None:
        """Close the connections of sessions that ended so long ago."""
        used = {lease.credentials for lease in self._used()}
        for credentials, at in list(self._looked_at.items()):
            if credentials not in used and time.monotonic() - at >= after_seconds:
                del self._looked_at[credentials]
                await self._users.close(credentials)

    async def stop(self) -> None:
        """Close every connection of sessions."""
        await self._users.close_all()

    async def create(self, record: BindingRecord) -> BindingRecord:
        """Bind a new database, whose credentials are made first. The caller holds `changing`."""
        await self._make(record)
        made = await self._store.create(record)
        self._bindings[made.user, made.branch] = made
        return made

    async def change(self, record: BindingRecord, **changes: Any) -> BindingRecord:
        """Put a changed binding in force: every instance that starts from now on gets it.

        Where the name or the generation changes, the credentials are made first, and those before are retired.
        Raises `ConflictError` where it is not as in `record` any more.
        """
        after = record.model_copy(update=changes)
        if credentials_of(after) != credentials_of(record):
            await self._make(after)
        changed = await self._store.change(record, **changes)
        self._bindings[changed.user, changed.branch] = changed
        return changed

    async def rotate(self, user: str, branch: str | None = None) -> BindingRecord:
        """New credentials in force; those before stay valid until nothing uses them. Apps are not moved by this."""
        record = await self.binding(user, branch)
        async with self.changing(user):
            record = await self._current(user, record.branch)
            before = Retired(name=record.name, generation=record.generation)
            return await self.change(
                record,
                generation=record.generation + 1,
                retiring=[*record.retiring, before],
                rotated_at=new_version_time(),
            )

    @asynccontextmanager
    async def making(self, user: str, name: str) -> AsyncIterator[None]:
        """While a database of this name is being made. What is not in force by the end of this is dropped.

        That is noted first, so after a crash the next start drops it.
        """
        await self.binding(user)
        self._in_making.add(name)
        try:
            async with self.changing(user):
                record = self._bindings[user, None]
                intent = Retired(name=name, generation=1, drop_database=True)
                await self.change(record, retiring=[*record.retiring, intent])
            yield
        finally:
            self._in_making.discard(name)
            await asyncio.shield(self._tidy(user))

    async def _tidy(self, user: str) -> None:
        try:
            await self.drop_retired(user)
        except Exception:
            logger.exception("what was not brought into force for %s is dropped later", user)

    async def forget(self, record: BindingRecord) -> None:
        """Let a branch be none any more; its database is not touched. The caller holds `changing`."""
        self._bindings.pop((record.user, record.branch), None)
        await self._store.remove(record)

    def stale(self, user: str) -> list[Lease]:
        """Who still uses what is not in force any more."""
        return [lease for lease in self._used() if lease.user == user and self._is_stale(lease)]

    def users_of(self, name: str) -> list[Lease]:
        """Who uses a database."""
        return [lease for lease in self._used() if lease.credentials.database == name]

    async def drop_retired(self, user: str) -> bool:
        """Drop what was retired and nothing uses any more; whether nothing is left to drop.

        A database that is kept for a while stays, but nobody can reach it any more.
        """
        left = False
        for found in await self._store.of_user(user):
            if not found.retiring:
                continue
            async with self.changing(user):
                bindings = await self._store.of_user(user)
                record = next((each for each in bindings if each.branch == found.branch), None)
                if record is None:
                    continue
                in_force = {each.name for each in bindings}
                kept = [retired for retired in record.retiring if not await self._dropped(retired, in_force)]
                if kept != record.retiring:
                    changed = await self._store.change(record, retiring=kept)
                    if (changed.user, changed.branch) in self._bindings:
                        self._bindings[changed.user, changed.branch] = changed
                left = left or any(not _is_kept(each) and each.name not in self._in_making for each in kept)
        return not left

    def is_held(self, retired: Retired) -> bool:
        """Whether it stays for now: it is kept for a while, just being made, or used."""
        return _is_kept(retired) or retired.name in self._in_making or bool(self.users_of(retired.name))

    async def _dropped(self, retired: Retired, in_force: set[str]) -> bool:
        """Drop it, where it may go; whether it is gone, or is none of what goes."""
        if retired.name in self._in_making:
            return False
        if retired.drop_database and retired.name in in_force:
            # It came into force after all, or again.
            return True
        credentials = Credentials(retired.name, retired.generation)
        used = {lease.credentials for lease in self._used()}
        if credentials in used or (retired.drop_database and retired.name in {each.database for each in used}):
            return False
        await self._users.close(credentials)
        if not retired.drop_database or _is_kept(retired):
            await self._drop(credentials, drop_database=False)
            return not retired.drop_database
        await self._drop(credentials, drop_database=True)
        return True

    async def drop_all_retired(self) -> None:
        """The same for everybody."""
        for user in sorted({record.user for record in await self._store.all() if record.retiring}):
            await self.drop_retired(user)

    async def limit(self, record: BindingRecord, *, over_limit: bool) -> BindingRecord:
        """Switch writing off, or on again, for every credential of the database."""
        async with self.changing(record.user):
            record = await self._current(record.user, record.branch)
            older = [each.generation for each in record.retiring if each.name == record.name]
            for generation in [record.generation, *older]:
                await self._limit(Credentials(record.name, generation), over_limit)
            # Noted last: where it ends half-way, whoever looks at sizes finds it still to be done.
            return await self.change(record, over_limit=over_limit)

    async def remove_user(self, user: str) -> None:
        """Drop everything a user has stored, branches and backups too, and every credential; the user goes.

        Raises `ConflictError` while something uses one of them: a user's apps go first. Cut short, it may be begun
        anew.
        """
        for record in reversed(await self._store.of_user(user)):
            await self.remove(record)
        await asyncio.to_thread(self._backups.remove_all, user)

    async def remove(self, record: BindingRecord) -> None:
        """Drop a database with all its credentials, and forget it. Raises `ConflictError` where something uses it."""
        async with self.changing(record.user):
            others = {each.name for each in await self._store.of_user(record.user) if each.branch != record.branch}
            names = {record.name, *(each.name for each in record.retiring if each.drop_database)} - others
            users = {lease.app or "somebody who looks at it" for name in names for lease in self.users_of(name)}
            if users:
                raise ConflictError(
                    f"The database is in use, by {', '.join(sorted(users))}. Stop or delete that first."
                )
            self._bindings.pop((record.user, record.branch), None)
            await self._users.close(credentials_of(record))
            for name in names:
                await self._drop(Credentials(name, 0), drop_database=True)
            await self._store.remove(record)

    async def _made(self, user: str, branch: str | None) -> BindingRecord:
        record = await self._store.get(user, branch)
        if record is None and branch is not None:
            raise NotFoundError(f'There is no branch "{branch}" of the database any more.')
        if record is None:
            name = database_name(user)
            # Those of a data directory from before there were generations could do anything: they go.
            former = Retired(name=name, generation=0)
            record = BindingRecord(user=user, name=name, retiring=[former], created_at=new_version_time())
            record = await self._store.create(record)
        await self._make(record)
        return record

    async def _current(self, user: str, branch: str | None) -> BindingRecord:
        record = self._bindings.get((user, branch)) or await self._store.get(user, branch)
        if record is None:
            raise NotFoundError("There is no such database any more.")
        return record

    async def _make(self, record: BindingRecord) -> None:
        await patiently(lambda: self._users.make(credentials_of(record), over_limit=record.over_limit))

    async def _limit(self, credentials: Credentials, over_limit: bool) -> None:
        await patiently(lambda: self._users.limit(credentials, over_limit=over_limit))

    async def _drop(self, credentials: Credentials, *, drop_database: bool) -> None:
        if drop_database:
            await patiently(lambda: self._users.drop_database(credentials.database))
        else:
            await patiently(lambda: self._users.drop(credentials))

    def _noted(self, lease: Lease) -> Lease:
        self._leases = self._used()
        self._leases.append(lease)
        return lease

    def _used(self) -> list[Lease]:
        return [lease for lease in self._leases if not lease.is_over]

    def _is_stale(self, lease: Lease) -> bool:
        binding = self._bindings.get((lease.user, self.branch_in_force(lease.user, lease.branch)))
        return binding is None or credentials_of(binding) != lease.credentials


def _is_kept(retired: Retired) -> bool:
    """Whether its time has not come yet."""
    return retired.keep_until is not None and retired.keep_until > datetime.now(UTC)


def credentials_of(record: BindingRecord) -> Credentials:
    """Those that are in force."""
    return Credentials(record.name, record.generation)
