"""Apps that do not speak HTTP as they should: whatever they send, the viewer's connection stays sound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from conftest import Jupyter

from gofastapi_ext.jupyter.ports import Ports


class Liar:
    """Listens on a port as an app does, and answers every request with the same bytes; with None, never."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self.heard: list[bytes] = []
        self.left = asyncio.Event()

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._tell, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(await reader.readuntil(b"\r\n\r\n"))
        if self._answer is None:
            await reader.read()
            self.left.set()
            writer.close()
            return
        writer.write(self._answer)
        await writer.drain()
        writer.close()

    def stop(self) -> None:
        self._server.close()


@pytest.fixture
def lies(jp_serverapp: Any) -> Callable[[bytes | None], Awaitable[Liar]]:
    """Puts a liar where the app `kitchen` is expected."""
    (extension,) = jp_serverapp.extension_manager.extension_apps["gofastapi_ext"]

    async def put(answer: bytes | None) -> Liar:
        liar = Liar(answer)
        port = await liar.start()

        async def ask(app_id: str) -> tuple[int, bytes]:
            return 200, json.dumps({"state": "running", "port": port}).encode()

        (await extension.connect()).ports = Ports(ask)
        return liar

    return put


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"<html>no head</html>",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\nhello",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        OK + b"Content-Length: 5, 6\r\n\r\nhello",
        OK + b"Content-Length: -5\r\n\r\nhello",
        OK + b"Content-Length: +5\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n",
        OK + b"X: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
        OK + b"".join(b"X-%d: x\r\n" % n for n in range(2000)) + b"Content-Length: 0\r\n\r\n",
    ],
)
async def test_an_answer_that_is_none_is_a_bad_gateway(jupyter: Jupyter, lies: Any, answer: bytes) -> None:
    liar = await lies(answer)
    told = await jupyter.get("/apps/kitchen/")
    assert (told.status, told.json["code"]) == (502, "unavailable")
    assert len(liar.heard) == 1
    liar.stop()


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 50\r\n\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello",
    ],
)
async def test_an_answer_that_stops_short_is_not_whole(jupyter: Jupyter, lies: Any, answer: bytes) -> None:
    liar = await lies(answer)
    try:
        told = await jupyter.get("/apps/kitchen/")
        assert told.status == 502
    except aiohttp.ClientPayloadError:
        pass
    liar.stop()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"hello"),
        (OK + b"\r\nhello", b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (
            b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: _xsrf=evil\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello",
            b"hello",
        ),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nSet-Cookie: _xsrf=evil\r\n\r\n", b"hello"),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 200 <script>\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    ],
)
async def test_odd_answers_pass_and_the_next_one_is_sound(
    jupyter: Jupyter, lies: Any, answer: bytes, body: bytes
) -> None:
    liar = await lies(answer)
    async with aiohttp.ClientSession(headers=jupyter.token_header, auto_decompress=False) as session:
        for _ in range(3):  # on one connection, as far as it is kept
            async with session.get(jupyter.url("/apps/kitchen/")) as response:
                assert await response.read() == body
                cookies = response.headers.getall("Set-Cookie", [])
                assert not any("_xsrf" in cookie for cookie in cookies)
                assert response.reason != "<script>"
            async with session.get(jupyter.url("/api/me")) as response:
                assert response.status == 200
    assert len(liar.heard) == 3
    liar.stop()


@pytest.mark.parametrize(
    "header",
    [
        b"X: a\rSet-Cookie: _xsrf=evil",
        b"X: a\n Set-Cookie: _xsrf=evil",
        b"X: a\x0bSet-Cookie: _xsrf=evil",
        b"X: a\x85Set-Cookie: _xsrf=evil",
        b"X : a",
        b"X\x01: a",
        b"Set-Cookie: a=b\r\n\tc=d; Path=/",
        b": _xsrf=evil",
        b"Set-Cookie : _xsrf=evil",
        b"\x85Set-Cookie: _xsrf=evil",
    ],
)
async def test_no_odd_header_sets_a_cookie_of_jupyters(jupyter: Jupyter, lies: Any, header: bytes) -> None:
    liar = await lies(OK + header + b"\r\nContent-Length: 5\r\n\r\nhello")
    request = (
        f"GET {jupyter.root}/apps/kitchen/ HTTP/1.1\r\nHost: {jupyter.host}\r\n"
        f"Authorization: token {jupyter.token}\r\nConnection: close\r\n\r\n"
    )
    answer = await jupyter.raw(request.encode())
    assert answer.split()[1] in (b"200", b"502")
    for line in answer.replace(b"\r", b"\n").replace(b"\x0b", b"\n").split(b"\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"set-cookie":
            assert value.strip().startswith((b"gofastapi-kitchen.", b"username-")), answer
    liar.stop()


async def test_an_app_that_leaves_before_it_answers(jupyter: Jupyter, lies: Any) -> None:
    liar = await lies(b"")
    for method in ("GET", "PUT", "POST"):
        told = await jupyter.ask(method, "/apps/kitchen/", data=b"x" * 10)
        assert told.status == 502
    assert len(liar.heard) == 3  # nothing is asked twice
    liar.stop()


@pytest.mark.parametrize(
    "rest",
    [
        "\r\n",
        "Content-Length: 100000\r\n\r\npart",
        "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIA==\r\n\r\n",
    ],
)
async def test_an_app_that_never_answers_is_left_when_the_viewer_leaves(jupyter: Jupyter, lies: Any, rest: str) -> None:
    liar = await lies(None)
    _, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
    writer.write(
        f"GET {jupyter.root}/apps/kitchen/ HTTP/1.1\r\nHost: {jupyter.host}\r\n"
        f"Authorization: token {jupyter.token}\r\n{rest}".encode()
    )
    deadline = asyncio.get_running_loop().time() + 10
    while not liar.heard:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    assert not liar.left.is_set()
    writer.close()
    await asyncio.wait_for(liar.left.wait(), 10)
    liar.stop()


async def test_nothing_listens(jupyter: Jupyter, lies: Any) -> None:
    (await lies(b"")).stop()
    told = await jupyter.get("/apps/kitchen/")
    assert (told.status, told.json["code"]) == (503, "unavailable")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with aiohttp.ClientSession(headers=jupyter.token_header) as session:
            await session.ws_connect(jupyter.url("/apps/kitchen/ws"))
    assert refused.value.status == 503


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: wrong\r\n\r\n",
        b"",
        b"garbage\r\n\r\n",
    ],
)
async def test_a_handshake_that_is_none_is_a_bad_gateway(jupyter: Jupyter, lies: Any, answer: bytes) -> None:
    liar = await lies(answer)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with aiohttp.ClientSession(headers=jupyter.token_header) as session:
            await session.ws_connect(jupyter.url("/apps/kitchen/ws"))
    assert refused.value.status == 502
    assert len(liar.heard) == 1
    liar.stop()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(jupyter: Jupyter, lies: Any, status: int) -> None:
    elsewhere = Liar(OK + b"Content-Length: 0\r\n\r\n")
    location = f"http://127.0.0.1:{await elsewhere.start()}/secret"
    liar = await lies(f"HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
    told = await jupyter.get("/apps/kitchen/")
    assert (told.status, told.headers["Location"]) == (status, location)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with aiohttp.ClientSession(headers=jupyter.token_header) as session:
            await session.ws_connect(jupyter.url("/apps/kitchen/ws"))
    assert refused.value.status == 502
    assert elsewhere.heard == []
    assert len(liar.heard) == 2
    elsewhere.stop()
    liar.stop()


async def test_the_request_on_the_wire_is_plain_http(jupyter: Jupyter, lies: Any) -> None:
    liar = await lies(OK + b"Content-Length: 0\r\n\r\n")
    await jupyter.ask("POST", "/apps/kitchen/a?b", data=b"hello", headers={"Accept": "x/y"})
    await jupyter.ask("POST", "/apps/kitchen/", data=None)

    async def stream() -> Any:
        yield b"hello"

    await jupyter.ask("PUT", "/apps/kitchen/", data=stream())
    first, second, third = (heard.decode().lower().split("\r\n") for heard in liar.heard)
    assert first[0] == "post /a?b http/1.1"
    assert [line for line in first if line.startswith(("content-length", "transfer-", "connection", "host", "accept"))]
    assert first.count("content-length: 5") == 1
    assert "connection: close" in first
    assert second.count("content-length: 0") == 1
    assert third.count("transfer-encoding: chunked") == 1
    for lines in (first, second, third):
        names = [line.partition(":")[0] for line in lines[1:] if line]
        assert len(names) == len(set(names)), names
    liar.stop()
