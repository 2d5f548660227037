"""Users' databases: where each is, its credentials, and who uses them at this moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gofastapi_ext.core.errors import ConflictError, NotFoundError, OverLimitError, UnavailableError
from gofastapi_ext.core.naming import database_name
from gofastapi_ext.platform.databases.refusals import is_away, is_disk_full, is_unauthorized
from gofastapi_ext.platform.databases.users import Credentials, DatabaseUsers, UserDatabase
from gofastapi_ext.platform.runtimes.base import Instance
from gofastapi_ext.platform.store.database import patiently
from gofastapi_ext.platform.store.databases import BindingRecord, DatabaseStore, Retired
from gofastapi_ext.platform.store.versions import new_version_time

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

    def __init__(self, store: DatabaseStore, users: DatabaseUsers) -> None:
        self._store = store
        self._users = users
        self._bindings: dict[_Key, BindingRecord] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._leases: list[Lease] = []
        self._looked_at: dict[Credentials, float] = {}

    def changing(self, user: str) -> asyncio.Lock:
        """Held by whoever changes where a user's data is, or with which credentials."""
        return self._locks.setdefault(user, asyncio.Lock())

    async def binding(self, user: str, branch: str | None = None) -> BindingRecord:
        """Where the data is; made where the user has none yet. Raises `NotFoundError` for an unknown branch."""
        key = (user, branch)
        if key not in self._bindings:
            async with self.changing(user):
                if key not in self._bindings:
                    self._bindings[key] = await self._made(user, branch)
        return self._bindings[key]

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
        await self.binding(user, branch)
        # No waiting from here on: what is read is noted as used before anybody can retire it.
        credentials = credentials_of(self._bindings[user, branch])
        return self._noted(Lease(user, branch, credentials, self._users.uri(credentials, app), app))

    @asynccontextmanager
    async def session(self, user: str, branch: str | None = None) -> AsyncIterator[UserDatabase]:
        """The user's database, acted on with the user's own rights and no others.

        What is refused in there because the database is over its limit is raised as `OverLimitError`; where the
        server is away, or has no room on the disk, `UnavailableError`.
        """
        await self.binding(user, branch)
        credentials = credentials_of(self._bindings[user, branch])
        lease = self._noted(Lease(user, branch, credentials, uri=""))
        try:
            yield self._users.client(credentials)[credentials.database]
        except Exception as error:
            record = self._bindings.get((user, branch))
            if record is not None and record.over_limit and is_unauthorized(error):
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
        await self.binding(user, branch)
        async with self.changing(user):
            record = self._bindings[user, branch]
            before = Retired(name=record.name, generation=record.generation)
            return await self.change(
                record,
                generation=record.generation + 1,
                retiring=[*record.retiring, before],
                rotated_at=new_version_time(),
            )

    async def swap(self, user: str, branch: str | None, name: str, *, expected: BindingRecord) -> BindingRecord:
        """Another database, which is there already, in the place of the one of `expected`; that one is retired.

        One compare-and-set: a crash leaves the one or the other in force. Apps are not moved by this.
        """
        async with self.changing(user):
            record = await self._current(user, branch)
            if record.name != expected.name:
                raise ConflictError("Another database took its place meanwhile. Run it again.")
            before = Retired(name=record.name, generation=record.generation, drop_database=True)
            return await self.change(
                record, name=name, generation=1, over_limit=False, retiring=[*record.retiring, before]
            )

    def stale(self, user: str) -> list[Lease]:
        """Who still uses what is not in force any more."""
        return [lease for lease in self._used() if lease.user == user and self._is_stale(lease)]

    def users_of(self, name: str) -> list[Lease]:
        """Who uses a database."""
        return [lease for lease in self._used() if lease.credentials.database == name]

    async def drop_retired(self, user: str) -> bool:
        """Drop what was retired and nothing uses any more; whether nothing is left to drop."""
        left = False
        for found in await self._store.of_user(user):
            if not found.retiring:
                continue
            async with self.changing(user):
                record = await self._store.get(user, found.branch)
                if record is None:
                    continue
                used = {lease.credentials for lease in self._used()}
                names = {credentials.database for credentials in used}
                kept = []
                for retired in record.retiring:
                    credentials = Credentials(retired.name, retired.generation)
                    if credentials in used or (retired.drop_database and retired.name in names):
                        kept.append(retired)
                        continue
                    await self._users.close(credentials)
                    await self._drop(credentials, drop_database=retired.drop_database)
                if kept != record.retiring:
                    changed = await self._store.change(record, retiring=kept)
                    if (changed.user, changed.branch) in self._bindings:
                        self._bindings[changed.user, changed.branch] = changed
                left = left or bool(kept)
        return not left

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
        """Drop everything a user has stored, branches too, and every credential; the user goes.

        Raises `ConflictError` while something uses one of them: a user's apps go first. Cut short, it may be begun
        anew.
        """
        for record in reversed(await self._store.of_user(user)):
            await self.remove(record)

    async def remove(self, record: BindingRecord) -> None:
        """Drop a database with all its credentials, and forget it. Raises `ConflictError` where something uses it."""
        async with self.changing(record.user):
            names = {record.name, *(each.name for each in record.retiring if each.drop_database)}
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
            raise NotFoundError(f'There is no branch "{branch}" of your database.')
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
        binding = self._bindings.get((lease.user, lease.branch))
        return binding is None or credentials_of(binding) != lease.credentials


def credentials_of(record: BindingRecord) -> Credentials:
    """Those that are in force."""
    return Credentials(record.name, record.generation)
