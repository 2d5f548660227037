"""Answers that never end by themselves, and connections that they, and the end of the service, can cut off."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

ABORT = "gofastapi.abort"
"""The name of what closes the connection at once, in the `extensions` of a request's scope."""
_ENDLESS = "gofastapi.endless"


class AbortableProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Uvicorn's own, and `ABORT`. Closing politely waits until everything written before is read."""

    app: Any
    is_endless = False
    """Whether its answer is one that never ends."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        app: ASGIApp = self.app

        async def abortable(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = scope.setdefault("extensions", {})
            extensions[ABORT] = transport.abort
            extensions[_ENDLESS] = partial(setattr, self, "is_endless")
            await app(scope, receive, send)

        self.app = abortable


class EndlessStream(StreamingResponse):
    """One that whoever follows ends, or the service: it cuts off those that are left when it stops."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mark = scope["extensions"][_ENDLESS]
        mark(True)
        try:
            await super().__call__(scope, receive, send)
        finally:
            mark(False)
