"""Loading costs little and starts nothing; stopping leaves nothing open."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import aiohttp
import pytest
from conftest import Jupyter

from gofastapi_ext.core.errors import NotFoundError, UnavailableError
from gofastapi_ext.jupyter.extension import GoFastAPIExtension
from gofastapi_ext.jupyter.ports import Ports, read_port

IMPORT_TIMED = """
import sys, json, time
import jupyter_server.serverapp
started = time.process_time()
import gofastapi_ext
gofastapi_ext._jupyter_server_extension_points()
print(json.dumps([time.process_time() - started, sorted(sys.modules)]))
"""


def test_loading_is_quick_and_heavy_libraries_wait_for_the_first_request() -> None:
    times = []
    for _ in range(3):
        out = subprocess.run([sys.executable, "-c", IMPORT_TIMED], capture_output=True, check=True, text=True).stdout
        seconds, modules = json.loads(out)
        times.append(seconds)
        assert not {"aiohttp", "pydantic", "httpx", "pymongo", "fastapi", "granian"} & set(modules)
    assert min(times) < 0.050


@pytest.fixture
def extension(jp_serverapp: Any) -> GoFastAPIExtension:
    (app,) = jp_serverapp.extension_manager.extension_apps["gofastapi_ext"]
    assert isinstance(app, GoFastAPIExtension)
    return app


def test_loading_connects_to_nothing(extension: GoFastAPIExtension) -> None:
    assert extension._upstream is None


async def test_stopping_ends_what_is_under_way(extension: GoFastAPIExtension, jupyter: Jupyter, kitchen: str) -> None:
    async with (
        aiohttp.ClientSession(headers=jupyter.token_header) as session,
        session.get(jupyter.url("/api/apps/kitchen/logs?follow=true&tail=0")) as logs,
        session.get(jupyter.url("/apps/kitchen/ticks?name=stopped")) as ticks,
        session.ws_connect(jupyter.url("/apps/kitchen/ws")) as ws,
    ):
        assert await ticks.content.readexactly(5) == b"tick "
        await asyncio.wait_for(extension.stop_extension(), 15)
        message = await ws.receive(timeout=15)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        for cut_off in (logs, ticks):
            with pytest.raises(aiohttp.ClientPayloadError):
                await asyncio.wait_for(cut_off.content.read(), 15)
    upstream = await extension.connect()
    assert upstream._apps.closed
    assert upstream._platform.closed
    deadline = asyncio.get_running_loop().time() + 30
    while b'"stopped"' not in await ask_directly(kitchen, "/disconnects"):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)


async def ask_directly(url: str, path: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url + path) as response:
        return await response.read()


async def test_a_port_is_asked_for_once_by_many_and_again_after_a_second() -> None:
    asked: list[str] = []

    async def ask(app_id: str) -> tuple[int, bytes]:
        asked.append(app_id)
        await asyncio.sleep(0.01)
        return 200, b'{"state": "running", "port": 22001}'

    ports = Ports(ask)
    assert await asyncio.gather(*(ports.of("shop") for _ in range(10))) == [22001] * 10
    assert await ports.of("shop") == 22001
    assert asked == ["shop"]
    ports.forget("shop")
    await ports.of("shop")
    assert len(asked) == 2
    await asyncio.sleep(1.1)
    await ports.of("shop")
    assert len(asked) == 3


async def test_who_asks_first_may_leave() -> None:
    go = asyncio.Event()

    async def ask(app_id: str) -> tuple[int, bytes]:
        await go.wait()
        return 200, b'{"state": "running", "port": 22001}'

    ports = Ports(ask)
    first = asyncio.create_task(ports.of("shop"))
    second = asyncio.create_task(ports.of("shop"))
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    assert await second == 22001


async def test_an_error_is_not_remembered_and_the_memory_is_bounded() -> None:
    status = 404

    async def ask(app_id: str) -> tuple[int, bytes]:
        return status, b'{"state": "running", "port": 22001, "message": "x"}'

    ports = Ports(ask)
    for number in range(500):
        with pytest.raises(NotFoundError):
            await ports.of(f"shop-{number}")
    assert len(ports._answers) <= 200
    status = 200
    assert await ports.of("shop-0") == 22001


@pytest.mark.parametrize("app_id", ["", "Shop", "a/b", "a..b", "a%2fb", "a\nb", "-a", "a" * 41, "127.0.0.1"])
async def test_what_is_no_apps_name_is_not_even_asked_for(app_id: str) -> None:
    async def ask(app_id: str) -> tuple[int, bytes]:
        raise AssertionError(app_id)

    with pytest.raises(NotFoundError):
        await Ports(ask).of(app_id)


@pytest.mark.parametrize("port", [None, 0, -1, 65536, "22001", "22001@evil.example", 22001.5, [22001]])
def test_a_port_that_is_none_is_refused(port: object) -> None:
    body = json.dumps({"state": "running", "port": port}).encode()
    with pytest.raises(UnavailableError):
        read_port("shop", 200, body)
