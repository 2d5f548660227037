"""A warm Python that imports apps in forks of itself and tells what they answer. One JSON line in, one out."""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient


def main() -> None:
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            with os.fdopen(writer, "w") as sink:
                sink.write(json.dumps(_look(json.loads(line))))
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as source:
            answer = source.read()
        os.waitpid(child, 0)
        sys.stdout.write((answer or json.dumps({"error": "the process died"})) + "\n")
        sys.stdout.flush()


def _look(order: dict[str, Any]) -> dict[str, Any]:
    """Import the app in `folder`, start it, and send it `requests`: method, path and, where there is one, JSON."""
    module, _, name = order["entrypoint"].partition(":")
    os.chdir(order["folder"])
    sys.path.insert(0, order["folder"])
    sys.dont_write_bytecode = True
    with tempfile.TemporaryFile("w+") as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
        try:
            app = getattr(importlib.import_module(module), name)
            found: dict[str, Any] = {"openapi": json.dumps(_inner(app).openapi()), "routes": list(_routes(_inner(app)))}
            with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
                found["answers"] = [_answer(client, request) for request in order["requests"]]
        except BaseException:
            found = {"error": traceback.format_exc()}
        sys.stdout.flush()
        printed.seek(0)
        # Where the two versions are is no difference between them.
        return found | {"printed": printed.read().replace(order["folder"], "")}


def _inner(app: Any) -> FastAPI:
    while not isinstance(app, FastAPI):
        app = app.app
    return app


def _routes(app: FastAPI) -> Iterator[str]:
    for context in iter_route_contexts(app.routes):
        route = getattr(context, "starlette_route", None) or context
        yield f"{route.path} {sorted(getattr(context, 'methods', None) or [])} {route.name}"


def _answer(client: TestClient, request: list[Any]) -> Any:
    method, path, *body = request
    if method == "WS":
        with client.websocket_connect(path) as socket:
            return socket.receive_text()
    response = client.request(method, path, json=body[0] if body else None)
    headers = {name: response.headers.get(name) for name in ("allow", "location", "content-type", "x-seen")}
    return [response.status_code, headers, response.text.replace(str(Path.cwd()), "")]


if __name__ == "__main__":
    main()
