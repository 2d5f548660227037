"""Files into and out of a collection, as streams: none is whole in memory, whatever its size."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from gofastapi_ext.core.documents.names import check_collection
from gofastapi_ext.core.documents.views import Format, ImportEvent, ImportMode
from gofastapi_ext.platform.api.apps import json_lines
from gofastapi_ext.platform.api.documents import AsAsked, InPlace
from gofastapi_ext.platform.api.state import UsesServices

router = APIRouter(prefix="/api/database", tags=["documents"])

_MEDIA_TYPES = {Format.JSONL: "application/x-ndjson", Format.CSV: "text/csv; charset=utf-8"}


@router.post(
    "/collections/{collection}/import",
    response_class=StreamingResponse,
    responses={200: {"model": ImportEvent}},
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}, "required": True}},
)
async def import_documents(
    request: Request,
    place: InPlace,
    services: UsesServices,
    format: Format = Format.JSONL,
    mode: ImportMode = ImportMode.ADD,
) -> StreamingResponse:
    """Import the body as it arrives. Answers JSON lines that say how far it is; the last is `done` or `failed`.

    `add` stores every line that can be stored and tells which could not. `replace` is all or nothing: while it
    lasts, and where it fails, everything is as it was. A sender may read the answer when all is sent.
    """
    check_collection(place.collection)
    body = request.stream()
    events = services.browser.load(place, format, mode, body)

    async def answered() -> AsyncGenerator[list[ImportEvent], None]:
        async with aclosing(events):
            async for event in events:
                yield [event]
                if event.kind == "failed":
                    # Who still sends would see a broken connection instead of the answer.
                    async for _ in body:
                        pass

    return _WhileReading(json_lines(answered()), media_type="application/x-ndjson")


@router.get("/collections/{collection}/export", response_class=StreamingResponse)
async def export_documents(
    place: InPlace,
    asked: AsAsked,
    services: UsesServices,
    format: Format = Format.JSONL,
    plain: Annotated[bool, Query(description="For people: without the types, so that there is no way back")] = False,
) -> StreamingResponse:
    """The documents as a file. An answer that breaks off is not all of it, and every client can tell."""
    chunks = services.browser.export(place, asked, format, plain=plain)
    # What is wrong with the query shows here, while the answer can still have a status of its own.
    first = await anext(chunks, b"")

    async def content() -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks):
            yield first
            async for chunk in chunks:
                yield chunk

    name = quote(f"{place.collection}.{format}", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return _Closing(content(), media_type=_MEDIA_TYPES[format], headers=headers)


class _Closing(StreamingResponse):
    """One whose content is closed at once where whoever reads it has left, not when the memory is cleaned."""

    async def stream_response(self, send: Send) -> None:
        # Typed as any iterable by Starlette; all that comes here are generators, which can be closed.
        async with aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().stream_response(send)


class _WhileReading(_Closing):
    """An answer that is given while the request is still read. Listening for the end would take its body away."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.stream_response(send)
        except (ClientDisconnect, OSError):
            return  # nobody is there to be told
