"""The pure rules: headers, cookies, URLs, origins."""

from __future__ import annotations

import pytest

from gofastapi_ext.jupyter.cookies import app_cookie, cookies_of_app
from gofastapi_ext.jupyter.headers import Visit, body_length, from_app, from_platform, to_app, to_platform
from gofastapi_ext.jupyter.origin import is_foreign
from gofastapi_ext.jupyter.urls import (
    clean_referer,
    has_dot_segments,
    relocate,
    split_app_path,
    target,
    without_parameters,
)

PREFIX = "/a%40b/gofastapi/apps/shop"
OWN = "http://lab.example/a%40b/gofastapi/apps/shop/docs"


def visit(by_token: bool = False) -> Visit:
    return Visit(
        app_id="shop", prefix=PREFIX, host="lab.example", scheme="https", address="10.0.0.7", by_token=by_token
    )


def test_the_platform_sees_a_short_list_of_headers() -> None:
    headers = [
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
        ("If-Match", '"1"'),
        ("Last-Event-ID", "7"),
        ("Authorization", "token secret"),
        ("Cookie", "_xsrf=2|x"),
        ("X-XSRFToken", "2|x"),
        ("Host", "lab.example"),
        ("X-Forwarded-For", "1.2.3.4"),
        ("Content-Length", "9"),
    ]
    assert [name for name, _ in to_platform(headers)] == ["Accept", "Content-Type", "If-Match", "Last-Event-ID"]


def test_the_platform_sets_no_cookies() -> None:
    headers = [("Content-Type", "application/json"), ("Set-Cookie", "_xsrf=evil"), ("Connection", "keep-alive")]
    assert from_platform(headers) == [("Content-Type", "application/json")]


def test_an_app_sees_the_viewer_but_not_the_viewers_credentials() -> None:
    seen = to_app(
        [
            ("Host", "lab.example"),
            ("Accept", "text/html"),
            ("X-Custom", "1"),
            ("X-Custom", "2"),
            ("Cookie", "_xsrf=x; username-lab=y; gofastapi-shop.session=s; gofastapi-other.session=o"),
            ("Authorization", "token secret"),
            ("Proxy-Authorization", "Basic x"),
            ("X-XSRFToken", "x"),
            ("X-Forwarded-For", "6.6.6.6"),
            ("X-Forwarded-Proto", "gopher"),
            ("Forwarded", "for=6.6.6.6"),
            ("X-Real-IP", "6.6.6.6"),
            ("X-Auth-Request-Access-Token", "secret"),
            ("Cf-Access-Jwt-Assertion", "secret"),
            ("Expect", "100-continue"),
            ("Content-Length", "5"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "keep-alive, X-Hop"),
            ("X-Hop", "1"),
            ("TE", "trailers"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
        ],
        visit(),
    )
    assert seen == [
        ("Host", "lab.example"),
        ("Accept", "text/html"),
        ("X-Custom", "1"),
        ("X-Custom", "2"),
        ("Cookie", "session=s"),
        ("X-Forwarded-For", "10.0.0.7"),
        ("X-Forwarded-Host", "lab.example"),
        ("X-Forwarded-Prefix", PREFIX),
        ("X-Forwarded-Proto", "https"),
    ]


@pytest.mark.parametrize(
    ("authorization", "referer", "by_token", "passes"),
    [
        ("Bearer of-the-app", OWN, False, True),
        ("Bearer of-the-app", OWN, True, False),
        ("Bearer of-jupyter", "", False, False),
        ("Bearer of-jupyter", "http://lab.example/a%40b/lab", False, False),
        ("Bearer of-jupyter", "http://lab.example/a%40b/gofastapi/apps/shopping/", False, False),
        ("Bearer of-jupyter", "http://lab.example/a%40b/gofastapi/apps/shop/../../lab", False, False),
        ("Bearer of-jupyter", "http://evil.example/a%40b/gofastapi/apps/shop/", False, False),
        ("token of-jupyter", OWN, False, False),
        ("Basic cHJveHk6cHJveHk=", OWN, False, False),
    ],
)
def test_only_a_page_of_the_app_may_show_it_a_bearer_token(
    authorization: str, referer: str, by_token: bool, passes: bool
) -> None:
    seen = dict(to_app([("Authorization", authorization), ("Referer", referer)], visit(by_token)))
    assert ("Authorization" in seen) is passes


def test_two_authorizations_are_none() -> None:
    pair = ("Authorization", "Bearer x")
    assert "Authorization" not in dict(to_app([pair, pair, ("Referer", OWN)], visit()))


def test_a_response_cannot_speak_for_the_origin() -> None:
    kept = from_app(
        [
            ("Content-Type", "text/html"),
            ("Content-Encoding", "gzip"),
            ("ETag", '"1"'),
            ("Service-Worker-Allowed", "/"),
            ("Clear-Site-Data", '"*"'),
            ("Strict-Transport-Security", "max-age=1"),
            ("Alt-Svc", 'h3="evil.example:443"'),
            ("X-Accel-Redirect", "/etc/passwd"),
            ("X-Sendfile", "/etc/passwd"),
            ("X-Accel-Buffering", "no"),
            ("NEL", "{}"),
            ("Report-To", "{}"),
            ("Reporting-Endpoints", "a"),
            ("Access-Control-Allow-Origin", "https://evil.example"),
            ("Access-Control-Allow-Credentials", "true"),
            ("WWW-Authenticate", "Basic"),
            ("WWW-Authenticate", "Bearer"),
            ("Connection", "close, X-Hop"),
            ("X-Hop", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Transfer-Encoding", "chunked"),
        ],
        visit(),
        22000,
    )
    assert kept == [
        ("Content-Type", "text/html"),
        ("Content-Encoding", "gzip"),
        ("ETag", '"1"'),
        ("X-Accel-Buffering", "no"),
        ("WWW-Authenticate", "Bearer"),
    ]


@pytest.mark.parametrize(
    ("set_cookie", "stored"),
    [
        ("session=abc; Path=/; HttpOnly", f"gofastapi-shop.session=abc; HttpOnly; Path={PREFIX}/"),
        ("session=abc", f"gofastapi-shop.session=abc; Path={PREFIX}/"),
        ("s=1; path=/admin; Max-Age=5", f"gofastapi-shop.s=1; Max-Age=5; Path={PREFIX}/admin"),
        (f"s=1; Path={PREFIX}/x", f"gofastapi-shop.s=1; Path={PREFIX}/x"),
        ("s=1; Path=/a%40b/lab", f"gofastapi-shop.s=1; Path={PREFIX}/a%40b/lab"),
        ("s=1; Path=relative", f"gofastapi-shop.s=1; Path={PREFIX}/"),
        (
            "s=1; Domain=lab.example; SameSite=None; Secure",
            f"gofastapi-shop.s=1; SameSite=None; Secure; Path={PREFIX}/",
        ),
        ("s=a=b==; Priority=High", f"gofastapi-shop.s=a=b==; Path={PREFIX}/"),
        ("_xsrf=forged; Path=/a%40b/", f"gofastapi-shop._xsrf=forged; Path={PREFIX}/a%40b/"),
        ("s=1; Path=/x; Path=/y; DOMAIN = lab.example", f"gofastapi-shop.s=1; Path={PREFIX}/y"),
        ("__Host-s=1; Secure; Path=/", f"gofastapi-shop.__Host-s=1; Secure; Path={PREFIX}/"),
        ("=_xsrf=forged", None),
        ("nameless", None),
        ("", None),
        ("  =x", None),
    ],
)
def test_an_apps_cookie_has_a_name_and_a_path_of_its_own(set_cookie: str, stored: str | None) -> None:
    assert app_cookie(set_cookie, "shop", PREFIX) == stored


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        (["gofastapi-shop.a=1; _xsrf=2|x; gofastapi-shop.b=2"], "a=1; b=2"),
        (["gofastapi-shop.a=1", "gofastapi-shop.b=2"], "a=1; b=2"),
        (["gofastapi-shop-two.a=1; gofastapi-sho.p.a=2"], ""),
        (["x=gofastapi-shop.a=1"], ""),
        (["gofastapi-shop.=nameless"], ""),
        (["GoFastAPI-shop.a=1; gofastapi-shop.A=2"], "A=2"),
        (['_xsrf="; gofastapi-shop.a=1"'], 'a=1"'),
        ([";;; ;gofastapi-shop.a"], "a"),
        ([], ""),
    ],
)
def test_an_app_gets_its_own_cookies_back(headers: list[str], seen: str) -> None:
    assert cookies_of_app(headers, "shop") == seen


@pytest.mark.parametrize(
    ("location", "seen"),
    [
        ("/next", f"{PREFIX}/next"),
        ("/", f"{PREFIX}/"),
        (f"{PREFIX}/next?a=1#b", f"{PREFIX}/next?a=1#b"),
        (PREFIX, PREFIX),
        (f"{PREFIX}ping", f"{PREFIX}{PREFIX}ping"),
        ("http://lab.example/next?x", f"{PREFIX}/next?x"),
        ("https://LAB.example", f"{PREFIX}/"),
        ("http://127.0.0.1:22000/next", f"{PREFIX}/next"),
        ("http://localhost:22000/next", f"{PREFIX}/next"),
        ("http://127.0.0.1:22000//evil.example", f"{PREFIX}//evil.example"),
        (f"http://lab.example{PREFIX}/next", f"{PREFIX}/next"),
        ("http://127.0.0.1:22001/other", "http://127.0.0.1:22001/other"),
        ("https://example.org/a", "https://example.org/a"),
        ("//example.org/a", "//example.org/a"),
        ("//lab.example/a", f"{PREFIX}/a"),
        ("next", "next"),
        ("?page=2", "?page=2"),
        ("../up", "../up"),
        ("mailto:a@lab.example", "mailto:a@lab.example"),
        ("http://[bad", "http://[bad"),
        ("", ""),
    ],
)
def test_redirects_stay_below_the_prefix(location: str, seen: str) -> None:
    own = {"lab.example", "127.0.0.1:22000", "localhost:22000"}
    assert relocate(location, PREFIX, own) == seen


@pytest.mark.parametrize(
    ("query", "rest"),
    [
        ("token=secret", ""),
        ("a=1&token=secret&b=%2F+x", "a=1&b=%2F+x"),
        ("%74oken=secret&a", "a"),
        ("a=token&tokens=1&Token=2", "a=token&tokens=1&Token=2"),
        ("_xsrf=2%7Cx&&a=", "&a="),
        ("", ""),
    ],
)
def test_credentials_leave_the_query(query: str, rest: str) -> None:
    assert without_parameters(query, ("token", "_xsrf")) == rest


def test_a_referer_holds_no_credentials() -> None:
    assert clean_referer("http://u:p@lab.example/lab?token=s&a=1#x") == "http://lab.example/lab?a=1"
    assert clean_referer("http://[bad") == ""


@pytest.mark.parametrize(
    ("path", "app", "rest"),
    [
        ("/shop/a%2Fb", "shop", "/a%2Fb"),
        ("/shop", "shop", None),
        ("/shop/", "shop", "/"),
        ("/shop//x", "shop", "//x"),
        ("/", "", None),
        ("/sh%6Fp/", "sh%6Fp", "/"),
    ],
)
def test_an_apps_path_is_taken_as_it_is(path: str, app: str, rest: str | None) -> None:
    assert split_app_path(path) == (app, rest)


def test_what_cannot_be_sent_is_encoded_and_the_rest_is_not() -> None:
    assert target("/a%2Fb;c,d@e:f%zz", "x=%41&y=a+b&&z") == "/a%2Fb;c,d@e:f%zz?x=%41&y=a+b&&z"
    assert target("/\xc3\xa9#x", "") == "/%C3%A9%23x"


@pytest.mark.parametrize(
    "path", ["/api/../x", "/api/%2e%2E/x", "/api/.%2e", "/api/a%2F..%2Fb", "/api/./x", "/a\\..\\b"]
)
def test_dot_segments_are_seen(path: str) -> None:
    assert has_dot_segments(path)
    assert not has_dot_segments("/api/apps/a..b/draft/files/src%2F.env...")


def test_dot_segments_are_seen_under_two_encodings() -> None:
    assert has_dot_segments("/api/%252e%252e/x")


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ([], 0),
        ([("Content-Length", "12")], 12),
        ([("Transfer-Encoding", "chunked")], None),
        ([("transfer-encoding", "Chunked")], None),
    ],
)
def test_the_length_of_a_body(headers: list[tuple[str, str]], length: int | None) -> None:
    assert body_length(headers) == length


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
        [("Content-Length", "5"), ("Content-Length", "6")],
        [("Content-Length", "5"), ("Content-Length", "5")],
        [("Content-Length", "5, 5")],
        [("Content-Length", "+5")],
        [("Content-Length", "-5")],
        [("Content-Length", "0x5")],
        [("Content-Length", "5_0")],
        [("Content-Length", "\xb2")],
        [("Content-Length", "")],
        [("Transfer-Encoding", "chunked, identity")],
        [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "xchunked")],
    ],
)
def test_a_body_of_unclear_length_is_refused(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match="request"):
        body_length(headers)


@pytest.mark.parametrize(
    ("method", "headers", "foreign"),
    [
        ("GET", {}, False),
        ("POST", {}, True),
        ("DELETE", {}, True),
        ("POST", {"Origin": "https://lab.example"}, False),
        ("POST", {"Origin": "https://LAB.example"}, False),
        ("POST", {"Origin": "https://evil.example"}, True),
        ("POST", {"Origin": "https://lab.example.evil.example"}, True),
        ("POST", {"Origin": "https://lab.example:8443"}, True),
        ("POST", {"Origin": "https://lab.example@evil.example"}, True),
        ("POST", {"Origin": "null"}, True),
        ("POST", {"Origin": ""}, True),
        ("POST", {"Origin": "http://[bad"}, True),
        ("POST", {"Referer": "https://lab.example/x"}, False),
        ("POST", {"Referer": "https://evil.example/lab.example"}, True),
        ("POST", {"Origin": "https://evil.example", "Referer": "https://lab.example/x"}, True),
        ("POST", {"Sec-Fetch-Site": "same-origin"}, False),
        ("POST", {"Sec-Fetch-Site": "none"}, False),
        ("POST", {"Sec-Fetch-Site": "same-site", "Origin": "https://lab.example"}, True),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, True),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, False),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, True),
        ("GET", {"Origin": "https://evil.example"}, True),
        ("GET", {"Referer": "https://evil.example/"}, False),
    ],
)
def test_requests_of_other_sites_are_known(method: str, headers: dict[str, str], foreign: bool) -> None:
    assert is_foreign(method, {"Host": "lab.example", **headers}) is foreign


def test_a_websocket_always_has_to_prove_where_it_comes_from() -> None:
    assert is_foreign("GET", {"Host": "lab.example"}, websocket=True)
    assert is_foreign("GET", {"Host": "lab.example", "Origin": "https://evil.example"}, websocket=True)
    assert not is_foreign("GET", {"Host": "lab.example", "Origin": "https://lab.example"}, websocket=True)


def test_without_a_host_nothing_is_proven() -> None:
    assert is_foreign("POST", {"Origin": "null"})
    assert is_foreign("POST", {"Referer": "about:blank"})
