"""Relays one HTTP exchange, streaming both ways at the speed of the slower side."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, cast

from tornado import web
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.jupyter.gate import Gate
from gofastapi_ext.jupyter.headers import Header, body_length, from_platform, to_platform, with_length
from gofastapi_ext.jupyter.problems import Problem
from gofastapi_ext.jupyter.urls import has_dot_segments, target, without_parameters

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from gofastapi_ext.jupyter.upstream import Body

# What Jupyter sets in a response, an app does not change; to these it may add.
_ADDED_TO_JUPYTERS = frozenset({"content-security-policy", "set-cookie"})


class RequestBody:
    """The chunks of a body on their way. One waits at most, so that the sender waits too."""

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
        self._unwanted = False

    async def put(self, chunk: bytes) -> None:
        """Wait for room, then hand over. An empty chunk ends the body."""
        if not self._unwanted:
            await self._chunks.put(chunk)

    def discard(self) -> None:
        """Nobody reads on: drop what is there and what comes."""
        self._unwanted = True
        while not self._chunks.empty():
            self._chunks.get_nowait()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await self._chunks.get():
            yield chunk


@web.stream_request_body
class Relay(Gate):
    """Base of the HTTP relays. A subclass says in `exchange` whom to ask."""

    SUPPORTED_METHODS = (*Gate.SUPPORTED_METHODS, "QUERY", "TRACE")

    _exchange: asyncio.Task[None] | None = None

    async def exchange(self, body: Body | None) -> None:
        """Ask, and `answer_with` the response. Runs while the request's body still arrives."""
        raise NotImplementedError

    async def prepare(self) -> None:  # type: ignore[override]
        self._body = RequestBody()
        refusal: web.HTTPError | None = None
        try:
            await super().prepare()
        except web.HTTPError as error:
            if "Expect" in self.request.headers:
                raise
            # Said once the body has come: an answer before it may be lost to the reset of the connection.
            refusal = error
        if self._admitted:
            # How much an app, or the platform, takes is for them to say: here it only passes through.
            cast(HTTP1Connection, self.request.connection).set_max_body_size(sys.maxsize)
        length = self.body_length()
        body = None if length == 0 else aiter(self._body)
        self._exchange = asyncio.create_task(self._refuse(refusal) if refusal else self._translated(body))
        self._exchange.add_done_callback(self._on_exchange_over)

    async def data_received(self, chunk: bytes) -> None:
        await self._body.put(chunk)

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._exchange is not None:
            self._exchange.cancel()

    async def get(self) -> None:
        """Every method alike: the body has come, wait for the exchange to end."""
        await self._body.put(b"")
        exchange = cast("asyncio.Task[None]", self._exchange)
        await asyncio.wait([exchange])
        if exchange.cancelled():
            self.detach().close()  # the viewer is gone, or Jupyter stops
        elif error := exchange.exception():
            if not self._headers_written:
                raise error
            # Ending the response properly would pass a part off as the whole.
            self.log.warning("GoFastAPI: %s broke off: %s", self.request.path, error)
            self.detach().close()

    head = post = put = patch = delete = options = query = trace = get

    async def answer_with(self, response: ClientResponse, headers: Iterable[Header]) -> None:
        """Pass the response on with these headers, each piece as it comes. What Jupyter has set stays."""
        if response.status < 200:
            # Nobody has asked for another protocol; a proxy in front of Jupyter might take it up all the same.
            raise Problem(502, "unavailable", f"The answer has the status {response.status}, which ends nothing.")
        self.set_status(response.status, response.reason)
        for name in ("Content-Type", "Date", "Server"):
            self.clear_header(name)
        jupyters = {name.lower() for name, _ in self._headers.get_all()} - _ADDED_TO_JUPYTERS
        try:
            for name, value in headers:
                if name.lower() not in jupyters:
                    self.add_header(name, value)
        except ValueError as error:
            raise Problem(502, "unavailable", "The answer has a header that cannot be passed on.") from error
        # Small pieces are to leave at once, not to wait for the acknowledgement of the one before.
        cast(HTTP1Connection, self.request.connection).stream.set_nodelay(True)
        # What of the body is here already travels with the head.
        self.write(response.content.read_nowait())
        await self.flush()
        async for chunk in response.content.iter_any():
            self.write(chunk)
            await self.flush()

    def body_length(self) -> int | None:
        """As `headers.body_length`; raises `Problem` where it is not clear."""
        try:
            return body_length(self.request.headers.get_all())
        except ValueError as error:
            raise Problem(400, "invalid_request", str(error)) from error

    async def _refuse(self, refusal: web.HTTPError) -> None:
        raise refusal

    async def _translated(self, body: Body | None) -> None:
        try:
            await self.exchange(body)
        except StreamClosedError:
            return  # the viewer is gone
        except GoFastAPIError as error:
            raise Problem.from_error(error) from error

    def _on_exchange_over(self, exchange: asyncio.Task[None]) -> None:
        self._body.discard()
        if not exchange.cancelled():
            exchange.exception()  # seen here too: the viewer may be gone, and nobody else looks


class ApiRelay(Relay):
    """`<base_url>/gofastapi/api/...`: the platform's API, as it is."""

    @property
    def content_security_policy(self) -> str:
        return f"{super().content_security_policy}; default-src 'none'"

    async def exchange(self, body: Body | None) -> None:
        path = self.request.path.removeprefix(self.root)
        if has_dot_segments(path):
            raise Problem(404, "not_found", "There is nothing here.")
        query = without_parameters(self.request.query, ("token", "_xsrf"))
        upstream = await self.connect()
        headers = with_length(to_platform(self.request.headers.get_all()), self.body_length())
        async with upstream.ask_platform(self.request.method or "", target(path, query), headers, body) as response:
            await self.answer_with(response, from_platform(raw_headers(response)))


class Nothing(Relay):
    """The rest below `<base_url>/gofastapi`: behind the gate like everything, and not there."""

    async def exchange(self, body: Body | None) -> None:
        raise Problem(404, "not_found", "There is nothing here.")


def raw_headers(response: ClientResponse) -> list[Header]:
    """The response's headers, a character for each byte."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers]
