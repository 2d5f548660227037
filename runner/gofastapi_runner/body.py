"""A request's body on its way to the app."""

from __future__ import annotations

from typing import Any

# Of a body that is kept.
_MAX_KEPT_BYTES = 65_536


class Body:
    """Stands between `receive` and the app: counts a request's body and, where wanted, keeps it."""

    __slots__ = ("_parts", "_receive", "_room_bytes", "size")

    def __init__(self, receive: Any, keep: bool) -> None:
        self.size = 0
        self._receive = receive
        self._parts: list[bytes] = []
        self._room_bytes = _MAX_KEPT_BYTES if keep else 0

    async def __call__(self) -> Any:
        message = await self._receive()
        if message["type"] == "http.request" and (part := message.get("body", b"")):
            self.size += len(part)
            if self._room_bytes:
                kept = bytes(part[: self._room_bytes])
                self._room_bytes -= len(kept)
                self._parts.append(kept)
        return message

    @property
    def kept(self) -> bytes | None:
        """The body as far as the app has read it; its beginning where it is large. None without one."""
        return b"".join(self._parts) or None


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
