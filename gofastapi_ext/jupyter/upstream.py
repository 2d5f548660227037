"""The two places a request can go, and no other: the platform's socket, or an app's port on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import SimpleNamespace
from typing import Any, cast
from weakref import WeakSet

import aiohttp
from yarl import URL

from gofastapi_ext.client.discovery import ensure_running
from gofastapi_ext.client.places import Places
from gofastapi_ext.core.errors import ServiceUnreachableError, UnavailableError
from gofastapi_ext.jupyter.headers import Header
from gofastapi_ext.jupyter.ports import Ports
from gofastapi_ext.jupyter.problems import Problem

Body = AsyncIterator[bytes]

_CONNECT_TIMEOUT_SECONDS = 5.0
_FAREWELL_SECONDS = 2.0
_GOING_AWAY = 1001
_ABNORMAL = 1006
_MAX_HEADER_BYTES = 64 * 1024  # as much as Jupyter's server takes from a viewer


class Upstream:
    """Connections to the platform and to apps. `close` ends them all."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._platform = _session(aiohttp.UnixConnector(str(places.socket), limit=0, force_close=True))
        # A connection for each request: one kept open would still lead to the version before a redeploy.
        self._apps = _session(aiohttp.TCPConnector(limit=0, force_close=True))
        self._starting: asyncio.Task[bool] | None = None
        self._exchanges: set[asyncio.Task[Any] | None] = set()
        self._sockets: WeakSet[Socket] = WeakSet()
        self.ports = Ports(self._ask_about)

    async def close(self) -> None:
        """End every connection, requests under way included."""
        # A session that is closed leaves who still reads from it waiting forever.
        exchanges = [task for task in self._exchanges if task is not None]
        for task in exchanges:
            task.cancel()
        farewells = [socket.close(_GOING_AWAY, "Jupyter is stopping.") for socket in self._sockets]
        await asyncio.gather(*exchanges, *farewells, return_exceptions=True)
        await self._platform.close()
        await self._apps.close()

    @asynccontextmanager
    async def ask_platform(
        self, method: str, target: str, headers: list[Header], body: Body | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The platform's answer. `target` begins with `/api/`; a service that does not run is started.

        Raises `ServiceUnreachableError` where it cannot be, `Problem` where it breaks off.
        """
        url = _url("gofastapi", None, target)
        try:
            with self._under_way():
                try:
                    response = await _request(self._platform, method, url, headers, body)
                except aiohttp.ClientConnectorError:
                    # Nothing of the body has been read yet, so the request can be made again.
                    await self._start_service()
                    response = await _request(self._platform, method, url, headers, body)
                async with response:
                    yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ServiceUnreachableError(
                "The GoFastAPI service does not answer. `gofastapi doctor` says more."
            ) from error
        except aiohttp.ClientError as error:
            raise Problem(
                502,
                ServiceUnreachableError.code,
                "The GoFastAPI service went away in the middle of the request. What was live still is, or "
                "comes back by itself; try again.",
            ) from error

    @asynccontextmanager
    async def ask_app(
        self, app_id: str, port: int, method: str, target: str, headers: list[Header], body: Body | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer of the app that listens on `port` of this machine.

        Raises `UnavailableError` where nothing listens there, `Problem` where the app breaks off.
        """
        url = _url("127.0.0.1", port, target)
        async with _app_errors(app_id):
            with self._under_way():
                async with await _request(self._apps, method, url, headers, body) as response:
                    yield response

    async def open_socket(
        self,
        app_id: str,
        port: int,
        target: str,
        headers: list[Header],
        protocols: list[str],
        max_message_bytes: int,
    ) -> Socket:
        """A WebSocket to the app, for the caller to close. Raises as `ask_app` does, or with the app's refusal."""
        async with _app_errors(app_id):
            with self._under_way():
                opened = await self._apps.ws_connect(
                    _url("127.0.0.1", port, target),
                    headers=_as_sent(headers),
                    protocols=protocols,
                    max_msg_size=max_message_bytes,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_FAREWELL_SECONDS),
                )
        socket = Socket(opened)
        self._sockets.add(socket)
        return socket

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        task = asyncio.current_task()
        self._exchanges.add(task)
        try:
            yield
        finally:
            self._exchanges.discard(task)

    async def _ask_about(self, app_id: str) -> tuple[int, bytes]:
        async with self.ask_platform("GET", f"/api/apps/{app_id}", []) as response:
            return response.status, await response.read()

    async def _start_service(self) -> None:
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(asyncio.to_thread(ensure_running, self._places))
        try:
            # Shielded: who asked first may leave, others wait for the same start.
            await asyncio.shield(self._starting)
        except OSError as error:
            raise ServiceUnreachableError(f"The GoFastAPI service could not be started: {error}") from error


class Socket:
    """An open WebSocket to an app."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._farewell = (_ABNORMAL, "The app went away.")

    @property
    def protocol(self) -> str | None:
        """The subprotocol the app has chosen."""
        return self._socket.protocol

    async def send(self, message: str | bytes) -> None:
        """Send; waits while the app is slow. A socket that is closed meanwhile takes it and drops it."""
        try:
            if isinstance(message, str):
                await self._socket.send_str(message)
            else:
                await self._socket.send_bytes(message)
        except ConnectionError:
            return  # `receive` says so, with the app's reason

    async def receive(self) -> str | bytes | tuple[int, str]:
        """The next message, or the code and reason of the close; code 0 where the app gave none."""
        message = await self._socket.receive()
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            return cast("str | bytes", message.data)
        if message.type is aiohttp.WSMsgType.CLOSE:
            return message.data or 0, message.extra or ""
        if message.type is aiohttp.WSMsgType.ERROR and isinstance(message.data, aiohttp.WebSocketError):
            return message.data.code, "The app sent what cannot be passed on."
        return self._farewell

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye, and wait a little for the answer. Does nothing where it is closed."""
        self._farewell = (code, reason)
        # aiohttp reads on until the app's own goodbye comes, which one that only sends may never say.
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await self._socket.close(code=code, message=reason.encode())


def _session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    """A session that adds nothing of its own, keeps nothing, follows nothing, and passes bodies as they are."""
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    session = aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_SECONDS),
        max_line_size=_MAX_HEADER_BYTES,
        max_field_size=_MAX_HEADER_BYTES,
        trace_configs=[trace],
    )
    # A request that brought an app down is not for us to make a second time. There is no public way to say so.
    session._retry_connection = False
    return session


async def _refuse_redirect(
    session: aiohttp.ClientSession, context: SimpleNamespace, seen: aiohttp.TraceRequestRedirectParams
) -> None:
    """A WebSocket's handshake would be taken wherever the app says, with no way to ask aiohttp not to."""
    response = seen.response
    response.close()
    raise aiohttp.WSServerHandshakeError(response.request_info, response.history, status=response.status)


async def _request(
    session: aiohttp.ClientSession, method: str, url: URL, headers: list[Header], body: Body | None
) -> aiohttp.ClientResponse:
    return await session.request(method, url, headers=_as_sent(headers), data=body, allow_redirects=False)


def _as_sent(headers: list[Header]) -> list[Header]:
    """The headers as aiohttp wants them: it sends text as UTF-8, ours is a character for each byte."""
    return [(name, value if value.isascii() else _from_utf8(value)) for name, value in headers]


def _from_utf8(value: str) -> str:
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value  # other encodings reach the app as if they had been Latin-1


def _url(host: str, port: int | None, target: str) -> URL:
    path, _, query = target.partition("?")
    return URL.build(scheme="http", host=host, port=port, path=path, query_string=query, encoded=True)


@asynccontextmanager
async def _app_errors(app_id: str) -> AsyncIterator[None]:
    try:
        yield
    except aiohttp.WSServerHandshakeError as error:
        status = error.status if error.status >= 400 else 502
        raise Problem(status, "refused", f"{app_id} answered {error.status} to the WebSocket.") from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise UnavailableError(f"{app_id} does not answer. `gofastapi logs {app_id}` may say why.") from error
    except aiohttp.ClientError as error:
        raise Problem(
            502, UnavailableError.code, f"{app_id} broke off. `gofastapi logs {app_id}` may say why."
        ) from error
