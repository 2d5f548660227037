"""Backups of a user's database. Where `branch` is named, that branch of it is meant."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, StreamingResponse

from gofastapi_ext.core.backups import BackupsView, BackupView, DataProgress, RestoreRequest, UndoRequest
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.platform.api.apps import json_lines
from gofastapi_ext.platform.api.database import Branch
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api/database/backups", tags=["database"])

MEDIA_TYPE = "application/zip"
PROGRESS: dict[int | str, dict[str, object]] = {200: {"model": DataProgress}}


@router.get("")
async def list_backups(services: UsesServices, caller: Caller) -> BackupsView:
    """Your backups, the latest first; and what a restore or a promotion can be undone to."""
    return await services.backups.view(caller.user)


@router.post("", response_class=StreamingResponse, responses=PROGRESS)
async def back_up(services: UsesServices, caller: Caller, branch: Branch = None) -> StreamingResponse:
    """Back the database up, as it is at one moment. Answers JSON lines; the last is `done`, or `failed`."""
    return await progress(services.backups.create(caller.user, branch, caller.user))


@router.post("/upload", status_code=201, openapi_extra={"requestBody": {"content": {MEDIA_TYPE: {}}, "required": True}})
async def upload(request: Request, services: UsesServices, caller: Caller) -> BackupView:
    """Take a backup in that was downloaded, here or on another machine. It is read and believed by its hashes."""
    return await services.backups.receive(caller.user, request.stream())


@router.post("/undo", response_class=StreamingResponse, responses=PROGRESS)
async def undo(request: UndoRequest, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Bring back what a restore or a promotion replaced. Answers as a restore does."""
    return await progress(services.backups.undo(caller.user, request.name, caller.user))


@router.get("/{backup_id}")
async def get_backup(backup_id: str, services: UsesServices, caller: Caller) -> BackupView:
    """One backup."""
    return await services.backups.find(caller.user, backup_id)


@router.delete("/{backup_id}")
async def delete_backup(backup_id: str, services: UsesServices, caller: Caller, confirm: str = "") -> BackupView:
    """Delete a backup for good. `confirm` is its id once more."""
    if confirm != backup_id:
        raise InvalidRequestError(f"To delete this backup, confirm it by its id: ?confirm={backup_id[:60]}")
    return await services.backups.delete(caller.user, backup_id)


@router.get("/{backup_id}/content", response_class=FileResponse)
async def get_content(backup_id: str, services: UsesServices, caller: Caller) -> FileResponse:
    """Its file: a zip, which says what it is, and can be taken in anywhere."""
    backup, path = await services.backups.content(caller.user, backup_id)
    return FileResponse(path, media_type=MEDIA_TYPE, filename=path.name, headers={"ETag": f'"{backup.sha256}"'})


@router.post("/{backup_id}/restore", response_class=StreamingResponse, responses=PROGRESS)
async def restore(
    backup_id: str, request: RestoreRequest, services: UsesServices, caller: Caller, branch: Branch = None
) -> StreamingResponse:
    """Its content takes the place of the data. Answers JSON lines; the last is `done`, or `failed`: nothing changed.

    It is loaded under a new name first. Running apps move over without a failed request. What is replaced can come
    back for a while.
    """
    return await progress(services.backups.restore(caller.user, branch, backup_id, request.confirm, caller.user))


async def progress(events: AsyncIterator[DataProgress]) -> StreamingResponse:
    """A JSON line for each event. Waits for the first, so that an error before it has a status of its own."""
    first = await anext(events)

    async def rest() -> AsyncIterator[list[DataProgress]]:
        yield [first]
        async for event in events:
            yield [event]

    return StreamingResponse(json_lines(rest()), media_type="application/x-ndjson")
