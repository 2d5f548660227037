"""Hand a late request over to the version that has taken the traffic.

An instance that drains no longer accepts connections, but a client may still send a request on one
it kept alive. Closing it could lose that request, and answering it would show old code after the
new version is live. So the request goes on to the app's own address, where only the new version
accepts, and the answer comes back with `Connection: close`.
"""

from __future__ import annotations

import asyncio
from typing import Any

_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect"}
)
_CONNECT_TIMEOUT_SECONDS = 10.0
_MAX_HEAD_BYTES = 1_000_000


async def hand_over(scope: Any, receive: Any, send: Any, host: str, port: int) -> None:
    """Send the request to `host`:`port` and stream its answer back."""
    # HTTP/1.0: the answer has no chunks and ends where the connection does.
    body = await _read_body(receive)
    if body is None:
        return
    reader, writer = await asyncio.wait_for(
        asyncio.open_connection(host, port, limit=_MAX_HEAD_BYTES), timeout=_CONNECT_TIMEOUT_SECONDS
    )
    try:
        writer.write(_request_head(scope, len(body)) + body)
        await writer.drain()
        status, headers = _parse_head(await reader.readuntil(b"\r\n\r\n"))
        headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        while chunk := await reader.read(65536):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        writer.close()


async def _read_body(receive: Any) -> bytes | None:
    """The whole body, or None where the client went away in the middle: half of one is none."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


def _request_head(scope: Any, length: int) -> bytes:
    target = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    lines = [scope["method"].encode() + b" " + target + b" HTTP/1.0"]
    lines += [
        name + b": " + value
        for name, value in scope["headers"]
        if name not in _HOP_BY_HOP and name != b"content-length"
    ]
    lines += [b"content-length: %d" % length, b"connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _parse_head(head: bytes) -> tuple[int, list[tuple[bytes, bytes]]]:
    status_line, *lines = head.rstrip(b"\r\n").split(b"\r\n")
    headers = []
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower() not in _HOP_BY_HOP:
            headers.append((name.lower(), value.strip()))
    return int(status_line.split(b" ")[1]), headers
