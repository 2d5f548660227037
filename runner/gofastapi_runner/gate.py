"""The gate: one thin ASGI layer around every app.

It counts requests and latency, reports exceptions by notebook cell, adds what the app does not
bring itself (`/health`, a root that leads to `/docs`, link-preview tags), serves behind a path
prefix, and hands late requests over while the instance drains.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Generator
from time import perf_counter
from typing import Any

from gofastapi_runner import preview
from gofastapi_runner.handover import hand_over
from gofastapi_runner.metrics import Metrics
from gofastapi_runner.tracebacks import SourceMap, hint_for, render

_PREFIX = re.compile(rb"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_HEADERS_OF_OURS = frozenset({b"content-length", b"x-forwarded-prefix", b"x-forwarded-proto"})
_TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
# A service that restarts: the client is to connect again.
_WEBSOCKET_SERVICE_RESTART = 1012


class Gate:
    """Wraps `app`. `host` and `port` are the app's own address, for requests handed over."""

    def __init__(
        self,
        app: Any,
        *,
        title: str,
        port: int,
        sources: SourceMap,
        host: str = "127.0.0.1",
        state: dict[str, Any] | None = None,
    ) -> None:
        self.metrics = Metrics()
        self.draining = False
        self._app = app
        self._title = title
        self._host = host
        self._port = port
        self._sources = sources
        self._state = state or {}
        self._docs_url = getattr(app, "docs_url", None)
        self._own_answers: dict[str, Callable[[Any, Any], Awaitable[None]]] = {}
        if self._docs_url and not serves(app, "/"):
            self._own_answers["/"] = self._redirect_to_docs
        if not serves(app, "/health"):
            self._own_answers["/health"] = self._report_health
        self._websockets: dict[asyncio.Event, None] = {}

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """Serve one request or WebSocket. Never raises: the client has its answer, the log the traceback."""
        # Every request comes this way, so no coroutine does nothing but await the next one.
        if scope["type"] == "websocket":
            return self._websocket(scope, receive, send)
        if self.draining:
            return self._hand_over(scope, receive, send)
        return self._serve(scope, receive, send)

    @property
    def open_websockets(self) -> int:
        return len(self._websockets)

    @property
    def idle_seconds(self) -> float:
        """How long ago the last request or WebSocket ended; 0.0 while one is open."""
        return 0.0 if self.metrics.in_flight or self._websockets else perf_counter() - self.metrics.last_ended

    def close_websockets(self) -> None:
        """Tell every WebSocket's app that its peer is gone, and the peer to connect again."""
        for closing in list(self._websockets):
            closing.set()

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        status = 0
        held: dict[str, Any] | None = None
        may_preview = scope["method"] == "GET"
        metrics = self.metrics
        metrics.in_flight += 1
        started = perf_counter()

        # A plain function that hands on `send`'s own awaitable: a coroutine for each message would cost more
        # than all the rest of the gate.
        def watched(message: Any) -> Awaitable[None]:
            nonlocal status, held
            if message["type"] == "http.response.start":
                status = message["status"]
                if self.draining:
                    message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
                if may_preview and preview.is_page(message):
                    held = message
                    return _DONE
            elif held is not None:
                start, held = held, None
                return self._send_page(start, message, send)
            elif message.get("more_body", False):
                return _send_part(message, send)
            sending: Awaitable[None] = send(message)
            return sending

        try:
            answer = self._own_answers.get(scope["path"])
            length = self._prepare(scope)
            if answer is None:
                await self._app(scope, whole_body(receive, length) if length else receive, watched)
            else:
                await answer(scope, watched)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            metrics.exceptions += 1
            self._report(error, f"{scope['method']} {scope['path']}")
            if not status or held is not None:
                status = 500
                await _respond(send, 500, _TEXT, b"Internal Server Error")
        finally:
            metrics.last_ended = ended = perf_counter()
            metrics.observe(status or 499, ended - started)
            metrics.in_flight -= 1

    async def _send_page(self, start: Any, message: Any, send: Any) -> None:
        """Send the start of a page that was held back, and its body, with link-preview tags where it is whole."""
        # A file sent by its path, or a page in parts, goes as it is.
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            body = preview.add_tags(bytes(message.get("body", b"")), self._title)
            start = preview.with_length(start, len(body))
            message = {**message, "body": body}
        await send(start)
        await _send_part(message, send)

    async def _hand_over(self, scope: Any, receive: Any, send: Any) -> None:
        started = False

        async def watched(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        self.metrics.in_flight += 1
        try:
            await hand_over(scope, receive, watched, self._host, self._port)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            if started:
                return  # left unfinished, which the client notices
            await _respond(send, 503, [*_TEXT, (b"retry-after", b"1")], b"This app is restarting.")
        finally:
            self.metrics.in_flight -= 1

    async def _redirect_to_docs(self, scope: Any, send: Any) -> None:
        location = (scope["root_path"] + self._docs_url).encode()
        await _respond(send, 307, [(b"location", location)], b"")

    async def _report_health(self, scope: Any, send: Any) -> None:
        await _respond(send, 200, [(b"content-type", b"application/json")], b'{"status":"ok"}')

    async def _websocket(self, scope: Any, receive: Any, send: Any) -> None:
        closing = asyncio.Event()
        self._websockets[closing] = None
        closer = asyncio.create_task(closing.wait())
        pending: asyncio.Task[Any] | None = None

        async def receive_or_close() -> Any:
            nonlocal pending
            pending = pending or asyncio.ensure_future(receive())
            await asyncio.wait((pending, closer), return_when=asyncio.FIRST_COMPLETED)
            if pending.done():
                message, pending = pending.result(), None
                return message
            return {"type": "websocket.disconnect", "code": _WEBSOCKET_SERVICE_RESTART}

        try:
            self._prepare(scope)
            await self._app(scope, receive_or_close, send)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self.metrics.exceptions += 1
            self._report(error, f"WebSocket {scope['path']}")
            await _close_websocket(send, 1011)
        finally:
            closer.cancel()
            if pending is not None:
                pending.cancel()
            if closing.is_set():
                await _close_websocket(send, _WEBSOCKET_SERVICE_RESTART)
            del self._websockets[closing]
            self.metrics.last_ended = perf_counter()

    def _prepare(self, scope: Any) -> int:
        """Give the scope the lifespan's state and the prefix it is served under; return the body's stated length."""
        scope["state"] = self._state.copy()
        length = 0
        for name, value in scope["headers"]:
            if name not in _HEADERS_OF_OURS:
                continue
            if name == b"content-length" and value.isdigit():
                length = int(value)
            elif name == b"x-forwarded-prefix" and _PREFIX.fullmatch(value):
                prefix = value.decode("ascii")
                scope["root_path"] = prefix
                scope["path"] = prefix + scope["path"]
            elif name == b"x-forwarded-proto" and value in (b"https", b"http"):
                secure = value == b"https"
                plain = "http" if scope["type"] == "http" else "ws"
                scope["scheme"] = plain + "s" if secure else plain
        return length

    def _report(self, error: BaseException, where: str) -> None:
        hint = hint_for(error)
        told = f"{where} raised\n{render(error, self._sources)}" + (f"\nHint: {hint}" if hint else "")
        print(told, file=sys.stderr, flush=True)


class _Done:
    """An awaitable with nothing to wait for."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


_DONE = _Done()


async def _send_part(message: Any, send: Any) -> None:
    await send(message)
    if message.get("more_body", False):
        # Sending to a client that is gone never waits: an endless stream would hold the event loop.
        await asyncio.sleep(0)


def whole_body(receive: Any, length: int) -> Any:
    """Mark the body's last part as the last, as uvicorn does.

    Granian sends an empty message after it. Middleware that reads one message and plays it again
    (a common recipe) would wait for the rest for ever.
    """
    left = length

    async def receive_marked() -> Any:
        nonlocal left
        message = await receive()
        if message["type"] == "http.request":
            left -= len(message.get("body", b""))
            if left == 0:
                message["more_body"] = False
        return message

    return receive_marked


def serves(app: Any, path: str) -> bool:
    """Whether the app has a route, or a mount, for GET `path`. Apps whose routes we cannot see do."""
    routes = getattr(app, "routes", None)
    if routes is None:
        return True
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": [], "query_string": b""}
    # `Match.NONE` is 0; read so, to need nothing of the framework here.
    return any(route.matches(dict(scope))[0].value > 0 for route in routes if hasattr(route, "matches"))


async def _respond(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _close_websocket(send: Any, code: int) -> None:
    try:
        await send({"type": "websocket.close", "code": code})
    except Exception:
        return  # it is closed already
