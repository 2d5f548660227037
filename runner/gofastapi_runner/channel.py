"""An instance's end of its private channel to the platform."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import socket
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

_MAX_COMMAND_BYTES = 1_000_000
# What waits while the platform does not read; reports beyond this are not made.
_FULL_BYTES = 2_000_000


class Channel:
    """One JSON object a line, both ways.

    What is sent keeps its order and its lines whole, also where a signal's handler sends in the middle of
    a long one: that is why the writing is done here and not by a stream of the event loop.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        # The loop lets nobody else watch a descriptor that a stream of its reads from.
        self._outlet = connection.dup()
        self._outlet.setblocking(False)
        self._pending: deque[bytes] = deque()
        self._is_sending = False
        self._is_watched = False
        self._loop = asyncio.get_running_loop()
        self._emptied = asyncio.Event()

    async def commands(self) -> AsyncIterator[dict[str, Any]]:
        """What the platform says, until it is gone."""
        reader, _ = await asyncio.open_unix_connection(sock=self._connection, limit=_MAX_COMMAND_BYTES)
        while line := await reader.readline():
            yield json.loads(line)

    def send(self, message: dict[str, Any]) -> None:
        """Send, or keep for later what the channel does not take at once."""
        self._pending.append(json.dumps(message).encode() + b"\n")
        self._send_pending()
        if self._pending and not self._is_watched:
            self._is_watched = True
            self._loop.add_writer(self._outlet, self._continue)

    def send_now(self, message: dict[str, Any], timeout_seconds: float) -> None:
        """The same from a signal's handler, where the event loop may be blocked: wait for the channel instead."""
        self._pending.append(json.dumps(message).encode() + b"\n")
        self._send_pending()
        while self._pending and not self._is_sending:
            poll = select.poll()
            poll.register(self._outlet, select.POLLOUT)
            if not poll.poll(timeout_seconds * 1000):
                return  # it goes with the rest, when the loop has a turn
            self._send_pending()

    @property
    def is_full(self) -> bool:
        return sum(map(len, self._pending)) > _FULL_BYTES

    async def flush(self, timeout_seconds: float) -> None:
        """Until all is sent, or the time is up."""
        if self._pending:
            self._emptied.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), timeout_seconds)

    def _continue(self) -> None:
        self._send_pending()
        if not self._pending:
            self._loop.remove_writer(self._outlet)
            self._is_watched = False
            self._emptied.set()

    def _send_pending(self) -> None:
        """Send what the channel takes. A handler that comes in between leaves its message to whom it interrupted."""
        while self._pending and not self._is_sending:
            self._is_sending = True
            try:
                line = self._pending.popleft()
                sent = os.write(self._outlet.fileno(), line)
                if sent < len(line):
                    self._pending.appendleft(line[sent:])
            except BlockingIOError:
                self._pending.appendleft(line)
                return
            except OSError:
                self._pending.clear()  # the platform is gone, and so is this process soon
            finally:
                self._is_sending = False
