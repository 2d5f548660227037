"""Instances of the real local runtime, without a service around it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gofastapi_ext.client.discovery import service_environment
from gofastapi_ext.core.bundle import CellOrigin
from gofastapi_ext.platform.runtimes.base import LaunchSpec, Report, ReportedError
from gofastapi_ext.platform.runtimes.local.instance import LocalInstance
from gofastapi_ext.platform.runtimes.local.runtime import LocalRuntime
from gofastapi_ext.platform.settings import Settings
from support.ports import PortRange

HEAD = """
import asyncio, gc, json, os, time
from fastapi import APIRouter, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
app = FastAPI()
"""
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
    open("blocked", "w").close()
    time.sleep(2.6)
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
    ports = PortRange()
    settings = Settings(
        home=home,
        first_port=ports.first,
        last_port=ports.last,
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
