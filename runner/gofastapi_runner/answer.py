"""One answer on its way to the client: what it was, and the link-preview tags a page gets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Generator
from typing import Any

from gofastapi_runner import preview

# What is kept of an answer to a request that failed: more than is shown, for parts of it are left out.
_KEPT_BYTES = 16_384


class Answer:
    """Stands between the app and `send`. `status` is 0 until the app has answered."""

    __slots__ = ("_gate", "_held", "_send", "_title", "beginning", "bytes_out", "headers", "status")

    def __init__(self, gate: Any, send: Any, page_title: str | None) -> None:
        """Pages without tags get them with `page_title`, unless it is None. While `gate.draining`, it is the last."""
        self._gate = gate
        self.status = 0
        self.bytes_out = 0
        self.headers: Any = ()
        """Of an answer that says 4xx or 5xx."""
        self.beginning = b""
        """Of the body of such an answer."""
        self._send = send
        self._title = page_title
        self._held: dict[str, Any] | None = None

    @property
    def is_begun(self) -> bool:
        """Whether the client has seen something of it."""
        return self.status != 0 and self._held is None

    def send(self, message: Any) -> Awaitable[None]:
        """A plain function that hands on `send`'s own awaitable: a coroutine for each message would cost more
        than all the rest of the gate.
        """
        if message["type"] == "http.response.start":
            self.status = status = message["status"]
            if self._gate.draining:
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            if status >= 400:
                self.headers = message.get("headers", ())
            elif self._title is not None and preview.is_page(message):
                self._held = message
                return _DONE
        else:
            body = message.get("body", b"")
            self.bytes_out += len(body) if body else _file_bytes(message)
            if self.status >= 400 and len(self.beginning) < _KEPT_BYTES:
                self.beginning += bytes(body[: _KEPT_BYTES - len(self.beginning)])
            if self._held is not None:
                start, self._held = self._held, None
                return self._send_page(start, message)
            if message.get("more_body", False):
                return send_part(message, self._send)
        sending: Awaitable[None] = self._send(message)
        return sending

    async def _send_page(self, start: Any, message: Any) -> None:
        """Send the start of a page that was held back, and its body, with link-preview tags where it is whole."""
        # A file sent by its path, or a page in parts, goes as it is.
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            body = preview.add_tags(bytes(message.get("body", b"")), self._title or "")
            start = preview.with_length(start, len(body))
            message = {**message, "body": body}
        await self._send(start)
        await send_part(message, self._send)


def _file_bytes(message: Any) -> int:
    """The size of a file that is sent by its path; 0 where none is."""
    path = message.get("path")
    try:
        return 0 if path is None else os.stat(path).st_size  # noqa: PTH116 - in the way of an answer
    except OSError:
        return 0


class _Done:
    """An awaitable with nothing to wait for."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


_DONE = _Done()


async def send_part(message: Any, send: Any) -> None:
    """Send a part of a body, and give others a turn where more of it is to come."""
    await send(message)
    if message.get("more_body", False):
        # Sending to a client that is gone never waits: an endless stream would hold the event loop.
        await asyncio.sleep(0)


async def respond(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Send a whole answer of the gate's own."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
