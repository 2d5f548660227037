"""The gate: one thin ASGI layer around every app.

It counts requests and latency, reports exceptions by notebook cell, adds what the app does not
bring itself (`/health`, a root that leads to `/docs`, link-preview tags), serves behind a path
prefix, and hands late requests over while the instance drains.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from gofastapi_runner.answer import DONE, FailedAnswer, file_bytes, respond, send_page, send_part
from gofastapi_runner.body import Body, whole_body
from gofastapi_runner.failures import Failures, Seen
from gofastapi_runner.handover import hand_over
from gofastapi_runner.metrics import Metrics
from gofastapi_runner.preview import is_page
from gofastapi_runner.routes import serves
from gofastapi_runner.tally import NOTES_AT_ONCE, Tally
from gofastapi_runner.tracebacks import SourceMap, hint_for, render
from gofastapi_runner.websocket import WebSocket, is_of_a_gone_peer

_PREFIX = re.compile(rb"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_PROBE_HEADER = b"x-gofastapi-probe"
_HEADERS_OF_OURS = frozenset(
    {b"content-length", b"transfer-encoding", b"x-forwarded-prefix", b"x-forwarded-proto", _PROBE_HEADER}
)
# What stands in the place of a body's length.
_IN_CHUNKS = -1
_OF_A_PROBE = -2
# The status of a request that nobody waits for any more.
_CLIENT_GONE = 499
_TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
# Stands for the method, in what is told of a WebSocket's failure.
_WEBSOCKET = "WEBSOCKET"
_INTERNAL_ERROR = 1011


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
        probe_token: str = "",
        record_bodies: bool = False,
    ) -> None:
        self.metrics = Metrics()
        self.failures = Failures(sources, record_bodies)
        self.draining = False
        self._probes = 0
        self._app = app
        self._title = title
        self._host = host
        self._port = port
        self._sources = sources
        self._state = state or {}
        self._probe_token = probe_token.encode()
        self._tally = Tally(self.metrics, app)
        self._docs_url = getattr(app, "docs_url", None)
        self._own_answers: dict[str, Callable[[Any, Any], Awaitable[None]]] = {}
        if self._docs_url and not serves(app, "/"):
            self._own_answers["/"] = self._redirect_to_docs
        if not serves(app, "/health"):
            self._own_answers["/health"] = self._report_health
        self._websockets: set[WebSocket] = set()

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """Serve one request or WebSocket. Never raises: the client has its answer, the log the traceback."""
        # Every request comes this way, so no coroutine does nothing but await the next one.
        if scope["type"] == "websocket":
            return self._websocket(scope, receive, send)
        if self.draining:
            return self._hand_over(scope, receive, send)
        return self._serve(scope, receive, send)

    @property
    def is_busy(self) -> bool:
        """Whether a request, a WebSocket, or a question of the platform's is open."""
        return bool(self.metrics.in_flight or self._websockets or self._probes)

    @property
    def idle_seconds(self) -> float:
        """How long ago the last request or WebSocket ended; 0.0 while one is open."""
        return 0.0 if self.metrics.in_flight or self._websockets else perf_counter() - self.metrics.last_ended

    def metrics_text(self) -> str:
        """All that has been counted, in the Prometheus text format."""
        self._tally.settle()
        return self.metrics.render()

    def close_websockets(self) -> None:
        """Tell every WebSocket's app that its peer is gone, and the peer to connect again."""
        for socket in self._websockets:
            socket.close()

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        started = perf_counter()
        path, method = scope["path"], scope["method"]
        own = self._own_answers.get(path)
        length = self._prepare(scope)
        if length == _OF_A_PROBE:
            await self._answer_probe(scope, receive, send, own)
            return
        status = bytes_out = 0
        held: dict[str, Any] | None = None
        failed_answer: FailedAnswer | None = None
        failure: BaseException | None = None
        body: Body | None = None
        metrics, may_preview = self.metrics, method == "GET"
        metrics.in_flight += 1

        # A plain function that hands on `send`'s own awaitable: a coroutine for each message would cost more
        # than all the rest of the gate.
        def watched(message: Any) -> Awaitable[None]:
            nonlocal status, bytes_out, held, failed_answer
            if message["type"] == "http.response.start":
                status = message["status"]
                if self.draining:
                    message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
                if status >= 400:
                    failed_answer = FailedAnswer(message)
                elif may_preview and is_page(message):
                    held = message
                    return DONE
            else:
                part = message.get("body")
                bytes_out += len(part) if part else file_bytes(message)
                if failed_answer is not None:
                    failed_answer.add(message)
                if held is not None:
                    start, held = held, None
                    return send_page(start, message, send, self._title)
                if message.get("more_body", False):
                    return send_part(message, send)
            sending: Awaitable[None] = send(message)
            return sending

        try:
            if self.failures.record_bodies or length == _IN_CHUNKS:
                receive = body = Body(receive, self.failures.record_bodies)
            if length > 0:
                receive = whole_body(receive, length)
            if own is None:
                await self._app(scope, receive, watched)
            else:
                await own(scope, watched)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            failure = error
            if not status or held is not None:
                await respond(send, 500, _TEXT, b"Internal Server Error")
        finally:
            metrics.last_ended = ended = perf_counter()
            metrics.in_flight -= 1
            # One that an exception broke off has failed, whatever it began with.
            status = max(status, 500) if failure else status or _CLIENT_GONE
            if body is not None and length == _IN_CHUNKS:
                length = body.size
            get, notes = scope.get, self._tally.notes
            notes.append(
                (method, own and path, get("endpoint"), get("route"), get("fastapi"), get("root_path"),
                 get("app_root_path"), get("path"), status, ended - started, length, bytes_out)
            )  # fmt: skip
            if len(notes) >= NOTES_AT_ONCE:
                self._tally.settle()
            if status >= 400 and status != _CLIENT_GONE:
                route = path if own else self._tally.template(scope)
                self._take_failure(scope, route, method, status, failure, failed_answer, length > 0, body)
            failure = None  # its traceback holds this frame

    async def _answer_probe(self, scope: Any, receive: Any, send: Any, own: Any) -> None:
        """Answer a question of the platform's own. Nothing of it is counted, nor told as a failure."""
        is_begun = False

        def watched(message: Any) -> Awaitable[None]:
            nonlocal is_begun
            is_begun = True
            sending: Awaitable[None] = send(message)
            return sending

        self._probes += 1
        try:
            await (self._app(scope, receive, watched) if own is None else own(scope, watched))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._log(error, f"{scope['method']} {scope['path']}")
            if not is_begun:
                await respond(send, 500, _TEXT, b"Internal Server Error")
        finally:
            self._probes -= 1

    def _take_failure(
        self,
        scope: Any,
        route: str,
        method: str,
        status: int,
        error: BaseException | None,
        answer: FailedAnswer | None,
        has_body: bool,
        body: Body | None,
    ) -> None:
        """Remember a failure, and log it where it is an exception. Never raises: the request is over."""
        try:
            traceback = None
            if error is not None:
                self.metrics.exceptions += 1
                traceback = self._log(error, f"{method} {scope['path']}")
            beginning, headers = (answer.beginning, answer.headers) if answer else (b"", ())
            sent = None if body is None else body.kept
            self.failures.take(method, route, status, Seen(scope, error, traceback, beginning, headers, has_body, sent))
        except Exception as problem:
            print(f"gofastapi: a failure could not be told: {problem!r}", file=sys.stderr, flush=True)

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
            await respond(send, 503, [*_TEXT, (b"retry-after", b"1")], b"This app is restarting.")
        finally:
            self.metrics.in_flight -= 1

    async def _redirect_to_docs(self, scope: Any, send: Any) -> None:
        location = (scope["root_path"] + self._docs_url).encode()
        await respond(send, 307, [(b"location", location)], b"")

    async def _report_health(self, scope: Any, send: Any) -> None:
        await respond(send, 200, [(b"content-type", b"application/json")], b'{"status":"ok"}')

    async def _websocket(self, scope: Any, receive: Any, send: Any) -> None:
        socket = WebSocket(receive, send)
        self._websockets.add(socket)
        self.metrics.websockets_open += 1
        code = None
        try:
            self._prepare(scope)
            await self._app(scope, socket.receive, socket.send)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            # How an app leaves a loop that reads or sends when its peer has gone, or is told so here: no failure.
            if not is_of_a_gone_peer(error):
                code = _INTERNAL_ERROR
                self._take_failure(scope, self._tally.template(scope), _WEBSOCKET, 500, error, None, False, None)
        finally:
            await socket.end(code)
            self._websockets.discard(socket)
            self.metrics.websockets_open -= 1
            self.metrics.last_ended = perf_counter()

    def _prepare(self, scope: Any) -> int:
        """Give the scope the lifespan's state and the prefix it is served under; return the body's stated length.

        In its place `_IN_CHUNKS` where none is stated, and `_OF_A_PROBE` where the platform asks.
        """
        scope["state"] = self._state.copy()
        length, is_probe = 0, False
        for name, value in scope["headers"]:
            if name not in _HEADERS_OF_OURS:
                continue
            if name == b"content-length":
                length = int(value) if value.isdigit() else 0
            elif name == b"transfer-encoding":
                length = _IN_CHUNKS
            elif name == _PROBE_HEADER:
                is_probe = is_probe or (value == self._probe_token and value != b"")
            elif name == b"x-forwarded-prefix" and _PREFIX.fullmatch(value):
                prefix = value.decode("ascii")
                scope["root_path"] = prefix
                scope["path"] = prefix + scope["path"]
            elif name == b"x-forwarded-proto" and value in (b"https", b"http"):
                secure = value == b"https"
                plain = "http" if scope["type"] == "http" else "ws"
                scope["scheme"] = plain + "s" if secure else plain
        if is_probe:
            scope["headers"] = [each for each in scope["headers"] if each[0] != _PROBE_HEADER]
            return _OF_A_PROBE
        return length

    def _log(self, error: BaseException, where: str) -> str:
        """Print an exception; return its traceback."""
        traceback, hint = render(error, self._sources), hint_for(error)
        print(f"{where} raised\n{traceback}" + (f"\nHint: {hint}" if hint else ""), file=sys.stderr, flush=True)
        return traceback
