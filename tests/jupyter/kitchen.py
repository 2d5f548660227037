"""An app that tells what reached it, and answers in every way an app may. The tests deploy it."""

import asyncio
import hashlib
import os

from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse

app = FastAPI(title="Kitchen")
disconnects: list[str] = []
EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE"]


@app.api_route("/echo{rest:path}", methods=EVERY_METHOD)
async def echo(request: Request) -> JSONResponse:
    body = await request.body()
    return JSONResponse(
        {
            "method": request.method,
            "raw_path": request.scope["raw_path"].decode("latin-1"),
            "query": request.scope["query_string"].decode("latin-1"),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers.raw],
            "root_path": request.scope["root_path"],
            "url": str(request.url),
            "body": body.decode("latin-1"),
        },
        headers={"X-Method": request.method},
    )


@app.get("/")
def home(request: Request) -> HTMLResponse:
    return HTMLResponse(f"<a href='{request.url_for('slashed')}'>kitchen</a>")


@app.get("/slashed/")
def slashed() -> str:
    return "slashed"


@app.post("/digest")
async def digest(request: Request) -> dict[str, object]:
    sha, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        sha.update(chunk)
        size += len(chunk)
    return {"sha256": sha.hexdigest(), "bytes": size}


@app.post("/early")
async def early(request: Request) -> PlainTextResponse:
    """Answers without reading what is sent."""
    return PlainTextResponse("too large", status_code=413)


async def duplex(scope, receive, send) -> None:
    """Sends every chunk back as it comes. Plain ASGI: the framework's streams answer only after the body."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": more})


app.mount("/duplex", duplex)


@app.post("/respond")
async def respond(request: Request) -> Response:
    """Answers what the request says: `{"status", "headers": [[name, value]], "body"}`."""
    wanted = await request.json()
    response = Response(wanted.get("body", ""), status_code=wanted.get("status", 200))
    for name, value in wanted.get("headers", []):
        response.raw_headers.append((name.encode("latin-1"), value.encode("latin-1")))
    return response


@app.get("/redirect")
def redirect(to: str) -> RedirectResponse:
    return RedirectResponse(to)


@app.get("/login")
def login(response: Response, user: str = "ann") -> str:
    response.set_cookie("session", user, httponly=True)
    response.set_cookie("_xsrf", "forged")
    return "welcome"


@app.get("/logout")
def logout(response: Response) -> str:
    response.delete_cookie("session")
    return "bye"


@app.get("/events")
async def events() -> StreamingResponse:
    """Server-sent events; the second comes only after `/release`."""

    async def stream():
        yield "data: one\n\n"
        await released.wait()
        yield "data: two\n\n"

    released.clear()
    return StreamingResponse(stream(), media_type="text/event-stream")


released = asyncio.Event()


@app.post("/release")
async def release() -> None:
    released.set()


@app.get("/ticks")
async def ticks(name: str) -> StreamingResponse:
    """Sends a little now and then, and notes when the viewer goes."""

    async def stream():
        try:
            while True:
                yield b"tick "
                await asyncio.sleep(0.02)
        finally:
            disconnects.append(name)

    return StreamingResponse(stream())


@app.get("/endless")
async def endless(name: str) -> StreamingResponse:
    """Sends as fast as it is read, and notes how much that was."""
    sent[name] = 0

    async def stream():
        while True:
            yield b"x" * 65536
            sent[name] += 65536

    return StreamingResponse(stream())


sent: dict[str, int] = {}


@app.get("/sent/{name}")
def how_much(name: str) -> int:
    return sent.get(name, 0)


@app.get("/wait")
async def wait(request: Request, name: str) -> None:
    """Answers nothing; notes that the viewer came, and that it went away."""
    sent[name] = 1
    while not await request.is_disconnected():
        await asyncio.sleep(0.02)
    disconnects.append(name)


@app.post("/upload/{name}")
async def upload(request: Request, name: str) -> str:
    """Notes an upload that broke off."""
    sent[name] = 0
    try:
        async for chunk in request.stream():
            sent[name] += len(chunk)
    except Exception:
        disconnects.append(name)
        raise
    sent[name] = -1
    return "whole"


@app.post("/sip/{name}")
async def sip(request: Request, name: str) -> str:
    """Reads one chunk, and the rest only after `/release`."""
    released.clear()
    stream = request.stream()
    sent[name] = len(await anext(stream))
    await released.wait()
    async for chunk in stream:
        sent[name] += len(chunk)
    return "whole"


@app.get("/disconnects")
def list_disconnects() -> list[str]:
    return disconnects


@app.get("/break")
async def break_off() -> StreamingResponse:
    """Dies in the middle of its answer."""

    async def stream():
        yield b"the beginning"
        await asyncio.sleep(0.2)
        os._exit(1)

    return StreamingResponse(stream())


@app.get("/die")
def die() -> None:
    print("dying", flush=True)
    os._exit(1)


@app.websocket("/ws")
async def ws(socket: WebSocket) -> None:
    """Repeats what it hears. Text that starts with `close ` closes with that code."""
    offered = socket.scope["subprotocols"]
    await socket.accept("beta" if "beta" in offered else None)
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                disconnects.append(f"ws {message['code']}")
                return
            text, data = message.get("text"), message.get("bytes")
            if text is not None and text.startswith("close "):
                _, code, reason = text.split(" ", 2)
                await socket.close(int(code), reason)
                return
            if text == "too much":
                await socket.send_bytes(bytes(17 * 1024 * 1024))
            elif text is not None:
                await socket.send_text(text)
            else:
                await socket.send_bytes(data)
    except WebSocketDisconnect as gone:
        disconnects.append(f"ws {gone.code}")


@app.websocket("/ws/refused")
async def ws_refused(socket: WebSocket) -> None:
    await socket.close()


@app.websocket("/ws/scope")
async def ws_scope(socket: WebSocket) -> None:
    """Tells what reached it."""
    await socket.accept()
    await socket.send_json(
        {
            "raw_path": socket.scope["raw_path"].decode("latin-1"),
            "query": socket.scope["query_string"].decode("latin-1"),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in socket.headers.raw],
            "root_path": socket.scope["root_path"],
        }
    )
    await socket.close()


@app.websocket("/ws/flood")
async def ws_flood(socket: WebSocket) -> None:
    """Sends without end, and notes how much."""
    await socket.accept()
    sent["flood"] = 0
    try:
        while True:
            await socket.send_bytes(b"x" * 65536)
            sent["flood"] += 65536
    except Exception:
        disconnects.append("flood")


@app.websocket("/ws/deaf")
async def ws_deaf(socket: WebSocket) -> None:
    """Accepts, then listens to nothing until `/release`."""
    released.clear()
    await socket.accept()
    await released.wait()
    await socket.close()


@app.websocket("/ws/die")
async def ws_die(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive()
    os._exit(1)
