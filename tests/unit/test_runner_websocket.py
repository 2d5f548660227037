"""A WebSocket as its app has it: the peer's messages in order, its end in time, and no more read than is needed."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from gofastapi_runner.websocket import PeerGoneError, WebSocket, is_of_a_gone_peer

ACCEPT = {"type": "websocket.accept"}
GONE = {"type": "websocket.disconnect", "code": 1001}


def text(words: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": words}


class Peer:
    """The server's side: what the peer says, and what was sent to it."""

    def __init__(self) -> None:
        self.says: asyncio.Queue[Any] = asyncio.Queue()
        self.heard: list[Any] = []
        self.read = 0

    async def receive(self) -> Any:
        message = await self.says.get()
        self.read += 1
        if isinstance(message, Exception):
            raise message
        return message

    async def send(self, message: Any) -> None:
        self.heard.append(message)


async def accepted(peer: Peer) -> WebSocket:
    socket = WebSocket(peer.receive, peer.send)
    peer.says.put_nowait({"type": "websocket.connect"})
    assert (await socket.receive())["type"] == "websocket.connect"
    await socket.send(ACCEPT)
    return socket


def test_messages_come_in_order_and_then_the_end_as_often_as_one_asks() -> None:
    async def scenario() -> None:
        peer = Peer()
        socket = await accepted(peer)
        for message in (text("a"), text(""), {"type": "websocket.receive", "bytes": b"b"}, GONE):
            peer.says.put_nowait(message)
        await asyncio.sleep(0.01)
        assert [await socket.receive() for _ in range(5)] == [
            text("a"), text(""), {"type": "websocket.receive", "bytes": b"b"}, GONE, GONE,
        ]  # fmt: skip
        waiting = asyncio.create_task((later := await accepted(other := Peer())).receive())
        await asyncio.sleep(0)
        other.says.put_nowait(text("late"))
        assert await waiting == text("late")
        await later.end()
        await socket.end()

    asyncio.run(scenario())


@pytest.mark.parametrize("end", [GONE, RuntimeError("broken off")])
def test_who_only_sends_is_told_that_nobody_is_there(end: Any) -> None:
    async def scenario() -> None:
        peer = Peer()
        socket = await accepted(peer)
        await socket.send({"type": "websocket.send", "text": "tick"})
        peer.says.put_nowait(text("unread"))
        peer.says.put_nowait(end)
        # The next one, or the one after it, after which the reading had its turn.
        with contextlib.suppress(PeerGoneError):
            await socket.send({"type": "websocket.send", "text": "tick"})
        with pytest.raises(PeerGoneError):
            await socket.send({"type": "websocket.send", "text": "tick"})
        await socket.end()
        assert {"type": "websocket.close", "code": 1012} not in peer.heard

    asyncio.run(scenario())


def test_what_nobody_reads_is_left_with_the_peer() -> None:
    async def scenario() -> None:
        peer = Peer()
        socket = await accepted(peer)
        for _ in range(100):
            peer.says.put_nowait({"type": "websocket.receive", "bytes": bytes(20_000)})
        await asyncio.sleep(0.01)
        assert peer.read - 1 == 4
        for _ in range(100):
            assert len((await socket.receive())["bytes"]) == 20_000
        # Empty ones weigh something too.
        for _ in range(10_000):
            peer.says.put_nowait(text(""))
        await asyncio.sleep(0.01)
        assert peer.read < 101 + 1100
        await socket.end()

    asyncio.run(scenario())


def test_an_instance_that_ends_tells_both_sides() -> None:
    async def scenario() -> None:
        peer = Peer()
        socket = await accepted(peer)
        waiting = asyncio.create_task(socket.receive())
        await asyncio.sleep(0)
        socket.close()
        assert await waiting == {"type": "websocket.disconnect", "code": 1012}
        with pytest.raises(PeerGoneError):
            await socket.send({"type": "websocket.send", "text": "tick"})
        await socket.end()
        assert peer.heard[-1] == {"type": "websocket.close", "code": 1012}

    asyncio.run(scenario())


def test_a_peer_that_goes_is_no_failure() -> None:
    class WebSocketDisconnect(Exception):
        pass

    gone = [PeerGoneError("gone"), WebSocketDisconnect(1006)]
    assert all(is_of_a_gone_peer(each) for each in [*gone, ExceptionGroup("tasks", gone)])
    assert not is_of_a_gone_peer(OSError("disk"))
    assert not is_of_a_gone_peer(ExceptionGroup("tasks", [*gone, ValueError("mine")]))
