"""What happened: as a list, and as a stream of server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import TypeAdapter
from starlette.types import Message, Receive, Scope, Send

from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.core.events import Event
from gofastapi_ext.platform.api.abortable import ABORT, EndlessStream
from gofastapi_ext.platform.api.state import Caller, Services, UsesServices
from gofastapi_ext.platform.control.events import Follower

router = APIRouter(prefix="/api", tags=["events"])

_EVENTS = TypeAdapter(list[Event])
_MEDIA_TYPE = "text/event-stream"
_MAX_ID = 2**53

Id = Annotated[int | None, Query(ge=0, le=_MAX_ID)]
LastId = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=_MAX_ID)]
Limit = Annotated[int, Query(ge=1, le=500)]


class EventStream(EndlessStream):
    """The events of a follower, which it closes. A viewer who does not read is cut off."""

    def __init__(
        self, follower: Follower, *, heartbeat_seconds: float = 15.0, write_timeout_seconds: float = 30.0
    ) -> None:
        # Nothing on the way is to keep or to collect it.
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(_frames(follower, heartbeat_seconds), headers=headers, media_type=_MEDIA_TYPE)
        self._follower = follower
        self._write_timeout_seconds = write_timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        abort: Callable[[], None] = scope["extensions"][ABORT]
        self._follower.on_overflow = abort

        async def timely(message: Message) -> None:
            try:
                async with asyncio.timeout(self._write_timeout_seconds):
                    await send(message)
            except TimeoutError:
                abort()

        try:
            await super().__call__(scope, receive, timely)
        finally:
            self._follower.close()


@router.get("/events", response_model=list[Event], responses={200: {"content": {_MEDIA_TYPE: {}}}})
async def list_events(
    request: Request,
    services: UsesServices,
    caller: Caller,
    limit: Limit = 50,
    before: Id = None,
    follow: bool = False,
    after: Id = None,
    last_event_id: LastId = None,
) -> Response:
    """What happened to your apps, the latest first; `before` is an id. With `follow`, or where that is what the
    caller accepts, a stream of server-sent events: those after the id `after` or `Last-Event-ID`, then new ones.
    """
    if _wants_stream(request, follow):
        return _stream(services, caller.user, None, after, last_event_id)
    return _list(await services.events.newest(caller.user, None, limit, before))


@router.get("/apps/{app_id}/events", response_model=list[Event], responses={200: {"content": {_MEDIA_TYPE: {}}}})
async def list_events_of_app(
    app_id: str,
    request: Request,
    services: UsesServices,
    caller: Caller,
    limit: Limit = 50,
    before: Id = None,
    follow: bool = False,
    after: Id = None,
    last_event_id: LastId = None,
) -> Response:
    """What happened to one app, in the same way."""
    record = await services.apps.find(app_id, caller.user)
    if _wants_stream(request, follow):
        return _stream(services, caller.user, record.id, after, last_event_id)
    return _list(await services.events.newest(caller.user, record.id, limit, before))


def _wants_stream(request: Request, follow: bool) -> bool:
    return follow or _MEDIA_TYPE in request.headers.get("accept", "").lower()


def _list(events: list[Event]) -> Response:
    return Response(_EVENTS.dump_json(events), media_type="application/json")


def _stream(services: Services, owner: str, app: str | None, after: int | None, last_id: int | None) -> EventStream:
    # A browser that comes back asks for the same address; only the header tells how far it was.
    return EventStream(services.events.follow(owner, app, after if last_id is None else last_id))


async def _frames(follower: Follower, heartbeat_seconds: float) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    try:
        async for events in follower.batches(heartbeat_seconds):
            yield b"".join(_frame(event) for event in events) or b":\n\n"
    except UnavailableError:
        return  # the viewer comes back, with the last id


def _frame(event: Event) -> bytes:
    return f"id: {event.id}\nevent: {event.kind}\ndata: {event.model_dump_json()}\n\n".encode()
