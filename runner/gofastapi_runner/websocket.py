"""A WebSocket as its app has it: one that only sends is told as well that its peer is gone.

Granian tells only who receives, and takes what is sent to nobody without a word: an app that pushes and never
listens would do so for ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

# What is read before the app asks for it: enough to come to the peer's end, too little to be a burden.
_READ_AHEAD_BYTES = 65_536
_BYTES_OF_AN_EMPTY_MESSAGE = 64
_ABNORMAL = 1006
# A service that restarts: the client is to connect again.
_SERVICE_RESTART = 1012
_DISCONNECT = "websocket.disconnect"
# Of Starlette, which need not be what the app is made of.
_ITS_DISCONNECT = "WebSocketDisconnect"


class PeerGoneError(OSError):
    """Raised by `send` where nobody is there any more, as ASGI has it."""


class WebSocket:
    """One connection. Its app is given `receive` and `send`."""

    def __init__(self, receive: Any, send: Any) -> None:
        self._from_peer = receive
        self._to_peer = send
        self._unread: deque[Any] = deque()
        self._unread_bytes = 0
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._is_closing = False
        self._disconnect: dict[str, Any] | None = None

    async def receive(self) -> Any:
        """The next message. After the last one it is `websocket.disconnect`, however often one asks."""
        if self._reading is None:
            return await self._from_peer()  # the handshake
        while not self._unread:
            if self._disconnect is not None:
                return self._disconnect
            await self._change()
        message = self._unread.popleft()
        self._unread_bytes -= _size(message)
        self._changed.set()
        return message

    async def send(self, message: Any) -> None:
        """Raises `PeerGoneError` where there is nobody to send to."""
        kind = message["type"]
        if self._disconnect is not None and kind == "websocket.send":
            raise PeerGoneError("The peer of this WebSocket is gone.")
        await self._to_peer(message)
        if kind == "websocket.accept" and self._reading is None:
            self._reading = asyncio.create_task(self._read())
        # Sending to a peer that is gone never waits: who reads that it is would have no turn, nor anybody else.
        await asyncio.sleep(0)

    def close(self) -> None:
        """Tell the app that its peer is gone; the peer is told to connect again when the app has ended."""
        self._is_closing = True
        self._disconnect = self._disconnect or {"type": _DISCONNECT, "code": _SERVICE_RESTART}
        self._changed.set()

    async def end(self, code: int | None = None) -> None:
        """The app has ended. `code` is what its peer is told, if it is still there."""
        if self._reading is not None:
            self._reading.cancel()
        code = _SERVICE_RESTART if self._is_closing and code is None else code
        if code is not None:
            try:
                await self._to_peer({"type": "websocket.close", "code": code})
            except Exception:
                return  # it is closed already

    async def _read(self) -> None:
        while self._disconnect is None:
            try:
                message = await self._from_peer()
            except Exception:
                message = {"type": _DISCONNECT, "code": _ABNORMAL}
            if message["type"] == _DISCONNECT:
                self._disconnect = self._disconnect or message
            else:
                self._unread.append(message)
                self._unread_bytes += _size(message)
            self._changed.set()
            while self._unread_bytes > _READ_AHEAD_BYTES:
                await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


def is_of_a_gone_peer(error: BaseException) -> bool:
    """Whether an app ended by this because its peer had gone, which is no failure of its."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_of_a_gone_peer(each) for each in error.exceptions)
    return isinstance(error, PeerGoneError) or type(error).__name__ == _ITS_DISCONNECT


def _size(message: Any) -> int:
    return _BYTES_OF_AN_EMPTY_MESSAGE + len(message.get("bytes") or message.get("text") or "")
