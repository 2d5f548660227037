"""What instances report, asked of the real runtime: counts by route, and errors by line."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest
from support.instances import FAILING, HEAD, line_of, requests_of, running, value_of
from websockets.asyncio.client import connect as connect_websocket

from gofastapi_ext.platform.runtimes.local.runtime import LocalRuntime

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
