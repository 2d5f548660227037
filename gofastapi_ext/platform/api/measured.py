"""Counts what the API is asked, and how long it takes to begin an answer."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gofastapi_ext.platform.control.telemetry import Telemetry

_NO_ROUTE = "none"


class Measured:
    """A request is counted when its answer begins: a stream that is followed for hours took no hours."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        answered = False

        def note(status: int) -> None:
            nonlocal answered
            answered = True
            # By then the router has said which route it is.
            route = getattr(scope.get("route"), "path", _NO_ROUTE)
            self._telemetry.answered(scope["method"], route, status, time.perf_counter() - begun)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                note(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception:
            if not answered:
                note(500)
            raise
