"""Serve an ASGI app with Granian on a listening socket that was inherited.

Granian opens its own sockets; handing it one goes through private names (see `_InheritedSocket`),
so pyproject.toml pins the range and a test fails when they move.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server as _EmbeddedServer

BACKLOG = 1024


class _InheritedSocket(_EmbeddedServer):
    """Granian's in-process server, accepting on `descriptor`, which must be non-blocking."""

    def __init__(self, target: Any, descriptor: int) -> None:
        super().__init__(
            target,
            interface=Interfaces.ASGINL,  # the lifespan is ours: it is over before anything is accepted
            http=HTTPModes.http1,
            websockets=True,
            backlog=BACKLOG,
            log_enabled=False,
        )
        self._descriptor = descriptor

    def _init_shared_socket(self) -> None:
        holder: Any = SocketHolder
        vars(self).update(_ssp=None, _shd=holder(self._descriptor, False, self.backlog))


class Server:
    """One accept loop. `start`, then `release` (accept no more), then `stop`."""

    def __init__(self, app: Any, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._server = _InheritedSocket(app, descriptor)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to accept."""
        self._task = asyncio.create_task(self._server.serve(), name="server")

    def release(self) -> None:
        """Accept no more, and leave the socket to the other processes that hold it.

        Closing our descriptors would pull them from under the server's own accept loop, and shutting
        the socket down would end it for everyone. Instead each of them is replaced by a listener
        nobody can reach; connections that are open stay so.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as nowhere:
            nowhere.bind(("127.0.0.1", 0))
            nowhere.listen(1)
            nowhere.setblocking(False)
            for descriptor in _same_socket(self._descriptor):
                os.dup2(nowhere.fileno(), descriptor, inheritable=False)

    async def stop(self, timeout_seconds: float) -> None:
        """Close every connection that is idle, and wait for the others, `timeout_seconds` at most."""
        if self._task is None:
            return
        stop: Any = self._server.stop
        stop()
        await asyncio.wait([self._task], timeout=timeout_seconds)


def _same_socket(descriptor: int) -> list[int]:
    """Every descriptor of this process that stands for the same socket."""
    wanted = os.fstat(descriptor)
    found = []
    for other in _open_descriptors():
        try:
            info = os.fstat(other)
        except OSError:
            continue
        if stat.S_ISSOCK(info.st_mode) and (info.st_dev, info.st_ino) == (wanted.st_dev, wanted.st_ino):
            found.append(other)
    return found


def _open_descriptors() -> list[int]:
    return [int(name) for name in os.listdir("/dev/fd")]  # noqa: PTH208 - numbers, not paths
