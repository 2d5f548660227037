"""Versions in full, how they differ, and the attempts to bring them live."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from gofastapi_ext.core.cells import CellCode
from gofastapi_ext.core.history import DeploymentView, TreeDiff, VersionContent
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api/apps/{app_id}", tags=["versions"])

Number = Annotated[int, Path(ge=1, le=10**9)]


@router.get("/versions/{number}")
async def get_version(app_id: str, number: Number, services: UsesServices, caller: Caller) -> VersionContent:
    """A version with its files."""
    record = await services.apps.find(app_id, caller.user)
    versions = await services.apps.versions(app_id, caller.user)
    return await services.history.content(record, versions, number)


@router.get("/versions/{number}/cells")
async def get_cells(app_id: str, number: Number, services: UsesServices, caller: Caller) -> list[CellCode]:
    """The code of a version by the notebook cells it came from, the main file first."""
    record = await services.apps.find(app_id, caller.user)
    return await services.history.cells(record, number)


@router.get("/versions/{number}/diff")
async def get_diff(
    app_id: str,
    number: Number,
    services: UsesServices,
    caller: Caller,
    against: Annotated[str, Query(description="A version's number, `draft` or `live`", max_length=40)] = "draft",
) -> TreeDiff:
    """What changed from a version to another one, to the draft, or to what is live, as unified diffs."""
    record = await services.apps.find(app_id, caller.user)
    versions = await services.apps.versions(app_id, caller.user)
    return await services.history.diff(record, versions, number, against)


@router.get("/deployments")
async def list_deployments(
    app_id: str, services: UsesServices, caller: Caller, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> list[DeploymentView]:
    """The attempts of the last days to bring something live, with the seconds of each stage, the latest first."""
    record = await services.apps.find(app_id, caller.user)
    return await services.history.deployments(record, limit)
