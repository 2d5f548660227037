"""Sends the request of an error again, to what is running now, and to nothing else."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import time
from typing import TYPE_CHECKING

from gofastapi_ext.core.app_errors import Answer, ReplayRequest, ReplayView
from gofastapi_ext.core.errors import ConflictError, InvalidRequestError, UnavailableError
from gofastapi_ext.core.lifecycle import State, shown_state
from gofastapi_ext.core.replay import can_be_sent, check_headers, headers_to_send, request_target, what_lacks
from gofastapi_ext.platform.control.errors import Errors
from gofastapi_ext.platform.runtimes.base import Runtime
from gofastapi_ext.platform.store.apps import AppRecord

if TYPE_CHECKING:
    from aiohttp import ClientResponse

# An app that is asleep starts first.
_ANSWER_WITHIN_SECONDS = 60.0
# Of an answer that goes on and on, this long and this much is read.
_BODY_WITHIN_SECONDS = 5.0
_MAX_ANSWER_BYTES = 64_000
# What aiohttp would say by itself; the request is to be what it was.
_NOT_BY_ITSELF = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Replays:
    """The use case: one request, one answer, beside the one that was."""

    def __init__(self, errors: Errors, runtime: Runtime) -> None:
        self._errors = errors
        self._runtime = runtime

    async def replay(self, error_id: str, owner: str, request: ReplayRequest) -> ReplayView:
        """Raises `NotFoundError`, `ConflictError` where nothing runs, `UnavailableError` where nothing answers."""
        given = check_headers(request.headers)
        app, record = await self._errors.find(error_id, owner)
        if not can_be_sent(record.method):
            raise InvalidRequestError("This error came up in a WebSocket, which cannot be opened again from here.")
        port = _port(app)
        stored = record.request
        body = stored.whole_body if request.body is None else request.body.encode()
        before = Answer(status=record.status, body=record.answer)
        now = await self._ask(
            app.id,
            port,
            record.method,
            request_target(stored.path),
            headers_to_send(stored.headers, given),
            body,
        )
        return ReplayView(
            error=await self._errors.view(app, record),
            version=app.live_version or 0,
            before=before,
            now=now,
            left_out=what_lacks(stored.path, stored.headers, lacks_body=body is None, given=given),
        )

    async def _ask(
        self, app_id: str, port: int, method: str, target: str, headers: dict[str, str], body: bytes | None
    ) -> Answer:
        # Only who replays something needs it; it takes 10 MB.
        from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar
        from yarl import URL

        # Built from parts, none of which is read again: nothing in the path can be taken for a host.
        base, (path, _, query) = URL(self._runtime.url(port)), target.partition("?")
        url = URL.build(
            scheme=base.scheme, host=base.host or "", port=base.port, path=path, query_string=query, encoded=True
        )
        started = time.monotonic()
        session = ClientSession(
            timeout=ClientTimeout(total=None),
            cookie_jar=DummyCookieJar(),
            skip_auto_headers=_NOT_BY_ITSELF,
            auto_decompress=False,
        )
        try:
            async with session:
                async with asyncio.timeout(_ANSWER_WITHIN_SECONDS):
                    response = await session.request(
                        method, url, headers=headers, data=body or None, allow_redirects=False
                    )
                content = await _beginning(response)
                text = _text(content, response)
                response.close()
        except TimeoutError:
            raise UnavailableError(f'"{app_id}" did not answer within {_ANSWER_WITHIN_SECONDS:.0f} s.') from None
        except (ClientError, ValueError):
            raise UnavailableError(
                f'"{app_id}" gave no answer to the request. Its log may say why: gofastapi logs {app_id}'
            ) from None
        return Answer(
            status=response.status,
            content_type=response.headers.get("Content-Type", "")[:200] or None,
            body=text,
            seconds=time.monotonic() - started,
        )


def _port(app: AppRecord) -> int:
    """Where the app listens. Raises `ConflictError` where nobody would answer."""
    state = shown_state(app.target, app.status)
    if state in (State.STOPPED, State.STOPPING):
        raise ConflictError(f'"{app.id}" is stopped. Start it first: gofastapi start {app.id}')
    if app.live_version is None or app.port is None:
        raise ConflictError(f'Nothing of "{app.id}" is live.')
    if state is State.FAILED:
        raise ConflictError(f'"{app.id}" does not run. {app.reason or ""}'.rstrip())
    return app.port


async def _beginning(response: ClientResponse) -> bytes:
    from aiohttp import ClientPayloadError

    content = bytearray()
    with contextlib.suppress(TimeoutError, ClientPayloadError):
        async with asyncio.timeout(_BODY_WITHIN_SECONDS):
            while len(content) < _MAX_ANSWER_BYTES:
                chunk = await response.content.read(_MAX_ANSWER_BYTES - len(content))
                if not chunk:
                    break
                content += chunk
    return bytes(content)


def _text(content: bytes, response: ClientResponse) -> str | None:
    """The answer as text, or None where it is none."""
    if "Content-Encoding" in response.headers:
        return None
    try:
        decoder = codecs.getincrementaldecoder(response.charset or "utf-8")()
        # What was cut may end in the middle of a character.
        text = decoder.decode(content)
    except (LookupError, UnicodeError):
        return None
    return None if "\0" in text else text
