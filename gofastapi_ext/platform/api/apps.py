"""Apps, their deployments, versions and logs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from gofastapi_ext.core.environment import check_environment
from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.core.models import AppView, DeployRequest, LogLine, StageEvent, VersionView
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api/apps", tags=["apps"])

_MEDIA_TYPE = "application/x-ndjson"


@router.get("")
async def list_apps(services: UsesServices, caller: Caller) -> list[AppView]:
    """Your apps, by name."""
    return await services.apps.of(caller.user)


@router.get("/{app_id}")
async def get_app(app_id: str, services: UsesServices, caller: Caller) -> AppView:
    """One app."""
    return await services.apps.view(app_id, caller.user)


@router.delete("/{app_id}", status_code=204)
async def delete_app(app_id: str, services: UsesServices, caller: Caller) -> None:
    """Take an app away with everything of it; its name stays yours."""
    await services.apps.delete(app_id, caller.user)


@router.post("/{app_id}/deploy", response_class=StreamingResponse, responses={200: {"model": StageEvent}})
async def deploy(app_id: str, request: DeployRequest, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Bring a bundle live. Answers a JSON line for each stage as it ends; the last is `live` or `failed`."""
    check_environment(request.env, services.limits.max_env_bytes)
    record = await services.apps.find_or_create(app_id, caller.user)
    return await _stream(services.deployments.deploy(record, request, caller.user))


@router.get("/{app_id}/versions")
async def list_versions(app_id: str, services: UsesServices, caller: Caller) -> list[VersionView]:
    """The versions that are kept, newest first."""
    return await services.apps.versions(app_id, caller.user)


@router.post("/{app_id}/rollback/{number}", response_class=StreamingResponse, responses={200: {"model": StageEvent}})
async def roll_back(app_id: str, number: int, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Make a new version of an old one. Answers as deploy does."""
    record = await services.apps.find(app_id, caller.user)
    return await _stream(services.deployments.roll_back(record, number, caller.user))


@router.get("/{app_id}/logs", response_class=StreamingResponse, responses={200: {"model": LogLine}})
async def get_logs(
    app_id: str,
    services: UsesServices,
    caller: Caller,
    tail: Annotated[int, Query(ge=0, le=10_000)] = 200,
    follow: bool = False,
) -> StreamingResponse:
    """What the app printed: a JSON line for each; with `follow`, then each new one as it comes."""
    lines = await services.apps.logs(app_id, caller.user, tail, follow)
    return StreamingResponse(_json_lines(lines), media_type=_MEDIA_TYPE)


async def _stream(events: AsyncIterator[StageEvent]) -> StreamingResponse:
    """Wait for the first event, so that an error before it has a status of its own."""
    first = await anext(events, None)
    if first is None:
        raise UnavailableError("The service is being stopped. Run it again in a moment.")

    async def rest() -> AsyncIterator[list[StageEvent]]:
        yield [first]
        async for event in events:
            yield [event]

    return StreamingResponse(_json_lines(rest()), media_type=_MEDIA_TYPE)


async def _json_lines(batches: AsyncIterator[Sequence[BaseModel]]) -> AsyncIterator[bytes]:
    async for items in batches:
        yield b"".join(item.model_dump_json(exclude_defaults=True).encode() + b"\n" for item in items)
        # A caller who reads fast never makes us wait; others have their turn all the same.
        await asyncio.sleep(0)
