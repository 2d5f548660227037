"""Simulated apps: real servers at as many ports, in one process, that answer /health until standard input ends."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sys

from aiohttp import web


async def _serve(count: int) -> None:
    app = web.Application()
    app.router.add_get("/health", _health)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    ports = []
    for _ in range(count):
        listener = socket.create_server(("127.0.0.1", 0))
        ports.append(listener.getsockname()[1])
        await web.SockSite(runner, listener).start()
    print(json.dumps(ports), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_serve(int(sys.argv[1])))
