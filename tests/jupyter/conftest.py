"""A Jupyter server with the extension, in front of a real platform service with a real app.

Runs with `-p pytest_jupyter.jupyter_server -p no:asyncio -p no:playwright`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDictProxy
from support.platform import Platform, running_platform
from support.reruns import again_from_the_beginning
from yarl import URL

__all__ = ["again_from_the_beginning"]

KITCHEN = Path(__file__).with_name("kitchen.py").read_text()


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    with running_platform() as running:
        yield running


@pytest.fixture(scope="session")
def kitchen(platform: Platform) -> str:
    """The address of the app `kitchen`."""
    return platform.deploy_live("kitchen", KITCHEN)


@pytest.fixture
def _home(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFASTAPI_HOME", str(platform.places.home))


@pytest.fixture
def jp_server_config(_home: None) -> dict[str, Any]:
    return {"ServerApp": {"jpserver_extensions": {"gofastapi_ext": True}}}


@dataclass
class Answer:
    """A whole response."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Jupyter:
    """The server under test, as a client on the wire sees it."""

    port: int
    root: str
    """The path of the extension's routes."""
    token: str

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    def url(self, path: str) -> URL:
        """`path` below the root, as it is."""
        return URL(f"{self.origin}{self.root}{path}", encoded=True)

    @property
    def token_header(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}

    async def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, anonymous: bool = False, **kwargs: Any
    ) -> Answer:
        """A request by the token, or by nobody."""
        sent = {} if anonymous else self.token_header
        async with (
            aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, max_line_size=65536, max_field_size=65536
            ) as session,
            session.request(
                method, self.url(path), headers=sent | (headers or {}), allow_redirects=False, **kwargs
            ) as response,
        ):
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, **kwargs: Any) -> Answer:
        return await self.ask("GET", path, **kwargs)

    async def log_in(self) -> dict[str, str]:
        """The headers of a browser that has opened Jupyter: its login, and the XSRF cookie."""
        answer = await self.get("/api/me")
        pairs = [value.split(";")[0] for value in answer.headers.getall("Set-Cookie")]
        return {"Cookie": "; ".join([*pairs, "_xsrf=known"])}

    async def raw(self, request: bytes, timeout_seconds: float = 10) -> bytes:
        """Send bytes, read until the server closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), timeout_seconds)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def until(self, path: str, wanted: Any, timeout_seconds: float = 30) -> Any:
        """Poll a JSON address until `wanted(answer)` is true, and return the answer."""
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while True:
            seen = (await self.get(path)).json
            if wanted(seen):
                return seen
            assert asyncio.get_running_loop().time() < deadline, seen
            await asyncio.sleep(0.02)


@pytest.fixture
def jupyter(jp_serverapp: Any, http_server_client: Any, jp_http_port: int, jp_base_url: str) -> Jupyter:
    token = jp_serverapp.identity_provider.token
    return Jupyter(port=jp_http_port, root=f"{jp_base_url}gofastapi", token=token)
