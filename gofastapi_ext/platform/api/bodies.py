"""How much of a request is read before anybody looks at it."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gofastapi_ext.core.limits import Limits, format_bytes

# What a character of a file may take in JSON, and what comes around the files.
_JSON_FACTOR = 8


class BodyLimit:
    """Refuses bodies that no bundle needs, with 413, while they come in.

    Those that are read as they arrive (large content, archives, imports) have limits of their own.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._max_bytes = _JSON_FACTOR * limits.max_bundle_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_streamed(scope["path"]):
            await self._app(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._max_bytes:
                most = format_bytes(self._max_bytes)
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request is more than {most}, which is the limit."
                )
            return message

        await self._app(scope, counted, send)


def _is_streamed(path: str) -> bool:
    if path.startswith("/api/database/collections/"):
        return path.endswith("/import")
    return path.startswith("/api/blobs/") or path.endswith(("/draft/archive", "/database/backups/upload"))
