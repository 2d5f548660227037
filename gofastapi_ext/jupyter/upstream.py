"""The two places a request can go, and no other: the platform's socket, or an app's port on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

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
_MAX_HEADER_BYTES = 64 * 1024  # as much as Jupyter's server takes from a viewer


class Upstream:
    """Connections to the platform and to apps. `close` ends them all."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._platform = _session(aiohttp.UnixConnector(str(places.socket), limit=0, force_close=True))
        # A connection for each request: one kept open would still lead to the version before a redeploy.
        self._apps = _session(aiohttp.TCPConnector(limit=0, force_close=True))
        self._starting: asyncio.Task[bool] | None = None
        self.ports = Ports(self._ask_about)

    async def close(self) -> None:
        """End every connection, requests under way included."""
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
            try:
                response = await self._platform.request(method, url, headers=headers, data=body)
            except aiohttp.ClientConnectorError:
                # Nothing of the body has been read yet, so the request can be made again.
                await self._start_service()
                response = await self._platform.request(method, url, headers=headers, data=body)
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
        async with _app_errors(app_id):
            url = _url("127.0.0.1", port, target)
            async with self._apps.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
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
            return Socket(
                await self._apps.ws_connect(
                    _url("127.0.0.1", port, target),
                    headers=headers,
                    protocols=protocols,
                    max_msg_size=max_message_bytes,
                )
            )

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
        return 1006, "The app went away."

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye, and wait a little for the answer. Does nothing where it is closed."""
        await self._socket.close(code=code, message=reason.encode())


def _session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    """A session that adds nothing of its own, keeps nothing, and passes bodies as they are."""
    return aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_SECONDS),
        max_line_size=_MAX_HEADER_BYTES,
        max_field_size=_MAX_HEADER_BYTES,
    )


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
