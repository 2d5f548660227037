"""Files of documents through Jupyter: both ways as streams, and larger than what Jupyter takes itself."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import aiohttp
import psutil
import pytest
from conftest import Jupyter
from support.data import opened
from support.platform import Platform

COLLECTIONS = "/api/database/collections"


@pytest.fixture
def jp_server_config(_home: None) -> dict[str, Any]:
    """A server that takes bodies of 1 MB."""
    return {"ServerApp": {"jpserver_extensions": {"gofastapi_ext": True}, "max_body_size": 1_000_000}}


def rows(count: int) -> bytes:
    return b"".join(json.dumps({"n": n, "text": "x" * 200}).encode() + b"\n" for n in range(count))


async def test_an_import_tells_how_far_it_is_while_it_is_sent(jupyter: Jupyter) -> None:
    told = asyncio.Event()

    async def content() -> AsyncIterator[bytes]:
        while not told.is_set():
            yield rows(1000)
            await asyncio.sleep(0.1)
        yield b"nonsense\n"

    async with (
        aiohttp.ClientSession(headers=jupyter.token_header) as session,
        session.post(jupyter.url(f"{COLLECTIONS}/sent/import"), data=content()) as response,
    ):
        assert response.status == 200
        first = json.loads(await asyncio.wait_for(response.content.readline(), 20))
        assert first["kind"] == "progress"
        assert first["stored"] >= 1000
        told.set()
        last = json.loads((await response.content.read()).splitlines()[-1])
    assert (last["kind"], last["refused"]) == ("done", 1)
    assert last["stored"] > first["stored"]


@pytest.mark.parametrize("known_length", [True, False])
async def test_more_than_jupyter_takes_comes_in_and_goes_out(jupyter: Jupyter, known_length: bool) -> None:
    one, count = rows(1000), 60
    before = psutil.Process().memory_info().rss

    async def content() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield one

    headers = {"Content-Length": str(count * len(one))} if known_length else {}
    path = f"{COLLECTIONS}/large/import?mode=replace"
    answer = await jupyter.ask("POST", path, data=content(), headers=headers)
    assert json.loads(answer.body.splitlines()[-1])["stored"] == count * 1000
    lines = 0
    async with (
        aiohttp.ClientSession(headers=jupyter.token_header) as session,
        session.get(jupyter.url(f"{COLLECTIONS}/large/export")) as response,
    ):
        assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''large.jsonl"
        async for chunk in response.content.iter_any():
            lines += chunk.count(b"\n")
    assert lines == count * 1000
    assert psutil.Process().memory_info().rss - before < 60_000_000


async def test_a_refused_import_says_why(jupyter: Jupyter) -> None:
    answer = await jupyter.ask("POST", f"{COLLECTIONS}/system.users/import", data=io.BytesIO(rows(10_000)))
    assert answer.status == 422
    assert "system." in answer.json["message"]
    failed = await jupyter.ask(
        "POST", f"{COLLECTIONS}/notes/import?format=csv", data=io.BytesIO(b"a,a\n" + rows(10_000))
    )
    assert "same name" in json.loads(failed.body.splitlines()[-1])["message"]


async def test_documents_of_any_id_are_reached(jupyter: Jupyter, platform: Platform) -> None:
    with opened(platform) as data:
        data.drop_collection("odd/names")
    for document_id in ("a/b", "..", "a/../b", "%2F", "é?#&"):
        made = platform.client.insert_document("odd/names", {"_id": document_id})
        found = await jupyter.get(f"{COLLECTIONS}/odd%2Fnames/documents/{quote(made.key, safe='')}")
        assert (found.status, found.json["id"]) == (200, document_id)
    listed = await jupyter.get(f"{COLLECTIONS}/odd%2Fnames/documents?limit=2")
    assert len(listed.json["documents"]) == 2
