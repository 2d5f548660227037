"""The ASGI lifespan of an app: start it up, shut it down."""

from __future__ import annotations

import asyncio
from typing import Any


class LifespanError(Exception):
    """The app said its start-up failed, without raising."""


class Lifespan:
    """Runs the app's lifespan in a task of its own. An app without one is left in peace."""

    def __init__(self, app: Any) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self._supported = True
        self._failure: str | None = None

    async def startup(self) -> None:
        """Return when the app is ready. Raises what the app raised while it started."""
        self._to_app.put_nowait({"type": "lifespan.startup"})
        self._task = asyncio.create_task(self._run(), name="lifespan")
        await self._started

    async def shutdown(self) -> None:
        """Let the app clean up. Raises what it raised while doing so."""
        if self._task is None or self._task.done() or not self._supported:
            return
        self._to_app.put_nowait({"type": "lifespan.shutdown"})
        await self._stopped

    def cancel(self) -> None:
        """Give the start-up up: the app's own await is cancelled, so its traceback says which."""
        if self._task is not None and not self._started.done():
            self._task.cancel()

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._app(scope, self._to_app.get, self._send)
        except BaseException as error:
            self._ended(error)
        else:
            self._ended(None)

    def _ended(self, error: BaseException | None) -> None:
        """The app's callable returned or raised: settle whoever waits for it."""
        if not self._started.done():
            if self._failure is not None:
                self._started.set_exception(_startable(error) or LifespanError(self._failure))
            elif error is not None and not isinstance(error, Exception):
                self._started.set_exception(_startable(error) or error)
            else:
                # Raising without a word before is how an app says that it has no lifespan.
                self._supported = False
                self._started.set_result(None)
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def _send(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "lifespan.startup.complete":
                _resolve(self._started)
            case "lifespan.startup.failed":
                # The exception itself says more than this text; Starlette raises it right after.
                self._failure = message.get("message", "").strip() or "the app's start-up failed"
                asyncio.get_running_loop().call_later(1.0, _fail, self._started, self._failure)
            case "lifespan.shutdown.complete":
                _resolve(self._stopped)
            case "lifespan.shutdown.failed":
                _fail(self._stopped, message.get("message", "").strip() or "the app's shutdown failed")


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _fail(future: asyncio.Future[None], message: str) -> None:
    if not future.done():
        future.set_exception(LifespanError(message))


def _startable(error: BaseException | None) -> BaseException | None:
    """The error as a future can carry it."""
    if error is None or isinstance(error, Exception):
        return error
    return LifespanError(f"its start-up ended with {error!r}").with_traceback(error.__traceback__)
