"""How much of a request is read before anybody looks at it."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gofastapi_ext.core.limits import Limits, format_bytes

# A byte of a file takes three in JSON at most: two bytes that are one letter become `\\u00e9`. Base64 takes less.
_JSON_FACTOR = 3
# Paths, variables, and where in a notebook it all came from.
_AROUND_THE_FILES_BYTES = 4_000_000


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


def _announced_bytes(scope: Scope) -> int:
    """What the request says of its length, which the server has read as a number; 0 where it says nothing."""
    return next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)


def _is_streamed(path: str) -> bool:
    if path.startswith("/api/database/collections/"):
        return path.endswith("/import")
    return path.startswith("/api/blobs/") or path.endswith(("/draft/archive", "/database/backups/upload"))
