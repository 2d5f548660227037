"""Drafts, whole and by single files. What was read is named by its etag: in `ETag`, then in `If-Match`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import PurePosixPath
from typing import Annotated, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse

from gofastapi_ext.core.bundle import Bundle
from gofastapi_ext.core.drafts import DraftFileSave, DraftFileView, DraftMove, DraftSave, DraftView
from gofastapi_ext.core.edits import with_file
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.platform.api.state import Caller, UsesServices

_View = TypeVar("_View", DraftView, DraftFileView)

router = APIRouter(prefix="/api/apps/{app_id}/draft", tags=["drafts"])

IfMatch = Annotated[str | None, Header(description="The etag that was read; `*` overwrites whatever is there")]
IfNoneMatch = Annotated[str | None, Header(description="Of what is known already: 304 where it is still that")]


@router.get("", response_model=DraftView, responses={304: {"description": "It is still that"}})
async def get_draft(
    app_id: str, response: Response, services: UsesServices, caller: Caller, if_none_match: IfNoneMatch = None
) -> DraftView | Response:
    """The latest code: the saved draft, or the live version where there is none."""
    view = await services.drafts.view(await services.apps.find(app_id, caller.user))
    return _unless_known(view, view.etag, if_none_match, response)


@router.put("")
async def put_draft(
    app_id: str,
    save: DraftSave,
    response: Response,
    services: UsesServices,
    caller: Caller,
    if_match: IfMatch = None,
) -> DraftView:
    """Save a whole draft; deploys nothing. Without `If-Match`: only where no draft is saved.

    A new app is made where there is none of this name. A stale save answers 409 with both sides.
    """
    etag = etag_of(if_match)
    await services.drafts.check(save.bundle, save.env)
    find = services.apps.find_or_create if etag in (None, "*") else services.apps.find
    record = await find(app_id, caller.user)
    await services.environments.check_open(record.id, record.env_revision, save.env)
    view = await services.drafts.save(record, save, etag, caller.user)
    response.headers["ETag"] = quoted(view.etag)
    return view


@router.delete("", status_code=204)
async def delete_draft(app_id: str, services: UsesServices, caller: Caller, if_match: IfMatch = None) -> None:
    """Discard the saved draft: the latest code is what is live again."""
    record = await services.apps.find(app_id, caller.user)
    await services.drafts.discard(record, needed_etag(if_match))


@router.get("/files/{path:path}", response_model=DraftFileView, responses={304: {"description": "It is still that"}})
async def get_file(
    app_id: str,
    path: str,
    response: Response,
    services: UsesServices,
    caller: Caller,
    if_none_match: IfNoneMatch = None,
) -> DraftFileView | Response:
    """One file. Its etag is the sha256 of its content."""
    view = await services.drafts.file(await services.apps.find(app_id, caller.user), path)
    return _unless_known(view, view.etag, if_none_match, response)


@router.put("/files/{path:path}")
async def put_file(
    app_id: str,
    path: str,
    save: DraftFileSave,
    response: Response,
    services: UsesServices,
    caller: Caller,
    if_match: IfMatch = None,
) -> DraftFileView:
    """Save one file; the others stay as they are, whoever changed them. Without `If-Match`: only a new file."""
    etag = etag_of(if_match)
    await services.drafts.check(with_file(Bundle(files={}), path, save.file))
    find = services.apps.find_or_create if etag in (None, "*") else services.apps.find
    view = await services.drafts.save_file(await find(app_id, caller.user), path, save, etag, caller.user)
    response.headers["ETag"] = quoted(view.etag)
    return view


@router.delete("/files/{path:path}", status_code=204)
async def delete_file(app_id: str, path: str, services: UsesServices, caller: Caller, if_match: IfMatch = None) -> None:
    """Take one file away."""
    record = await services.apps.find(app_id, caller.user)
    await services.drafts.delete_file(record, path, needed_etag(if_match), caller.user)


@router.get("/content/{path:path}", response_class=StreamingResponse)
async def get_content(app_id: str, path: str, services: UsesServices, caller: Caller) -> StreamingResponse:
    """The bytes of one file, to download."""
    record = await services.apps.find(app_id, caller.user)
    file = await services.drafts.content(record, path)
    # Never shown in place: it is somebody's page or script, under our own address.
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(PurePosixPath(path).name)}",
        "Content-Length": str(file.size_bytes),
        "ETag": quoted(file.sha256),
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    content: AsyncIterator[bytes] | Iterator[bytes] = iter([] if file.blob else [file.content])
    if file.blob:
        _, content = await services.blobs.read(app_id, caller.user, file.blob)
    return StreamingResponse(content, media_type="application/octet-stream", headers=headers)


@router.post("/move")
async def move(app_id: str, move: DraftMove, response: Response, services: UsesServices, caller: Caller) -> DraftView:
    """Rename a file or a folder."""
    view = await services.drafts.move(await services.apps.find(app_id, caller.user), move, caller.user)
    response.headers["ETag"] = quoted(view.etag)
    return view


def _unless_known(view: _View, etag: str, if_none_match: str | None, response: Response) -> _View | Response:
    """The view, or 304 where the caller has it already."""
    headers = {"ETag": quoted(etag), "Cache-Control": "no-cache"}
    known = {_bare(each) for each in (if_none_match or "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return view


def etag_of(if_match: str | None) -> str | None:
    """What `If-Match` names; None where it says nothing."""
    return _bare(if_match) if if_match and if_match.strip() else None


def needed_etag(if_match: str | None) -> str:
    """What `If-Match` names. Raises `InvalidRequestError` where it says nothing."""
    etag = etag_of(if_match)
    if etag is None:
        raise InvalidRequestError("Name what is meant by its etag in If-Match, or say * for whatever is there.")
    return etag


def _bare(etag: str) -> str:
    """Without quotes, and whatever a proxy that compresses made of it."""
    return etag.strip().removeprefix("W/").strip('"')


def quoted(etag: str) -> str:
    """As it stands in a header."""
    return f'"{etag}"'
