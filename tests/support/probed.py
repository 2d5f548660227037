"""Servers that answer as an app does or does not, and the loop that asks them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

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
