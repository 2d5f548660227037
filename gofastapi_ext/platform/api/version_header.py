"""Tells every client which version answers."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gofastapi_ext._version import __version__


class VersionHeader:
    """Names the service's version in every answer, for clients of another one to notice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-gofastapi-version", __version__.encode())]
            await send(message)

        await self._app(scope, receive, named)
