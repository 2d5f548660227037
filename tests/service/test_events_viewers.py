"""What the feed of events is asked to bear: viewers who do not read, listeners who fail, odd events, and too many."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from support.platform import Platform

from gofastapi_ext.core.events import Event, EventKind
from gofastapi_ext.platform.api.abortable import AbortableProtocol
from gofastapi_ext.platform.api.events import EventStream
from gofastapi_ext.platform.control.events import EventFeed, Follower
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.store.database import connect
from gofastapi_ext.platform.store.events import EventStore

WORDS = "x" * 1000


class Served:
    """A feed of its own, in the service's own database server, and its stream on a unix socket."""

    def __init__(self, feed: EventFeed, path: Path) -> None:
        self.feed = feed
        self.path = path

    def publish(self, count: int) -> None:
        for _ in range(count):
            self.feed.publish(EventKind.CHANGED, WORDS, owner="me")

    @property
    def followers(self) -> int:
        return len(self.feed._followers)


@contextlib.asynccontextmanager
async def served(platform: Platform, folder: Path, write_timeout_seconds: float = 30) -> AsyncIterator[Served]:
    address = platform.client.service().mongo.address.replace("/", "%2F")
    password = PlatformKey.load(platform.places.home / "platform.key").derive("mongo root")
    client = connect(f"mongodb://gofastapi:{password}@{address}/?directConnection=true")
    store = EventStore(client["viewers"], 3600)
    await store.prepare()
    feed = EventFeed(store)
    await feed.start()

    async def stream(request: Request) -> EventStream:
        follower = feed.follow("me", None, int(request.query_params.get("after", feed._last_id)))
        return EventStream(follower, heartbeat_seconds=0.1, write_timeout_seconds=write_timeout_seconds)

    path = folder / "s"
    config = uvicorn.Config(
        Starlette(routes=[Route("/", stream)]), uds=str(path), log_level="error", http=AbortableProtocol, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield Served(feed, path)
    finally:
        server.should_exit = server.force_exit = True
        await serving
        await feed.stop()
        await client.drop_database("viewers")
        await client.close()


@contextlib.contextmanager
def viewer(path: Path, target: str = "/"):  # type: ignore[no-untyped-def]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        yield connection


def rest(connection: socket.socket) -> bytes:
    """Everything up to the end of the connection, which is there already."""
    connection.settimeout(5)
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            data += chunk
    return data


async def until(condition, what: str) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
    assert condition(), what


def test_a_viewer_who_never_reads_is_dropped_and_costs_no_memory(platform: Platform, tmp_path: Path) -> None:
    async def run() -> None:
        async with served(platform, tmp_path) as here:
            with viewer(here.path) as connection:
                await until(lambda: here.followers == 1, "follows")
                tracemalloc.start()
                before = None
                for batch in range(40):
                    here.publish(250)
                    await until(lambda: not here.feed._unsaved, "stored")
                    if batch == 10:
                        before = tracemalloc.get_traced_memory()[0]
                grown = tracemalloc.get_traced_memory()[0] - before
                tracemalloc.stop()
                assert here.followers == 0
                # 7.5 MB of events came after the first look.
                assert grown < 500_000
                assert b"HTTP/1.1 200" in rest(connection)

    asyncio.run(run())


def test_a_viewer_who_stops_in_the_middle_of_the_past_is_cut_off_in_time(platform: Platform, tmp_path: Path) -> None:
    async def run() -> None:
        async with served(platform, tmp_path, write_timeout_seconds=0.3) as here:
            here.publish(3000)
            await until(lambda: not here.feed._unsaved, "stored")
            with viewer(here.path, "/?after=0") as connection:
                await until(lambda: here.followers == 1, "follows")
                await until(lambda: here.followers == 0, "cut off")
                # Not what is still to be sent, but the end of the connection is what it finds.
                assert len(rest(connection)) < 1_500_000

    asyncio.run(run())


def test_one_who_reads_hears_everything_beside_one_who_does_not(platform: Platform, tmp_path: Path) -> None:
    async def run() -> None:
        async with served(platform, tmp_path) as here:
            reader, writer = await asyncio.open_unix_connection(str(here.path))
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            heard = 0

            async def listen() -> None:
                nonlocal heard
                while True:
                    heard += (await reader.readline()).startswith(b"id: ")

            listening = asyncio.create_task(listen())
            with viewer(here.path):
                await until(lambda: here.followers == 2, "both follow")
                for batch in range(1, 41):
                    here.publish(50)
                    await until(lambda expected=50 * batch: heard == expected, "heard")
                assert here.followers == 1
            listening.cancel()
            writer.close()

    asyncio.run(run())


def test_whatever_is_published_neither_fails_nor_holds_up_the_rest(platform: Platform, tmp_path: Path) -> None:
    async def run() -> None:
        async with served(platform, tmp_path) as here:
            heard = []

            def fail(*_: object) -> None:
                raise RuntimeError("no")

            here.feed.add_listener(fail)
            here.feed.add_listener(lambda kind, message, owner, app, details: heard.append(details))
            odd = [
                {"what": object(), "when": datetime(2026, 1, 31, tzinfo=UTC)},
                {"$set": {"a.b": 1, "": None}},
                {"much": "x" * 30_000},
                {"huge": 2**70},
                {"half": "\ud800"},
                {1: {2: 3}},
                {(1, 2): 3},
            ]
            for details in odd:
                here.feed.publish(EventKind.CHANGED, "odd \ud800" + "y" * 5000, owner="me", details=details)
            here.feed.publish(EventKind.CHANGED, "the end", owner="me")
            await until(lambda: not here.feed._unsaved, "stored")
            listed = await here.feed.newest("me", None, 100)
            # A number that MongoDB has no room for is not stored; nothing else is missing.
            assert len(listed) == len(odd)
            assert listed[0].message == "the end"
            assert {len(event.message) for event in listed[1:]} == {2000}
            assert listed[-1].details["when"] == "2026-01-31 00:00:00+00:00"
            assert listed[-2].details == odd[1]
            assert listed[-3].details == {}
            assert len(heard) == len(odd) + 1

    asyncio.run(run())


def test_events_wait_for_the_database_up_to_a_bound(platform: Platform, tmp_path: Path) -> None:
    async def run() -> None:
        async with served(platform, tmp_path) as here:
            # No await: as if the database took nothing meanwhile.
            here.publish(25_000)
            assert len(here.feed._unsaved) == 10_000
            newest = here.feed._last_id
            follower = here.feed.follow("me", None, newest - 3)
            assert [[event.id for event in batch] async for batch in _first(follower, 3)] == [
                [newest - 2, newest - 1, newest]
            ]
            assert [event.id for event in await here.feed.newest("me", None, 2)] == [newest, newest - 1]

    asyncio.run(run())


async def _first(follower: Follower, count: int) -> AsyncIterator[list[Event]]:
    seen = 0
    async with contextlib.aclosing(follower.batches(10)) as batches:
        async for batch in batches:
            yield batch
            seen += len(batch)
            if seen >= count:
                break
    follower.close()
