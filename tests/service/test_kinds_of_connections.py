"""What goes over the wire to an app and back: WebSockets, streams, uploads, bodies."""

from __future__ import annotations

import socket

import httpx
import pytest
from support.platform import Platform
from support.waiting import until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_websocket

HEAD = "from fastapi import *\nfrom fastapi.responses import *\n"


def ws(url: str, path: str) -> str:
    return url.replace("http", "ws", 1) + path


def _read_all(connection: ClientConnection) -> None:
    while True:
        connection.recv(timeout=20)


def test_websockets_echo_text_and_binary_and_close(platform: Platform) -> None:
    source = HEAD + (
        "app = FastAPI()\n"
        "@app.websocket('/ws')\n"
        "async def echo(socket: WebSocket):\n"
        "    await socket.accept(subprotocol='chat' if 'chat' in socket.scope['subprotocols'] else None)\n"
        "    try:\n"
        "        while True:\n"
        "            message = await socket.receive()\n"
        "            if message.get('text') == 'bye': await socket.close(4001); return\n"
        "            if message.get('text') is not None: await socket.send_text('echo ' + message['text'])\n"
        "            elif message.get('bytes') is not None: await socket.send_bytes(message['bytes'][::-1])\n"
        "            else: return\n"
        "    finally: print('socket closed', flush=True)\n"
    )
    url = platform.deploy_live("websocket", source)
    with connect_websocket(ws(url, "/ws"), subprotocols=["chat"]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "chat"
        socket.send("hello")
        assert socket.recv(timeout=20) == "echo hello"
        socket.send(b"\x01\x02\x03")
        assert socket.recv(timeout=20) == b"\x03\x02\x01"
        socket.send("bye")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4001


def test_a_redeploy_tells_websockets_to_connect_again_and_their_app_that_they_are_gone(platform: Platform) -> None:
    source = HEAD + (
        "app = FastAPI()\n"
        "@app.websocket('/ws')\n"
        "async def wait(socket: WebSocket):\n"
        "    await socket.accept()\n"
        "    try:\n"
        "        await socket.receive_text()\n"
        "    except WebSocketDisconnect as error:\n"
        "        print('app saw', error.code, flush=True)\n"
    )
    url = platform.deploy_live("ws-redeploy", source)
    with connect_websocket(ws(url, "/ws")) as socket:
        platform.deploy_live("ws-redeploy", source + "# changed\n")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    until(lambda: "app saw 1012" in platform.logs("ws-redeploy"), what="the app's own disconnect")


def test_a_websocket_whose_peer_is_gone_is_no_failure_of_an_app_that_just_reads(platform: Platform) -> None:
    """As the examples have it: a loop around `receive_text`, which ends with an exception nobody catches."""
    source = HEAD + (
        "app = FastAPI()\n"
        "@app.websocket('/ws')\n"
        "async def echo(socket: WebSocket):\n"
        "    await socket.accept()\n"
        "    while True:\n"
        "        await socket.send_text(await socket.receive_text())\n"
    )
    url = platform.deploy_live("ws-loop", source)
    with connect_websocket(ws(url, "/ws")) as socket:
        socket.send("gone in a moment")
        socket.recv(timeout=20)
    with connect_websocket(ws(url, "/ws")) as socket:
        platform.deploy_live("ws-loop", source + "# changed\n")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    until(lambda: len(platform.app("ws-loop").instances) == 1, what="the first one is gone")
    assert platform.client.errors("ws-loop") == []
    assert "Traceback" not in platform.logs("ws-loop")


@pytest.mark.parametrize(("app", "wait"), [("ws-flood", ""), ("ws-ticks", "await asyncio.sleep(0.01)")])
def test_an_app_that_only_sends_ends_when_its_peer_is_gone(platform: Platform, app: str, wait: str) -> None:
    source = HEAD + (
        "import asyncio\n"
        "app = FastAPI()\n"
        "@app.websocket('/ws')\n"
        "async def push(socket: WebSocket):\n"
        "    await socket.accept()\n"
        "    try:\n"
        "        while True:\n"
        f"            await socket.send_bytes(bytes(65536)); {wait}\n"
        "    finally:\n"
        "        print('the app has ended', flush=True)\n"
    )
    url = platform.deploy_live(app, source)

    def until_ended(times: int) -> None:
        until(lambda: platform.logs(app).count("the app has ended") == times, what=f"{times} ended")

    with connect_websocket(ws(url, "/ws")) as polite:
        polite.recv(timeout=20)
        # What nobody reads is no reason not to see the end.
        polite.send("I talk as well")
    until_ended(1)
    with connect_websocket(ws(url, "/ws")) as rude:
        rude.recv(timeout=20)
        rude.socket.shutdown(socket.SHUT_RDWR)
    until_ended(2)
    with connect_websocket(ws(url, "/ws")) as told:
        told.recv(timeout=20)
        platform.deploy_live(app, source + "# changed\n")
        with pytest.raises(ConnectionClosed) as closed:
            _read_all(told)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    until(lambda: len(platform.app(app).instances) == 1, what="the first one is gone")
    assert platform.client.errors(app) == []
    assert "Traceback" not in platform.logs(app)


def test_an_exception_in_a_websocket_closes_it_with_1011_and_is_in_the_log(platform: Platform) -> None:
    source = HEAD + (
        "app = FastAPI()\n"
        "@app.websocket('/ws')\n"
        "async def fail(socket: WebSocket):\n"
        "    await socket.accept()\n"
        "    raise ValueError('in the socket')\n"
    )
    url = platform.deploy_live("ws-error", source)
    with connect_websocket(ws(url, "/ws")) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    log = until(lambda: text if "ValueError" in (text := platform.logs("ws-error")) else "", what="traceback")
    assert "In[5] of test.ipynb, line 8, in fail" in log


def test_server_sent_events_arrive_as_they_are_sent(platform: Platform) -> None:
    source = HEAD + (
        "import asyncio\n"
        "app = FastAPI()\n"
        "heard = asyncio.Queue()\n"
        "@app.get('/events')\n"
        "async def events():\n"
        "    async def stream():\n"
        "        for number in range(3):\n"
        "            yield f'data: {number}\\n\\n'\n"
        "            await heard.get()\n"
        "    return StreamingResponse(stream(), media_type='text/event-stream')\n"
        "@app.post('/heard')\n"
        "async def go_on(): heard.put_nowait(1)\n"
    )
    url = platform.deploy_live("sse", source)
    arrived = []
    with httpx.stream("GET", url + "/events", trust_env=False, timeout=20) as response:
        for line in response.iter_lines():
            if line:
                arrived.append(line)
                # The next one is sent only when this one has been heard.
                httpx.post(url + "/heard", timeout=30, trust_env=False).raise_for_status()
    assert arrived == ["data: 0", "data: 1", "data: 2"]


def test_a_client_that_goes_away_ends_an_endless_stream(platform: Platform) -> None:
    source = HEAD + (
        "import asyncio\n"
        "app = FastAPI()\n"
        "@app.get('/events')\n"
        "async def events():\n"
        "    async def stream():\n"
        "        try:\n"
        "            while True:\n"
        "                yield 'data: x\\n\\n'\n"
        "                await asyncio.sleep(0.02)\n"
        "        finally: print('stream ended', flush=True)\n"
        "    return StreamingResponse(stream(), media_type='text/event-stream')\n"
    )
    url = platform.deploy_live("endless", source)
    with httpx.stream("GET", url + "/events", timeout=30, trust_env=False) as response:
        next(response.iter_lines())
    until(lambda: "stream ended" in platform.logs("endless"), what="the generator's end")


def test_file_uploads(platform: Platform) -> None:
    source = HEAD + (
        "import hashlib\n"
        "app = FastAPI()\n"
        "@app.post('/upload')\n"
        "async def upload(file: UploadFile, note: str = Form()):\n"
        "    data = await file.read()\n"
        "    return [file.filename, note, len(data), hashlib.sha256(data).hexdigest()]\n"
    )
    import hashlib

    url = platform.deploy_live("upload", source)
    data = bytes(range(256)) * 20_000
    answer = httpx.post(
        url + "/upload", files={"file": ("a b.bin", data)}, data={"note": "hü"}, timeout=30, trust_env=False
    )
    assert answer.json() == ["a b.bin", "hü", len(data), hashlib.sha256(data).hexdigest()]


def test_a_body_is_one_message_for_middleware_that_plays_it_again(platform: Platform) -> None:
    source = HEAD + (
        "class Replay:\n"
        "    def __init__(self, app): self.app = app\n"
        "    async def __call__(self, scope, receive, send):\n"
        "        if scope['type'] != 'http': return await self.app(scope, receive, send)\n"
        "        message = await receive()\n"
        "        async def again(): return message\n"
        "        await self.app(scope, again, send)\n"
        "app = FastAPI()\n"
        "app.add_middleware(Replay)\n"
        "@app.post('/')\nasync def echo(body: dict): return body\n"
    )
    url = platform.deploy_live("replay", source)
    assert httpx.post(url, json={"a": 1}, timeout=5, trust_env=False).json() == {"a": 1}
