"""`python -m benchmarks.bare PORT`: `main:app` on the runner's server, without the gate around it."""

from __future__ import annotations

import asyncio
import gc
import importlib
import socket
import sys

import uvloop
from gofastapi_runner.server import BACKLOG, Server


async def _serve(port: int) -> None:
    app = importlib.import_module("main").app
    with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as listener:
        Server(app, listener.fileno()).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    sys.path.insert(0, "")
    # As in a zygote: what is imported once is not visited by the collector.
    gc.freeze()
    uvloop.run(_serve(int(sys.argv[1])))
