"""What instances report, asked of the real runtime: counts by route, errors by line, last words, lies and floods."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any, TypeVar

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.platform import own_ports
from websockets.asyncio.client import connect as connect_websocket

from gofastapi_ext.client.discovery import service_environment
from gofastapi_ext.core.bundle import CellOrigin
from gofastapi_ext.platform.runtimes.base import LaunchSpec, Report, ReportedError
from gofastapi_ext.platform.runtimes.local.instance import LocalInstance
from gofastapi_ext.platform.runtimes.local.runtime import LocalRuntime
from gofastapi_ext.platform.settings import Settings

_Result = TypeVar("_Result")
Run = Callable[[Coroutine[Any, Any, _Result]], _Result]

HEAD = """
import asyncio, gc, json, os, time
from fastapi import APIRouter, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
app = FastAPI()
"""

ROUTES = (
    HEAD
    + """
sub = FastAPI()
@sub.get("/in/{x}")
def within(x): return x

router = APIRouter(prefix="/router")
@router.get("/{name}")
def included(name): return name
app.include_router(router, prefix="/v1")
app.include_router(router, prefix="/v2")

@app.get("/items/{item_id}")
async def item(item_id: int): return item_id
@app.post("/items")
async def make(request: Request): return len(await request.body())

app.mount("/sub", sub)
app.mount("/tenants/{tenant}", sub)
app.mount("/static", StaticFiles(directory="."))
"""
)

FAILING = (
    HEAD
    + """
class Item(BaseModel):
    name: str
    size: int

@app.get("/sync/{n}")
def sync(n: int):
    return 1 / n

@app.get("/async")
async def in_the_loop():
    raise KeyError(os.environ["SECRET"])

@app.get("/stream")
async def stream():
    async def parts():
        yield b"one"
        raise RuntimeError("after the first part")
    return StreamingResponse(parts())

@app.websocket("/ws")
async def talk(socket: WebSocket):
    await socket.accept()
    await socket.receive_text()
    raise LookupError("not here")

@app.get("/refused")
async def refused(): raise HTTPException(403, "not for you")

@app.post("/items")
async def make(item: Item): return item

@app.exception_handler(ZeroDivisionError)
async def handled(request, error): return PlainTextResponse("handled", 503)

@app.get("/handled")
async def handled_by_the_app(): 1 / 0

@app.get("/many/{n}")
async def many(n: int, request: Request):
    await request.body()
    raise HTTPException(400 + n % 99, "x" * 3000)

@app.get("/block")
async def block():
    time.sleep(2.6)
"""
)

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


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def runtime(loop: asyncio.Runner) -> Iterator[LocalRuntime]:
    # Short: a unix socket's path holds about a hundred bytes.
    home = Path(tempfile.mkdtemp(prefix="gfr-"))
    ports = own_ports()
    settings = Settings(
        home=home,
        first_port=int(ports["GOFASTAPI_FIRST_PORT"]) + 300,
        last_port=int(ports["GOFASTAPI_LAST_PORT"]),
        drain_seconds=3.0,
    )

    async def start() -> LocalRuntime:
        made = LocalRuntime(home, settings, service_environment())
        await made.start()
        return made

    running = loop.run(start())
    yield running
    loop.run(running.stop())
    rmtree(home, ignore_errors=True)


class App:
    """One app, open at its address, with an instance that serves it."""

    def __init__(self, runtime: LocalRuntime, spec: LaunchSpec, client: httpx.AsyncClient) -> None:
        self.runtime = runtime
        self.spec = spec
        self.client = client
        self.url = str(client.base_url)
        self.instance: LocalInstance

    async def launch(self) -> LocalInstance:
        self.instance = await self.runtime.launch(self.spec)
        await self.instance.wait_ready()
        await self.instance.accept()
        return self.instance

    async def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return await self.client.get(path, **kwargs)

    async def report(self) -> Report:
        found = await self.instance.report()
        assert found is not None
        return found

    async def error(self) -> ReportedError:
        [error] = (await self.report()).errors
        return error


@asynccontextmanager
async def running(runtime: LocalRuntime, source: str, **spec: Any) -> AsyncIterator[App]:
    with tempfile.TemporaryDirectory(prefix="gfr-code-") as folder:
        Path(folder, "main.py").write_text(source)
        port = await runtime.open("app", None, frozenset())
        origins = {"main.py": [CellOrigin(label="In[5]", notebook="test.ipynb", line_offset=1)]}
        launch = LaunchSpec(
            app_id="app",
            owner="me",
            version=1,
            code_dir=Path(folder),
            entrypoint="main:app",
            origins=origins,
            **{"environment": {}} | spec,
        )
        async with httpx.AsyncClient(base_url=runtime.url(port), timeout=15, trust_env=False) as client:
            app = App(runtime, launch, client)
            instance = await app.launch()
            try:
                yield app
            finally:
                await instance.kill()
                await app.instance.kill()
                await runtime.close("app")


def requests_of(report: Report) -> dict[tuple[str, str, str], int]:
    return {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): int(sample.value)
        for family in text_string_to_metric_families(report.metrics)
        for sample in family.samples
        if sample.name == "gofastapi_requests_total"
    }


def value_of(report: Report, name: str, **labels: str) -> float:
    [value] = [
        sample.value
        for family in text_string_to_metric_families(report.metrics)
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    ]
    return float(value)


def line_of(source: str, text: str) -> int:
    return source[: source.index(text)].count("\n") + 1


def test_requests_are_counted_by_the_template_of_their_route(loop: asyncio.Runner, runtime: LocalRuntime) -> None:
    async def live() -> None:
        async with running(runtime, ROUTES) as app:
            for path in ("/items/1", "/items/2", "/items/x", "/v1/router/a", "/v2/router/a", "/v2/router/b"):
                await app.get(path)
            for path in ("/sub/in/1", "/tenants/a/in/1", "/tenants/b/in/1", "/sub/nothing", "/static/main.py", "/no/1"):
                await app.get(path)
            await app.client.post("/items", content=b"12345")
            await app.client.post("/items", content=(part async for part in _parts()))
            await app.client.request("BREW", "/items")
            report = await app.report()
            assert requests_of(report) == {
                ("GET", "/items/{item_id}", "2xx"): 2,
                ("GET", "/items/{item_id}", "4xx"): 1,
                ("GET", "/v1/router/{name}", "2xx"): 1,
                ("GET", "/v2/router/{name}", "2xx"): 2,
                ("GET", "/sub/in/{x}", "2xx"): 1,
                ("GET", "/tenants/{tenant}/in/{x}", "2xx"): 2,
                ("GET", "/static/*", "2xx"): 1,
                ("GET", "(no route)", "4xx"): 2,
                ("POST", "/items", "2xx"): 2,
                ("OTHER", "/items", "4xx"): 1,
            }
            post = {"method": "POST", "route": "/items"}
            assert value_of(report, "gofastapi_request_bytes_total", **post) == 5 + 7
            assert value_of(report, "gofastapi_response_bytes_total", **post) == 2
            assert value_of(report, "gofastapi_request_seconds_count", **post) == 2
            assert value_of(report, "gofastapi_request_seconds_bucket", **post, le="+Inf") == 2
            static = {"method": "GET", "route": "/static/*"}
            assert value_of(report, "gofastapi_response_bytes_total", **static) == len(ROUTES)
            assert value_of(report, "process_resident_memory_bytes") > 10_000_000
            assert value_of(report, "process_cpu_seconds_total") > 0
            assert 0 < report.idle_seconds < 5

    loop.run(live())


async def _parts() -> AsyncIterator[bytes]:
    yield b"123"
    yield b"4567"


def test_the_platforms_own_questions_leave_no_trace(loop: asyncio.Runner, runtime: LocalRuntime) -> None:
    source = HEAD + (
        "@app.get('/health')\n"
        "async def health(request: Request):\n"
        "    raise HTTPException(418, dict(request.headers))\n"
    )

    async def live() -> None:
        async with running(runtime, source) as app:
            before = await app.report()
            answer = await app.get("/health", headers=runtime.probe_headers)
            assert answer.status_code == 418
            assert "x-gofastapi-probe" not in answer.json()["detail"]
            report = await app.report()
            assert (requests_of(report), report.errors) == ({}, [])
            assert report.idle_seconds > before.idle_seconds
            # Whoever does not know the word is a visitor like any other.
            answer = await app.get("/health", headers={"x-gofastapi-probe": "guessed"})
            assert answer.json()["detail"]["x-gofastapi-probe"] == "guessed"
            report = await app.report()
            assert requests_of(report) == {("GET", "/health", "4xx"): 1}
            assert len(report.errors) == 1

    loop.run(live())


@pytest.mark.parametrize(
    ("path", "exception", "at"),
    [
        ("/sync/0?api_key=k-1&page=2", "ZeroDivisionError", "1 / n"),
        ("/stream", "RuntimeError", "raise RuntimeError"),
    ],
)
def test_an_exception_is_told_at_its_line(
    loop: asyncio.Runner, runtime: LocalRuntime, path: str, exception: str, at: str
) -> None:
    source = FAILING.replace("@app.exception_handler(ZeroDivisionError)\n", "")

    async def live() -> None:
        async with running(runtime, source) as app:
            for _ in range(3):
                try:
                    await app.get(path, headers={"authorization": "Bearer x", "cookie": "a=b", "accept": "a/b"})
                except httpx.RemoteProtocolError:
                    assert path == "/stream"
            error = await app.error()
            assert (error.method, error.exception, error.count, error.status) == ("GET", exception, 3, 500)
            assert (error.file, error.line) == ("main.py", line_of(source, at))
            assert error.traceback is not None
            assert f"In[5] of test.ipynb, line {line_of(source, at) + 1}, in" in error.traceback
            assert error.headers["accept"] == "a/b"
            # That there were some is told, so that nobody takes the request for whole.
            assert (error.headers["authorization"], error.headers["cookie"]) == ("***", "***")
            assert error.path == path.replace("k-1", "***")
            # Since the last report there was none.
            assert (await app.report()).errors == []

    loop.run(live())


def test_a_websockets_exception_is_a_failure_and_an_open_one_is_activity(
    loop: asyncio.Runner, runtime: LocalRuntime
) -> None:
    async def live() -> None:
        async with running(runtime, FAILING) as app:
            async with connect_websocket(app.url.replace("http", "ws") + "/ws", proxy=None) as socket:
                report = await app.report()
                assert value_of(report, "gofastapi_websockets_open") == 1
                assert report.idle_seconds == 0.0
                assert await app.instance.release_if_idle() is False
                await socket.send("go")
                await socket.wait_closed()
            error = await app.error()
            assert (error.method, error.route, error.status) == ("WEBSOCKET", "/ws", 500)
            assert (error.exception, error.message) == ("LookupError", "not here")
            assert error.line == line_of(FAILING, "raise LookupError")
            assert requests_of(await app.report()) == {}

    loop.run(live())


def test_answers_are_told_without_what_was_sent(loop: asyncio.Runner, runtime: LocalRuntime) -> None:
    async def live() -> None:
        async with running(runtime, FAILING) as app:
            await app.get("/refused")
            error = await app.error()
            assert (error.status, error.exception, error.message) == (403, None, "not for you")
            assert error.answer == '{"detail":"not for you"}'
            await app.get("/handled")
            error = await app.error()
            assert (error.status, error.exception, error.answer) == (503, None, "handled")
            await app.client.post("/items", json={"name": "a-private-thing"})
            error = await app.error()
            assert (error.status, error.message) == (422, "body.size: Field required")
            assert error.has_body
            assert error.body is None
            assert "a-private-thing" not in str(error)
            app.instance.record_bodies(True)
            await app.client.post("/items", json={"name": "a-private-thing"})
            error = await app.error()
            assert error.body == b'{"name":"a-private-thing"}'
            assert "a-private-thing" in (error.answer or "")
            app.instance.record_bodies(False)
            await app.client.post("/items", json={"name": "a-private-thing"})
            assert (await app.error()).body is None

    loop.run(live())


def test_secrets_are_not_told(loop: asyncio.Runner, runtime: LocalRuntime) -> None:
    secret = "s3cr3t-of-the-app"
    spec = {"environment": {"SECRET": secret}, "secrets": frozenset({secret}), "record_bodies": True}

    async def live() -> None:
        async with running(runtime, FAILING, **spec) as app:
            await app.get("/async")
            error = await app.error()
            assert error.exception == "KeyError"
            assert error.message == "'***'"
            for send in (secret, "x" * 65_530 + secret):
                await app.client.post(f"/items?q={secret}", content=send, headers={"user-agent": secret})
                error = await app.error()
                assert error.body
                assert secret[:6] not in str(error)

    loop.run(live())


def test_failures_are_bounded_however_many_there_are(loop: asyncio.Runner, runtime: LocalRuntime) -> None:
    async def live() -> None:
        async with running(runtime, FAILING, record_bodies=True) as app:
            for n in range(99):
                await app.client.request("GET", f"/many/{n}", content=b"y" * 100_000)
            report = await app.report()
            assert len(report.errors) == 50
            assert all(error.answer is None or len(error.answer) < 2_100 for error in report.errors)
            assert sum(len(error.body or b"") for error in report.errors) < 512_000
            assert Counter(requests_of(report))["GET", "/many/{n}", "4xx"] == 99

    loop.run(live())


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
            await asyncio.sleep(0.3)
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
            await asyncio.wait_for(runtime.wait_for_visitor("app"), 5)
            # Longer than what is being answered may take to drain.
            await asyncio.sleep(3.5)
            assert not kept_alive.done()
            await app.launch()
            assert (await kept_alive).status_code == 403
            assert await asleep.release_if_idle() is False
            await asyncio.wait_for(asleep.wait_exited(), 5)
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
            found = await asyncio.wait_for(_forged(app.instance), 5)
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
                before = time.monotonic()
                await asyncio.sleep(0.01)
                longest = max(longest, time.monotonic() - before)
            # Of one processor, and for one of many apps; a wait of this length nobody notices.
            assert process.cpu_times().user - busy < 0.6
            assert longest < 0.3
            assert process.memory_info().rss - memory < 20_000_000
            assert (await app.get("/wrong")).status_code == 418
            assert app.instance.state == "serving"

    loop.run(live())
