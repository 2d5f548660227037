"""Bring a bundle live as a new version: validate, release, start, ready, live."""

from __future__ import annotations

import asyncio
import contextlib

from gofastapi_ext.core.backups import branch_of
from gofastapi_ext.core.bundle import Bundle, check_sizes
from gofastapi_ext.core.diagnostics import Diagnostic, Severity, has_errors
from gofastapi_ext.core.errors import GoFastAPIError, InvalidBundleError, InvalidNameError, NotFoundError
from gofastapi_ext.core.leftout import check_all_go_in
from gofastapi_ext.core.lifecycle import STAGES, Outcome, Stage
from gofastapi_ext.core.models import DeployRequest
from gofastapi_ext.platform.control.attempt import Attempt, DeployFailedError, DeployTools
from gofastapi_ext.platform.control.disk import check_disk
from gofastapi_ext.platform.control.environments import Environment
from gofastapi_ext.platform.control.supervisor import Supervisor
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.drafts import DraftRecord
from gofastapi_ext.platform.store.versions import Kind, VersionRecord, new_version_time


class Deploy(Attempt):
    """A deploy, or a rollback: a deploy of an older bundle."""

    stages = STAGES

    def __init__(
        self,
        tools: DeployTools,
        record: AppRecord,
        by: str,
        request: DeployRequest,
        bundle: Bundle,
        rollback_of: int | None = None,
    ) -> None:
        super().__init__(tools, record, by, Kind.DEPLOY if rollback_of is None else Kind.ROLLBACK)
        self.client_seconds = request.client_seconds
        self._request = request
        self._bundle = bundle
        self._rollback_of = rollback_of
        self._draft: DraftRecord | None = None
        self._hash_before: str | None = None
        self._db_branch: str | None = None
        self._live = False
        self._draft_gone: str | None = None

    async def _go(self, supervisor: Supervisor) -> tuple[Outcome, int]:
        self._hash_before = self.record.live_hash
        entrypoint = await self._validate()
        live = await self._live_if_unchanged(entrypoint, supervisor)
        if live is not None:
            self._draft = await self._tools.drafts.get(self.record.id)
            self._live = True
            await self._let_go_of_draft()
            # Workers that crashed and were given up get another chance.
            supervisor.scale()
            self._end_stage(Stage.RELEASE)
            return Outcome.UNCHANGED, live.number
        async with self._tools.bundles.kept(self._bundle.code_hash):
            self._version = version = await self._release(entrypoint, supervisor)
        commit = {"live_version": version.number, "live_hash": version.code_hash, "db_branch": version.db_branch}
        await self._bring_up(supervisor, version, self.record.env_revision, commit)
        self._live = True
        await self._let_go_of_draft()
        return Outcome.LIVE, version.number

    async def _validate(self) -> str:
        request = self._request
        try:
            check_sizes(self._bundle, self._tools.settings.limits)
            if self._rollback_of is None:
                check_all_go_in(self._bundle.files)
        except InvalidBundleError as error:
            raise DeployFailedError([Diagnostic(code=error.code, message=error.message)]) from error
        await self._check_branch()
        result, environment = await asyncio.gather(
            self._tools.validator.validate(self._bundle, request.origins, request.interpreter),
            self._tools.environments.resolve(self.record.id, self.record.env_revision),
        )
        if has_errors(result.diagnostics) or result.entrypoint is None:
            raise DeployFailedError(result.diagnostics)
        open_secrets = await self._check_variables()
        self._warnings = [*result.diagnostics, *open_secrets, *_missing_secrets(self.record.id, environment)]
        self._env_names = sorted({*self._request.env, *environment.values})
        self._end_stage(Stage.VALIDATE, diagnostics=self._warnings)
        return result.entrypoint

    async def _check_branch(self) -> None:
        """The version's data have to be there, or else it would start without them, or on others."""
        branch = self._request.db_branch
        try:
            wanted = branch_of(branch)
            if wanted is not None:
                # One that was promoted is the data themselves by now.
                wanted = (await self._tools.launcher.databases.binding(self.record.owner, wanted)).branch
        except (NotFoundError, InvalidNameError) as error:
            if self._rollback_of is not None:
                hint = "Its code can be deployed again, on your data or on another branch"
            else:
                hint = f"Make it: gofastapi db branch {branch}"
            raise DeployFailedError([Diagnostic(code="branch", message=error.message, hint=hint)]) from error
        self._db_branch = wanted

    async def _check_variables(self) -> list[Diagnostic]:
        """A value in a cell or a command must not take the place of a secret, and thereby stand in the open."""
        app, request = self.record.id, self._request
        _, secret = await self._tools.environments.names(app, self.record.env_revision)
        both = sorted(secret & request.env.keys())
        if not both:
            return []
        names = ", ".join(both)
        if self._rollback_of is not None:
            # What was a variable then is a secret by now, and stays one.
            left = {name: value for name, value in request.env.items() if name not in secret}
            self._request = request.model_copy(update={"env": left})
            message = f"Version {self._rollback_of} had {names} in the open; what is secret by now is used instead"
            return [Diagnostic(severity=Severity.WARNING, code="variable_is_secret", message=message)]
        found = Diagnostic(
            code="variable_is_secret",
            message=f"{names} is a secret of {app}, and --env would put a value in the open",
            hint=f"Leave --env {both[0]}=... out, or take the secret away: gofastapi env unset {app} {both[0]}",
        )
        raise DeployFailedError([found])

    async def _live_if_unchanged(self, entrypoint: str, supervisor: Supervisor) -> VersionRecord | None:
        """The live version, where it has this code and environment and answers."""
        record, request = self.record, self._request
        if record.live_hash != self._bundle.code_hash or record.live_version is None or not supervisor.answers:
            return None
        live = await self._tools.versions.get(record.id, record.live_version)
        if live is None or live.env != request.env or live.interpreter != request.interpreter:
            return None
        databases = self._tools.launcher.databases
        if databases.branch_in_force(record.owner, record.db_branch) != self._db_branch:
            return None
        return live if live.entrypoint == entrypoint else None

    async def _release(self, entrypoint: str, supervisor: Supervisor) -> VersionRecord:
        """Store bundle and version, write the files, open the address. None of it touches what serves."""
        self._stage = Stage.RELEASE
        needed = self._tools.settings.min_free_disk_bytes
        check_disk(self._tools.home, needed, "deploy again; what is live goes on.")
        request, bundle = self._request, self._bundle
        # None needs another, and the commit in `_go_live` waits for all to be on disk.
        number, _, live, self._draft = await asyncio.gather(
            self._tools.apps.take_version_number(self.record.id),
            self._tools.bundles.put(bundle),
            self._tools.versions.get(self.record.id, self.record.live_version or 0),
            self._tools.drafts.get(self.record.id),
        )
        self._version = version = VersionRecord(
            app=self.record.id,
            number=number,
            code_hash=bundle.code_hash,
            entrypoint=entrypoint,
            env=request.env,
            env_names=self._env_names,
            origins=request.origins,
            interpreter=request.interpreter,
            created_at=new_version_time(),
            created_by=self._by,
            message=request.message,
            size_bytes=bundle.size_bytes,
            files=sorted(bundle.files),
            rollback_of=self._rollback_of,
            db_branch=self._db_branch,
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

    async def _note_failure(self, supervisor: Supervisor, diagnostics: list[Diagnostic]) -> None:
        if self._version is not None:
            await self._tools.versions.set_state(self.record.id, self._version.number, "failed")
        await super()._note_failure(supervisor, diagnostics)

    def _what(self) -> str:
        return f": it is version {self._rollback_of} again" if self._rollback_of is not None else ""

    async def _tidy_up(self, supervisor: Supervisor) -> None:
        """Mark the version, forget the oldest ones, and the code of a draft that is no more."""
        tools, app_id = self._tools, self.record.id
        if self._draft_gone is not None:
            await tools.garbage.bundle(self._draft_gone)
        if self._version is None:
            return
        if self._live:
            await tools.versions.set_state(app_id, self._version.number, "released")
        keep = tools.settings.limits.max_versions_kept
        for old in await tools.versions.prune(app_id, keep, self.record.live_version):
            await tools.launcher.forget(app_id, old.number)
            await tools.garbage.bundle(old.code_hash)

    async def _let_go_of_draft(self) -> None:
        """Forget a draft that holds nothing new: it is what was live, or what is live now, or contained in that."""
        draft = self._draft
        followed = (self._hash_before, self._bundle.code_hash)
        if draft is None or not (draft.code_hash in followed or draft.etag == self._request.draft_etag):
            return
        # The app is live, whatever keeps the draft from going.
        with contextlib.suppress(GoFastAPIError):
            # By its revision: what was saved meanwhile stays.
            await self._tools.drafts.remove(self.record.id, draft.revision)
            self._draft_gone = draft.code_hash


def _missing_secrets(app_id: str, environment: Environment) -> list[Diagnostic]:
    return [
        Diagnostic(
            severity=Severity.WARNING,
            code="missing_secret",
            message=f"The secret {name} is not set",
            hint=f"Set it: gofastapi env set {app_id} --secret {name}",
        )
        for name in environment.missing
    ]
