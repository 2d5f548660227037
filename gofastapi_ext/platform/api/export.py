"""Export an app as a project of its own, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from gofastapi_ext.core.project.restored import ImportResult
from gofastapi_ext.platform.api.drafts import IfMatch, etag_of, quoted
from gofastapi_ext.platform.api.state import Caller, UsesServices
from gofastapi_ext.platform.control.export import Export

router = APIRouter(prefix="/api/apps/{app_id}", tags=["export"])

_MEDIA_TYPE = "application/zip"
_CHUNK_BYTES = 256_000


@router.get("/export", response_class=StreamingResponse, responses={200: {"content": {_MEDIA_TYPE: {}}}})
async def export(
    app_id: str,
    services: UsesServices,
    caller: Caller,
    version: Annotated[str | None, Query(description="A version's number, `draft` or `live`", max_length=40)] = None,
) -> StreamingResponse:
    """A zip of a project that runs without us: by default of what is live, else of the draft."""
    record = await services.apps.find(app_id, caller.user)
    made = await services.exports.export(record, version)
    headers = {"Content-Length": str(made.size_bytes), "Content-Disposition": f'attachment; filename="{made.name}"'}
    return StreamingResponse(_content(made), media_type=_MEDIA_TYPE, headers=headers)


@router.put("/draft/archive", openapi_extra={"requestBody": {"content": {_MEDIA_TYPE: {}}, "required": True}})
async def put_archive(
    app_id: str,
    request: Request,
    response: Response,
    services: UsesServices,
    caller: Caller,
    if_match: IfMatch = None,
) -> ImportResult:
    """Save the project in a zip, exported or anybody's, as the draft; deploys nothing. `If-Match` as with a draft.

    A new app is made where there is none of this name.
    """
    etag = etag_of(if_match)
    async with services.imports.received(request.stream()) as received:
        find = services.apps.find_or_create if etag in (None, "*") else services.apps.find
        result = await services.imports.save(await find(app_id, caller.user), received, etag, caller.user)
    response.headers["ETag"] = quoted(result.etag)
    return result


async def _content(made: Export) -> AsyncIterator[bytes]:
    with made.file as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk
