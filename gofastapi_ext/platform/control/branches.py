"""Branches: copies of a database to try things on, with credentials of their own, for a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from gofastapi_ext.core.backups import (
    BranchRequest,
    BranchView,
    DataProgress,
    DataStage,
    check_branch_name,
)
from gofastapi_ext.core.durations import format_duration, parse_duration
from gofastapi_ext.core.errors import ConflictError, InvalidRequestError, NotFoundError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Target
from gofastapi_ext.platform.control.backup_files import BackupFiles
from gofastapi_ext.platform.control.database_changes import DatabaseChanges
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.filling import Filling
from gofastapi_ext.platform.control.jobs import Jobs, Teller
from gofastapi_ext.platform.control.rebinding import Rebinding
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.databases.copies import Copies
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.databases import BindingRecord
from gofastapi_ext.platform.store.versions import new_version_time

_SHORTEST_SECONDS = 1.0
_LONGEST_SECONDS = 366 * 86_400.0
_PAUSE_SECONDS = 0.1


class Branches:
    """A branch is never dropped under an app that is being used, unless somebody says so."""

    def __init__(
        self,
        databases: Databases,
        changes: DatabaseChanges,
        files: BackupFiles,
        filling: Filling,
        copies: Copies,
        jobs: Jobs,
        rebinding: Rebinding,
        apps: AppStore,
        supervisors: Supervisors,
        events: EventFeed,
        *,
        default_seconds: float,
        most: int,
        drain_seconds: float,
    ) -> None:
        self._databases = databases
        self._changes = changes
        self._files = files
        self._filling = filling
        self._copies = copies
        self._jobs = jobs
        self._rebinding = rebinding
        self._apps = apps
        self._supervisors = supervisors
        self._events = events
        self._default_seconds = default_seconds
        self._most = most
        self._drain_seconds = drain_seconds
        self._ending: set[str] = set()
        """Names of databases that are just being dropped."""

    async def of(self, user: str) -> list[BranchView]:
        """By name."""
        bindings = await self._databases.of_user(user)
        return [await self._view(record) for record in bindings if record.branch is not None]

    async def view(self, user: str, name: str) -> BranchView:
        """Raises `NotFoundError`."""
        return await self._view(await self._find(user, name))

    async def create(self, user: str, request: BranchRequest, by: str) -> AsyncIterator[DataProgress]:
        """A copy of the data as they are now, or of a backup. Raises `ConflictError`, `InvalidNameError`."""
        name, seconds = check_branch_name(request.name), self._seconds(request.ttl)
        own = await self._databases.binding(user)
        await self._check_is_free(user, name)
        backup = self._files.find(user, request.backup) if request.backup is not None else None

        async def work(teller: Teller) -> None:
            filled = self._filling.restored(user, backup, teller) if backup else self._filling.copied(own, teller)
            async with filled as database:
                now = new_version_time()
                await self._changes.create_branch(
                    BindingRecord(
                        user=user,
                        branch=name,
                        name=database,
                        created_at=now,
                        expires_at=now + timedelta(seconds=seconds),
                    )
                )
            view = await self.view(user, name)
            said = f'The branch "{name}" was made of the database. It goes on {view.expires_at:%Y-%m-%d %H:%M} UTC.'
            details = {"branch": name, "database": database}
            self._events.publish(EventKind.BRANCH_CREATED, said, owner=user, by=by, details=details)
            teller.tell(DataStage.DONE, branch=view)

        async for event in self._jobs.run(user, "A branch", work):
            yield event

    async def extend(self, user: str, name: str, ttl: str) -> BranchView:
        """Let it live so long from now on. Raises `NotFoundError`."""
        seconds = self._seconds(ttl)
        await self._find(user, name)
        await self._changes.expire(user, name, new_version_time() + timedelta(seconds=seconds))
        return await self.view(user, name)

    async def drop(self, user: str, name: str, by: str, *, force: bool) -> None:
        """Raises `ConflictError` where an app runs on it; with `force` that is stopped."""
        record = await self._find(user, name)
        running = [app.id for app in await self._on(record) if self._is_running(app)]
        if running and not force:
            raise ConflictError(
                f'{", ".join(running)} runs on the branch "{name}". Deploy it without --db-branch or stop it first, '
                "or drop the branch all the same with --force, which stops it."
            )
        await self._end(record, by, f'It was stopped: its branch "{name}" of the database was dropped.')

    async def promote(self, user: str, name: str, confirm: str, by: str) -> AsyncIterator[DataProgress]:
        """The branch's data become the data themselves. What they replace can come back for a while."""
        record = await self._find(user, name)
        if confirm != name:
            raise InvalidRequestError(
                f"This replaces your data by those of the branch. If that is meant, confirm its name: {name}"
            )
        before = await self._databases.binding(user)

        async def work(teller: Teller) -> None:
            teller.tell(DataStage.CHECK)

            async def change() -> None:
                await self._changes.promote(user, name)
                said = f'The branch "{name}" is the database now. What was there before can come back for a while.'
                details = {"branch": name, "database": record.name, "before": before.name}
                self._events.publish(EventKind.BRANCH_PROMOTED, said, owner=user, by=by, details=details)
                teller.tell(DataStage.SWITCH)

            async for move in self._rebinding.carry_out(user, by, change):
                teller.tell(DataStage.APP, app=move)
            previous = next((each for each in await self._changes.previous(user) if each.name == before.name), None)
            teller.tell(DataStage.DONE, previous=previous)

        async for event in self._jobs.run(user, "A promotion", work):
            yield event

    async def due(self) -> list[BindingRecord]:
        """Branches whose time is over, and on which no app runs."""
        now = datetime.now(UTC)
        expired = [
            record
            for record in await self._databases.all()
            if record.branch is not None and record.expires_at is not None and record.expires_at <= now
            if record.name not in self._ending
        ]
        return [record for record in expired if not any(self._is_running(app) for app in await self._on(record))]

    async def end_expired(self, record: BindingRecord) -> bool:
        """Drop one that is due; False where it is not, or in use after all."""
        if not any(each.user == record.user and each.branch == record.branch for each in await self.due()):
            return False
        reason = f'It was stopped: its branch "{record.branch}" of the database came to its end.'
        try:
            await self._end(record, None, reason)
        except ConflictError:
            return False
        return True

    async def _end(self, record: BindingRecord, by: str | None, reason: str) -> None:
        if record.name in self._ending:
            raise ConflictError(f'The branch "{record.branch}" is just being dropped.')
        self._ending.add(record.name)
        try:
            await self._drop(record, by, reason)
        finally:
            self._ending.discard(record.name)

    async def _drop(self, record: BindingRecord, by: str | None, reason: str) -> None:
        name = str(record.branch)
        # First what is to be: after a crash in between it goes as any whose time is over.
        await self._changes.expire(record.user, name, new_version_time())
        for app in await self._on(record):
            await self._stop(app, reason)
        deadline = asyncio.get_running_loop().time() + self._drain_seconds + 1
        while True:
            try:
                await self._databases.remove(await self._find(record.user, name))
                break
            except ConflictError:
                # Requests that are open are finished first.
                if asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)
        said = f'The branch "{name}" of the database was dropped.'
        details = {"branch": name, "database": record.name}
        self._events.publish(EventKind.BRANCH_DROPPED, said, owner=record.user, by=by, details=details)

    async def _stop(self, app: AppRecord, reason: str) -> None:
        """It could not start again without its data, and has to say why."""
        supervisor = self._supervisors.of(app)
        async with supervisor.exclusive():
            supervisor.finishing = True
            current = await self._apps.get(app.id)
            if current is None or current.target not in (Target.RUNNING, Target.ASLEEP):
                return
            await self._apps.change(current, target=Target.STOPPED)
            await supervisor.halt()
            await supervisor.show_stopped(reason, [])
        self._events.publish(EventKind.STOPPED, reason, owner=app.owner, app=app.id)

    async def _on(self, record: BindingRecord) -> list[AppRecord]:
        """The apps that are to run, or would wake, on a branch."""
        apps = await self._apps.of_owner(record.user)
        return [app for app in apps if app.db_branch == record.branch and app.target in (Target.RUNNING, Target.ASLEEP)]

    def _is_running(self, app: AppRecord) -> bool:
        supervisor = self._supervisors.find(app.id)
        return supervisor is not None and supervisor.is_serving

    async def _check_is_free(self, user: str, name: str) -> None:
        bindings = await self._databases.of_user(user)
        names = [record.branch for record in bindings if record.branch is not None]
        if name in names:
            raise ConflictError(
                f'There is a branch "{name}" already. Choose another name, or drop it first: '
                f"gofastapi db branch {name} --drop"
            )
        if len(names) >= self._most:
            raise ConflictError(
                f"You have {len(names)} branches, which is the limit. Drop one first: {', '.join(names)}"
            )
        own = next(record for record in bindings if record.branch is None)
        if name in own.promoted:
            on_it = [app.id for app in await self._on(own.model_copy(update={"branch": name}))]
            if on_it:
                raise ConflictError(
                    f'"{name}" was promoted, and {", ".join(on_it)} was deployed with it: a new branch of this name '
                    "would take its place. Choose another name, or deploy that again first."
                )

    async def _find(self, user: str, name: str) -> BindingRecord:
        bindings = await self._databases.of_user(user)
        found = next((record for record in bindings if record.branch == check_branch_name(name)), None)
        if found is None:
            known = ", ".join(str(record.branch) for record in bindings if record.branch is not None)
            hint = f"Those there are: {known}." if known else f"Make it: gofastapi db branch {name}"
            raise NotFoundError(f'There is no branch "{name}" of your database. {hint}')
        return found

    async def _view(self, record: BindingRecord) -> BranchView:
        size = await self._copies.size(record.name)
        return BranchView(
            name=str(record.branch),
            database=record.name,
            created_at=record.created_at,
            expires_at=record.expires_at,
            expired=record.expires_at is not None and record.expires_at <= datetime.now(UTC),
            bytes=size.bytes,
            documents=size.documents,
            apps=[app.id for app in await self._on(record)],
        )

    def _seconds(self, ttl: str | None) -> float:
        seconds = self._default_seconds if ttl is None else parse_duration(ttl)
        if not _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
            most = format_duration(_LONGEST_SECONDS)
            raise InvalidRequestError(f"A branch lives from 1s to {most}; {ttl} is not in between.")
        return seconds
