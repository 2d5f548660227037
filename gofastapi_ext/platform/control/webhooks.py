"""Sends one message to one webhook."""

from __future__ import annotations

import asyncio
import time
from importlib import import_module
from typing import TYPE_CHECKING

from gofastapi_ext.core.alerts import SIGNATURE_HEADER, TIMESTAMP_HEADER, AlertMessage, sign

if TYPE_CHECKING:
    from aiohttp import ClientSession


class Sender:
    """Posts messages, each on a connection of its own. Neither address nor secret is in what it says."""

    def __init__(self, *, timeout_seconds: float = 10.0) -> None:
        self._timeout_seconds = timeout_seconds
        self._session: ClientSession | None = None

    async def post(self, url: str, secret: str, message: AlertMessage) -> str | None:
        """What kept the message from being taken, in words; None where it was. Never raises.

        Taken is an answer of 2xx. Redirects are not followed, bodies of answers not read.
        """
        if self._session is None:
            # Beside the event loop: it takes a tenth of a second, in which others are served.
            await asyncio.to_thread(import_module, "aiohttp")
        import aiohttp

        session = self._session = self._session or self._connect()
        body, timestamp = message.model_dump_json().encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(secret, timestamp, body),
        }
        try:
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                status = response.status
        except TimeoutError:
            return f"no answer within {self._timeout_seconds:g} s"
        except aiohttp.ClientSSLError:
            return "its certificate is not to be trusted"
        except aiohttp.ClientConnectorError:
            return "it cannot be reached"
        except (aiohttp.ServerDisconnectedError, OSError):
            return "it closed the connection without an answer"
        except (aiohttp.ClientError, ValueError):
            return "its answer is not HTTP"
        return None if 200 <= status < 300 else f"it answered {status}"

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _connect(self) -> ClientSession:
        import aiohttp

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "GoFastAPI"},
            auto_decompress=False,
        )
