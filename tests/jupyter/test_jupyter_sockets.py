"""WebSockets to an app: both ways, to the letter, bounded, and behind the same gate."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from conftest import Jupyter
from support.platform import Platform
from tornado.httpclient import HTTPClientError

from gofastapi_ext.core.lifecycle import State

APP = "/apps/kitchen"

pytestmark = pytest.mark.usefixtures("kitchen")


def connect(jupyter: Jupyter, session: aiohttp.ClientSession, path: str = "/ws", **kwargs: Any) -> Any:
    kwargs.setdefault("headers", jupyter.token_header)
    kwargs.setdefault("max_msg_size", 32 * 1024 * 1024)
    return session.ws_connect(jupyter.url(APP + path), **kwargs)


async def test_messages_pass_both_ways(jupyter: Jupyter) -> None:
    async with aiohttp.ClientSession() as session, connect(jupyter, session) as ws:
        for text in ("hello", "", "é😀\x00", "x" * 1_000_000):
            await ws.send_str(text)
            assert await ws.receive_str(timeout=10) == text
        for data in (b"hello", b"", bytes(range(256)), b"x" * 5_000_000):
            await ws.send_bytes(data)
            assert await ws.receive_bytes(timeout=10) == data
        await ws.ping(b"are you there")
        await ws.send_str("still here")
        assert await ws.receive_str(timeout=10) == "still here"


async def test_jupyters_own_client_gets_in(jp_ws_fetch: Callable[..., Awaitable[Any]], jupyter: Jupyter) -> None:
    ws = await jp_ws_fetch("gofastapi", "apps", "kitchen", "ws")
    await ws.write_message("hello")
    assert await ws.read_message() == "hello"
    ws.close()


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["alpha", "beta"], "beta"), (["alpha"], None), ([], None), (["beta"], "beta")]
)
async def test_the_app_chooses_the_subprotocol(jupyter: Jupyter, offered: list[str], chosen: str | None) -> None:
    async with aiohttp.ClientSession() as session, connect(jupyter, session, protocols=offered) as ws:
        assert ws.protocol == chosen


@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (1003, ""), (1008, "no"), (4321, "é" * 50)])
async def test_the_apps_close_reaches_the_viewer(jupyter: Jupyter, code: int, reason: str) -> None:
    async with aiohttp.ClientSession() as session, connect(jupyter, session) as ws:
        await ws.send_str(f"close {code} {reason}")
        message = await ws.receive(timeout=10)
        assert (message.type, message.data, message.extra or "") == (aiohttp.WSMsgType.CLOSE, code, reason)


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4000])
async def test_the_viewers_close_reaches_the_app(jupyter: Jupyter, code: int) -> None:
    before = (await jupyter.get(f"{APP}/disconnects")).json.count(f"ws {code}")
    async with aiohttp.ClientSession() as session, connect(jupyter, session) as ws:
        await ws.close(code=code, message=b"bye")
    await jupyter.until(f"{APP}/disconnects", lambda seen: seen.count(f"ws {code}") > before)


async def test_a_viewer_who_vanishes_is_gone_for_the_app(jupyter: Jupyter) -> None:
    before = (await jupyter.get(f"{APP}/disconnects")).json.count("ws 1001")
    async with aiohttp.ClientSession() as session:
        ws = await connect(jupyter, session)
        await ws.send_str("hello")
        assert await ws.receive_str(timeout=10) == "hello"
        ws._response.connection.transport.abort()
    await jupyter.until(f"{APP}/disconnects", lambda seen: seen.count("ws 1001") > before)


async def test_an_app_that_dies_closes_the_socket(jupyter: Jupyter, platform: Platform) -> None:
    async with aiohttp.ClientSession() as session, connect(jupyter, session, "/ws/die") as ws:
        await ws.send_str("die")
        message = await ws.receive(timeout=10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1011)
    platform.until_state("kitchen", State.RUNNING)


async def test_an_app_may_refuse(jupyter: Jupyter) -> None:
    async with aiohttp.ClientSession() as session:
        for path, status in (("/ws/refused", 403), ("/no/such/socket", 403)):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await connect(jupyter, session, path)
            assert refused.value.status == status


async def test_an_app_that_is_not_there_refuses(jupyter: Jupyter) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(jupyter.url("/apps/no-such-app/ws"), headers=jupyter.token_header)
        assert refused.value.status == 404


async def test_the_app_sees_the_viewer_but_no_credentials(jupyter: Jupyter) -> None:
    login = await jupyter.log_in()
    cookie = f"{login['Cookie']}; gofastapi-kitchen.session=ann"
    headers = {"Cookie": cookie, "Origin": jupyter.origin, "X-Custom": "1"}
    async with aiohttp.ClientSession() as session:
        async with connect(jupyter, session, "/ws/scope?a=%2F&token=of-the-app", headers=headers) as ws:
            told = await ws.receive_json(timeout=10)
        async with connect(
            jupyter, session, f"/ws/scope?a=1&token={jupyter.token}", headers={"Origin": "https://elsewhere.example"}
        ) as ws:
            by_token = await ws.receive_json(timeout=10)
    seen = {name.lower(): value for name, value in told["headers"]}
    assert (told["raw_path"], told["query"]) == ("/ws/scope", "a=%2F&token=of-the-app")
    assert told["root_path"] == "/a%40b/gofastapi/apps/kitchen"
    assert (seen["cookie"], seen["x-custom"], seen["host"]) == ("session=ann", "1", jupyter.host)
    assert "authorization" not in seen
    assert by_token["query"] == "a=1"


async def test_a_login_opens_a_socket_only_from_this_site(jupyter: Jupyter) -> None:
    login = await jupyter.log_in()

    async def status(**headers: str) -> int:
        sent = login | {name.replace("_", "-"): value for name, value in headers.items()}
        async with aiohttp.ClientSession() as session:
            try:
                async with connect(jupyter, session, headers=sent):
                    return 101
            except aiohttp.WSServerHandshakeError as refused:
                return refused.status

    assert await status(Origin=jupyter.origin) == 101
    assert await status(Sec_Fetch_Site="same-origin", Origin=jupyter.origin) == 101
    assert await status() == 403
    assert await status(Origin="https://evil.example") == 403
    assert await status(Origin="null") == 403
    assert await status(Sec_Fetch_Site="cross-site", Origin=jupyter.origin) == 403


async def test_jupyters_allowed_origins_do_not_loosen_it(jupyter: Jupyter, jp_serverapp: Any) -> None:
    jp_serverapp.web_app.settings["allow_origin"] = "*"
    login = await jupyter.log_in()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(jupyter, session, headers=login | {"Origin": "https://evil.example"})
        assert refused.value.status == 403


async def test_anonymous_is_refused(jupyter: Jupyter, jp_ws_fetch: Callable[..., Awaitable[Any]]) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await jp_ws_fetch("gofastapi", "apps", "kitchen", "ws", headers={"Authorization": "token wrong"})
    assert refused.value.code == 403


async def test_a_message_beyond_the_limit_closes_the_socket(jupyter: Jupyter) -> None:
    async with aiohttp.ClientSession() as session, connect(jupyter, session) as ws:
        with contextlib.suppress(ConnectionError):  # cut off while sending, as a rule
            await ws.send_bytes(b"x" * (16 * 1024 * 1024 + 1))
        message = await ws.receive(timeout=10)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_a_message_of_the_app_beyond_the_limit_closes_the_socket_too(jupyter: Jupyter) -> None:
    async with aiohttp.ClientSession() as session, connect(jupyter, session) as ws:
        await ws.send_str("too much")
        message = await ws.receive(timeout=10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1009)


async def test_a_viewer_who_does_not_read_slows_the_app_down(jupyter: Jupyter) -> None:
    before = (await jupyter.get(f"{APP}/disconnects")).json
    async with aiohttp.ClientSession() as session, connect(jupyter, session, "/ws/flood") as ws:
        settled, last = 0, -1
        while settled < 5:
            sent = (await jupyter.get(f"{APP}/sent/flood")).json
            settled, last = (settled + 1, sent) if sent == last and sent > 0 else (0, sent)
            assert sent < 50_000_000, "somebody buffers without end"
            await asyncio.sleep(0.1)
        received = 0
        while received < last + 1_000_000:
            received += len(await ws.receive_bytes(timeout=10))
    # It learns that its viewer has gone, though it never listens.
    await jupyter.until(f"{APP}/disconnects", lambda seen: len(seen) > len(before) and seen[-1] == "flood")


async def test_an_app_that_does_not_listen_slows_the_viewer_down(jupyter: Jupyter) -> None:
    async with aiohttp.ClientSession() as session, connect(jupyter, session, "/ws/deaf") as ws:
        given = 0

        async def talk() -> None:
            nonlocal given
            while True:
                await ws.send_bytes(b"x" * 65536)
                given += 65536

        talking = asyncio.create_task(talk())
        settled, last = 0, -1
        while settled < 5:
            settled, last = (settled + 1, given) if given == last and given > 0 else (0, given)
            assert given < 50_000_000, "somebody buffers without end"
            await asyncio.sleep(0.1)
        talking.cancel()
        await jupyter.ask("POST", f"{APP}/release")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Connection": "close"}, 400),
        ({"Upgrade": "h2c"}, 404),
    ],
)
async def test_a_handshake_that_is_none_opens_nothing(
    jupyter: Jupyter, change: dict[str, str | None], status: int
) -> None:
    handshake: dict[str, str | None] = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    headers = {name: value for name, value in (handshake | change).items() if value is not None}
    answer = await jupyter.get(f"{APP}/ws", headers=headers)
    assert answer.status == status
