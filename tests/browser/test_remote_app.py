"""An app through the Jupyter server, in a real browser: what works, and what a page of another site cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Page, expect
from support.lab import TOKEN, Lab
from support.platform import Platform

SHOP = """
import asyncio
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import HTMLResponse, StreamingResponse

app = FastAPI()
posts = []

@app.get("/", response_class=HTMLResponse)
def home():
    return "<form method=post action=order><input name=item value=tea><button>Order</button></form>"

@app.post("/order", response_class=HTMLResponse)
async def order(request: Request):
    posts.append((await request.body()).decode())
    return f"<p>{posts[-1]} by {request.cookies.get('session')}</p>"

@app.get("/posts")
def list_posts():
    return posts

@app.get("/login")
def login(response: Response):
    response.set_cookie("session", "ann", httponly=True)

@app.api_route("/seen", methods=["GET", "POST"])
def seen(request: Request):
    return {"headers": dict(request.headers), "query": request.url.query}

@app.get("/events")
async def events():
    async def stream():
        for number in range(3):
            yield f"data: {number}\\n\\n"
            await asyncio.sleep(0.05)
        await asyncio.sleep(30)
    return StreamingResponse(stream(), media_type="text/event-stream")

@app.websocket("/ws")
async def ws(socket: WebSocket):
    await socket.accept()
    await socket.send_text(f"{await socket.receive_text()}, {socket.cookies.get('session')}")
    await socket.close(4001, "bye")
"""
EVERYTHING = """async () => {
  await fetch("login");
  const post = await fetch("seen?token=of-the-app", {method: "POST", headers: {Authorization: "Bearer of-the-app"}});
  const socket = new WebSocket(location.href.replace("http", "ws") + "ws");
  const said = await new Promise((resolve) => {
    const heard = [];
    socket.onopen = () => socket.send("hello");
    socket.onmessage = (event) => heard.push(event.data);
    socket.onclose = (event) => resolve([...heard, event.code, event.reason]);
  });
  const source = new EventSource("events");
  const events = await new Promise((resolve) => {
    const heard = [];
    source.onmessage = (event) => heard.push(event.data) === 3 && resolve(heard);
  });
  source.close();
  return {seen: await post.json(), said, events};
}"""
ATTACK = """async (app) => {
  for (const request of [{method: "GET"}, {method: "POST", body: "evil"}]) {
    await fetch(app + "order", {...request, mode: "no-cors", credentials: "include"});
  }
  const socket = new WebSocket(app.replace("http", "ws") + "ws");
  return await new Promise((resolve) => {
    socket.onopen = () => resolve("open");
    socket.onclose = () => resolve("refused");
  });
}"""
SUBMIT = """(app) => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = app + "order";
  document.body.append(form);
  form.submit();
}"""


@pytest.fixture
def shop(platform: Platform, lab: Lab) -> str:
    platform.deploy_live("shop", SHOP)
    return f"{lab.url}gofastapi/apps/shop/"


@pytest.fixture
def other_site() -> Iterator[int]:
    """The port of a site that has nothing to do with Jupyter."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_an_app_works_below_jupyters_address(page: Page, shop: str) -> None:
    refused = page.goto(shop)
    assert refused is not None
    assert refused.status == 403
    expect(page.locator("body")).to_contain_text("Log in to Jupyter first")

    page.goto(f"{shop}?token={TOKEN}")
    page.goto(shop)
    result = page.evaluate(EVERYTHING)
    assert result["said"] == ["hello, ann", 4001, "bye"]
    assert result["events"] == ["0", "1", "2"]
    headers = result["seen"]["headers"]
    assert headers["cookie"] == "session=ann"
    assert headers["authorization"] == "Bearer of-the-app"
    assert result["seen"]["query"] == "token=of-the-app"
    assert TOKEN not in str(result)

    page.get_by_role("button").click()
    expect(page.locator("p")).to_have_text("item=tea by ann")
    assert page.evaluate("document.cookie.includes('session')") is False


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_site_cannot_use_the_login(page: Page, shop: str, other_site: int, host: str) -> None:
    page.goto(f"{shop}?token={TOKEN}")
    before = page.evaluate("async () => (await fetch('posts')).json()")
    page.goto(f"http://{host}:{other_site}/")
    assert page.evaluate(ATTACK, shop) == "refused"
    page.evaluate(SUBMIT, shop)
    expect(page.locator("body")).to_contain_text("comes from a page of another site")
    page.goto(f"{shop}")
    assert page.evaluate("async () => (await fetch('posts')).json()") == before
