"""The loop that asks apps for their /health, against servers that answer, and others that do not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.health import HealthCheck, HealthColor
from gofastapi_ext.core.lifecycle import Status, Target
from gofastapi_ext.platform.control.health import HealthWatch
from gofastapi_ext.platform.control.probes import Prober
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.store.apps import AppRecord

TIMEOUT_SECONDS = 1.0
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def says(*parts: bytes, forever: bool = False) -> Handler:
    """A server that reads a request, answers, and closes, or holds the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
        await writer.drain()
        if forever:
            await asyncio.sleep(60)
        writer.close()

    return handle


def answers(status: int, headers: bytes = b"") -> Handler:
    return says(b"HTTP/1.1 %d Whatever\r\ncontent-length: 2\r\n%s\r\nok" % (status, headers))


SILENT = says(forever=True)


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[int]:
    """The port of a server."""
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class World:
    """The apps that a watch asks: which there are, by their ports, and the process of each that serves."""

    def __init__(self, *, at_once: int = 100) -> None:
        self.apps: dict[str, AppRecord] = {}
        self.pids: dict[str, int] = {}
        self.told: list[tuple[str | None, str]] = []
        self.recent: tuple[int, int] = (0, 0)
        self.errors_age_seconds = 0.0
        self.database_is_away = False
        self.prober = Prober({"x-probe": "token"}, at_once=at_once, timeout_seconds=TIMEOUT_SECONDS)
        self.watch = HealthWatch(
            apps=self.list,
            serving=self.pids.get,
            url=lambda port: f"http://127.0.0.1:{port}",
            recent=lambda _, seconds: self.recent if seconds > self.errors_age_seconds else (0, 0),
            prober=self.prober,
            events=self,
            telemetry=Telemetry(),
            interval_seconds=60,
        )

    async def list(self) -> list[AppRecord]:
        if self.database_is_away:
            raise UnavailableError("away")
        return list(self.apps.values())

    def publish(self, kind: EventKind, message: str, *, owner: str, app: str | None = None, **_: Any) -> None:
        assert (kind, owner) == (EventKind.HEALTH, "ada")
        self.told.append((app, message))

    def add(self, name: str, port: int, status: Status = Status.RUNNING, target: Target = Target.RUNNING) -> AppRecord:
        now = datetime.now(UTC)
        self.apps[name] = AppRecord(
            id=name, owner="ada", target=target, status=status, port=port, created_at=now, updated_at=now
        )
        if status is Status.RUNNING:
            self.pids[name] = 1
        return self.apps[name]

    def color(self, name: str) -> HealthColor:
        return self.watch.of(self.apps[name]).color

    async def checks(self, name: str) -> list[HealthCheck]:
        """Those that are kept, without asking anew."""
        pid = self.pids.pop(name, None)
        view = await self.watch.view(self.apps[name])
        if pid is not None:
            self.pids[name] = pid
        return view.checks


def run(test: Callable[[World, AsyncExitStack], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        world = World(**options)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(world.watch.stop)
            await test(world, stack)

    asyncio.run(main())


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


def test_colours_come_and_go_and_only_changes_are_told() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        says_now = answers(200)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await says_now(reader, writer)

        world.add("shop", await stack.enter_async_context(served(handle)))
        seen = []
        for status in (200, 200, 503, 503, 503, 503, 200, 200, 200, 200):
            says_now = answers(status)
            await world.watch.once()
            seen.append(str(world.color("shop")))
        assert seen == ["green"] * 2 + ["yellow"] * 2 + ["red"] * 2 + ["yellow"] * 2 + ["green"] * 2
        assert [message.split(":")[0] for _, message in world.told] == [
            "It turned yellow",
            "It turned red",
            "It turned yellow",
            "It is green again",
        ]
        assert world.told[1] == ("shop", "It turned red: 3 of the last 3 checks failed: /health answered 503")
        # The newest first, and only so many.
        assert [check.status for check in await world.checks("shop")] == [200] * 4 + [503] * 4 + [200] * 2
        for _ in range(60):
            await world.watch.once()
        assert len(await world.checks("shop")) == 60

    run(test)


def test_errors_of_requests_count_too() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        world.add("shop", await stack.enter_async_context(served(answers(200))))
        await world.watch.once()
        world.recent = (340, 41)
        health = world.watch.of(world.apps["shop"])
        assert (health.color, health.reason) == (
            HealthColor.YELLOW,
            "12% of 340 requests in the last 5 minutes failed",
        )
        assert health.since is None  # the next check will tell
        await world.watch.once()
        assert world.watch.of(world.apps["shop"]).since is not None
        # Errors that are older than the process that serves now are not its own.
        world.pids["shop"], world.errors_age_seconds = 2, 30.0
        assert world.color("shop") is HealthColor.GREEN
        await world.watch.once()
        assert world.color("shop") is HealthColor.GREEN

    run(test)


def test_a_new_process_begins_with_a_clean_sheet() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        world.add("shop", await stack.enter_async_context(served(answers(500))))
        for _ in range(3):
            await world.watch.once()
        assert world.color("shop") is HealthColor.RED
        world.pids["shop"] = 2
        assert world.color("shop") is HealthColor.GREEN
        await world.watch.once()
        assert world.watch.of(world.apps["shop"]).reason == "the last check failed: /health answered 500"
        assert len(await world.checks("shop")) == 4

    run(test)


def test_what_a_process_said_that_went_meanwhile_is_forgotten() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            world.pids["shop"] = 2
            await answers(500)(reader, writer)

        world.add("shop", await stack.enter_async_context(served(handle)))
        await world.watch.once()
        assert await world.checks("shop") == []

    run(test)


def test_who_does_not_serve_is_not_asked() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        asked = 0

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            asked += 1
            await answers(200)(reader, writer)

        port = await stack.enter_async_context(served(handle))
        colors = {
            HealthColor.ASLEEP: world.add("sleeper", port, Status.ASLEEP, Target.ASLEEP),
            HealthColor.GREY: world.add("stopped", port, Status.STOPPED, Target.STOPPED),
            HealthColor.RED: world.add("failed", port, Status.FAILED),
        }
        await world.watch.once()
        for color, record in colors.items():
            assert (await world.watch.view(record)).color is color
        assert asked == 0
        # That an app sleeps or stops is told by those who do it; how one was found at the start, by nobody.
        assert world.told == []

    run(test)


def test_an_app_that_falls_asleep_is_left_alone() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        asked, answer = asyncio.Event(), asyncio.Event()
        count = 0

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal count
            count += 1
            asked.set()
            await answer.wait()
            await answers(200)(reader, writer)

        record = world.add("shop", await stack.enter_async_context(served(handle)))
        checking = asyncio.create_task(world.watch.once())
        await asked.wait()

        async def fall_asleep() -> None:
            async with world.watch.undisturbed("shop"):
                # The question that was under way has its answer.
                assert answer.is_set()
                assert len(await world.checks("shop")) == 1
                # Neither the loop nor a person begins another one.
                await world.watch.once()
                seen = asyncio.create_task(world.watch.view(record))
                await asyncio.sleep(0.05)
                del world.pids["shop"]
            await seen

        falling = asyncio.create_task(fall_asleep())
        await asyncio.sleep(0.05)
        assert not falling.done()
        answer.set()
        await falling
        await checking
        assert count == 1

    run(test)


def test_who_asks_gets_a_fresh_answer_but_not_from_an_app_that_hangs() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        good, silent = [await stack.enter_async_context(served(handler)) for handler in (answers(200), SILENT)]
        view = await world.watch.view(world.add("good", good))
        assert (view.color, len(view.checks)) == (HealthColor.GREEN, 1)
        # Once more: this one is fresh enough.
        assert len((await world.watch.view(world.apps["good"])).checks) == 1
        view = await asyncio.wait_for(world.watch.view(world.add("silent", silent)), 30)
        assert (view.color, view.checks[0].problem) == (HealthColor.YELLOW, "/health did not answer within 1 s")

    run(test)


def test_without_the_database_it_goes_by_what_it_knows_and_forgets_who_is_gone() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        shop = world.add("shop", await stack.enter_async_context(served(answers(200))))
        await world.watch.once()
        world.database_is_away = True
        await world.watch.once()
        assert len(await world.checks("shop")) == 2
        world.database_is_away = False
        del world.apps["shop"], world.pids["shop"]
        await world.watch.once()
        assert (await world.watch.view(shop)).checks == []

    run(test)


def test_each_app_has_a_moment_of_its_own_in_the_cycle() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        moments: list[float] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            moments.append(time.monotonic())
            await answers(200)(reader, writer)

        port = await stack.enter_async_context(served(handle))
        for number in range(40):
            world.add(f"app-{number}", port)
        begun = await world.watch._ask_all(spread_seconds=2.0)
        await asyncio.wait(begun)
        fifths = {int((moment - min(moments)) * 5) for moment in moments}
        assert len(moments) == 40
        assert len(fifths) >= 6, sorted(fifths)

    run(test)
