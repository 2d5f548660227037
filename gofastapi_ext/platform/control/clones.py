"""A new app out of the code of another."""

from __future__ import annotations

from dataclasses import dataclass

from gofastapi_ext.core.bundle import Origins
from gofastapi_ext.core.errors import ConflictError, InvalidRequestError, NotFoundError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Status, Target
from gofastapi_ext.core.models import CloneRequest, CloneResult
from gofastapi_ext.platform.control.apps import Apps
from gofastapi_ext.platform.control.attempt import DeployTools
from gofastapi_ext.platform.control.deployments import Deployments
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.drafts import DraftRecord, first_revision
from gofastapi_ext.platform.store.versions import new_version_time


@dataclass(frozen=True)
class _Code:
    code_hash: str
    origins: Origins
    env: dict[str, str]
    interpreter: str | None


class Clones:
    """The code becomes the draft of the new app; nothing of it is deployed. Variables come along, secrets do not."""

    def __init__(self, tools: DeployTools, apps: Apps, deployments: Deployments) -> None:
        self._tools = tools
        self._apps = apps
        self._deployments = deployments

    async def clone(self, app_id: str, owner: str, request: CloneRequest) -> CloneResult:
        """Raises `NotFoundError` for code that is not there, `ConflictError` where the new name is in use."""
        source = await self._apps.find(app_id, owner)
        code = await self._code(source, request.source)
        async with self._tools.bundles.kept(code.code_hash):
            # Damaged code is found here, rather than when the clone is deployed.
            await self._tools.bundles.get(code.code_hash)
            target = await self._new(request.to, owner)
            draft = DraftRecord(
                app=target.id,
                owner=owner,
                revision=first_revision(),
                code_hash=code.code_hash,
                origins=code.origins,
                env=code.env,
                interpreter=code.interpreter,
                saved_at=new_version_time(),
                saved_by=owner,
            )
            await self._tools.drafts.save(draft, None)
        revision, missing = await self._tools.environments.copy(source.id, source.env_revision, target.id, owner)
        title = f"{source.title} (copy)" if source.title else None
        await self._tools.apps.change(target, env_revision=revision, title=title)
        words = f"It was made from {source.id}; nothing of it is deployed yet."
        self._tools.events.publish(
            EventKind.CLONED, words, owner=owner, app=target.id, by=owner, details={"source": source.id}
        )
        return CloneResult(app=await self._apps.view(target.id, owner), missing_secrets=missing)

    async def _new(self, app_id: str, owner: str) -> AppRecord:
        """A new app; one of this name that has nothing in it yet, of a clone that was cut short, is as good."""
        existing = await self._tools.apps.get(app_id)
        if existing is not None and existing.owner == owner:
            if existing.target is Target.DELETED and not existing.is_gone:
                raise ConflictError(
                    f'"{app_id}" is the name of a deleted app of yours that can still be restored. Choose another, '
                    f"or let go of it first: gofastapi rm --forever {app_id}"
                )
            is_empty = existing.status is Status.NEW and existing.next_version == 1
            if existing.target is not Target.DELETED and not (
                is_empty and await self._tools.drafts.get(app_id) is None
            ):
                raise ConflictError(f'There is an app "{app_id}" already. Choose another name.')
        return await self._apps.find_or_create(app_id, owner)

    async def _code(self, record: AppRecord, source: str) -> _Code:
        if source == "draft":
            draft = await self._tools.drafts.get(record.id)
            if draft is not None:
                return _Code(draft.code_hash, draft.origins, draft.env, draft.interpreter)
        if source in ("draft", "live"):
            if record.live_version is None:
                raise NotFoundError(f'"{record.id}" has no code yet that could be cloned.')
            number = record.live_version
        elif source.isascii() and source.isdigit() and len(source) < 10:
            number = int(source)
        else:
            raise InvalidRequestError('What to clone is "draft", "live" or the number of a version.')
        version = await self._deployments.version(record, number)
        return _Code(version.code_hash, version.origins, version.env, version.interpreter)
