"""What clients see of a redeploy: nothing fails, and after `live` nothing old answers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from support.platform import Platform, get
from support.waiting import until

SOURCE = """
import asyncio, pathlib, time
from fastapi import FastAPI, Request, Response

app = FastAPI()

@app.get("/")
def root():
    return {"version": VERSION}

@app.get("/block")
async def block(gate: str):
    print("taken", flush=True)
    while not pathlib.Path(gate).exists():
        time.sleep(0.01)
    return {"version": VERSION}

@app.get("/wait")
async def wait(gate: str):
    print("taken", flush=True)
    while not pathlib.Path(gate).exists():
        await asyncio.sleep(0.01)
    return {"version": VERSION}

@app.api_route("/echo/{path:path}", methods=["GET", "HEAD", "POST", "DELETE"])
async def echo(path: str, request: Request):
    return {"version": VERSION, "method": request.method, "path": path, "query": request.url.query,
            "header": request.headers.get("x-test"), "host": request.headers["host"],
            "body": (await request.body()).decode()}

@app.get("/empty", status_code=204)
def empty():
    return Response(status_code=204, headers={"x-version": str(VERSION)})
"""


Connect = Callable[[str], http.client.HTTPConnection]


def source(version: int) -> str:
    return f"VERSION = {version}\n{SOURCE}"


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens connections that are kept alive; none of them tries a request again."""
    opened: list[http.client.HTTPConnection] = []

    def open_one(url: str) -> http.client.HTTPConnection:
        opened.append(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


def ask(connection: http.client.HTTPConnection, path: str = "/") -> int:
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status == 200
    version: int = json.loads(response.read())["version"]
    return version


@contextmanager
def under_way(
    platform: Platform, name: str, connection: http.client.HTTPConnection, path: str, gate: Path
) -> Iterator[list[int]]:
    """A request that has reached the app and stays there; its answer's version stands in the list afterwards."""
    versions: list[int] = []
    assert ask(connection) == 1
    thread = Thread(target=lambda: versions.append(ask(connection, f"{path}?gate={gate}")))
    thread.start()
    until(lambda: "taken" in platform.logs(name), what="the request has reached the app")
    yield versions
    gate.touch()
    thread.join(20)


def test_connections_from_before_get_the_new_version_from_the_moment_it_is_live(
    platform: Platform, connect: Connect
) -> None:
    url = platform.deploy_live("handed", source(1))
    old = [connect(url) for _ in range(20)]
    assert [ask(connection) for connection in old] == [1] * 20
    platform.deploy_live("handed", source(2))
    assert [ask(connection) for connection in [*old, connect(url)]] == [2] * 21


def test_a_request_under_way_is_answered_by_the_version_that_took_it(
    platform: Platform, connect: Connect, tmp_path: Path
) -> None:
    url = platform.deploy_live("under-way", source(1))
    with under_way(platform, "under-way", connect(url), "/wait", tmp_path / "gate") as versions:
        platform.deploy_live("under-way", source(2))
        assert get(url).json() == {"version": 2}
    assert versions == [1]


def test_so_it_is_where_the_app_blocks_its_event_loop(platform: Platform, connect: Connect, tmp_path: Path) -> None:
    url = platform.deploy_live("blocked", source(1))
    with under_way(platform, "blocked", connect(url), "/block", tmp_path / "gate") as versions:
        platform.deploy_live("blocked", source(2))
        # None of these may reach the old version, which does not answer before the gate is open.
        assert [get(url).json() for _ in range(20)] == [{"version": 2}] * 20
        assert not versions
    assert versions == [1]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_request_is_handed_over_whole(platform: Platform, connect: Connect, method: str) -> None:
    name = f"whole-{method.lower()}"
    url = platform.deploy_live(name, source(1))
    connection = connect(url)
    assert ask(connection) == 1
    platform.deploy_live(name, source(2))
    body = "ä" * 100_000 if method == "POST" else ""
    connection.request(method, "/echo/a%20b/c?x=1&y=%2F", body=body.encode() or None, headers={"X-Test": "kept"})
    response = connection.getresponse()
    assert response.getheader("connection") == "close"
    assert json.loads(response.read()) == {
        "version": 2, "method": method, "path": "a b/c", "query": "x=1&y=%2F", "header": "kept",
        "host": urlsplit(url).netloc, "body": body,
    }  # fmt: skip


def test_a_body_in_chunks_is_handed_over_whole(platform: Platform, connect: Connect) -> None:
    url = platform.deploy_live("chunks", source(1))
    connection = connect(url)
    assert ask(connection) == 1
    platform.deploy_live("chunks", source(2))
    connection.request("POST", "/echo/", body=iter([b"one ", b"two ", b"three"]), encode_chunked=True)
    answer = json.loads(connection.getresponse().read())
    assert (answer["version"], answer["body"]) == (2, "one two three")


@pytest.mark.parametrize(("method", "path", "status"), [("HEAD", "/echo/", 200), ("GET", "/empty", 204)])
def test_an_answer_without_a_body_is_handed_over(
    platform: Platform, connect: Connect, method: str, path: str, status: int
) -> None:
    name = f"bodyless-{status}"
    url = platform.deploy_live(name, source(1))
    connection = connect(url)
    assert ask(connection) == 1
    platform.deploy_live(name, source(2))
    connection.request(method, path)
    response = connection.getresponse()
    assert (response.status, response.read()) == (status, b"")
    # The connection is at its end, in order: the next request opens another.
    assert ask(connection) == 2
