"""Requests made to confuse: two readings of one message, names that are none, headers without end."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
from conftest import Jupyter

APP = "/apps/kitchen"

pytestmark = pytest.mark.usefixtures("kitchen")


def head(jupyter: Jupyter, line: str, *headers: str) -> bytes:
    lines = [line, f"Host: {jupyter.host}", f"Authorization: token {jupyter.token}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5, 5",),
        ("Content-Length: +5",),
        ("Content-Length: 5\x0b",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked, chunked",),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding : chunked",),
        ("Content-Length: 5", "X: y\rContent-Length: 6"),
        ("X: y\n Content-Length: 5",),
        ("Content Length: 5",),
    ],
)
@pytest.mark.parametrize("path", ["/apps/kitchen/echo", "/api/validate"])
async def test_a_body_of_unclear_length_is_refused_and_ends_the_connection(
    jupyter: Jupyter, path: str, headers: tuple[str, ...]
) -> None:
    smuggled = b"GET /a%40b/gofastapi/apps/kitchen/login HTTP/1.1\r\nHost: x\r\n\r\n"
    request = head(jupyter, f"POST {jupyter.root}{path} HTTP/1.1", *headers) + b"0\r\n\r\n" + smuggled
    answer = await jupyter.raw(request)  # reads to the end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"welcome" not in answer
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_requests_on_one_connection_stay_apart(jupyter: Jupyter) -> None:
    first = head(jupyter, f"POST {jupyter.root}{APP}/echo/1 HTTP/1.1", "Content-Length: 5") + b"hello"
    second = head(jupyter, f"GET {jupyter.root}{APP}/echo/2 HTTP/1.1")
    chunked = head(jupyter, f"POST {jupyter.root}{APP}/echo/3 HTTP/1.1", "Transfer-Encoding: chunked")
    third = chunked + b"5\r\nworld\r\n0\r\n\r\n"
    last = head(jupyter, f"GET {jupyter.root}{APP}/echo/4 HTTP/1.1", "Connection: close")
    answer = await jupyter.raw(first + second + third + last)
    bodies = [json.JSONDecoder().raw_decode(part.decode())[0] for part in answer.split(b"\r\n\r\n")[1:]]
    assert [(body["raw_path"], body["body"]) for body in bodies] == [
        ("/echo/1", "hello"),
        ("/echo/2", ""),
        ("/echo/3", "world"),
        ("/echo/4", ""),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "GET http://127.0.0.1:{port}/a%40b/gofastapi/apps/kitchen/echo HTTP/1.1",
        "GET http://evil.example{root}/apps/kitchen/echo HTTP/1.1",
        "GET //evil.example{root}/apps/kitchen/echo HTTP/1.1",
        "GET {root}/apps/@evil.example/ HTTP/1.1",
        "GET {root}/apps/kitchen@evil.example:80/ HTTP/1.1",
        "GET {root}/apps/kitchen:22/ HTTP/1.1",
        "GET {root}/apps/kitchen%00/ HTTP/1.1",
        "GET {root}/apps/kitchen%0d%0aX:y/ HTTP/1.1",
        "GET {root}/apps/kitchen%2f..%2f..%2fme/ HTTP/1.1",
        "GET {root}/apps/../api/me HTTP/1.1",
        "GET {root}/apps//kitchen/echo HTTP/1.1",
        "CONNECT 127.0.0.1:22 HTTP/1.1",
    ],
)
async def test_no_request_line_leads_elsewhere(jupyter: Jupyter, line: str) -> None:
    request = head(jupyter, line.format(root=jupyter.root, port=jupyter.port), "Connection: close")
    answer = await jupyter.raw(request)
    assert answer.split()[1] in (b"400", b"403", b"404", b"405"), answer
    assert b"raw_path" not in answer


@pytest.mark.parametrize("path", [f"{APP}/echo", f"{APP}/ws"])
async def test_a_path_that_climbs_stays_with_the_app(jupyter: Jupyter, path: str) -> None:
    climbing = f"{jupyter.root}{APP}/../../../../../echo/../../etc"
    answer = await jupyter.raw(head(jupyter, f"GET {climbing} HTTP/1.1", "Connection: close"))
    # Nobody has read the dots: the app is asked for just that, and has no such page.
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b'{"detail":"Not Found"}' in answer


async def test_headers_cannot_be_smuggled_in_a_path_or_a_value(jupyter: Jupyter) -> None:
    query = "q=%0d%0aX-Injected:%20yes&%0aX-Injected:yes"
    answer = await jupyter.get(f"{APP}/echo?{query}")
    assert answer.json["query"] == query
    assert "x-injected" not in [name for name, _ in answer.json["headers"]]
    for to in ("/x%0d%0aX-Injected:%20yes", "%0d%0aSet-Cookie:%20_xsrf=forged"):
        redirect = await jupyter.get(f"{APP}/redirect?to={to}")
        assert unquote(redirect.headers["Location"]).endswith(unquote(to))
        assert "X-Injected" not in redirect.headers


async def test_bytes_beyond_ascii_pass_in_headers_and_paths(jupyter: Jupyter) -> None:
    request = head(jupyter, f"GET {jupyter.root}{APP}/echo/\xc3\xa9 HTTP/1.1", "X-Name: \xc3\xa9", "Connection: close")
    answer = await jupyter.raw(request)
    told = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert told["raw_path"] == "/echo/%C3%A9"
    assert ["x-name", "\xc3\xa9"] in told["headers"]


async def test_headers_that_name_hop_headers_hide_nothing_of_ours(jupyter: Jupyter) -> None:
    hops = {"Connection": "close, X-Forwarded-For, X-Forwarded-Prefix, Host, Content-Length, Cookie"}
    told = (await jupyter.ask("POST", f"{APP}/echo", headers=hops, data=b"hello")).json
    assert told["body"] == "hello"
    assert {"host", "x-forwarded-for", "x-forwarded-prefix"} <= {name for name, _ in told["headers"]}


async def test_an_underscored_or_doubled_header_does_not_pose_as_ours(jupyter: Jupyter) -> None:
    spoofed = {"X-Forwarded-For": "6.6.6.6", "X-FORWARDED-PREFIX": "/evil", "Forwarded": "for=6.6.6.6"}
    told = (await jupyter.get(f"{APP}/echo", headers=spoofed)).json
    values = [value for name, value in told["headers"] if name.startswith(("x-forwarded", "forwarded"))]
    assert "6.6.6.6" not in " ".join(values)
    assert told["root_path"] == "/a%40b/gofastapi/apps/kitchen"


async def test_headers_without_end_are_refused(jupyter: Jupyter) -> None:
    for headers in (["X-Big: " + "x" * 100_000], [f"X-{n}: {'x' * 100}" for n in range(2000)]):
        request = head(jupyter, f"GET {jupyter.root}{APP}/echo HTTP/1.1", *headers, "Connection: close")
        try:
            answer = await jupyter.raw(request)
        except ConnectionError:
            continue  # cut off while sending
        assert b"raw_path" not in answer


async def test_an_answer_with_headers_without_end_is_a_bad_gateway(jupyter: Jupyter) -> None:
    for headers in ([["X-Big", "x" * 100_000]], [[f"X-{n}", "x"] for n in range(5000)]):
        answer = await jupyter.ask("POST", f"{APP}/respond", json={"headers": headers})
        assert (answer.status, answer.json["code"]) == (502, "unavailable")


async def test_an_app_cannot_forge_or_clear_a_cookie_of_jupyters(jupyter: Jupyter) -> None:
    login = await jupyter.log_in()
    name = login["Cookie"].partition("=")[0]
    cookies = [
        f"{name}=forged; Path=/a%40b/",
        f"{name}=; Max-Age=0; Path=/",
        "_xsrf=forged",
        "=_xsrf=forged",
        f"\t{name}=forged",
        f"x=1; Path=/, {name}=forged",
        "x=1; Domain=127.0.0.1; Path=/; path=/a%40b/",
    ]
    answer = await jupyter.ask(
        "POST",
        f"{APP}/respond",
        json={"headers": [["Set-Cookie", cookie] for cookie in cookies]},
        headers=login | {"Origin": jupyter.origin},
        anonymous=True,
    )
    stored = answer.headers.getall("Set-Cookie")
    assert len(stored) == len(cookies) - 1  # the nameless one is gone
    for cookie in stored:
        assert cookie.startswith("gofastapi-kitchen.")
        assert cookie.lower().count("path=") - cookie.lower().count("path=/, ") == 1
        assert "domain" not in cookie.lower()
        assert cookie.rpartition("Path=")[2].startswith(f"{jupyter.root}{APP}/")
