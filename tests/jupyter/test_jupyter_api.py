"""The API as it appears under Jupyter: unchanged, streaming, and never elsewhere than below /api."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from typing import cast

import aiohttp
import psutil
import pytest
from conftest import Jupyter
from support.platform import Platform
from support.ports import PortRange
from support.waiting import held_until

from gofastapi_ext.client.discovery import is_listening, read_service_info
from gofastapi_ext.client.places import Places


async def test_the_answer_is_the_platforms(jupyter: Jupyter, platform: Platform) -> None:
    answer = await jupyter.get("/api/me")
    assert answer.status == 200
    assert answer.json == platform.client.me().model_dump()
    assert answer.headers["Content-Type"] == "application/json"
    assert "X-GoFastAPI-Version" in answer.headers
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_errors_pass_through_with_status_and_body(jupyter: Jupyter) -> None:
    missing = await jupyter.get("/api/apps/no-such-app")
    assert missing.status == 404
    assert set(missing.json) == {"message", "code", "details", "request_id"}
    assert missing.json["code"] == "not_found"
    assert missing.json["request_id"] == missing.headers["X-Request-Id"]

    invalid = await jupyter.ask("POST", "/api/validate", json={"bundle": 1})
    assert invalid.status == 422
    assert invalid.json["code"] == "invalid_request"

    wrong_method = await jupyter.ask("DELETE", "/api/me")
    assert wrong_method.status == 405


async def test_the_stages_of_a_deploy_come_one_by_one(jupyter: Jupyter, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    source = f"{held_until(gate)}from fastapi import FastAPI\napp = FastAPI()\n"
    body = {"bundle": {"files": {"main.py": {"text": source}}}}
    came: list[str] = []
    async with (
        aiohttp.ClientSession() as session,
        session.post(jupyter.url("/api/apps/slow/deploy"), json=body, headers=jupyter.token_header) as response,
    ):
        assert response.status == 200
        assert response.content_type == "application/x-ndjson"
        async for line in response.content:
            came.append(json.loads(line)["stage"])
            if came[-1] == "release":
                gate.touch()  # The app waits for it: what is over must not wait for what is to come.
    assert came == ["validate", "release", "start", "ready", "live"]


async def test_a_followed_log_comes_as_it_is_written(jupyter: Jupyter, platform: Platform) -> None:
    app = "from fastapi import FastAPI\napp = FastAPI()\napp.get('/say')(lambda word: print(word, flush=True))\n"
    platform.deploy_live("talker", app)
    async with (
        aiohttp.ClientSession(headers=jupyter.token_header) as session,
        session.get(jupyter.url("/api/apps/talker/logs?follow=true&tail=0")) as response,
    ):
        for word in ("one", "two", "three"):
            assert (await jupyter.get(f"/apps/talker/say?word={word}")).status == 200
            line = await asyncio.wait_for(response.content.readline(), 10)
            assert json.loads(line)["text"] == word


async def test_a_bundle_of_the_largest_size_passes(jupyter: Jupyter) -> None:
    files = {f"data{n}.txt": {"text": "x" * 4_900_000} for n in range(4)}
    files["main.py"] = {"text": "from fastapi import FastAPI\napp = FastAPI()\n"}
    body = json.dumps({"bundle": {"files": files}}).encode()
    answer = await jupyter.ask("POST", "/api/validate", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 200
    assert answer.json["ok"] is True


@pytest.mark.parametrize(
    "path",
    ["/api/../docs", "/api/%2e%2e/docs", "/api/..%2fdocs", "/api/apps/..", "/api/apps/x/../../../docs", "/api/./me"],
)
async def test_no_path_leads_out_of_the_api(jupyter: Jupyter, path: str) -> None:
    answer = await jupyter.raw(
        f"GET {jupyter.root}{path} HTTP/1.1\r\nHost: {jupyter.host}\r\n"
        f"Authorization: token {jupyter.token}\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.startswith(b"HTTP/1.1 404 ")


async def test_what_is_not_there_is_not_found(jupyter: Jupyter) -> None:
    for path in ("", "/", "/apps", "/apps/", "/other"):
        answer = await jupyter.get(path)
        assert (answer.status, answer.json["code"]) == (404, "not_found")


@pytest.fixture
def fresh_home(_home: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """A place where no service has ever run; whatever runs there in the end is ended."""
    home = Path(tempfile.mkdtemp(prefix="gfa-"))
    places = Places(home=home, run=home / "run")
    monkeypatch.setenv("GOFASTAPI_HOME", str(home))
    ports = PortRange()
    for name, value in ports.settings.items():
        monkeypatch.setenv(name, value)
    yield places
    info = read_service_info(places)
    if info:
        service = psutil.Process(cast(int, info["pid"]))
        service.terminate()
        service.wait(20)
    rmtree(home, ignore_errors=True)


async def test_the_service_is_started_by_the_first_requests_and_once(fresh_home: Places, jupyter: Jupyter) -> None:
    assert not is_listening(fresh_home)
    answers = await asyncio.gather(*(jupyter.get("/api/service") for _ in range(4)))
    assert [answer.status for answer in answers] == [200] * 4
    assert len({answer.json["pid"] for answer in answers}) == 1
    assert Path(answers[0].json["home"]) == fresh_home.home


async def test_an_app_that_is_asked_for_starts_the_service_too(fresh_home: Places, jupyter: Jupyter) -> None:
    answer = await jupyter.ask("POST", "/apps/kitchen/", data=b"x" * 100_000)
    assert (answer.status, answer.json["code"]) == (404, "not_found")
    assert is_listening(fresh_home)


async def test_a_body_is_not_lost_when_the_service_has_to_start(fresh_home: Places, jupyter: Jupyter) -> None:
    body = {"bundle": {"files": {"main.py": {"text": "x = 1\n" * 100_000}}}}
    answer = await jupyter.ask("POST", "/api/validate", json=body)
    assert answer.status == 200
    assert answer.json["ok"] is False


async def test_a_service_that_cannot_start_is_explained(jupyter: Jupyter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFASTAPI_HOME", "/proc/no-such-place")
    answer = await jupyter.get("/api/me")
    assert answer.status == 503
    assert answer.json["code"] == "service_unreachable"
    assert "could not be started" in answer.json["message"]

    page = await jupyter.get("/apps/kitchen/", headers={"Accept": "text/html"})
    assert page.status == 503
    assert b"could not be started" in page.body
