"""From one file to several."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gofastapi_ext.core.drafts import DraftConversion
from gofastapi_ext.platform.api.drafts import IfMatch, needed_etag, quoted
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api/apps/{app_id}/draft", tags=["drafts"])


@router.post("/convert")
async def convert(
    app_id: str, response: Response, services: UsesServices, caller: Caller, if_match: IfMatch = None
) -> DraftConversion:
    """Split a single-file app into routers, models and schemas, as its draft. It stays the same app.

    `If-Match` names the code that was read. Where there is nothing to gain, or nothing can be moved, the
    answer says so and nothing is changed.
    """
    etag = needed_etag(if_match)
    record = await services.apps.find(app_id, caller.user)
    conversion = await services.conversions.convert(record, etag, caller.user)
    response.headers["ETag"] = quoted(conversion.draft.etag)
    return conversion
