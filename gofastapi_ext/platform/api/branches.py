"""Branches of a user's database."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from gofastapi_ext.core.backups import BranchChange, BranchRequest, BranchView, PromoteRequest
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.platform.api.backups import PROGRESS, progress
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api/database/branches", tags=["database"])


@router.get("")
async def list_branches(services: UsesServices, caller: Caller) -> list[BranchView]:
    """Your branches, by name."""
    return await services.branches.of(caller.user)


@router.post("", response_class=StreamingResponse, responses=PROGRESS)
async def create_branch(request: BranchRequest, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Copy the data as they are at one moment, or a backup. Answers JSON lines; the last is `done`, or `failed`."""
    return await progress(services.branches.create(caller.user, request, caller.user))


@router.get("/{name}")
async def get_branch(name: str, services: UsesServices, caller: Caller) -> BranchView:
    """One branch."""
    return await services.branches.view(caller.user, name)


@router.patch("/{name}")
async def extend_branch(name: str, change: BranchChange, services: UsesServices, caller: Caller) -> BranchView:
    """Let it live so long from now on."""
    return await services.branches.extend(caller.user, name, change.ttl)


@router.delete("/{name}", status_code=204)
async def drop_branch(
    name: str, services: UsesServices, caller: Caller, confirm: str = "", force: bool = False
) -> None:
    """Drop a branch with all its data. `confirm` is its name once more; `force` stops apps that run on it."""
    if confirm != name:
        raise InvalidRequestError(f"To drop this branch, confirm it by its name: ?confirm={name[:60]}")
    await services.branches.drop(caller.user, name, caller.user, force=force)


@router.post("/{name}/promote", response_class=StreamingResponse, responses=PROGRESS)
async def promote(name: str, request: PromoteRequest, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Its data become the data themselves; running apps move over. Answers as a restore does."""
    return await progress(services.branches.promote(caller.user, name, request.confirm, caller.user))
