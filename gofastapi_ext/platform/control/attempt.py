"""One attempt to bring a version live: validate, release, start, ready, live.

A failure at any stage leaves what is serving untouched.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from gofastapi_ext.core.bundle import check_sizes
from gofastapi_ext.core.diagnostics import Diagnostic, has_errors
from gofastapi_ext.core.errors import GoFastAPIError, InvalidBundleError, UnavailableError
from gofastapi_ext.core.lifecycle import Outcome, Stage, Target
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.core.models import DeployRequest, StageEvent
from gofastapi_ext.platform.control.launcher import Launcher
from gofastapi_ext.platform.control.supervisor import Supervisor
from gofastapi_ext.platform.control.validate import Validator
from gofastapi_ext.platform.runtimes.base import Instance, InstanceFailedError, Runtime
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.versions import DeploymentRecord, VersionRecord, VersionStore, new_version_time

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeployTools:
    """What an attempt works with."""

    home: Path
    apps: AppStore
    versions: VersionStore
    bundles: BundleStore
    runtime: Runtime
    launcher: Launcher
    validator: Validator
    settings: Settings


class DeployFailedError(Exception):
    """A stage failed; the diagnostics say why."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(diagnostics[0].message if diagnostics else "failed")
        self.diagnostics = diagnostics


class Attempt:
    """One deployment: its stages, timed, told and stored."""

    def __init__(
        self,
        tools: DeployTools,
        record: AppRecord,
        by: str,
        request: DeployRequest,
        rollback_of: int | None = None,
    ) -> None:
        self.record = record
        self.events: asyncio.Queue[StageEvent | None] = asyncio.Queue()
        self._tools = tools
        self._by = by
        self._request = request
        assert request.bundle is not None
        self._bundle = request.bundle
        self._rollback_of = rollback_of
        self._begun = time.perf_counter()
        self._stage_begun = self._begun
        self._stage = Stage.VALIDATE
        self._stages: dict[Stage, float] = {}
        self._started_at = new_version_time()
        self._id = uuid.uuid4().hex
        self._warnings: list[Diagnostic] = []
        self._version: VersionRecord | None = None

    async def run(self, supervisor: Supervisor) -> None:
        """All stages. Ends with a `live` or a `failed` event, whatever happens."""
        try:
            outcome, number = await self._go(supervisor)
        except DeployFailedError as error:
            await self._failed(supervisor, error.diagnostics)
        except InstanceFailedError as error:
            version = self._version
            found = await supervisor.diagnose(error, version) if version else Diagnostic(code="x", message=str(error))
            await self._failed(supervisor, [found])
        except GoFastAPIError as error:
            await self._failed(supervisor, [Diagnostic(code=error.code, message=error.message)])
        except OSError as error:
            message = f"The platform could not write its files: {error.strerror}."
            await self._failed(supervisor, [Diagnostic(code="disk", message=message, hint="Is the disk full?")])
        except Exception:
            logger.exception("deploy %s of %s", self._id, self.record.id)
            message = f"Something of ours broke; the service's log says more under {self._id}."
            await self._failed(supervisor, [Diagnostic(code="internal", message=message)])
        else:
            await self._conclude(supervisor, outcome, number)

    async def _go(self, supervisor: Supervisor) -> tuple[Outcome, int]:
        entrypoint = await self._validate()
        live = await self._live_if_unchanged(entrypoint, supervisor)
        if live is not None:
            self._end_stage(Stage.RELEASE)
            return Outcome.UNCHANGED, live.number
        async with self._tools.bundles.kept(self._bundle.code_hash):
            self._version = version = await self._release(entrypoint, supervisor)
        instance = await self._tools.launcher.launch(version, self.record.owner)
        try:
            await instance.wait_loaded()
            self._end_stage(Stage.START)
            await instance.wait_ready()
            self._end_stage(Stage.READY)
            await self._go_live(supervisor, version, instance)
        except BaseException:
            if instance.state == "starting":
                await asyncio.shield(instance.kill())
            raise
        return Outcome.LIVE, version.number

    async def _validate(self) -> str:
        request = self._request
        try:
            check_sizes(self._bundle, self._tools.settings.limits)
        except InvalidBundleError as error:
            raise DeployFailedError([Diagnostic(code=error.code, message=error.message)]) from error
        result = await self._tools.validator.validate(self._bundle, request.origins, request.interpreter)
        if has_errors(result.diagnostics) or result.entrypoint is None:
            raise DeployFailedError(result.diagnostics)
        self._warnings = result.diagnostics
        self._end_stage(Stage.VALIDATE, diagnostics=self._warnings)
        return result.entrypoint

    async def _live_if_unchanged(self, entrypoint: str, supervisor: Supervisor) -> VersionRecord | None:
        """The live version, where it has this code and environment and is serving."""
        record, request = self.record, self._request
        if record.live_hash != self._bundle.code_hash or record.live_version is None or not supervisor.is_serving:
            return None
        live = await self._tools.versions.get(record.id, record.live_version)
        if live is None or live.env != request.env or live.interpreter != request.interpreter:
            return None
        return live if live.entrypoint == entrypoint else None

    async def _release(self, entrypoint: str, supervisor: Supervisor) -> VersionRecord:
        """Store bundle and version, write the files, open the address. None of it touches what serves."""
        self._stage = Stage.RELEASE
        self._check_disk()
        request, bundle = self._request, self._bundle
        # Neither needs the other, and the commit in `_go_live` waits for both to be on disk.
        number, _, live = await asyncio.gather(
            self._tools.apps.take_version_number(self.record.id),
            self._tools.bundles.put(bundle),
            self._tools.versions.get(self.record.id, self.record.live_version or 0),
        )
        self._version = version = VersionRecord(
            app=self.record.id,
            number=number,
            code_hash=bundle.code_hash,
            entrypoint=entrypoint,
            env=request.env,
            origins=request.origins,
            interpreter=request.interpreter,
            created_at=new_version_time(),
            created_by=self._by,
            message=request.message,
            size_bytes=bundle.size_bytes,
            files=sorted(bundle.files),
            rollback_of=self._rollback_of,
        )
        done = await asyncio.gather(
            self._tools.versions.add(version),
            self._tools.launcher.unpack(version, bundle, previous=live),
            supervisor.open(self.record, may_move=True),
            # All are over when one has failed: none writes after the failure is stored.
            return_exceptions=True,
        )
        if errors := [result for result in done if isinstance(result, BaseException)]:
            raise errors[0]
        self._end_stage(Stage.RELEASE)
        return version

    async def _go_live(self, supervisor: Supervisor, version: VersionRecord, instance: Instance) -> None:
        """The commit point, then the switch. A crash between the two is mended by restoring the new version."""
        self._stage = Stage.LIVE
        current = await self._tools.apps.get(self.record.id)
        if current is None or current.target is not Target.RUNNING:
            raise DeployFailedError([Diagnostic(code="removed", message="The app was removed during the deploy.")])
        self.record = await self._tools.apps.change(current, live_version=version.number, live_hash=version.code_hash)
        try:
            await supervisor.switch_to(instance)
        except InstanceFailedError:
            before = {"live_version": current.live_version, "live_hash": current.live_hash}
            try:
                self.record = await self._tools.apps.change(self.record, **before)
            finally:
                if self.record.live_version is not None:
                    supervisor.recover()
            raise

    async def _conclude(self, supervisor: Supervisor, outcome: Outcome, number: int) -> None:
        """Tell the end and let the caller go; what is left is bookkeeping, which the next deploy waits for."""
        total = time.perf_counter() - self._begun
        self._end_stage(Stage.LIVE, seconds=total, version=number, unchanged=outcome is Outcome.UNCHANGED)
        supervisor.finishing = True
        self.events.put_nowait(None)
        try:
            await self._tools.versions.set_state(self.record.id, number, "released")
            await self._store(outcome, total, number)
            await self._prune(number)
        except Exception:
            # The app is live, whatever keeps this from being stored.
            logger.exception("deploy of %s: its end was not stored", self.record.id)

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
            if self._version is not None:
                await self._tools.versions.set_state(self.record.id, self._version.number, "failed")
            if self.record.live_version is None:
                await supervisor.show_failure(_first_message(diagnostics), diagnostics)
            await self._store(Outcome.FAILED, total, failed.version, diagnostics)
        except Exception:
            # Whatever keeps it from being stored, the caller is told.
            logger.exception("deploy of %s: its failure was not stored", self.record.id)
        supervisor.finishing = True
        self.events.put_nowait(failed)
        self.events.put_nowait(None)
        try:
            if self._version is not None:
                await self._prune(self.record.live_version)
        except Exception:
            logger.exception("deploy of %s: old versions were not removed", self.record.id)

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
        port = self.record.port if stage is Stage.LIVE else None
        self.events.put_nowait(
            StageEvent(
                stage=stage,
                seconds=self._stages[stage] if seconds is None else seconds,
                url=self._tools.runtime.url(port) if port else None,
                version=version,
                unchanged=unchanged,
                diagnostics=diagnostics or [],
            )
        )
        self._stage_begun = now
        order = list(Stage)
        self._stage = order[min(order.index(stage) + 1, order.index(Stage.LIVE))]

    def _check_disk(self) -> None:
        free = shutil.disk_usage(self._tools.home).free
        needed = self._tools.settings.min_free_disk_bytes
        if free < needed:
            raise UnavailableError(
                f"The disk is nearly full: {format_bytes(free)} are free, {format_bytes(needed)} are needed. "
                "Free some space and deploy again; what is live goes on."
            )

    async def _store(
        self, outcome: Outcome, seconds: float, version: int | None, diagnostics: list[Diagnostic] | None = None
    ) -> None:
        deployment = DeploymentRecord(
            id=self._id,
            app=self.record.id,
            by=self._by,
            version=version,
            started_at=self._started_at,
            seconds=seconds,
            outcome=outcome,
            stages=self._stages,
            diagnostics=diagnostics if diagnostics is not None else self._warnings,
        )
        await self._tools.versions.save_deployment(deployment)

    async def _prune(self, live: int | None) -> None:
        keep = self._tools.settings.limits.max_versions_kept
        for old in await self._tools.versions.prune(self.record.id, keep, live):
            await self._tools.launcher.forget(self.record.id, old.number)
            await self._tools.bundles.remove_unless(old.code_hash, self._tools.versions.uses_bundle)


def _first_message(diagnostics: list[Diagnostic]) -> str:
    return diagnostics[0].message if diagnostics else "The deploy failed."
