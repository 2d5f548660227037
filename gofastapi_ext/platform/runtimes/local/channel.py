"""What an app's process says over its channel, read at a rate and a size that no app can raise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from gofastapi_runner.protocol import MAX_REPORT_BYTES

_CHUNK_BYTES = 65_536
# Beside what it holds, each message costs this much; what is no message is only looked at.
_MESSAGE_BYTES = 2_000
_GARBAGE_BYTES = 50
_BURST_BYTES = 2_000_000
_BYTES_PER_SECOND = 500_000
_BEGINNING = b'{"event": "'


async def messages(reader: asyncio.StreamReader) -> AsyncIterator[dict[str, object]]:
    """Each whole line that is a JSON object with an event, until the channel ends. The rest is skipped.

    The app's own code can write to the channel too. Nothing is read while it has said more than it may:
    the next thing it writes then waits, or fails.
    """
    clock = asyncio.get_running_loop().time
    left, since = float(_BURST_BYTES), clock()
    async for line in _lines(reader):
        message = _parsed(line)
        left -= len(line) + (_GARBAGE_BYTES if message is None else _MESSAGE_BYTES)
        if left < 0:
            left = min(left + (clock() - since) * _BYTES_PER_SECOND, _BURST_BYTES)
            since = clock()
            if left < 0:
                await asyncio.sleep(-left / _BYTES_PER_SECOND)
        if message is not None:
            yield message


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The lines, those that are too long left out."""
    start, is_too_long = b"", False
    while chunk := await reader.read(_CHUNK_BYTES):
        first, *others = chunk.split(b"\n")
        start += first
        for line in others:
            yield b"" if is_too_long or len(start) > MAX_REPORT_BYTES else start
            start, is_too_long = line, False
        if len(start) > MAX_REPORT_BYTES:
            start, is_too_long = b"", True
        elif is_too_long:
            start = b""
        if not others:
            # Part of a line costs as much as one that is not understood.
            yield b""


def _parsed(line: bytes) -> dict[str, object] | None:
    if not line.startswith(_BEGINNING):
        return None
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
