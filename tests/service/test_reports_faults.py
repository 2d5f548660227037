"""Reports of instances that end, block, fall asleep, lie and flood, asked of the real runtime."""

from __future__ import annotations

import asyncio
import json
import time

import psutil
import pytest
from support.instances import FAILING, HEAD, requests_of, running

from gofastapi_ext.platform.runtimes.base import Report
from gofastapi_ext.platform.runtimes.local.instance import LocalInstance
from gofastapi_ext.platform.runtimes.local.runtime import LocalRuntime

LYING = (
    HEAD
    + """
import select, threading

def channel():
    from gofastapi_runner.channel import Channel
    [found] = [each for each in gc.get_objects() if isinstance(each, Channel)]
    return found._outlet.fileno()

def write(data, until):
    while data and time.monotonic() < until:
        select.select([], [channel()], [], 0.1)
        try:
            data = data[os.write(channel(), data):]
        except BlockingIOError:
            pass

@app.post("/say")
def say(request: Request, text: str):
    write(text.encode() + b"\\n", time.monotonic() + 5)

@app.post("/flood")
def flood(kind: str, seconds: float):
    piece = {
        "line": b"x" * 65536,
        "empty": b"\\n" * 65536,
        "reports": json.dumps({"event": "report", "metrics": "x" * 200_000, "idle_seconds": 9.0, "errors": []}).encode()
                   + b"\\n",
        "events": b'{"event": "released"}\\n{"event": "busy"}\\n{"event": "ready"}\\n' * 1000,
    }[kind]
    until = time.monotonic() + seconds
    def go_on():
        while time.monotonic() < until:
            write(piece, until)
    threading.Thread(target=go_on, daemon=True).start()

@app.get("/wrong")
async def wrong(): raise HTTPException(418, "honest")
"""
)


def test_an_instance_that_ends_in_good_order_says_all_it_knows(loop: asyncio.Runner, runtime: LocalRuntime) -> None:
    async def live() -> None:
        async with running(runtime, FAILING) as app:
            await app.get("/refused")
            before = app.instance
            await app.launch()
            await before.release()
            await before.wait_exited()
            report = await before.report()
            assert report is not None
            assert [error.route for error in report.errors] == ["/refused"]
            assert requests_of(report) == {("GET", "/refused", "4xx"): 1}
            # Asked again, it is the same: nobody takes it for new.
            assert await before.report() is report

    loop.run(live())


def test_an_app_that_blocks_its_loop_reports_late(loop: asyncio.Runner, runtime: LocalRuntime) -> None:
    async def live() -> None:
        async with running(runtime, FAILING) as app:
            await app.get("/refused")
            blocked = asyncio.create_task(app.get("/block"))
            async with asyncio.timeout(10):
                while not (app.spec.code_dir / "blocked").exists():
                    await asyncio.sleep(0.01)
            told, released = await asyncio.gather(app.instance.report(), app.instance.release_if_idle())
            assert (told, released) == (None, False)
            await blocked
            report = await app.report()
            assert [error.route for error in report.errors] == ["/refused"]
            # It was too late to fall asleep when it could answer: it serves.
            assert (await app.get("/refused")).status_code == 403
            assert app.instance.state == "serving"

    loop.run(live())


def test_asking_twice_at_once_is_asking_once(loop: asyncio.Runner, runtime: LocalRuntime) -> None:
    async def live() -> None:
        async with running(runtime, FAILING) as app:
            await app.get("/refused")
            first, second = await asyncio.gather(app.instance.report(), app.instance.report())
            assert first is second
            assert first is not None
            assert len(first.errors) == 1

    loop.run(live())


def test_falling_asleep_hands_over_what_still_comes(loop: asyncio.Runner, runtime: LocalRuntime) -> None:
    """A request on a connection that was kept alive waits for the next instance, however long that takes to start."""

    async def live() -> None:
        async with running(runtime, FAILING) as app:
            await app.get("/refused")
            asleep = app.instance
            both = await asyncio.gather(asleep.release_if_idle(), asleep.release_if_idle())
            assert both == [True, True]
            assert asleep.state == "draining"
            kept_alive = asyncio.create_task(app.get("/refused"))
            await asyncio.wait_for(runtime.wait_for_visitor("app"), 15)
            # Longer than what is being answered may take to drain.
            await asyncio.sleep(3.5)
            assert not kept_alive.done()
            await app.launch()
            assert (await kept_alive).status_code == 403
            assert await asleep.release_if_idle() is False
            await asyncio.wait_for(asleep.wait_exited(), 15)
            assert len((await app.report()).errors) == 1

    loop.run(live())


def test_an_instance_that_lies_is_not_believed(loop: asyncio.Runner, runtime: LocalRuntime) -> None:
    error = {"method": "GET", "route": "/x", "path": "/x", "status": 500, "message": "m", "count": 1, "at": 1e300,
             "headers": {}, "has_body": False}  # fmt: skip
    lies: list[object] = [
        "no json", "{", "[]", "null", '{"event": 1}', '{"event": "report"}', '{"event": "released"}',
        '{"event": "busy"}', '{"event": "serving"}', '{"event": "failed", "failure": {}}', "[" * 10_000,
        {"event": "report", "metrics": "x", "idle_seconds": float("nan"), "errors": []},
        {"event": "report", "metrics": "x", "idle_seconds": 10**400, "errors": []},
        {"event": "report", "metrics": "x", "idle_seconds": True, "errors": {}},
        {"event": "report", "metrics": "forged 1\n", "idle_seconds": -5, "errors": [
            None, error | {"count": -1}, error | {"count": 1.5}, error | {"at": "now"}, error | {"status": None},
            error | {"message": "\ud800" * 5, "line": 10**30, "count": 10**30, "headers": {"A b": "c", "accept": 1}},
        ]},
    ]  # fmt: skip

    async def live() -> None:
        async with running(runtime, LYING) as app:
            for lie in lies:
                text = lie if isinstance(lie, str) else json.dumps(lie)
                assert (await app.client.post("/say", params={"text": text})).status_code == 200
            found = await asyncio.wait_for(_forged(app.instance), 15)
            assert found.idle_seconds == 0.0
            [told] = found.errors
            assert (told.message, told.line, told.headers) == ("?" * 5, 10_000_000, {})
            assert told.count <= 1_000_000_000
            assert told.at.timestamp() <= time.time()
            # It is still listened to, and still served.
            assert (await app.get("/wrong")).status_code == 418
            assert [error.message for error in (await app.report()).errors] == ["honest"]
            assert app.instance.state == "serving"

    loop.run(live())


async def _forged(instance: LocalInstance) -> Report:
    while (report := await instance.report()) is None or not report.errors:
        await asyncio.sleep(0.02)
    return report


@pytest.mark.parametrize("kind", ["line", "empty", "reports", "events"])
def test_an_instance_that_floods_its_channel_hurts_nobody(
    loop: asyncio.Runner, runtime: LocalRuntime, kind: str
) -> None:
    async def live() -> None:
        async with running(runtime, LYING) as app:
            process = psutil.Process()
            await app.client.post("/flood", params={"kind": kind, "seconds": 1.5})
            memory, busy, longest = process.memory_info().rss, process.cpu_times().user, 0.0
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                # By the processor's time: this machine has others to serve.
                before = time.thread_time()
                await asyncio.sleep(0.01)
                longest = max(longest, time.thread_time() - before)
            # Of one processor, and for one of many apps; a wait of this length nobody notices.
            assert process.cpu_times().user - busy < 0.6
            assert longest < 0.3
            assert process.memory_info().rss - memory < 20_000_000
            assert (await app.get("/wrong")).status_code == 418
            assert app.instance.state == "serving"

    loop.run(live())
