"""`python -m gofastapi_ext.platform`: the service of this user, on its unix socket. One at a time."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import logging
import os
import resource
import socket
import sys
import time
from pathlib import Path
from types import FrameType
from typing import IO

import uvicorn

from gofastapi_ext._version import __version__
from gofastapi_ext.client.discovery import is_listening
from gofastapi_ext.client.places import Places, find_places
from gofastapi_ext.platform.allocator import share_one_heap
from gofastapi_ext.platform.api.abortable import AbortableProtocol
from gofastapi_ext.platform.app import create_app
from gofastapi_ext.platform.settings import load_settings

# What a service takes to end its apps and its MongoDB at most.
_HANDOVER_TIMEOUT_SECONDS = 25.0
_DESCRIPTORS = 65_536


def main() -> int:
    """Serve until SIGTERM; return the exit status. A second service of the same user ends at once."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    os.umask(0o077)
    share_one_heap()
    _allow_many_descriptors()
    places = find_places().make()
    lock = places.service_lock.open("w")
    if not _lock(lock, places):
        logging.info("another service of this user is running")
        return 0
    server = _Server(places)
    try:
        server.run(sockets=[_bind(places.socket)])
    finally:
        places.socket.unlink(missing_ok=True)
    if not server.started:
        return 1
    # A clean end: the next client that finds nothing running does not take it for a crash.
    places.service_info.unlink(missing_ok=True)
    return 0


def _allow_many_descriptors() -> None:
    """Each app takes a few, and the usual limit of 1024 would be met with some hundred of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # Not everywhere is the hard limit one that may be reached.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _lock(file: IO[str], places: Places) -> bool:
    """Take the service's lock; False where another service has it. One that is ending is waited for."""
    deadline = time.monotonic() + _HANDOVER_TIMEOUT_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if is_listening(places) or time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


class _Server(uvicorn.Server):
    """Uvicorn, which listens only when everything behind the API is up, and then says so."""

    def __init__(self, places: Places) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(load_settings(), places),
                log_config=None,
                access_log=False,
                loop="uvloop",
                http=AbortableProtocol,
                timeout_graceful_shutdown=1,
            )
        )
        self._places = places

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Uvicorn's own would die of the signal once more at the end, before anything is tidied up.
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Those who follow a log or the feed come back by themselves, when the next service is up.
        for connection in list(self.server_state.connections):
            if isinstance(connection, AbortableProtocol) and connection.is_endless:
                connection.transport.abort()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # What is here now stays: looking through it for garbage again and again would hold requests up.
            gc.collect()
            gc.freeze()
            _write_info(self._places)


def _bind(path: Path) -> socket.socket:
    """A socket at `path` that refuses connections until it listens."""
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(str(path))
    return bound


def _write_info(places: Places) -> None:
    temporary = places.service_info.with_suffix(".new")
    temporary.write_text(json.dumps({"pid": os.getpid(), "version": __version__}))
    temporary.replace(places.service_info)


if __name__ == "__main__":
    sys.exit(main())
