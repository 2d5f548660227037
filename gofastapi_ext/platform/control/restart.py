"""Bring the live version up anew: to start a stopped app, or to give a running one another environment."""

from __future__ import annotations

from gofastapi_ext.core.errors import NotFoundError
from gofastapi_ext.core.lifecycle import Outcome, Stage, Target
from gofastapi_ext.core.variables import EnvChange
from gofastapi_ext.platform.control.attempt import Attempt, DeployTools
from gofastapi_ext.platform.control.supervisor import Supervisor
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.versions import Kind


class Restart(Attempt):
    """A new instance of the live version, which takes over from the old one, where there is one."""

    stages = (Stage.START, Stage.READY, Stage.LIVE)

    def __init__(
        self, tools: DeployTools, record: AppRecord, by: str, kind: Kind, change: EnvChange | None = None
    ) -> None:
        super().__init__(tools, record, by, kind)
        self._change = change

    async def _go(self, supervisor: Supervisor) -> tuple[Outcome, int | None]:
        revision = self.record.env_revision
        commit: dict[str, int] = {}
        if self._change is not None:
            snapshot = await self._tools.environments.prepare(self.record.id, revision, self._change, self._by)
            if snapshot.revision == revision:
                return Outcome.UNCHANGED if supervisor.is_serving else Outcome.SAVED, self.record.live_version
            revision = snapshot.revision
            commit = {"env_revision": revision}
            if not supervisor.is_serving:
                # Nothing serves that a value could break: it is kept, also where the app needs more to start.
                self.record = await self._tools.apps.change(self.record, **commit)
                if not self._is_wanted():
                    return Outcome.SAVED, None
        if self.kind is Kind.DATABASE and not supervisor.is_serving:
            # Stopped or fallen asleep meanwhile: it gets what is in force when it starts.
            return Outcome.UNCHANGED, self.record.live_version
        version = await self._tools.versions.get(self.record.id, self.record.live_version or 0)
        if version is None:
            raise NotFoundError(f'"{self.record.id}" has no version yet that could be started. Deploy it first.')
        self._version = version
        await supervisor.open(self.record, may_move=True)
        await self._bring_up(supervisor, version, revision, commit)
        return Outcome.LIVE, version.number

    def _what(self) -> str:
        changed = sorted([*self._change.set, *self._change.unset]) if self._change else []
        return f": {', '.join(changed[:10])}{', …' if len(changed) > 10 else ''}" if changed else ""

    def _is_wanted(self) -> bool:
        """Whether the app is to run, and has something to run."""
        return self.record.target in (Target.RUNNING, Target.ASLEEP) and self.record.live_version is not None

    async def _tidy_up(self, supervisor: Supervisor) -> None:
        # Read anew: where the database went away at the commit, this attempt does not know how it ended.
        app = await self._tools.apps.get(self.record.id)
        if app is not None:
            await self._tools.environments.prune(app.id, keep=app.env_revision)
