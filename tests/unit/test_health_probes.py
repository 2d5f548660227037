"""One question to the /health of an app: what it may answer, and that nobody waits for one that does not."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import pytest
from support.probed import SILENT, TIMEOUT_SECONDS, Handler, World, answers, run, says, served

from gofastapi_ext.core.health import HealthColor


@pytest.mark.parametrize(
    ("handler", "status", "problem"),
    [
        (answers(200), 200, None),
        (answers(401), 401, None),
        (answers(404), 404, None),
        (answers(302, b"location: http://127.0.0.1:1/elsewhere\r\n"), 302, None),
        (answers(500), 500, "/health answered 500"),
        (answers(503), 503, "/health answered 503"),
        # The answer has begun: whether its body ever ends is of no interest.
        (says(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nbegun", forever=True), 200, None),
        (says(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnone"), 200, None),
        (SILENT, None, "/health did not answer within 1 s"),
        (says(b"HTTP/1.1 200 OK\r\nx: ", forever=True), None, "/health did not answer within 1 s"),
        (says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), None, "what /health answered is not HTTP"),
        (says(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000 + b"\r\n\r\n"), None, "what /health answered is not HTTP"),
        (says(b"HTTP/1.1 99999 OK\r\n\r\n"), None, "what /health answered is not HTTP"),
        (says(), None, "it closed the connection without an answer"),
    ],
    ids=lambda value: str(value) if not callable(value) else "",
)
def test_what_an_app_may_answer(handler: Handler, status: int | None, problem: str | None) -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        port = await stack.enter_async_context(served(handler))
        check = await world.prober.ask(f"http://127.0.0.1:{port}")
        assert (check.status, check.problem) == (status, problem)
        assert 0 < check.seconds < TIMEOUT_SECONDS + 1

    run(test)


def test_a_port_that_nobody_listens_at() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        async with served(SILENT) as port:
            pass
        assert (await world.prober.ask(f"http://127.0.0.1:{port}")).problem == "it accepts no connection"

    run(test)


def test_a_probe_is_marked_and_leaves_no_connection_open() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        ended = asyncio.Event()
        request = b""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal request
            request = await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nset-cookie: a=b\r\n\r\n")
            assert await reader.read() == b""
            ended.set()
            writer.close()

        port = await stack.enter_async_context(served(handle))
        for _ in range(2):
            await world.prober.ask(f"http://127.0.0.1:{port}")
            await asyncio.wait_for(ended.wait(), 30)
            ended.clear()
        assert b"GET /health HTTP/1.1\r\n" in request
        assert b"x-probe: token\r\n" in request
        assert b"cookie" not in request.lower()

    run(test)


def test_apps_that_never_answer_hold_up_no_other() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        good, silent = [await stack.enter_async_context(served(handler)) for handler in (answers(200), SILENT)]
        for number in range(20):
            world.add(f"good-{number}", good)
            world.add(f"silent-{number}", silent)
        started = time.monotonic()
        await world.watch.once()
        # Twenty of them wait at the same time, not one after the other.
        assert time.monotonic() - started < 10 * TIMEOUT_SECONDS
        assert {world.color(f"good-{number}") for number in range(20)} == {HealthColor.GREEN}
        assert {world.color(f"silent-{number}") for number in range(20)} == {HealthColor.YELLOW}

    run(test)


def test_waiting_for_a_turn_is_not_the_apps_time() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        good, silent = [await stack.enter_async_context(served(handler)) for handler in (answers(200), SILENT)]
        hung = [asyncio.create_task(world.prober.ask(f"http://127.0.0.1:{silent}")) for _ in range(4)]
        check = await world.prober.ask(f"http://127.0.0.1:{good}")
        assert check.problem is None
        assert check.seconds < TIMEOUT_SECONDS
        assert {check.problem for check in await asyncio.gather(*hung)} == {"/health did not answer within 1 s"}

    run(test, at_once=2)
