"""Which port an app listens on: asked of the platform, and known for a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gofastapi_ext.core.errors import InternalError, InvalidNameError, NotFoundError, UnavailableError
from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.core.naming import check_app_id

_KNOWN_SECONDS = 1.0
_MAX_KNOWN = 200
_AWAY = frozenset({State.NEW, State.FAILED, State.STOPPING, State.DELETED})

Ask = Callable[[str], Awaitable[tuple[int, bytes]]]
"""Status and body of the platform's answer to `GET /api/apps/{id}`."""


@dataclass(frozen=True)
class _Answer:
    asked_at: float
    port: asyncio.Task[int]

    def is_fresh(self, now: float) -> bool:
        """Under way, or a port learned less than a second ago. An error is never kept."""
        if not self.port.done():
            return True
        failed = self.port.cancelled() or self.port.exception() is not None
        return not failed and now - self.asked_at < _KNOWN_SECONDS


class Ports:
    """Asks once for all who want to know at the same time."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._answers: dict[str, _Answer] = {}

    async def of(self, app_id: str) -> int:
        """The port of a running app.

        Raises `NotFoundError` where there is no such app, `UnavailableError` where it does not run.
        """
        try:
            check_app_id(app_id)
        except InvalidNameError as error:
            raise NotFoundError("There is no such app.") from error
        now = asyncio.get_running_loop().time()
        answer = self._answers.get(app_id)
        if answer is None or not answer.is_fresh(now):
            if len(self._answers) >= _MAX_KNOWN:
                self._answers = {key: kept for key, kept in self._answers.items() if kept.is_fresh(now)}
            answer = self._answers[app_id] = _Answer(now, asyncio.create_task(self._port_of(app_id)))
        # Shielded: who asked first may leave, others wait for the same answer.
        return await asyncio.shield(answer.port)

    def forget(self, app_id: str) -> None:
        """Ask again next time: nothing answered at the port."""
        self._answers.pop(app_id, None)

    async def _port_of(self, app_id: str) -> int:
        return read_port(app_id, *await self._ask(app_id))


def read_port(app_id: str, status: int, body: bytes) -> int:
    """The port in the platform's view of an app. Raises as `Ports.of` does."""
    if status == 404:
        raise NotFoundError(f"There is no app {app_id}.")
    try:
        view = json.loads(body)
        if status != 200:
            raise UnavailableError(str(view["message"]))
        state, port, reason = view["state"], view["port"], view.get("reason")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InternalError(f"The GoFastAPI service answered {status} without an explanation.") from None
    if state in _AWAY or not isinstance(port, int) or not 0 < port < 65536:
        raise UnavailableError(f"{app_id} is not running. {reason or f'It is {state}.'}")
    return port
