"""Apps that several processes serve, and what is known of these."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.models import AppChange
from support.platform import Platform
from support.waiting import until

SOURCE = """
import asyncio, os
from fastapi import FastAPI, WebSocket

app = FastAPI()

@app.get("/")
async def root():
    return {"pid": os.getpid(), "version": VERSION}

@app.get("/sleep/{seconds}")
async def sleep(seconds: float):
    await asyncio.sleep(seconds)
    return os.getpid()

@app.get("/fail")
async def fail():
    raise LookupError("not here")

@app.websocket("/ws")
async def ws(socket: WebSocket):
    await socket.accept()
    await socket.send_text(str(os.getpid()))
    await socket.receive_text()
"""


def source(version: int = 1) -> str:
    return f"VERSION = {version}\n{SOURCE}"


def serving(platform: Platform, name: str) -> set[int]:
    return {each.pid for each in platform.app(name).instances if each.state == "serving"}


def until_serving(platform: Platform, name: str, count: int) -> set[int]:
    return until(lambda: pids if len(pids := serving(platform, name)) == count else None, what=f"{count} workers")


def set_workers(platform: Platform, name: str, count: int) -> set[int]:
    assert platform.client.change(name, AppChange(workers=count)).workers == count
    return until_serving(platform, name, count)


def deploy_with(platform: Platform, name: str, workers: int, code: str | None = None) -> str:
    url = platform.deploy_live(name, code or source())
    set_workers(platform, name, workers)
    return url


def until_stable(platform: Platform, name: str) -> None:
    """Until the workers have served for so long that a crash is no part of a loop."""
    began = max(each.started_at for each in platform.app(name).instances)
    until(lambda: datetime.now(UTC) - began > timedelta(seconds=1.5), what="stable")


def greedy(lock: Path) -> str:
    """An app of which only one process comes up: each wants the one port, GPU or lock there is, say."""
    guard = f"import os, pathlib\nlock = pathlib.Path({str(lock)!r})\nif lock.exists(): os._exit(7)\nlock.touch()\n"
    return guard + source()


def until_told(platform: Platform, name: str, kind: EventKind) -> str:
    """The latest of its kind, in words."""
    return until(
        lambda: next((event.message for event in platform.client.events(name) if event.kind is kind), None),
        what=f"{name} {kind}",
    )
