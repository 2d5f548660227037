"""Answers on their way to the client: the tags a page gets, what is kept of one that failed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from typing import Any

from gofastapi_runner import preview

# What is kept of an answer to a request that failed: more than is shown, for parts of it are left out.
_KEPT_BYTES = 16_384


class FailedAnswer:
    """The beginning of an answer that says 4xx or 5xx."""

    __slots__ = ("beginning", "headers")

    def __init__(self, start: Any) -> None:
        self.headers = start.get("headers", ())
        self.beginning = b""

    def add(self, message: Any) -> None:
        """Take what is still wanted of a part of the body."""
        if len(self.beginning) < _KEPT_BYTES:
            self.beginning += bytes(message.get("body", b"")[: _KEPT_BYTES - len(self.beginning)])


async def send_page(start: Any, message: Any, send: Any, title: str) -> None:
    """Send the start of a page that was held back, and its body, with link-preview tags where it is whole."""
    # A file sent by its path, or a page in parts, goes as it is.
    if message["type"] == "http.response.body" and not message.get("more_body", False):
        body = preview.add_tags(bytes(message.get("body", b"")), title)
        start = preview.with_length(start, len(body))
        message = {**message, "body": body}
    await send(start)
    await send_part(message, send)


def file_bytes(message: Any) -> int:
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


DONE = _Done()


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
