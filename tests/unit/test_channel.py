"""Both ends of the channel between the platform and an instance: lines stay whole, and no line ends the listening."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from typing import Any

from gofastapi_runner.channel import Channel
from gofastapi_runner.protocol import MAX_REPORT_BYTES

from gofastapi_ext.platform.runtimes.local.channel import messages


async def _read_all(connection: socket.socket) -> list[dict[str, object]]:
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    found = [message async for message in messages(reader)]
    writer.close()
    return found


def test_a_word_from_a_signals_handler_does_not_break_a_long_line() -> None:
    long: dict[str, Any] = {"event": "report", "metrics": "x" * 400_000}

    async def talk() -> list[dict[str, object]]:
        ours, theirs = socket.socketpair()
        channel = Channel(theirs)
        signal.signal(signal.SIGUSR2, lambda *_: channel.send_now({"event": "released"}, 0.01))
        try:
            channel.send(long)
            # In the middle of the long one: nobody has read any of it yet.
            os.kill(os.getpid(), signal.SIGUSR2)
            reading = asyncio.create_task(_read_all(ours))
            await channel.flush(5)
            channel.send({"event": "busy"})
            await channel.flush(5)
        finally:
            signal.signal(signal.SIGUSR2, signal.SIG_DFL)
            channel._outlet.close()
            theirs.close()
        return await asyncio.wait_for(reading, 30)

    assert asyncio.run(talk()) == [long, {"event": "released"}, {"event": "busy"}]


def test_lines_that_are_no_messages_are_skipped() -> None:
    good = {"event": "serving"}
    line = json.dumps(good).encode() + b"\n"
    begun = b'{"event": "'
    noise = [
        b"\n\n",
        b"noise\n",
        b"\xff\xfe\n",
        begun + b"\n",
        begun + b'x"}]\n',
        begun + b"[" * 20_000 + b"\n",
        begun + b"y" * MAX_REPORT_BYTES + b'"}\n',
        begun + b"x" * (MAX_REPORT_BYTES + 70_000) + b'"}\n',
    ]

    async def talk() -> list[dict[str, object]]:
        ours, theirs = socket.socketpair()
        reading = asyncio.create_task(_read_all(ours))
        with theirs:
            for piece in noise:
                await asyncio.to_thread(theirs.sendall, piece + line)
        return await asyncio.wait_for(reading, 30)

    assert asyncio.run(talk()) == [good] * len(noise)


def test_what_comes_too_fast_is_read_slowly() -> None:
    """Of a channel full of messages only so many are taken at once; the rest waits where it is."""

    async def talk() -> tuple[int, float]:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        taken, end = 0, asyncio.get_running_loop().time() + 1.0
        sent = 0

        def fill() -> None:
            nonlocal sent
            sent += theirs.send(b'{"event": "busy"}\n' * 1000)

        asyncio.get_running_loop().add_writer(theirs, fill)
        try:
            async with asyncio.timeout_at(end):
                async for _ in messages(reader):
                    taken += 1
        except TimeoutError:
            pass
        asyncio.get_running_loop().remove_writer(theirs)
        writer.close()
        theirs.close()
        return taken, sent

    taken, sent = asyncio.run(talk())
    assert 100 < taken < 2_000
    assert sent < 2_000_000
