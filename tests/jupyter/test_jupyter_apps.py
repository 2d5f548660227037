"""An app as it appears under Jupyter: every method, every path, cookies of its own."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any
from urllib.parse import quote

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


async def test_a_request_that_brings_the_app_down_is_not_made_again(jupyter: Jupyter, platform: Platform) -> None:
    before = platform.logs("kitchen").count("dying")
    answer = await jupyter.get(f"{APP}/die")
    assert (answer.status, answer.json["code"]) == (502, "unavailable")
    assert "kitchen broke off" in answer.json["message"]
    platform.until_state("kitchen", State.RUNNING)
    assert platform.logs("kitchen").count("dying") == before + 1


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
    deadline = asyncio.get_running_loop().time() + 15
    while (status := (await jupyter.get("/apps/brief/openapi.json")).status) != 404:
        assert status in (502, 503)
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
