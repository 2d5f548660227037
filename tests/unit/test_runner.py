"""The runner's parts on their own, and what we take from other people's private names."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gofastapi_runner import preview, protocol
from gofastapi_runner.body import whole_body
from gofastapi_runner.gate import Gate
from gofastapi_runner.handover import hand_over
from gofastapi_runner.lifespan import Lifespan, LifespanError
from gofastapi_runner.protocol import InstanceSpec, Origin
from gofastapi_runner.server import Server
from gofastapi_runner.tracebacks import SourceMap, describe, render


def test_granians_private_names_are_where_we_use_them() -> None:
    """`server._InheritedSocket` rests on these. When this fails, read Granian's release notes first."""
    from granian._granian import SocketHolder
    from granian.server.embed import Server as Embedded

    assert "_init_shared_socket" in vars(Embedded) or "_init_shared_socket" in dir(Embedded)
    assert "self._ssp" in inspect.getsource(Embedded._spawn_worker)
    assert "self._shd" in inspect.getsource(Embedded._spawn_worker)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        holder: Any = SocketHolder
        assert holder(listener.fileno(), False, 16).get_fd() == listener.fileno()


def test_release_leaves_the_socket_to_the_others() -> None:
    """Two processes hold one socket: after this one has released it, only the other accepts."""
    code = (
        "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.setblocking(True); s.accept()[0].send(b'me')"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address, descriptor = listener.getsockname(), listener.fileno()
        other = subprocess.Popen([sys.executable, "-c", code, str(descriptor)], pass_fds=[descriptor])
        duplicate = os.dup(descriptor)
        Server(app=None, descriptor=descriptor).release()
        with socket.create_connection(address, timeout=10) as client:
            assert client.recv(2) == b"me"
        other.wait(10)
        # Every descriptor of it in this process stands for another socket now, in which nothing arrives.
        with socket.socket(fileno=duplicate) as gone, pytest.raises(BlockingIOError):
            gone.accept()


@pytest.fixture
def zygote() -> Iterator[tuple[socket.socket, subprocess.Popen[bytes], dict[str, Any]]]:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "gofastapi_runner.zygote", str(theirs.fileno())], pass_fds=[theirs.fileno()]
    )
    theirs.close()
    ours.settimeout(30)
    yield ours, process, json.loads(protocol.read_line(ours))
    ours.close()
    process.wait(10)


def test_the_zygote_is_single_threaded_and_holds_no_connection(zygote: tuple[Any, Any, dict[str, Any]]) -> None:
    _, process, hello = zygote
    assert hello["warm"] == process.pid
    assert len(list(Path(f"/proc/{process.pid}/task").iterdir())) == 1
    links = [os.readlink(path) for path in Path(f"/proc/{process.pid}/fd").iterdir()]
    assert len([link for link in links if link.startswith("socket:")]) == 1, links
    assert any("fastapi" in file for file in hello["files"])


def test_the_zygote_says_what_it_cannot_import(zygote: tuple[socket.socket, Any, Any]) -> None:
    channel, _, _ = zygote
    protocol.send(channel, {"missing": 7, "names": ["json", "numpy_of_mars", "fastapi", "gofastapi_runner"]})
    assert json.loads(protocol.read_line(channel)) == {"missing": 7, "names": ["numpy_of_mars"]}


def test_the_zygote_ends_with_its_channel(zygote: tuple[socket.socket, subprocess.Popen[bytes], Any]) -> None:
    channel, process, _ = zygote
    channel.close()
    assert process.wait(5) == 0


def test_an_instance_spec_survives_the_wire() -> None:
    spec = InstanceSpec(
        "a", 1, "/x", "main:app", {"K": "v\n"}, 1, 2.0, {"main.py": [Origin("In[1]", 1), Origin("In[2]", -4, 8)]}
    )
    assert InstanceSpec.from_json(spec.to_json()) == spec
    assert spec.to_json().count(b"\n") == 1


def test_tracebacks_show_the_users_frames_and_the_chain(tmp_path: Path) -> None:
    module = tmp_path / "main.py"
    module.write_text("def inner():\n    raise KeyError('k')\n\ndef outer():\n    try:\n        inner()\n"
                      "    except KeyError as error:\n        raise ValueError('v') from error\n")  # fmt: skip
    namespace: dict[str, Any] = {}
    exec(compile(module.read_text(), str(module), "exec"), namespace)
    sources = SourceMap(str(tmp_path), {})
    with pytest.raises(ValueError, match="v") as raised:
        namespace["outer"]()
    text = render(raised.value, sources)
    assert text.index("KeyError: 'k'") < text.index("direct cause") < text.index("ValueError: v")
    assert "File main.py, line 2, in inner" in text
    assert __file__ not in text
    failure = describe(raised.value, sources, "start_failed")
    assert (failure.file, failure.line, failure.message) == ("main.py", 8, "ValueError: v")


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b"<html><head><title>A &lt; B</title></head></html>", 'content="A &lt; B"'),
        (b"<HEAD lang='x'></HEAD>", 'content="my-app"'),
    ],
)
def test_link_preview_tags(body: bytes, title: str) -> None:
    assert title.encode() in preview.add_tags(body, "my-app")


@pytest.mark.parametrize("body", [b"<p>no head</p>", b"<head><meta property='og:title' content='x'></head>", b""])
def test_no_link_preview_tags(body: bytes) -> None:
    assert preview.add_tags(body, "my-app") == body


async def _lifespan_of(app: Any) -> Lifespan:
    lifespan = Lifespan(app)
    await asyncio.wait_for(lifespan.startup(), 30)
    return lifespan


def test_an_app_without_a_lifespan_is_left_in_peace() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise TypeError("no lifespan here")

    async def live() -> None:
        lifespan = await _lifespan_of(app)
        await asyncio.wait_for(lifespan.shutdown(), 30)

    asyncio.run(live())


def test_a_failed_start_up_raises_what_the_app_raised() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "text"})
        raise RuntimeError("the reason")

    with pytest.raises(RuntimeError, match="the reason"):
        asyncio.run(_lifespan_of(app))


def test_a_failed_start_up_without_an_exception_has_its_message() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(LifespanError, match="no database"):
        asyncio.run(_lifespan_of(app))


def test_a_body_in_parts_ends_with_its_last_part() -> None:
    parts = [(b"abc", True), (b"de", True), (b"", False)]

    async def receive() -> dict[str, Any]:
        body, more = parts.pop(0)
        return {"type": "http.request", "body": body, "more_body": more}

    async def read() -> list[tuple[bytes, bool]]:
        marked = whole_body(receive, 5)
        messages = [await marked(), await marked()]
        return [(message["body"], message["more_body"]) for message in messages]

    assert asyncio.run(read()) == [(b"abc", True), (b"de", False)]


def test_half_an_upload_is_not_handed_over() -> None:
    messages = [
        {"type": "http.request", "body": b"half", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def hand(connections: list[object]) -> None:
        async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(writer)
            writer.close()

        async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            scope = {"method": "POST", "path": "/", "query_string": b"", "headers": []}
            await hand_over(scope, receive, None, "127.0.0.1", port)
            await asyncio.sleep(0)

    connections: list[object] = []
    asyncio.run(hand(connections))
    assert messages == []
    assert connections == []


def test_the_gate_answers_500_itself_where_the_app_raises_before_answering() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise SystemExit(3)

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    gate = Gate(app, title="x", port=1, sources=SourceMap("/nowhere", {}))
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "root_path": "", "scheme": "http"}
    asyncio.run(gate(scope, None, send))
    assert sent[0]["status"] == 500
    assert gate.metrics.exceptions == 1
    assert gate.metrics.in_flight == 0
