"""Asks apps for their /health."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING

from gofastapi_ext.core.health import HealthCheck, problem_of

if TYPE_CHECKING:
    from aiohttp import ClientSession


class Prober:
    """A connection for each question, so that none stays open to a process that is to go."""

    def __init__(self, headers: Mapping[str, str], *, at_once: int = 100, timeout_seconds: float = 5.0) -> None:
        self._headers = {"User-Agent": "GoFastAPI"} | dict(headers)
        self._places = asyncio.Semaphore(at_once)
        self._timeout_seconds = timeout_seconds
        self._session: ClientSession | None = None

    async def ask(self, url: str) -> HealthCheck:
        """What the app at `url` answers. Never raises. A redirect is an answer, which nobody follows.

        Only so many are asked at once; the timeout is of the question itself, not of waiting for its turn.
        """
        if self._session is None:
            # Beside the event loop: it takes a tenth of a second, in which others are served.
            await asyncio.to_thread(import_module, "aiohttp")
        import aiohttp

        status: int | None = None
        problem: str | None = None
        async with self._places:
            session = self._session = self._session or self._connect()
            at, started = datetime.now(UTC), time.perf_counter()
            try:
                async with session.get(f"{url}/health", allow_redirects=False) as response:
                    status = response.status
                problem = problem_of(status)
            except TimeoutError:
                problem = f"/health did not answer within {self._timeout_seconds:g} s"
            except aiohttp.ClientConnectorError:
                problem = "it accepts no connection"
            except (aiohttp.ServerDisconnectedError, OSError):
                problem = "it closed the connection without an answer"
            except (aiohttp.ClientError, ValueError):
                problem = "what /health answered is not HTTP"
        return HealthCheck(at=at, status=status, seconds=round(time.perf_counter() - started, 4), problem=problem)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _connect(self) -> ClientSession:
        # Imported here: a service that has nothing to ask does without its 10 MB.
        import aiohttp

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            auto_decompress=False,
        )
