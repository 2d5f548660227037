"""The apps' listening sockets: owned by the platform, inherited by instances."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import html
import socket
from collections.abc import Iterable

import psutil

from gofastapi_ext.core.errors import UnavailableError

BACKLOG = 1024
_HEAD_TIMEOUT_SECONDS = 10.0
_LINGER_SECONDS = 2.0


class Listener:
    """One app's socket. Connections wait in its backlog until somebody accepts them."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.setblocking(False)
            self.socket.bind((host, port))
            self.socket.listen(BACKLOG)
        except OSError:
            self.socket.close()
            raise
        self.port: int = self.socket.getsockname()[1]
        self._parked: asyncio.Server | None = None

    async def park(self, reason: str) -> None:
        """Answer with 503 and `reason`: nobody is going to accept."""
        await self.unpark()
        self._parked = await asyncio.start_server(_Parked(reason).answer, sock=self.socket.dup(), start_serving=True)

    async def unpark(self) -> None:
        """Leave connections to the instances."""
        if self._parked is not None:
            self._parked.close()
            self._parked = None

    async def wait_for_visitor(self) -> None:
        """Until a connection waits in the backlog. It is left there."""
        await self.unpark()
        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()
        # A descriptor of its own: the loop refuses one that a transport may be using.
        with self.socket.dup() as watched:
            loop.add_reader(watched, arrived.set)
            try:
                await arrived.wait()
            finally:
                loop.remove_reader(watched)

    async def close(self) -> None:
        await self.unpark()
        self.socket.close()


def listen_on(host: str, port: int) -> Listener:
    """Listen on this port. Raises `UnavailableError` that names the program which has it."""
    try:
        return Listener(host, port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise UnavailableError(
            f"Port {port} is taken by {_holder(port)}. End that program and the app comes back by itself, "
            "or deploy the app again to move it to another port.",
            {"port": port},
        ) from error


def listen_on_free_port(host: str, ports: Iterable[int]) -> Listener:
    """Listen on the first of `ports` that is free. Raises `UnavailableError` where none is."""
    for port in ports:
        with contextlib.suppress(OSError):
            return Listener(host, port)
    raise UnavailableError("No port is free for the app. Remove apps, or widen GOFASTAPI_FIRST_PORT..LAST_PORT.")


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        pass
    return "another program"


class _Parked:
    """Answers for an app that has no instance and will not have one by itself."""

    def __init__(self, reason: str) -> None:
        page = (
            "<!doctype html><html><head><meta charset=utf-8><meta name=color-scheme content='light dark'>"
            "<title>Not running</title></head><body style='font:16px/1.5 system-ui;max-width:40em;margin:4em auto;"
            f"padding:0 1em'><h1>This app is not running</h1><pre style='white-space:pre-wrap'>{html.escape(reason)}"
            "</pre></body></html>"
        ).encode()
        head = (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html; charset=utf-8\r\n"
            f"content-length: {len(page)}\r\nretry-after: 5\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        self._answer = head.encode() + page

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_TIMEOUT_SECONDS)
            writer.write(self._answer)
            writer.write_eof()
            # Closed with a part of the request unread, the answer would be lost to a reset connection.
            await asyncio.wait_for(_read_to_the_end(reader), _LINGER_SECONDS)
        writer.close()


async def _read_to_the_end(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass
