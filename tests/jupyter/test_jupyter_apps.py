"""An app as it appears under Jupyter: every method, every path, bodies of any size, cookies of its own."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import aiohttp
import psutil
import pytest
from conftest import Jupyter
from support.platform import Platform

from gofastapi_ext.core.lifecycle import State

APP = "/apps/kitchen"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE"]

pytestmark = pytest.mark.usefixtures("kitchen")


def seen(answer: Any) -> dict[str, str]:
    """The request headers the app saw."""
    return {name.lower(): value for name, value in answer.json["headers"]}


@pytest.mark.parametrize("method", METHODS)
async def test_every_method_reaches_the_app_with_its_body(jupyter: Jupyter, method: str) -> None:
    answer = await jupyter.ask(method, f"{APP}/echo", data=b"hello")
    assert answer.status == 200
    assert (answer.json["method"], answer.json["body"]) == (method, "hello")
    assert (await jupyter.ask(method, f"{APP}/echo")).json["body"] == ""


async def test_head_answers_like_get_without_the_body(jupyter: Jupyter) -> None:
    answer = await jupyter.ask("HEAD", f"{APP}/echo")
    assert (answer.status, answer.headers["X-Method"], answer.body) == (200, "HEAD", b"")
    assert int(answer.headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    "target",
    [
        "/echo/a%2Fb",
        "/echo/a%20b",
        "/echo/%C3%A9t%C3%A9",
        "/echo/a+b;c=d,e@f:g!$&'()*~",
        "/echo/%2e%2e/%2E%2E/x",
        "/echo/../../../../api/me",
        "/echo//double//",
        "/echo/%00",
        "/echo/%zz%",
        '/echo/"{}|\\^[]',
        "/echo?a=1&a=2&b=%2F+x&&c",
        "/echo?q=/../x?y=z",
        "/echo/%3Ftoken=x",
    ],
)
async def test_paths_and_queries_arrive_byte_for_byte(jupyter: Jupyter, target: str) -> None:
    answer = await jupyter.raw(
        f"GET {jupyter.root}{APP}{target} HTTP/1.1\r\nHost: {jupyter.host}\r\n"
        f"Authorization: token {jupyter.token}\r\nConnection: close\r\n\r\n".encode()
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), answer
    told = json.loads(body)
    path, _, query = target.partition("?")
    assert (told["raw_path"], told["query"]) == (path, query)


async def test_the_app_knows_where_it_appears(jupyter: Jupyter) -> None:
    answer = await jupyter.get(f"{APP}/echo")
    assert answer.json["root_path"] == "/a%40b/gofastapi/apps/kitchen"
    assert answer.json["url"] == f"{jupyter.origin}/a%40b/gofastapi/apps/kitchen/echo"
    assert {name: value for name, value in seen(answer).items() if name.startswith(("x-", "host"))} == {
        "host": jupyter.host,
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": jupyter.host,
        "x-forwarded-prefix": "/a%40b/gofastapi/apps/kitchen",
        "x-forwarded-proto": "http",
    }


async def test_the_docs_work_below_the_prefix(jupyter: Jupyter) -> None:
    docs = await jupyter.get(f"{APP}/docs")
    assert b"url: '/a%40b/gofastapi/apps/kitchen/openapi.json'" in docs.body
    schema = await jupyter.get(f"{APP}/openapi.json")
    assert schema.json["servers"] == [{"url": "/a%40b/gofastapi/apps/kitchen"}]
    home = await jupyter.get(f"{APP}/")
    assert f"{jupyter.origin}{jupyter.root}{APP}/slashed/".encode() in home.body


async def test_without_the_slash_is_a_redirect_to_it(jupyter: Jupyter) -> None:
    for method in ("GET", "POST"):
        answer = await jupyter.ask(method, f"{APP}?a=%2F&token={jupyter.token}", data=b"x", anonymous=True)
        assert answer.status == 307
        assert answer.headers["Location"] == f"{jupyter.root}{APP}/?a=%2F&token={jupyter.token}"


@pytest.mark.parametrize(
    ("to", "location"),
    [
        ("/login", "{root}/login"),
        ("{origin}/login?a=b", "{root}/login?a=b"),
        ("{root}/login", "{root}/login"),
        ("relative", "relative"),
        ("https://example.org/x", "https://example.org/x"),
    ],
)
async def test_redirects_lead_to_the_app(jupyter: Jupyter, to: str, location: str) -> None:
    names = {"origin": jupyter.origin, "root": jupyter.root + APP}
    answer = await jupyter.get(f"{APP}/redirect?to={quote(to.format(**names))}")
    assert answer.headers["Location"] == location.format(**names)


async def test_the_frameworks_own_redirect_leads_to_the_app(jupyter: Jupyter) -> None:
    answer = await jupyter.get(f"{APP}/slashed")
    assert answer.headers["Location"] == f"{jupyter.root}{APP}/slashed/"
    assert (await jupyter.get(f"{APP}/slashed/")).json == "slashed"


async def test_nothing_of_the_login_reaches_the_app(jupyter: Jupyter) -> None:
    login = await jupyter.log_in()
    headers = login | jupyter.token_header | {"X-XSRFToken": "known", "Referer": f"{jupyter.origin}/lab?token=secret"}
    answer = await jupyter.ask("POST", f"{APP}/echo?a=1&_xsrf=known", headers=headers)
    told = answer.body.decode().lower()
    assert answer.json["query"] == "a=1"
    for secret in (jupyter.token, "known", "secret", "username-", "authorization", "cookie", "xsrf"):
        assert secret not in told

    by_url = await jupyter.get(f"{APP}/echo?token={jupyter.token}&a=1", anonymous=True)
    assert by_url.json["query"] == "a=1"
    assert jupyter.token not in by_url.body.decode()


async def test_a_token_that_is_none_of_jupyters_is_the_apps(jupyter: Jupyter) -> None:
    login = await jupyter.log_in()
    page = {"Referer": f"{jupyter.origin}{jupyter.root}{APP}/docs", "Authorization": "Bearer of-the-app"}
    answer = await jupyter.get(f"{APP}/echo?token=of-the-app", headers=login | page, anonymous=True)
    assert answer.json["query"] == "token=of-the-app"
    assert seen(answer)["authorization"] == "Bearer of-the-app"

    by_hand = login | {"Authorization": "Bearer of-the-app"}
    assert "authorization" not in seen(await jupyter.get(f"{APP}/echo", headers=by_hand, anonymous=True))


async def test_an_apps_cookies_work_and_touch_none_of_jupyters(jupyter: Jupyter) -> None:
    answer = await jupyter.get(f"{APP}/login")
    stored = answer.headers.getall("Set-Cookie")
    ours = [cookie for cookie in stored if not cookie.startswith("username-127-0-0-1")]
    path = f"Path={jupyter.root}{APP}/"
    assert ours == [
        f"gofastapi-kitchen.session=ann; HttpOnly; SameSite=lax; {path}",
        f"gofastapi-kitchen._xsrf=forged; SameSite=lax; {path}",
    ]
    login = await jupyter.log_in()
    sent = login | {"Cookie": f"{login['Cookie']}; gofastapi-kitchen.session=ann; gofastapi-other.session=bob"}
    answer = await jupyter.get(f"{APP}/echo", headers=sent, anonymous=True)
    assert seen(answer)["cookie"] == "session=ann"

    gone = (await jupyter.get(f"{APP}/logout")).headers.getall("Set-Cookie")
    assert any(cookie.startswith('gofastapi-kitchen.session=""') and "Max-Age=0" in cookie for cookie in gone)


async def test_a_response_passes_as_it_is(jupyter: Jupyter) -> None:
    packed = gzip.compress(b"hello" * 1000).decode("latin-1")
    wanted = {
        "status": 218,
        "headers": [
            ["ETag", '"7"'],
            ["X-Twice", "a"],
            ["X-Twice", "b"],
            ["X-Bytes", "caf\xe9"],
            ["X-Long", "x" * 20_000],
            ["Content-Security-Policy", "default-src 'self'"],
            ["X-Content-Type-Options", "sniff"],
            ["Clear-Site-Data", '"*"'],
            ["Access-Control-Allow-Credentials", "true"],
            ["Connection", "X-Hop"],
            ["X-Hop", "1"],
        ],
    }
    answer = await jupyter.ask("POST", f"{APP}/respond", json=wanted)
    assert answer.status == 218
    assert answer.headers["ETag"] == '"7"'
    assert answer.headers.getall("X-Twice") == ["a", "b"]
    assert answer.headers["X-Bytes"].encode("utf-8", "surrogateescape") == b"caf\xe9"
    assert len(answer.headers["X-Long"]) == 20_000
    # Jupyter's own rules stay, the app's come on top.
    policies = answer.headers.getall("Content-Security-Policy")
    assert any("frame-ancestors 'self'" in policy for policy in policies)
    assert "default-src 'self'" in policies
    assert answer.headers.getall("X-Content-Type-Options") == ["nosniff"]
    for name in ("Clear-Site-Data", "Access-Control-Allow-Credentials", "X-Hop"):
        assert name not in answer.headers
    assert packed


@pytest.mark.parametrize("status", [204, 205, 304, 400, 401, 404, 500, 503, 599])
async def test_every_status_passes(jupyter: Jupyter, status: int) -> None:
    answer = await jupyter.ask("POST", f"{APP}/respond", json={"status": status})
    assert (answer.status, answer.body) == (status, b"")


async def test_compressed_bodies_are_not_unpacked(jupyter: Jupyter) -> None:
    packed = gzip.compress(b"hello" * 1000)
    answer = await jupyter.ask(
        "POST", f"{APP}/echo", data=packed, headers={"Content-Encoding": "gzip", "Accept-Encoding": "br"}
    )
    assert answer.json["body"].encode("latin-1") == packed
    assert seen(answer)["accept-encoding"] == "br"


async def chunks(count: int, size: int = 65536) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * size


@pytest.mark.parametrize("known_length", [True, False])
async def test_a_large_upload_passes_without_being_held(jupyter: Jupyter, known_length: bool) -> None:
    count = 3200  # 200 MB
    expected = hashlib.sha256()
    async for chunk in chunks(count):
        expected.update(chunk)
    before = psutil.Process().memory_info().rss
    headers = {"Content-Length": str(count * 65536)} if known_length else {}
    answer = await jupyter.ask("POST", f"{APP}/digest", data=chunks(count), headers=headers)
    assert answer.json == {"sha256": expected.hexdigest(), "bytes": count * 65536}
    # Nothing near the 200 MB has been kept; the allocator is given some room.
    assert psutil.Process().memory_info().rss - before < 50_000_000


async def test_more_than_jupyter_takes_itself_reaches_an_app(jupyter: Jupyter, jp_serverapp: Any) -> None:
    assert jp_serverapp.max_body_size == 512 * 1024 * 1024
    count = 9000  # 590 MB
    headers = {"Content-Length": str(count * 65536)}
    answer = await jupyter.ask("POST", f"{APP}/digest", data=chunks(count), headers=headers)
    assert answer.json["bytes"] == count * 65536


async def test_an_answer_before_the_body_is_over_arrives_before_it_is_over(jupyter: Jupyter) -> None:
    answered = asyncio.Event()

    async def patient() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await answered.wait()
        yield b"x" * 1000

    async with (
        aiohttp.ClientSession(headers=jupyter.token_header) as session,
        session.post(jupyter.url(f"{APP}/early"), data=patient()) as response,
    ):
        assert (response.status, await response.read()) == (413, b"too large")
        answered.set()


async def test_both_bodies_stream_at_once(jupyter: Jupyter) -> None:
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def speak() -> AsyncIterator[bytes]:
        while chunk := await said.get():
            yield chunk

    async with aiohttp.ClientSession(headers=jupyter.token_header) as session:
        said.put_nowait(b"one")
        async with session.post(jupyter.url(f"{APP}/duplex/"), data=speak()) as response:
            for word, answer in ((b"one", b"two"), (b"two", b"three"), (b"three", b"")):
                assert await asyncio.wait_for(response.content.readany(), 10) == word
                said.put_nowait(answer)
            assert await asyncio.wait_for(response.content.read(), 10) == b""


async def test_events_come_when_they_are_sent(jupyter: Jupyter) -> None:
    async with (
        aiohttp.ClientSession(headers=jupyter.token_header) as session,
        session.get(jupyter.url(f"{APP}/events")) as response,
    ):
        assert response.content_type == "text/event-stream"
        assert await asyncio.wait_for(response.content.readuntil(b"\n\n"), 10) == b"data: one\n\n"
        await jupyter.ask("POST", f"{APP}/release")
        assert await asyncio.wait_for(response.content.readuntil(b"\n\n"), 10) == b"data: two\n\n"


async def test_a_viewer_who_leaves_in_the_middle_is_gone_for_the_app(jupyter: Jupyter) -> None:
    async with (
        aiohttp.ClientSession(headers=jupyter.token_header) as session,
        session.get(jupyter.url(f"{APP}/ticks?name=middle")) as response,
    ):
        assert await response.content.readexactly(10) == b"tick tick "
        response.close()
    await jupyter.until(f"{APP}/disconnects", lambda names: "middle" in names)


async def test_a_viewer_who_does_not_wait_is_gone_for_the_app(jupyter: Jupyter) -> None:
    async with aiohttp.ClientSession(headers=jupyter.token_header) as session:
        waiting = asyncio.create_task(session.get(jupyter.url(f"{APP}/wait?name=leaver")))
        await asyncio.sleep(0.3)
        waiting.cancel()
    await jupyter.until(f"{APP}/disconnects", lambda names: "leaver" in names)


async def test_an_upload_that_breaks_off_is_not_whole_for_the_app(jupyter: Jupyter) -> None:
    for framing in ("Content-Length: 1000000", "Transfer-Encoding: chunked"):
        name = framing[:7].lower()
        _, writer = await asyncio.open_connection("127.0.0.1", jupyter.port)
        writer.write(
            f"POST {jupyter.root}{APP}/upload/{name} HTTP/1.1\r\nHost: {jupyter.host}\r\n"
            f"Authorization: token {jupyter.token}\r\n{framing}\r\n\r\n5\r\nhello\r\n".encode()
        )
        await jupyter.until(f"{APP}/sent/{name}", lambda count: count > 0)
        writer.close()
        await jupyter.until(f"{APP}/disconnects", lambda names, name=name: name in names)
        assert (await jupyter.get(f"{APP}/sent/{name}")).json > 0  # not -1: never taken for the whole


async def test_a_slow_reader_slows_the_app_down(jupyter: Jupyter) -> None:
    async with (
        aiohttp.ClientSession(headers=jupyter.token_header, read_bufsize=65536) as session,
        session.get(jupyter.url(f"{APP}/endless?name=slow")) as response,
    ):
        assert response.status == 200
        settled, last = 0, -1
        while settled < 5:  # nobody reads: it has to come to a stop
            sent = (await jupyter.get(f"{APP}/sent/slow")).json
            settled, last = (settled + 1, sent) if sent == last else (0, sent)
            assert sent < 50_000_000, "somebody buffers without end"
            await asyncio.sleep(0.1)
        await response.content.readexactly(last + 1_000_000)  # and goes on when somebody does


async def test_a_slow_app_slows_the_viewer_down(jupyter: Jupyter) -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        for _ in range(3200):
            given += 65536
            yield b"x" * 65536

    upload = asyncio.create_task(jupyter.ask("POST", f"{APP}/sip/sipper", data=endless()))
    settled, last = 0, -1
    while settled < 5:
        settled, last = (settled + 1, given) if given == last and given > 0 else (0, given)
        assert given < 50_000_000, "somebody buffers without end"
        await asyncio.sleep(0.1)
    await jupyter.ask("POST", f"{APP}/release")
    assert (await upload).json == "whole"
    assert (await jupyter.get(f"{APP}/sent/sipper")).json == 3200 * 65536


async def test_an_answer_that_breaks_off_is_not_passed_off_as_whole(jupyter: Jupyter, platform: Platform) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await jupyter.get(f"{APP}/break")
    platform.until_state("kitchen", State.RUNNING)


async def test_a_request_that_brings_the_app_down_is_not_made_again(jupyter: Jupyter, platform: Platform) -> None:
    answer = await jupyter.get(f"{APP}/die")
    assert (answer.status, answer.json["code"]) == (502, "unavailable")
    assert "kitchen broke off" in answer.json["message"]
    platform.until_state("kitchen", State.RUNNING)
    assert platform.logs("kitchen").count("dying") == 1


async def test_an_unknown_app_is_not_found(jupyter: Jupyter) -> None:
    for name in ("no-such-app", "UPPER", "kitchen.", "%6bitchen", "..", "%2e%2e", "kitchen%2Fecho", "127.0.0.1:22"):
        answer = await jupyter.raw(
            f"GET {jupyter.root}/apps/{name}/ HTTP/1.1\r\nHost: {jupyter.host}\r\nAccept: application/json\r\n"
            f"Authorization: token {jupyter.token}\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer.startswith(b"HTTP/1.1 404 "), name
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "not_found"
    page = await jupyter.get("/apps/no-such-app/", headers={"Accept": "text/html"})
    assert page.status == 404
    assert b"There is no app no-such-app" in page.body


async def test_an_app_that_never_came_live_is_explained(jupyter: Jupyter, platform: Platform) -> None:
    source = "from fastapi import FastAPI\napp = FastAPI()\nraise ValueError('<b>no</b>')\n"
    platform.deploy_failed("broken", source)
    answer = await jupyter.get("/apps/broken/")
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert answer.json["message"].startswith("broken is not running. ")
    assert "<b>no</b>" in answer.json["message"]
    page = await jupyter.get("/apps/broken/", headers={"Accept": "text/html"})
    assert (page.status, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert b"&lt;b&gt;no&lt;/b&gt;" in page.body


async def test_a_deleted_app_is_gone_within_seconds(jupyter: Jupyter, platform: Platform) -> None:
    platform.deploy_live("brief", "from fastapi import FastAPI\napp = FastAPI()\n")
    assert (await jupyter.get("/apps/brief/openapi.json")).status == 200
    platform.client.delete("brief")
    deadline = asyncio.get_running_loop().time() + 5
    while (status := (await jupyter.get("/apps/brief/openapi.json")).status) != 404:
        assert status in (502, 503)
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
