"""One attempt to bring an instance live: its stages, timed, told and stored.

A failure at any stage leaves what is serving untouched.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Outcome, Stage, Target
from gofastapi_ext.core.models import StageEvent
from gofastapi_ext.platform.control import announce
from gofastapi_ext.platform.control.diagnose import diagnose
from gofastapi_ext.platform.control.environments import Environments
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.garbage import Garbage
from gofastapi_ext.platform.control.launcher import STARTED_AT_ONCE, Launcher
from gofastapi_ext.platform.control.supervisor import Supervisor
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.control.validate import Validator
from gofastapi_ext.platform.runtimes.base import Instance, InstanceFailedError, Runtime
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.drafts import DraftStore
from gofastapi_ext.platform.store.versions import (
    DeploymentRecord,
    Kind,
    VersionRecord,
    VersionStore,
    new_version_time,
)

logger = logging.getLogger(__name__)

_LAST_WORD_SECONDS = 2.0


@dataclass(frozen=True)
class DeployTools:
    """What an attempt works with."""

    home: Path
    apps: AppStore
    versions: VersionStore
    drafts: DraftStore
    bundles: BundleStore
    environments: Environments
    garbage: Garbage
    runtime: Runtime
    launcher: Launcher
    validator: Validator
    settings: Settings
    telemetry: Telemetry
    events: EventFeed


class DeployFailedError(Exception):
    """A stage failed; the diagnostics say why."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(diagnostics[0].message if diagnostics else "failed")
        self.diagnostics = diagnostics


class Attempt(ABC):
    """A deployment, or a restart: what they have in common."""

    stages: tuple[Stage, ...]
    """Those it goes through, in order, before it is live."""

    def __init__(self, tools: DeployTools, record: AppRecord, by: str, kind: Kind) -> None:
        self.record = record
        self.kind = kind
        self.events: asyncio.Queue[StageEvent | None] = asyncio.Queue()
        self._tools = tools
        self._by = by
        self._begun = time.perf_counter()
        self._stage_begun = self._begun
        self._stage = self.stages[0]
        self._stages: dict[Stage, float] = {}
        self._started_at = new_version_time()
        self._id = uuid.uuid4().hex
        self._warnings: list[Diagnostic] = []
        self._version: VersionRecord | None = None
        self._was_refused = False
        self.client_seconds = 0.0
        """How long the caller took until the request came."""

    async def run(self, supervisor: Supervisor) -> None:
        """All stages. Ends with a `live`, `saved` or `failed` event, whatever happens."""
        try:
            outcome, number = await self._go(supervisor)
        except DeployFailedError as error:
            self._was_refused = self._stage is Stage.VALIDATE
            await self._failed(supervisor, error.diagnostics)
        except InstanceFailedError as error:
            version = self._version
            found = (
                await diagnose(error, version, self._tools.bundles)
                if version
                else Diagnostic(code="x", message=str(error))
            )
            await self._failed(supervisor, [found])
        except GoFastAPIError as error:
            await self._failed(supervisor, [Diagnostic(code=error.code, message=error.message)])
        except OSError as error:
            message = f"The platform could not write its files: {error.strerror}."
            await self._failed(supervisor, [Diagnostic(code="disk", message=message, hint="Is the disk full?")])
        except Exception:
            logger.exception("%s %s of %s", self.kind, self._id, self.record.id)
            message = f"Something of ours broke; the service's log says more under {self._id}."
            await self._failed(supervisor, [Diagnostic(code="internal", message=message)])
        except asyncio.CancelledError:
            # The service is being stopped.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_LAST_WORD_SECONDS):
                    number = self._version.number if self._version else None
                    await self._store(Outcome.INTERRUPTED, time.perf_counter() - self._begun, number)
            raise
        else:
            await self._conclude(supervisor, outcome, number)

    @abstractmethod
    async def _go(self, supervisor: Supervisor) -> tuple[Outcome, int | None]:
        """Do it; how it ended, and the version that is live now."""

    @abstractmethod
    async def _tidy_up(self, supervisor: Supervisor) -> None:
        """What is left to do when the end, good or bad, was told; the next attempt waits for it."""

    async def _note_failure(self, supervisor: Supervisor, diagnostics: list[Diagnostic]) -> None:
        """Show a failure where nothing is serving."""
        reason = diagnostics[0].message if diagnostics else "The deploy failed."
        if self.record.target is Target.STOPPED:
            await supervisor.show_stopped(reason, diagnostics)
        elif self.record.live_version is None:
            await supervisor.show_failure(reason, diagnostics)

    async def _bring_up(
        self, supervisor: Supervisor, version: VersionRecord, env_revision: int, commit: dict[str, Any]
    ) -> None:
        """Start its workers beside what serves, prove them ready, commit, switch."""
        environment = await self._tools.environments.resolve(self.record.id, env_revision)
        instances: list[Instance] = []
        try:
            while (missing := self.record.workers - len(instances)) > 0:
                count = min(missing, STARTED_AT_ONCE)
                some = await self._tools.launcher.launch_some(count, version, self.record, environment)
                instances += some
                await asyncio.gather(*(instance.wait_loaded() for instance in some))
                if len(instances) == count:
                    self._end_stage(Stage.START)
                await asyncio.gather(*(instance.wait_ready() for instance in some))
            self._end_stage(Stage.READY)
            await self._go_live(supervisor, instances, commit)
        except BaseException:
            unused = [instance for instance in instances if instance.state == "starting"]
            await asyncio.shield(asyncio.gather(*(instance.kill() for instance in unused)))
            raise

    async def _go_live(self, supervisor: Supervisor, instances: Sequence[Instance], commit: dict[str, Any]) -> None:
        """The commit point, then the switch. A crash between the two is mended by restoring what was committed."""
        self._stage = Stage.LIVE
        current = await self._tools.apps.get(self.record.id)
        if current is None or current.target is Target.DELETED:
            raise DeployFailedError([Diagnostic(code="removed", message="The app was removed during the deploy.")])
        commit = {"target": Target.RUNNING, **commit}
        self.record = await self._tools.apps.change(current, **commit)
        try:
            await supervisor.switch_to(instances)
        except InstanceFailedError:
            try:
                self.record = await self._tools.apps.change(
                    self.record, **{name: getattr(current, name) for name in commit}
                )
            finally:
                if self.record.live_version is not None and self.record.target is Target.RUNNING:
                    supervisor.recover()
                elif self.record.target is Target.ASLEEP and not supervisor.is_serving:
                    supervisor.doze()
            raise
        if self.record.workers != len(instances):
            # It was changed while they started.
            supervisor.scale()

    async def _conclude(self, supervisor: Supervisor, outcome: Outcome, number: int | None) -> None:
        """Tell the end and let the caller go; what is left is bookkeeping, which the next attempt waits for."""
        total = time.perf_counter() - self._begun
        last = Stage.SAVED if outcome is Outcome.SAVED else Stage.LIVE
        self._end_stage(last, seconds=total, version=number, unchanged=outcome is Outcome.UNCHANGED)
        supervisor.finishing = True
        self.events.put_nowait(None)
        if said := announce.success(self.kind, outcome, number, self._what()):
            self._announce(*said, number, total)
        try:
            await self._store(outcome, total, number)
            await self._tidy_up(supervisor)
        except Exception:
            # The app is live, whatever keeps this from being stored.
            logger.exception("%s of %s: its end was not stored", self.kind, self.record.id)

    async def _failed(self, supervisor: Supervisor, diagnostics: list[Diagnostic]) -> None:
        total = time.perf_counter() - self._begun
        failed = StageEvent(
            stage=Stage.FAILED,
            seconds=total,
            failed_stage=self._stage,
            version=self._version.number if self._version else None,
            diagnostics=diagnostics,
        )
        try:
            await self._note_failure(supervisor, diagnostics)
            await self._store(Outcome.FAILED, total, failed.version, diagnostics)
        except Exception:
            # Whatever keeps it from being stored, the caller is told.
            logger.exception("%s of %s: its failure was not stored", self.kind, self.record.id)
        self._announce(*announce.failure(self.kind, diagnostics), failed.version, total)
        supervisor.finishing = True
        self.events.put_nowait(failed)
        self.events.put_nowait(None)
        try:
            await self._tidy_up(supervisor)
        except Exception:
            logger.exception("%s of %s: what it left was not removed", self.kind, self.record.id)

    def _what(self) -> str:
        """What the feed adds to the words of a success."""
        return ""

    def _announce(self, kind: EventKind, message: str, version: int | None, seconds: float) -> None:
        app = self.record
        details = {"seconds": round(seconds, 3), "kind": self.kind.value}
        self._tools.events.publish(
            kind, message, owner=app.owner, app=app.id, by=self._by, version=version, details=details
        )

    def _end_stage(
        self,
        stage: Stage,
        *,
        seconds: float | None = None,
        version: int | None = None,
        unchanged: bool = False,
        diagnostics: list[Diagnostic] | None = None,
    ) -> None:
        """Note and tell that a stage is over."""
        now = time.perf_counter()
        self._stages[stage] = now - self._stage_begun
        port, branch = (self.record.port, self._branch()) if stage is Stage.LIVE else (None, None)
        self.events.put_nowait(
            StageEvent(
                stage=stage,
                seconds=self._stages[stage] if seconds is None else seconds,
                url=self._tools.runtime.url(port) if port else None,
                version=version,
                unchanged=unchanged,
                db_branch=branch,
                diagnostics=diagnostics or [],
            )
        )
        self._stage_begun = now
        later = self.stages[self.stages.index(stage) + 1 :] if stage in self.stages else ()
        self._stage = later[0] if later else Stage.LIVE

    def _branch(self) -> str | None:
        """The branch of the database that it works on."""
        branch = self._version.db_branch if self._version is not None else self.record.db_branch
        return self._tools.launcher.databases.branch_in_force(self.record.owner, branch)

    async def _store(
        self, outcome: Outcome, seconds: float, version: int | None, diagnostics: list[Diagnostic] | None = None
    ) -> None:
        self._tools.telemetry.deployment_ended(self.kind, outcome, seconds, self._stages)
        deployment = DeploymentRecord(
            id=self._id,
            app=self.record.id,
            kind=self.kind,
            by=self._by,
            version=version,
            started_at=self._started_at,
            seconds=seconds,
            client_seconds=self.client_seconds,
            outcome=outcome,
            stages=self._stages,
            failed_stage=self._stage if outcome in (Outcome.FAILED, Outcome.INTERRUPTED) else None,
            was_refused=self._was_refused,
            diagnostics=diagnostics if diagnostics is not None else self._warnings,
        )
        await self._tools.versions.save_deployment(deployment)
