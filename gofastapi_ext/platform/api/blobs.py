"""Large content, sent before the bundle that names it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import StreamingResponse

from gofastapi_ext.core.errors import NotFoundError
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api", tags=["blobs"])

Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.head("/blobs/{sha256}", status_code=204)
async def has_blob(sha256: Sha256, services: UsesServices, caller: Caller) -> None:
    """Whether it is stored already: 204, or 404. Once asked for it is kept for an hour."""
    if not await services.blobs.has(sha256):
        raise NotFoundError(f"{sha256[:12]} is not stored here.")


@router.put("/blobs/{sha256}", status_code=204)
async def put_blob(sha256: Sha256, request: Request, services: UsesServices, caller: Caller) -> None:
    """Store the body, which has to have this hash, for a bundle to name. A second time changes nothing."""
    await services.blobs.put(sha256, request.stream())


@router.get("/apps/{app_id}/blobs/{sha256}", response_class=StreamingResponse)
async def get_blob(app_id: str, sha256: Sha256, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Content that a version or the draft of the app names. An answer that breaks off was damaged in the store."""
    size, content = await services.blobs.read(app_id, caller.user, sha256)
    headers = {"Content-Length": str(size), "ETag": f'"{sha256}"'}
    return StreamingResponse(content, media_type="application/octet-stream", headers=headers)
