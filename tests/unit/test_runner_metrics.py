"""What the gate counts, and by which route."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from gofastapi_runner.gate import Gate
from gofastapi_runner.instance import http_scope
from gofastapi_runner.metrics import OTHER_METHOD, OTHER_ROUTE, Metrics
from gofastapi_runner.routes import NO_ROUTE
from gofastapi_runner.tracebacks import SourceMap
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def test_counters_in_prometheus_text() -> None:
    metrics = Metrics()
    counters = metrics.of("GET", "/a")
    for status, seconds in ((200, 0.0005), (404, 0.02), (500, 20.0), (0, 1.0)):
        counters.observe(status, seconds, 10, 20)
    found = samples(metrics.render())
    route = {"method": "GET", "route": "/a"}
    assert value(found, "gofastapi_requests_total", **route, status="2xx") == 1
    assert value(found, "gofastapi_requests_total", **route, status="5xx") == 2
    assert value(found, "gofastapi_request_seconds_bucket", **route, le="0.001") == 1
    assert value(found, "gofastapi_request_seconds_bucket", **route, le="10.0") == 3
    assert value(found, "gofastapi_request_seconds_bucket", **route, le="+Inf") == 4
    assert value(found, "gofastapi_request_seconds_count", **route) == 4
    assert value(found, "gofastapi_request_seconds_sum", **route) == pytest.approx(21.0205)
    assert value(found, "gofastapi_request_bytes_total", **route) == 40
    assert value(found, "gofastapi_response_bytes_total", **route) == 80


@pytest.mark.parametrize("route", ['/a"b', "/a\\b", "/a\nb", "/a}b{c", "/ä\u2028", "/" + "x" * 5000, "/\ud800"])
def test_whatever_a_route_is_called_the_text_can_be_read(route: str) -> None:
    metrics = Metrics()
    metrics.of("GET", route).observe(200, 0.1, 0, 0)
    [(_, labels)] = [key for key in samples(metrics.render()) if key[0] == "gofastapi_requests_total"]
    shown = dict(labels)["route"]
    assert len(shown) <= 200
    assert shown == "".join(c if c.isprintable() else "?" for c in route)[:200]


def test_routes_and_methods_are_bounded() -> None:
    metrics = Metrics()
    for number in range(1000):
        metrics.of("GET", f"/{number}/" + "long" * 40).observe(200, 0.1, 1, 1)
        metrics.of(f"M{number}", "/").observe(200, 0.1, 1, 1)
    text = metrics.render()
    assert len(text.encode()) < 256_000
    requests = {key: count for key, count in samples(text).items() if key[0] == "gofastapi_requests_total"}
    assert len(requests) <= 202
    assert sum(requests.values()) == 2000
    found = samples(text)
    assert value(found, "gofastapi_requests_total", method=OTHER_METHOD, route="/", status="2xx") == 1000
    assert value(found, "gofastapi_requests_total", method="GET", route=OTHER_ROUTE, status="2xx") > 500


def endpoint(_: object) -> PlainTextResponse:
    return PlainTextResponse("x")


def sub_app() -> FastAPI:
    sub = FastAPI()

    @sub.get("/in/{x}")
    def within(x: str) -> str:
        return x

    return sub


def fastapi_app() -> FastAPI:
    app, sub = FastAPI(), sub_app()
    twice = APIRouter()

    @twice.get("/a/{b}")
    @twice.get("/b")
    def of_two_routes(b: str = "1") -> str:
        return b

    outer = APIRouter()
    outer.include_router(twice, prefix="/mid")
    outer.add_route("/plain/{q}", endpoint)
    outer.mount("/mounted", sub)
    plain = Starlette(routes=[Route("/plain/{y}", endpoint), Mount("/deep/{d}", app=sub)])

    @app.get("/items/{item_id:int}")
    def item(item_id: int) -> int:
        return item_id

    app.include_router(twice, prefix="/v1")
    app.include_router(twice, prefix="/v2")
    app.include_router(outer, prefix="/outer")
    app.add_route("/plain/{z}", endpoint)
    app.add_route("/plain2/{z}", endpoint)
    app.mount("/sub", sub)
    app.mount("/tenants/{t}/x", sub)
    app.mount("/st", plain)
    app.mount("/static", StaticFiles(directory="/"))
    return app


async def _ask(gate: Gate, method: str, path: str) -> None:
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()  # the client stays
        return messages.pop()

    async def send(_: object) -> None:
        pass

    await gate(http_scope(path, 80) | {"method": method}, receive, send)


def route_of(app: Any, method: str, *paths: str) -> str:
    """The route these requests were counted under."""
    gate = Gate(app, title="x", port=1, sources=SourceMap("/nowhere", {}))

    async def ask() -> None:
        for path in paths:
            await _ask(gate, method, path)

    asyncio.run(ask())
    found = {dict(key[1])["route"]: key for key in samples(gate.metrics_text()) if key[0] == "gofastapi_requests_total"}
    [route] = found
    return route


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/items/3", "/items/{item_id}"),
        ("/items/three", NO_ROUTE),
        ("/v1/a/3", "/v1/a/{b}"),
        ("/v2/a/3", "/v2/a/{b}"),
        ("/v1/b", "/v1/b"),
        ("/outer/mid/a/4", "/outer/mid/a/{b}"),
        ("/outer/plain/4", "/outer/plain/{q}"),
        ("/outer/mounted/in/4", "/outer/mounted/in/{x}"),
        ("/sub/in/4", "/sub/in/{x}"),
        ("/sub/nothing", NO_ROUTE),
        ("/tenants/7/x/in/3", "/tenants/{t}/x/in/{x}"),
        ("/st/plain/4", "/st/plain/{y}"),
        ("/st/deep/4/in/4", "/st/deep/{d}/in/{x}"),
        ("/static/nothing", "/static/*"),
        ("/plain/1", "/plain/{z}"),
        ("/plain2/1", "/plain2/{z}"),
        ("/docs", "/docs"),
        ("/health", "/health"),
        ("/", "/"),
        ("/nothing", NO_ROUTE),
    ],
)
def test_a_request_is_counted_under_its_routes_template(path: str, template: str) -> None:
    assert route_of(fastapi_app(), "GET", path, path) == template


def test_a_method_a_route_does_not_have_is_counted_under_it() -> None:
    assert route_of(fastapi_app(), "POST", "/items/3") == "/items/{item_id}"


def test_routes_of_starlette_alone_and_of_no_framework() -> None:
    app = Starlette(routes=[Mount("/m/{n}", routes=[Route("/r/{x}", endpoint)])])
    assert route_of(app, "GET", "/m/1/r/2", "/m/2/r/2") == "/m/{n}/r/{x}"

    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("x")(scope, receive, send)

    assert route_of(plain, "GET", "/a", "/b") == NO_ROUTE


@pytest.mark.parametrize("found", ["text", 7, {"original_route": []}, ["x"]])
def test_an_app_that_fills_its_scope_with_nonsense_is_counted(found: object) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("x")(scope, receive, send)
        scope |= {"fastapi": found, "route": found, "endpoint": found, "root_path": found, "app_root_path": found}

    route_of(app, "GET", "/a")


def test_files_of_a_frontend_are_counted_together(tmp_path: Any) -> None:
    app = FastAPI()
    if not hasattr(app, "frontend"):
        pytest.skip("this FastAPI has no frontend()")
    (tmp_path / "index.html").write_text("<p>hello</p>")
    app.frontend("/ui", directory=tmp_path)
    assert route_of(app, "GET", "/ui/a", "/ui/index.html") == "/ui/*"
