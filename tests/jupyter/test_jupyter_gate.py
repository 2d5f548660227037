"""The gate: who gets in, on every route and by every method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Jupyter
from jupyter_server.auth import Authorizer
from tornado.routing import Rule
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from gofastapi_ext.jupyter.gate import Gate

# At least one path for each route; the walk below fails for a route that has none.
PATHS = [
    "",
    "/",
    "/nothing",
    "/api",
    "/apps",
    "/apps/",
    "/api/",
    "/api/me",
    "/api/apps/kitchen/deploy",
    "/api/../api/me",
    "/apps/kitchen",
    "/apps/kitchen/",
    "/apps/kitchen/echo/a%2Fb",
    "/apps/kitchen/ws",
    "/apps/no-such-app/",
    "/apps/NOT A NAME/".replace(" ", "%20"),
    "/apps/%2e%2e/",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "PROPFIND", "FINISH"]
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def our_rules(rules: list[Rule]) -> Iterator[Rule]:
    for rule in rules:
        if isinstance(rule.target, type) and issubclass(rule.target, RequestHandler):
            if rule.target.__module__.startswith("gofastapi_ext."):
                yield rule
        elif hasattr(rule.target, "rules"):
            yield from our_rules(rule.target.rules)


@pytest.fixture
def routes(jp_serverapp: Any) -> list[Rule]:
    web_app: Application = jp_serverapp.web_app
    return list(our_rules(web_app.default_router.rules))


def test_every_route_has_the_gate_and_a_path_that_is_tried(routes: list[Rule], jupyter: Jupyter) -> None:
    assert len(routes) == 4
    for rule in routes:
        assert issubclass(rule.target, Gate), rule
        pattern = rule.matcher.regex  # type: ignore[attr-defined]
        first = [
            path
            for path in PATHS
            if pattern.match(jupyter.root + path)
            and not any(
                other.matcher.regex.match(jupyter.root + path)  # type: ignore[attr-defined]
                for other in routes[: routes.index(rule)]
                if not issubclass(other.target, WebSocketHandler)
            )
        ]
        assert first, f"no path tries {pattern.pattern}"


@pytest.mark.parametrize("method", METHODS)
async def test_anonymous_is_refused_everywhere(jupyter: Jupyter, kitchen: str, method: str) -> None:
    for path in PATHS:
        for headers in ({}, {"Accept": "text/html"}, {"Origin": jupyter.origin, "Sec-Fetch-Site": "same-origin"}):
            answer = await jupyter.ask(method, path, headers=headers, anonymous=True)
            assert answer.status == 403, (method, path, headers)
            assert "Location" not in answer.headers


@pytest.mark.parametrize("method", METHODS)
async def test_anonymous_handshakes_are_refused_everywhere(jupyter: Jupyter, kitchen: str, method: str) -> None:
    for path in PATHS:
        answer = await jupyter.ask(method, path, headers=HANDSHAKE | {"Origin": jupyter.origin}, anonymous=True)
        assert answer.status == 403, (method, path)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "token wrong"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic dG9rZW46"},
        {"Cookie": "username-127-0-0-1=forged; _xsrf=a", "X-XSRFToken": "a"},
        {"X-Forwarded-User": "root"},
    ],
)
async def test_wrong_credentials_are_nobodys(jupyter: Jupyter, kitchen: str, headers: dict[str, str]) -> None:
    for path in ("/api/me", "/apps/kitchen/echo", "/apps/kitchen/echo?token=wrong", "/apps/kitchen/echo?token="):
        for method in ("GET", "POST"):
            answer = await jupyter.ask(method, path, headers=headers, anonymous=True)
            assert answer.status == 403


async def test_a_token_in_a_form_of_the_body_is_the_apps_own(jupyter: Jupyter, kitchen: str) -> None:
    answer = await jupyter.ask("POST", "/apps/kitchen/echo", data={"token": jupyter.token}, anonymous=True)
    assert answer.status == 403


async def test_the_refusal_is_json_for_programs_and_a_page_for_people(jupyter: Jupyter) -> None:
    answer = await jupyter.get("/apps/kitchen/", anonymous=True)
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json) == {"message", "code", "details", "request_id"}
    assert answer.json["code"] == "forbidden"

    page = await jupyter.get("/apps/kitchen/", headers={"Accept": "text/html,*/*;q=0.8"}, anonymous=True)
    assert page.headers["Content-Type"].startswith("text/html")
    assert b"Log in to Jupyter" in page.body

    api = await jupyter.get("/api/me", headers={"Accept": "text/html"}, anonymous=True)
    assert api.headers["Content-Type"] == "application/json"


async def test_a_large_anonymous_upload_still_hears_the_refusal(jupyter: Jupyter) -> None:
    answer = await jupyter.ask("POST", "/apps/kitchen/digest", data=b"x" * 5_000_000, anonymous=True)
    assert answer.status == 403


async def test_who_asks_before_uploading_is_told_at_once(jupyter: Jupyter) -> None:
    head = f"POST {jupyter.root}/apps/kitchen/digest HTTP/1.1\r\nHost: {jupyter.host}\r\n"
    answer = await jupyter.raw(f"{head}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 ")


async def test_an_unknown_host_name_is_refused(jupyter: Jupyter, kitchen: str) -> None:
    answer = await jupyter.get("/apps/kitchen/echo", headers={"Host": "evil.example"})
    assert answer.status == 403


class Asked(Authorizer):
    """Allows what `allowed` says, and remembers what it was asked."""

    allowed: frozenset[str] = frozenset()
    questions: list[tuple[str, str]] = []  # noqa: RUF012 - reset by the fixture

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        Asked.questions.append((action, resource))
        return action in Asked.allowed


@pytest.fixture
def asked(jp_serverapp: Any) -> type[Asked]:
    jp_serverapp.web_app.settings["authorizer"] = Asked(parent=jp_serverapp)
    Asked.questions = []
    return Asked


async def test_an_authorizer_is_asked_for_what_the_method_does(
    jupyter: Jupyter, kitchen: str, asked: type[Asked]
) -> None:
    asked.allowed = frozenset({"read"})
    expected = {"GET": "read", "HEAD": "read", "POST": "write", "DELETE": "write", "QUERY": "write"}
    for path in ("/api/me", "/apps/kitchen/echo"):
        for method, action in expected.items():
            answer = await jupyter.ask(method, path)
            assert asked.questions.pop() == (action, "gofastapi")
            assert (answer.status == 403) is (action != "read"), (method, path)

    answer = await jupyter.get("/apps/kitchen/ws", headers=HANDSHAKE | {"Origin": jupyter.origin})
    assert answer.status == 403
    assert asked.questions.pop() == ("execute", "gofastapi")


async def test_a_login_writes_to_the_api_only_with_the_xsrf_token(jupyter: Jupyter) -> None:
    login = await jupyter.log_in()
    body = {"json": {"bundle": {"files": {"main.py": {"text": "x = 1"}}}}, "anonymous": True}
    assert (await jupyter.ask("POST", "/api/validate", headers=login, **body)).status == 403
    wrong = login | {"X-XSRFToken": "wrong"}
    assert (await jupyter.ask("POST", "/api/validate", headers=wrong, **body)).status == 403
    elsewhere = login | {"X-XSRFToken": "known", "Origin": "https://evil.example"}
    assert (await jupyter.ask("POST", "/api/validate", headers=elsewhere, **body)).status == 403
    right = login | {"X-XSRFToken": "known"}
    assert (await jupyter.ask("POST", "/api/validate", headers=right, **body)).status == 200
    assert (await jupyter.get("/api/me", headers=login, anonymous=True)).status == 200


async def test_a_token_needs_no_xsrf_token(jupyter: Jupyter) -> None:
    body = {"bundle": {"files": {"main.py": {"text": "x = 1"}}}}
    assert (await jupyter.ask("POST", "/api/validate", json=body)).status == 200
    answer = await jupyter.ask("POST", f"/api/validate?token={jupyter.token}", json=body, anonymous=True)
    assert answer.status == 200


async def test_a_login_posts_to_an_app_only_from_this_site(jupyter: Jupyter, kitchen: str) -> None:
    login = await jupyter.log_in()

    async def status(method: str, **headers: str) -> int:
        sent = login | {name.replace("_", "-"): value for name, value in headers.items()}
        return (await jupyter.ask(method, "/apps/kitchen/echo", headers=sent, anonymous=True)).status

    assert await status("POST", Origin=jupyter.origin) == 200
    assert await status("POST", Referer=f"{jupyter.origin}/a%40b/gofastapi/apps/kitchen/") == 200
    assert await status("DELETE", Sec_Fetch_Site="same-origin") == 200
    assert await status("POST") == 403
    assert await status("POST", Origin="https://evil.example") == 403
    assert await status("POST", Sec_Fetch_Site="cross-site", Origin="https://evil.example") == 403
    assert await status("GET") == 200
    assert await status("GET", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate") == 200
    assert await status("GET", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors") == 403


async def test_a_page_of_another_origin_gets_in_by_the_token(jupyter: Jupyter, kitchen: str) -> None:
    elsewhere = {"Origin": "https://lab.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    for method in ("GET", "POST"):
        path = f"/apps/kitchen/echo?token={jupyter.token}"
        answer = await jupyter.ask(method, path, headers=elsewhere, anonymous=True)
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "https://lab.example"
