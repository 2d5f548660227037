"""What stood in a version, how two of them differ, and how the attempts to bring them live went."""

from __future__ import annotations

import asyncio

from gofastapi_ext.core.bundle import Bundle
from gofastapi_ext.core.cells import CellCode, cell_codes
from gofastapi_ext.core.diff import compare
from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError
from gofastapi_ext.core.history import DeploymentView, TreeDiff, VersionContent
from gofastapi_ext.core.lifecycle import STAGES
from gofastapi_ext.core.models import VersionView
from gofastapi_ext.platform.control.drafts import Drafts
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.versions import DeploymentRecord, VersionStore

DRAFT = "draft"
LIVE = "live"


class History:
    """Use cases on the versions of an app that is known to be its caller's.

    `versions` are all that are kept, as `Apps.versions` gives them. Each raises `NotFoundError` for one that
    is not among them, and `UnavailableError` where its code is damaged.
    """

    def __init__(self, bundles: BundleStore, drafts: Drafts, store: VersionStore) -> None:
        self._bundles = bundles
        self._store = store
        self._drafts = drafts

    async def content(self, app: AppRecord, versions: list[VersionView], number: int) -> VersionContent:
        """A version with its files."""
        version = _find(app, versions, number)
        return VersionContent(version=version, bundle=await self._bundles.get(version.code_hash))

    async def cells(self, app: AppRecord, number: int) -> list[CellCode]:
        """The code of a version by its cells."""
        version = await self._store.get(app.id, number)
        if version is None:
            raise NotFoundError(f'"{app.id}" has no version {number}. It may be so old that it is not kept.')
        return cell_codes(await self._bundles.get(version.code_hash), version.origins)

    async def diff(self, app: AppRecord, versions: list[VersionView], number: int, against: str) -> TreeDiff:
        """What changed from a version to another, given by its number, or to the `draft` or what is `live`."""
        old = _find(app, versions, number)
        old_bundle = await self._bundles.get(old.code_hash)
        name, new_bundle, env = await self._side(app, versions, against)
        diff = await asyncio.to_thread(compare, old_bundle, new_bundle, f"v{old.number}", name)
        # A draft says nothing of the app's own variables: it would seem to take them away.
        removed = set(old.env_names) - env if name != DRAFT else set()
        env_diff = {"env_added": sorted(env - set(old.env_names)), "env_removed": sorted(removed)}
        return diff.model_copy(update=env_diff)

    async def deployments(self, app: AppRecord, limit: int) -> list[DeploymentView]:
        """The attempts of the last days to bring something live, the latest first."""
        return [_deployment_view(record) for record in await self._store.deployments(app.id, limit)]

    async def _side(self, app: AppRecord, versions: list[VersionView], which: str) -> tuple[str, Bundle, set[str]]:
        """The name, the code and the variables of what `which` means."""
        if which == DRAFT:
            draft = await self._drafts.view(app)
            return DRAFT, draft.bundle, set(draft.env)
        if which == LIVE:
            version = next((version for version in versions if version.state == "live"), None)
            if version is None:
                raise NotFoundError(f'No version of "{app.id}" is live.')
        else:
            version = _find(app, versions, _number(which))
        return f"v{version.number}", await self._bundles.get(version.code_hash), set(version.env_names)


def _deployment_view(record: DeploymentRecord) -> DeploymentView:
    return DeploymentView(
        kind=record.kind.value,
        by=record.by,
        version=record.version,
        started_at=record.started_at,
        outcome=record.outcome,
        seconds=record.seconds,
        client_seconds=record.client_seconds,
        stages={stage: record.stages[stage] for stage in STAGES if stage in record.stages},
        failed_stage=record.failed_stage,
        problem=record.diagnostics[0].message if record.diagnostics else None,
    )


def _find(app: AppRecord, versions: list[VersionView], number: int) -> VersionView:
    for version in versions:
        if version.number == number:
            return version
    known = ", ".join(str(version.number) for version in versions) or "none"
    raise NotFoundError(f'"{app.id}" has no version {number}. It has: {known}.')


def _number(text: str) -> int:
    number = text.removeprefix("v")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise InvalidRequestError(f'Compare with a version\'s number, "{DRAFT}" or "{LIVE}", not "{text[:40]}".')
    return int(number)
