"""Another database in the place of the one in force, and back again. Each is one compare-and-set."""

from __future__ import annotations

from datetime import datetime, timedelta

from gofastapi_ext.core.backups import PreviousView
from gofastapi_ext.core.errors import ConflictError, NotFoundError
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.store.databases import BindingRecord, Retired
from gofastapi_ext.platform.store.versions import new_version_time


class DatabaseChanges:
    """What is replaced stays for a while. Apps are not moved by this: see `Rebinding`."""

    def __init__(self, databases: Databases, keep_seconds: float, branch_seconds: float) -> None:
        self._databases = databases
        self._keep = timedelta(seconds=keep_seconds)
        self._branch = timedelta(seconds=branch_seconds)

    async def replace(self, expected: BindingRecord, name: str) -> BindingRecord:
        """The database `name` takes the place of that of `expected`. Raises `ConflictError` where another one has."""
        async with self._databases.changing(expected.user):
            record = await self._current(expected.user, expected.branch)
            if record.name != expected.name:
                raise ConflictError("Another database took its place meanwhile. Run it again.")
            return await self._databases.change(
                record, name=name, generation=1, over_limit=False, retiring=[*record.retiring, self._kept(record)]
            )

    async def previous(self, user: str) -> list[PreviousView]:
        """What can be brought back, the latest first."""
        found = [
            PreviousView(name=each.name, branch=record.branch, replaced_at=each.retired_at, until=each.keep_until)
            for record in await self._databases.of_user(user)
            for each in record.retiring
            if each.retired_at is not None and each.keep_until is not None and each.keep_until > new_version_time()
        ]
        return sorted(found, key=lambda view: view.replaced_at, reverse=True)

    async def undo(self, user: str, name: str) -> BindingRecord:
        """Bring a database back that was replaced. What is in force by now stays for a while in its turn.

        Where that had been a branch before it was promoted, it is one again.
        """
        async with self._databases.changing(user):
            for found in await self._databases.of_user(user):
                back = next((each for each in found.retiring if each.name == name and each.keep_until), None)
                if back is None:
                    continue
                record = await self._current(user, found.branch)
                others = [each for each in record.retiring if each != back]
                branch = next((each for each, was in record.promoted.items() if was == record.name), None)
                if branch is None:
                    others.append(self._kept(record))
                else:
                    # First what is to be: after a crash in between there is a branch too many, which is forgotten.
                    now = new_version_time()
                    again = BindingRecord(
                        user=user,
                        branch=branch,
                        name=record.name,
                        generation=record.generation,
                        over_limit=record.over_limit,
                        created_at=now,
                        expires_at=now + self._branch,
                    )
                    await self._databases.create(again)
                promoted = {each: was for each, was in record.promoted.items() if each != branch}
                return await self._databases.change(
                    record,
                    name=back.name,
                    generation=back.generation,
                    over_limit=False,
                    retiring=others,
                    promoted=promoted,
                )
        raise NotFoundError(f'There is no former database "{name}" any more that could come back.')

    async def promote(self, user: str, branch: str) -> BindingRecord:
        """The branch's database is that of the data themselves from now on."""
        await self._databases.binding(user)
        async with self._databases.changing(user):
            record, of_branch = await self._current(user, None), await self._current(user, branch)
            # What the branch was before is nothing to come back to.
            dropped = [each.model_copy(update={"keep_until": None}) for each in of_branch.retiring]
            changed = await self._databases.change(
                record,
                name=of_branch.name,
                generation=of_branch.generation,
                over_limit=of_branch.over_limit,
                retiring=[*record.retiring, *dropped, self._kept(record)],
                promoted=record.promoted | {branch: of_branch.name},
            )
            await self._databases.forget(of_branch)
            return changed

    async def create_branch(self, record: BindingRecord) -> BindingRecord:
        """Bind the database of a branch, which is there already. Raises `ConflictError` where the name is taken."""
        async with self._databases.changing(record.user):
            bindings = await self._databases.of_user(record.user)
            if any(each.branch == record.branch for each in bindings):
                raise ConflictError(f'There is a branch "{record.branch}" already.')
            own = await self._current(record.user, None)
            if record.branch in own.promoted:
                # Nobody who runs was deployed with the former one: the name is free again.
                left = {each: was for each, was in own.promoted.items() if each != record.branch}
                await self._databases.change(own, promoted=left)
            return await self._databases.create(record)

    async def expire(self, user: str, branch: str, at: datetime) -> BindingRecord:
        """Say when a branch goes."""
        async with self._databases.changing(user):
            return await self._databases.change(await self._current(user, branch), expires_at=at)

    async def mend(self) -> None:
        """At start: a crash in the middle of a promotion, or of its undoing, leaves a branch too many."""
        bindings = await self._databases.all()
        own = {record.user: record for record in bindings if record.branch is None}
        for record in bindings:
            if record.branch is not None and record.user in own and record.name == own[record.user].name:
                async with self._databases.changing(record.user):
                    await self._databases.forget(record)

    def _kept(self, record: BindingRecord) -> Retired:
        now = new_version_time()
        return Retired(
            name=record.name,
            generation=record.generation,
            drop_database=True,
            retired_at=now,
            keep_until=now + self._keep,
        )

    async def _current(self, user: str, branch: str | None) -> BindingRecord:
        """As it is now; the caller holds `changing`."""
        found = next((each for each in await self._databases.of_user(user) if each.branch == branch), None)
        if found is None:
            raise NotFoundError(f'There is no branch "{branch}" of your database.')
        return found
