"""What is left of an answer when its viewer goes away in the middle of it."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from support.platform import Platform, get

ENDLESS = """
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()

@app.get("/")
async def root():
    return "still here"

@app.get("/endless")
async def endless():
    async def stream():
        while True:
            yield b"x" * 65536
    return StreamingResponse(stream())
"""


def test_an_endless_stream_that_never_waits_does_not_hold_the_app(platform: Platform) -> None:
    url = platform.deploy_live("endless", ENDLESS)
    address = (urlsplit(url).hostname, urlsplit(url).port)
    for _ in range(10):
        with socket.create_connection(address, timeout=10) as viewer:
            viewer.sendall(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
            read = 0
            while read < 2_000_000:
                read += len(viewer.recv(1_000_000))
        assert get(url).json() == "still here"
