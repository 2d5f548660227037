"""`<base_url>/gofastapi/apps/{id}/...`: an app, for people whose browser is not on this machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from tornado.websocket import WebSocketClosedError, WebSocketHandler

from gofastapi_ext.core.errors import GoFastAPIError, UnavailableError
from gofastapi_ext.jupyter.gate import Gate
from gofastapi_ext.jupyter.headers import Visit, from_app, to_app, with_length
from gofastapi_ext.jupyter.origin import is_foreign
from gofastapi_ext.jupyter.problems import Problem
from gofastapi_ext.jupyter.relay import Relay, raw_headers
from gofastapi_ext.jupyter.urls import split_app_path, target, without_parameters

if TYPE_CHECKING:
    from gofastapi_ext.jupyter.upstream import Body, Socket

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""The largest WebSocket message either way; what uvicorn takes by default."""

_PING_SECONDS = 30.0
_GOING_AWAY = 1001
_UNEXPECTED = 1011
_RESERVED_CODES = frozenset({1004, 1005, 1006})


class AppGate(Gate):
    """What HTTP and WebSockets to an app have in common: the gate, and how the request reads there."""

    shows_pages = True

    def check_xsrf_cookie(self) -> None:
        """Nothing here: an app's forms know no token of Jupyter's. `check_site` stands in for it."""

    def check_site(self) -> None:
        if self.token_authenticated or self.settings.get("disable_check_xsrf", False):
            return
        websocket = isinstance(self, WebSocketHandler)
        if is_foreign(self.request.method or "", self.request.headers, websocket=websocket):
            raise Problem(403, "forbidden", "The request comes from a page of another site.")

    def read_path(self) -> tuple[Visit, str | None]:
        """Who visits which app, and the path there as the viewer sent it; None without even a slash."""
        app_id, path = split_app_path(self.request.path.removeprefix(f"{self.root}/apps"))
        visit = Visit(
            app_id=app_id,
            prefix=f"{self.root}/apps/{app_id}",
            host=self.request.host,
            scheme=self.request.protocol,
            address=self.request.remote_ip or "",
            by_token=self.token_authenticated,
        )
        return visit, path

    def target_in_app(self, visit: Visit, path: str) -> str:
        # A `token` that did not open Jupyter is the app's own.
        credentials = ("_xsrf", "token") if visit.by_token else ("_xsrf",)
        return target(path, without_parameters(self.request.query, credentials))


class AppRelay(AppGate, Relay):
    """HTTP to an app: any method, and bodies of any size, which only pass through."""

    async def exchange(self, body: Body | None) -> None:
        visit, path = self.read_path()
        if path is None:
            self.set_status(307)
            self.set_header("Location", target(f"{visit.prefix}/", self.request.query))
            return
        upstream = await self.connect()
        port = await upstream.ports.of(visit.app_id)
        headers = with_length(to_app(self.request.headers.get_all(), visit), self.body_length())
        try:
            async with upstream.ask_app(
                visit.app_id, port, self.request.method or "", self.target_in_app(visit, path), headers, body
            ) as response:
                await self.answer_with(response, from_app(raw_headers(response), visit, port))
        except UnavailableError:
            upstream.ports.forget(visit.app_id)
            raise


class AppSocket(AppGate, WebSocketHandler):
    """A WebSocket to an app. The viewer's handshake is answered once the app has accepted it."""

    _app: Socket
    _opening: asyncio.Task[Socket] | None = None
    _replies: asyncio.Task[None] | None = None

    @property
    def auth_action(self) -> str:
        return "execute"

    async def get(self, *args: Any, **kwargs: Any) -> None:
        self._opening = asyncio.create_task(self._open_app_socket())
        await asyncio.wait([self._opening])
        if self._opening.cancelled():
            self.detach().close()  # the viewer is gone, or Jupyter stops
            return
        try:
            self._app = self._opening.result()
        except GoFastAPIError as error:
            raise Problem.from_error(error) from error
        try:
            await super().get(*args, **kwargs)  # returns when the viewer's side is closed
        finally:
            await self._app.close(close_code(self.close_code, _GOING_AWAY), self.close_reason or "")
            if self._replies is not None:
                self._replies.cancel()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._opening is not None:
            self._opening.cancel()

    async def open(self) -> None:
        self.set_nodelay(True)
        self._replies = asyncio.create_task(self._pass_replies())

    async def on_message(self, message: str | bytes) -> None:
        """Jupyter's server reads no further before this returns, so a slow app slows the viewer down."""
        await self._app.send(message)

    def check_origin(self, origin: str | None = None) -> bool:
        """Whether tornado may go on: the gate has looked, and more strictly."""
        return self._admitted

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return self._app.protocol

    def get_compression_options(self) -> dict[str, Any] | None:
        return cast("dict[str, Any] | None", self.settings.get("websocket_compression_options"))

    @property
    def max_message_size(self) -> int:
        return MAX_MESSAGE_BYTES

    @property
    def ping_interval(self) -> float:
        return self.settings.get("websocket_ping_interval") or _PING_SECONDS

    @property
    def ping_timeout(self) -> float:
        return self.settings.get("websocket_ping_timeout") or self.ping_interval

    async def _open_app_socket(self) -> Socket:
        visit, path = self.read_path()
        upstream = await self.connect()
        port = await upstream.ports.of(visit.app_id)
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        protocols = [name.strip() for name in offered.split(",") if name.strip()]
        headers = to_app(self.request.headers.get_all(), visit)
        try:
            return await upstream.open_socket(
                visit.app_id, port, self.target_in_app(visit, path or "/"), headers, protocols, MAX_MESSAGE_BYTES
            )
        except UnavailableError:
            upstream.ports.forget(visit.app_id)
            raise

    async def _pass_replies(self) -> None:
        try:
            while isinstance(message := await self._app.receive(), str | bytes):
                await self.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError:
            return  # the viewer is gone; `get` tells the app
        code, reason = message
        self.close(None if code == 0 else close_code(code, _UNEXPECTED), reason)


def close_code(code: int | None, otherwise: int) -> int:
    """`code` where RFC 6455 lets it stand in a close frame."""
    if code is not None and (1000 <= code <= 1014 or 3000 <= code <= 4999) and code not in _RESERVED_CODES:
        return code
    return otherwise
