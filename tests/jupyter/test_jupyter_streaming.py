"""Bodies of any size, both ways, at the speed of the slower side."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import psutil
import pytest
from conftest import Jupyter
from support.platform import Platform

from gofastapi_ext.core.lifecycle import State

APP = "/apps/kitchen"

pytestmark = pytest.mark.usefixtures("kitchen")


async def chunks(count: int, size: int = 65536) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * size


@pytest.mark.parametrize("known_length", [True, False])
async def test_a_large_upload_passes_without_being_held(jupyter: Jupyter, known_length: bool) -> None:
    count = 3200  # 200 MB
    expected = hashlib.sha256()
    async for chunk in chunks(count):
        expected.update(chunk)
    before = psutil.Process().memory_info().rss
    headers = {"Content-Length": str(count * 65536)} if known_length else {}
    answer = await jupyter.ask("POST", f"{APP}/digest", data=chunks(count), headers=headers)
    assert answer.json == {"sha256": expected.hexdigest(), "bytes": count * 65536}
    # Nothing near the 200 MB has been kept; the allocator is given some room.
    assert psutil.Process().memory_info().rss - before < 50_000_000


async def test_more_than_jupyter_takes_itself_reaches_an_app(jupyter: Jupyter, jp_serverapp: Any) -> None:
    assert jp_serverapp.max_body_size == 512 * 1024 * 1024
    count = 9000  # 590 MB
    headers = {"Content-Length": str(count * 65536)}
    answer = await jupyter.ask("POST", f"{APP}/digest", data=chunks(count), headers=headers)
    assert answer.json["bytes"] == count * 65536


async def test_an_answer_before_the_body_is_over_arrives_before_it_is_over(jupyter: Jupyter) -> None:
    answered = asyncio.Event()

    async def patient() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await answered.wait()
        yield b"x" * 1000

    async with (
        aiohttp.ClientSession(headers=jupyter.token_header) as session,
        session.post(jupyter.url(f"{APP}/early"), data=patient()) as response,
    ):
        assert (response.status, await response.read()) == (413, b"too large")
        answered.set()


async def test_both_bodies_stream_at_once(jupyter: Jupyter) -> None:
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def speak() -> AsyncIterator[bytes]:
        while chunk := await said.get():
            yield chunk

    async with aiohttp.ClientSession(headers=jupyter.token_header) as session:
        said.put_nowait(b"one")
        async with session.post(jupyter.url(f"{APP}/duplex/"), data=speak()) as response:
            for word, answer in ((b"one", b"two"), (b"two", b"three"), (b"three", b"")):
                assert await asyncio.wait_for(response.content.readany(), 10) == word
                said.put_nowait(answer)
            assert await asyncio.wait_for(response.content.read(), 10) == b""


async def test_events_come_when_they_are_sent(jupyter: Jupyter) -> None:
    async with (
        aiohttp.ClientSession(headers=jupyter.token_header) as session,
        session.get(jupyter.url(f"{APP}/events")) as response,
    ):
        assert response.content_type == "text/event-stream"
        assert await asyncio.wait_for(response.content.readuntil(b"\n\n"), 10) == b"data: one\n\n"
        await jupyter.ask("POST", f"{APP}/release")
        assert await asyncio.wait_for(response.content.readuntil(b"\n\n"), 10) == b"data: two\n\n"


async def test_a_viewer_who_leaves_in_the_middle_is_gone_for_the_app(jupyter: Jupyter) -> None:
    async with (
        aiohttp.ClientSession(headers=jupyter.token_header) as session,
        session.get(jupyter.url(f"{APP}/ticks?name=middle")) as response,
    ):
        assert await response.content.readexactly(10) == b"tick tick "
        response.close()
    await jupyter.until(f"{APP}/disconnects", lambda names: "middle" in names)


async def test_a_viewer_who_does_not_wait_is_gone_for_the_app(jupyter: Jupyter) -> None:
    async with aiohttp.ClientSession(headers=jupyter.token_header) as session:
        waiting = asyncio.create_task(session.get(jupyter.url(f"{APP}/wait?name=leaver")))
        await jupyter.until(f"{APP}/sent/leaver", lambda came: came == 1)
        waiting.cancel()
    await jupyter.until(f"{APP}/disconnects", lambda names: "leaver" in names)


async def test_an_upload_that_breaks_off_is_not_whole_for_the_app(jupyter: Jupyter) -> None:
    for framing in ("Content-Length: 1000000", "Transfer-Encoding: chunked"):
        name = framing[:7].lower()
        _, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        writer.write(
            f"POST {jupyter.root}{APP}/upload/{name} HTTP/1.1\r\nHost: {jupyter.host}\r\n"
            f"Authorization: token {jupyter.token}\r\n{framing}\r\n\r\n5\r\nhello\r\n".encode()
        )
        await jupyter.until(f"{APP}/sent/{name}", lambda count: count > 0)
        writer.close()
        await jupyter.until(f"{APP}/disconnects", lambda names, name=name: name in names)
        assert (await jupyter.get(f"{APP}/sent/{name}")).json > 0  # not -1: never taken for the whole


async def test_a_slow_reader_slows_the_app_down(jupyter: Jupyter) -> None:
    async with (
        aiohttp.ClientSession(headers=jupyter.token_header, read_bufsize=65536) as session,
        session.get(jupyter.url(f"{APP}/endless?name=slow")) as response,
    ):
        assert response.status == 200
        settled, last = 0, -1
        while settled < 5:  # nobody reads: it has to come to a stop
            sent = (await jupyter.get(f"{APP}/sent/slow")).json
            settled, last = (settled + 1, sent) if sent == last else (0, sent)
            assert sent < 50_000_000, "somebody buffers without end"
            await asyncio.sleep(0.1)
        await response.content.readexactly(last + 1_000_000)  # and goes on when somebody does


async def test_a_slow_app_slows_the_viewer_down(jupyter: Jupyter) -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        for _ in range(3200):
            given += 65536
            yield b"x" * 65536

    upload = asyncio.create_task(jupyter.ask("POST", f"{APP}/sip/sipper", data=endless()))
    settled, last = 0, -1
    while settled < 5:
        settled, last = (settled + 1, given) if given == last and given > 0 else (0, given)
        assert given < 50_000_000, "somebody buffers without end"
        await asyncio.sleep(0.1)
    await jupyter.ask("POST", f"{APP}/release")
    assert (await upload).json == "whole"
    assert (await jupyter.get(f"{APP}/sent/sipper")).json == 3200 * 65536


async def test_an_answer_that_breaks_off_is_not_passed_off_as_whole(jupyter: Jupyter, platform: Platform) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await jupyter.get(f"{APP}/break")
    platform.until_state("kitchen", State.RUNNING)
