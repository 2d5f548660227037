"""What a zygote does once, so that no app has to."""

from __future__ import annotations

import asyncio
import gc
import importlib
import threading
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from gofastapi_runner.instance import http_scope

# Imported once here rather than by each app. None of them starts a thread at import.
WARM_MODULES = (
    "anyio._backends._asyncio",
    "asyncio",
    "ctypes",
    "fastapi",
    "fastapi.middleware.cors",
    "fastapi.responses",
    "fastapi.security",
    "fastapi.staticfiles",
    "fastapi.templating",
    "gofastapi_runner.gate",
    "gofastapi_runner.server",
    "logging.config",
    "pymongo",
    "python_multipart.multipart",
    "starlette.middleware.base",
    "starlette.websockets",
    "uvloop",
)


def warm_up() -> None:
    """Import what apps share. Raises ImportError where the interpreter lacks a part of the runner."""
    for name in WARM_MODULES:
        importlib.import_module(name)
    asyncio.run(_serve_once())
    if threading.active_count() != 1:
        raise RuntimeError(f"a warm module started a thread: {threading.enumerate()}")
    gc.collect()
    # Frozen objects are not visited by the collector, so their pages stay shared after the fork.
    gc.freeze()


class _Item(BaseModel):
    name: str


async def _serve_once() -> None:
    """Answer one request of an app of ours: what frameworks build on first use is then shared too."""
    app = FastAPI()

    @app.post("/")
    async def echo(item: _Item) -> _Item:
        return item

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"name": "warm"}', "more_body": False}

    async def send(_: object) -> None:
        pass

    app.openapi()
    await app(
        http_scope("/", port=80) | {"method": "POST", "headers": [(b"content-type", b"application/json")]},
        receive,
        send,
    )
