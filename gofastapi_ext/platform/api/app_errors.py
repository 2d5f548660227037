"""What goes wrong in apps, and sending its request again."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from gofastapi_ext.core.app_errors import ErrorView, ReplayRequest, ReplayView
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api", tags=["errors"])

_ERRORS = TypeAdapter(list[ErrorView])


@router.get("/apps/{app_id}/errors", response_model=list[ErrorView])
async def list_errors(app_id: str, services: UsesServices, caller: Caller) -> Response:
    """An app's errors of the last day, the same ones as one, the latest first."""
    # Written as they are: with bodies and tracebacks these may be megabytes.
    return Response(_ERRORS.dump_json(await services.errors.of_app(app_id, caller.user)), media_type="application/json")


@router.delete("/apps/{app_id}/errors", status_code=204)
async def clear_errors(app_id: str, services: UsesServices, caller: Caller) -> None:
    """Forget them."""
    await services.errors.clear(app_id, caller.user)


@router.get("/errors/{error_id}")
async def get_error(error_id: str, services: UsesServices, caller: Caller) -> ErrorView:
    """One error."""
    return await services.errors.get(error_id, caller.user)


@router.post("/errors/{error_id}/replay")
async def replay(error_id: str, request: ReplayRequest, services: UsesServices, caller: Caller) -> ReplayView:
    """Send the error's latest request to what is running now. What was not kept of it can be given anew."""
    return await services.replays.replay(error_id, caller.user, request)
