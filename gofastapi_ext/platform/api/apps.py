"""Apps, their deployments, versions and logs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, TypeAdapter

from gofastapi_ext.core.environment import check_environment
from gofastapi_ext.core.errors import InvalidRequestError, UnavailableError
from gofastapi_ext.core.logs import MAX_TAIL, LogQuery
from gofastapi_ext.core.models import (
    AppChange,
    AppView,
    CloneRequest,
    CloneResult,
    DeployRequest,
    LogLevel,
    LogLine,
    StageEvent,
    VersionView,
)
from gofastapi_ext.platform.api.abortable import EndlessStream
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api/apps", tags=["apps"])

_APPS = TypeAdapter(list[AppView])
_MEDIA_TYPE = "application/x-ndjson"


@router.get("", response_model=list[AppView])
async def list_apps(services: UsesServices, caller: Caller, deleted: bool = False) -> Response:
    """Your apps, by name; with `deleted`, those instead that can still be restored."""
    views = await (services.apps.deleted(caller.user) if deleted else services.apps.of(caller.user))
    # Written as they are: to have a hundred of them validated again takes longer than to read them.
    return Response(_APPS.dump_json(views), media_type="application/json")


@router.get("/{app_id}")
async def get_app(app_id: str, services: UsesServices, caller: Caller) -> AppView:
    """One app."""
    return await services.apps.view(app_id, caller.user)


@router.patch("/{app_id}")
async def change_app(app_id: str, change: AppChange, services: UsesServices, caller: Caller) -> AppView:
    """Change its title, when it sleeps, and whether bodies of requests that fail are kept."""
    return await services.apps.change(app_id, caller.user, change)


@router.delete("/{app_id}")
async def delete_app(
    app_id: str, services: UsesServices, caller: Caller, confirm: str = "", forever: bool = False
) -> AppView:
    """Take an app away. `confirm` is its id once more. It can be restored for some days, unless `forever`."""
    if confirm != app_id:
        raise InvalidRequestError(f"To delete {app_id}, confirm it by its name: ?confirm={app_id}")
    return await services.apps.delete(app_id, caller.user, forever=forever)


@router.post("/{app_id}/restore", response_class=StreamingResponse, responses={200: {"model": StageEvent}})
async def restore(app_id: str, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Bring a deleted app back as it was. Answers as deploy does; `saved` where it did not run."""
    return await stream(services.apps.restore(app_id, caller.user))


@router.post("/{app_id}/start", response_class=StreamingResponse, responses={200: {"model": StageEvent}})
async def start(app_id: str, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Start a stopped app. Answers as deploy does."""
    return await stream(services.apps.start(app_id, caller.user))


@router.post("/{app_id}/restart", response_class=StreamingResponse, responses={200: {"model": StageEvent}})
async def restart(app_id: str, services: UsesServices, caller: Caller) -> StreamingResponse:
    """A new instance of the live version takes over from the old one. Answers as deploy does."""
    record = await services.apps.find(app_id, caller.user)
    return await stream(services.deployments.restart(record, caller.user))


@router.post("/{app_id}/stop")
async def stop(app_id: str, services: UsesServices, caller: Caller) -> AppView:
    """End an app's processes. Its address, versions, variables and files stay."""
    return await services.apps.stop(app_id, caller.user)


@router.post("/{app_id}/sleep")
async def sleep(app_id: str, services: UsesServices, caller: Caller) -> AppView:
    """Let an app that nobody is using sleep now; the next request wakes it."""
    return await services.apps.sleep(app_id, caller.user)


@router.post("/{app_id}/clone", status_code=201)
async def clone(app_id: str, request: CloneRequest, services: UsesServices, caller: Caller) -> CloneResult:
    """A new app with this one's code as its draft, and its variables but not its secrets."""
    return await services.clones.clone(app_id, caller.user, request)


@router.post("/{app_id}/deploy", response_class=StreamingResponse, responses={200: {"model": StageEvent}})
async def deploy(app_id: str, request: DeployRequest, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Bring a bundle live. Answers a JSON line for each stage as it ends; the last is `live` or `failed`."""
    check_environment(request.env, services.limits.max_env_bytes)
    record = await services.apps.find_or_create(app_id, caller.user)
    return await stream(services.deployments.deploy(record, request, caller.user))


@router.get("/{app_id}/versions")
async def list_versions(app_id: str, services: UsesServices, caller: Caller) -> list[VersionView]:
    """The versions that are kept, newest first."""
    return await services.apps.versions(app_id, caller.user)


@router.post("/{app_id}/rollback/{number}", response_class=StreamingResponse, responses={200: {"model": StageEvent}})
async def roll_back(app_id: str, number: int, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Make a new version of an old one. Answers as deploy does."""
    record = await services.apps.find(app_id, caller.user)
    return await stream(services.deployments.roll_back(record, number, caller.user))


@router.get("/{app_id}/logs", response_class=StreamingResponse, responses={200: {"model": LogLine}})
async def get_logs(
    app_id: str,
    services: UsesServices,
    caller: Caller,
    tail: Annotated[int, Query(ge=0, le=MAX_TAIL)] = 200,
    follow: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    grep: Annotated[str | None, Query(max_length=1000)] = None,
    level: LogLevel | None = None,
    pid: Annotated[int | None, Query(ge=1)] = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
) -> StreamingResponse:
    """What the app printed: a JSON line for each; with `follow`, then each new one as it comes.

    `grep` is a piece of the text, whatever its case; `level` stands for those above, too. `after` is the position
    of a line: instead of the last `tail`, all those after it are told.
    """
    for name, moment in (("since", since), ("until", until)):
        _check_moment(name, moment)
    query = LogQuery(tail=tail, since=since, until=until, grep=grep, level=level, pid=pid, after=after)
    lines = await services.apps.logs(app_id, caller.user, query, follow)
    kind = EndlessStream if follow else StreamingResponse
    return kind(json_lines(lines), media_type=_MEDIA_TYPE)


def _check_moment(name: str, moment: datetime | None) -> None:
    if moment is None:
        return
    if moment.tzinfo is None:
        raise InvalidRequestError(f"{name} needs a time zone: write it like {moment.isoformat()}Z, or +01:00.")
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise InvalidRequestError(f"{name} is beyond the years 1 to 9999.") from None


async def stream(events: AsyncIterator[StageEvent]) -> StreamingResponse:
    """The events, a JSON line each. Waits for the first, so that an error before it has a status of its own."""
    first = await anext(events, None)
    if first is None:
        raise UnavailableError("The service is being stopped. Run it again in a moment.")

    async def rest() -> AsyncIterator[list[StageEvent]]:
        yield [first]
        async for event in events:
            yield [event]

    return StreamingResponse(json_lines(rest()), media_type=_MEDIA_TYPE)


async def json_lines(batches: AsyncIterator[Sequence[BaseModel]]) -> AsyncIterator[bytes]:
    """Each model as a line of JSON, without what is as by default."""
    async for items in batches:
        yield b"".join(item.model_dump_json(exclude_defaults=True).encode() + b"\n" for item in items)
        # A caller who reads fast never makes us wait; others have their turn all the same.
        await asyncio.sleep(0)
