"""A user's database: how large it is, what is in it, its credentials. `?branch=` means a branch of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from gofastapi_ext.core.data import DatabaseView, RotationEvent, UriRequest, UriView
from gofastapi_ext.platform.api.apps import json_lines
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api/database", tags=["database"])

Branch = Annotated[str | None, Query(min_length=1, max_length=100)]


@router.get("")
async def get_database(services: UsesServices, caller: Caller, branch: Branch = None) -> DatabaseView:
    """Collections with their sizes and indexes, and how much of what is allowed they take."""
    return await services.database_views.view(caller.user, branch)


@router.post("/credentials/rotate", response_class=StreamingResponse, responses={200: {"model": RotationEvent}})
async def rotate_credentials(services: UsesServices, caller: Caller, branch: Branch = None) -> StreamingResponse:
    """New credentials. Running apps get a new instance each, without a failed request; those asleep when they wake.

    Answers a JSON line for each app that is done, and one at the end. Credentials before are dropped when no app
    uses them any more.
    """
    moves = services.rebinding.rotate(caller.user, branch, caller.user)
    first = await anext(moves, None)

    async def events() -> AsyncIterator[list[RotationEvent]]:
        if first is not None:
            yield [RotationEvent(app=first)]
            async for move in moves:
                yield [RotationEvent(app=move)]
        still_used = bool(services.databases.stale(caller.user))
        yield [RotationEvent(done=True, still_used=still_used)]

    return StreamingResponse(json_lines(events()), media_type="application/x-ndjson")


@router.post("/uri")
async def show_uri(
    request: UriRequest, response: Response, services: UsesServices, caller: Caller, branch: Branch = None
) -> UriView:
    """The connection string for mongosh or Compass, on request. `confirm` is the name of the database."""
    response.headers["Cache-Control"] = "no-store"
    return await services.database_views.uri(caller.user, branch, request.confirm)
