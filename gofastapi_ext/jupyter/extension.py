"""Enters the relays into a Jupyter server, and closes their connections when it stops."""

from __future__ import annotations

import asyncio
import re
from importlib import import_module
from typing import TYPE_CHECKING, cast

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from tornado.httputil import HTTPServerRequest
from tornado.routing import PathMatches, Rule
from tornado.web import Application

from gofastapi_ext.client.places import find_places
from gofastapi_ext.jupyter.apps import AppRelay, AppSocket
from gofastapi_ext.jupyter.gate import Connect
from gofastapi_ext.jupyter.relay import ApiRelay, Nothing

if TYPE_CHECKING:
    from gofastapi_ext.jupyter.upstream import Upstream


class GoFastAPIExtension(ExtensionApp):
    """`jupyter server extension list` knows it by `name`. Loading it starts and connects nothing."""

    name = "gofastapi"
    load_other_extensions = True
    _upstream: Upstream | None = None

    async def connect(self) -> Upstream:
        """The connections to platform and apps, made on first use."""
        if self._upstream is None:
            # Its HTTP client takes longer to import than a server should take to load an extension.
            module = await asyncio.to_thread(import_module, "gofastapi_ext.jupyter.upstream")
            self._upstream = self._upstream or module.Upstream(find_places())
        return self._upstream

    def initialize_handlers(self) -> None:
        web_app: Application = cast(ServerApp, self.serverapp).web_app
        web_app.add_handlers(".*$", rules(web_app.settings["base_url"], self.connect))

    async def stop_extension(self) -> None:
        if self._upstream is not None:
            await self._upstream.close()


def rules(base_url: str, connect: Connect) -> list[Rule]:
    """Every route of the extension. `base_url` ends with a slash."""
    root = f"{base_url}gofastapi"
    shared = {"root": root, "connect": connect}
    start = re.escape(root)
    return [
        Rule(PathMatches(f"{start}/api/.*"), ApiRelay, shared),
        Rule(_HandshakeMatches(f"{start}/apps/[^/]+(?:/.*)?"), AppSocket, shared),
        Rule(PathMatches(f"{start}/apps/[^/]+(?:/.*)?"), AppRelay, shared),
        Rule(PathMatches(f"{start}(?:/.*)?"), Nothing, shared),
    ]


class _HandshakeMatches(PathMatches):
    """A path, asked for by somebody who wants a WebSocket there."""

    def match(self, request: HTTPServerRequest) -> dict[str, object] | None:
        wants_socket = request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"
        return super().match(request) if wants_socket else None
