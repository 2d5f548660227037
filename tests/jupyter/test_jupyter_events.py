"""The stream of events as a page in Jupyter sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from datetime import UTC, datetime

import aiohttp
from conftest import Jupyter
from support.platform import Platform

from gofastapi_ext.core.models import AppChange

APP = "from fastapi import FastAPI\napp = FastAPI()\n"


async def frame(response: aiohttp.ClientResponse) -> dict[str, str]:
    """The next frame that holds an event."""
    while True:
        text = (await asyncio.wait_for(response.content.readuntil(b"\n\n"), 10)).decode()
        if "data: " in text:
            return dict(line.split(": ", 1) for line in text.strip().split("\n"))


def rename(platform: Platform, title: str) -> None:
    platform.client.change("eventful", AppChange(title=title))


async def test_events_come_at_once_and_go_on_after_the_last_one(jupyter: Jupyter, platform: Platform) -> None:
    platform.deploy_live("eventful", APP)
    last = ""
    for visit in ("first", "second"):
        headers = jupyter.token_header | {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(jupyter.url("/api/apps/eventful/events")) as response,
        ):
            assert response.content_type == "text/event-stream"
            assert response.headers["Cache-Control"] == "no-cache"
            if last:
                # What happened while the page was away.
                assert json.loads((await frame(response))["data"])["message"].endswith("away.")
            for number in range(3):
                rename(platform, f"{visit} {number}")
                told = await frame(response)
                assert json.loads(told["data"])["message"].endswith(f"{visit} {number}.")
                last = told["id"]
        rename(platform, "away")


async def test_a_page_that_never_reads_is_let_go(jupyter: Jupyter, platform: Platform, jp_http_port: int) -> None:
    platform.deploy_live("eventful", APP)
    event = {"owner": platform.client.me().user, "app": "eventful", "at": datetime.now(UTC), "kind": "changed"}
    past = [event | {"_id": number, "message": "x" * 2000, "details": {}} for number in range(1, 8001)]
    target = jupyter.url("/api/events?follow=true&after=0").raw_path_qs
    with platform.database() as database, socket.socket() as page:
        database["events"].insert_many(past)
        page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        page.connect(("127.0.0.1", jp_http_port))
        token = jupyter.token_header["Authorization"]
        page.sendall(f"GET {target} HTTP/1.1\r\nHost: {jupyter.host}\r\nAuthorization: {token}\r\n\r\n".encode())
        # Jupyter is this process: it has to have its turn.
        for number in range(120):
            await asyncio.to_thread(rename, platform, f"unread {number}")
        database["events"].delete_many({"_id": {"$lte": 8000}})
        page.settimeout(20)
        data = await asyncio.to_thread(rest, page)
    assert data.startswith(b"HTTP/1.1 200")
    # The past alone is more than 16 MB; what fits between here and there has come, and then the end.
    assert len(data) < 15_000_000


def rest(connection: socket.socket) -> bytes:
    data = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(1_000_000):
            data += chunk
    return bytes(data)
