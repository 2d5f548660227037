"""How much of a request is read: before anybody looks at it, and after it was answered."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gofastapi_ext.core.limits import Limits, format_bytes

# A byte of a file takes three in JSON at most: two bytes that are one letter become `\\u00e9`. Base64 takes less.
_JSON_FACTOR = 3
# Paths, variables, and where in a notebook it all came from.
_AROUND_THE_FILES_BYTES = 4_000_000
# Time for an answer to be seen by one who is still sending.
_LINGERING_SECONDS = 5.0
_LINGERING_BYTES = 8_000_000


class BodyLimit:
    """Refuses bodies that no bundle needs, with 413: before they are read where they say how long they are, else then.

    Those that are read as they arrive (large content, archives, imports) have limits of their own.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._max_bytes = _JSON_FACTOR * limits.max_bundle_bytes + _AROUND_THE_FILES_BYTES
        self._refusal = (
            f"The request is more than {format_bytes(self._max_bytes)}. No app of up to "
            f"{format_bytes(limits.max_bundle_bytes)}, which is the limit, needs that."
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_streamed(scope["path"]):
            await self._app(scope, receive, send)
            return
        announced, size = _announced_bytes(scope), 0

        async def counted() -> Message:
            nonlocal size
            if announced <= self._max_bytes:
                message = await receive()
                size += len(message.get("body", b""))
                if size <= self._max_bytes:
                    return message
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._refusal)

        await self._app(scope, counted, send)


class LingeringBody:
    """Reads on for a while, and drops what comes, where a request is answered before all of it has come.

    Closing a connection with something unread in it resets it, and who is still sending would find that
    instead of the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        is_whole = False

        async def noted() -> Message:
            nonlocal is_whole
            message = await receive()
            is_whole = not message.get("more_body", False)
            return message

        async def linger() -> None:
            left_bytes = _LINGERING_BYTES
            while not is_whole and left_bytes > 0:
                left_bytes -= len((await noted()).get("body", b""))

        async def send_and_linger(message: Message) -> None:
            if is_whole or message["type"] != "http.response.body" or message.get("more_body", False):
                await send(message)
                return
            await send({**message, "more_body": True})
            with suppress(TimeoutError):
                await asyncio.wait_for(linger(), _LINGERING_SECONDS)
            await send({"type": "http.response.body"})

        await self._app(scope, noted, send_and_linger)


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def _announced_bytes(scope: Scope) -> int:
    """What the request says of its length, which the server has read as a number; 0 where it says nothing."""
    return next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)


def _is_streamed(path: str) -> bool:
    if path.startswith("/api/database/collections/"):
        return path.endswith("/import")
    return path.startswith("/api/blobs/") or path.endswith(("/draft/archive", "/database/backups/upload"))
