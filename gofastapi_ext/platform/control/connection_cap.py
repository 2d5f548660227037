"""An app that opens ever more connections to its database: told of, and where it goes on, restarted."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.platform.control.deployments import Deployments
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.supervisors import Supervisors
from gofastapi_ext.platform.store.apps import AppStore

logger = logging.getLogger(__name__)

_BY = "gofastapi"
# Rounds in a row above the cap: an old instance beside a new one holds its connections for a while, too.
_ROUNDS = 12


@dataclass(frozen=True)
class _Excess:
    """An app that holds more connections than its `cap`."""

    user: str
    app: str
    count: int
    cap: int


class ConnectionCap:
    """Counts by the name that an app's client gives, and by the credentials, which it cannot choose."""

    def __init__(
        self, apps: AppStore, supervisors: Supervisors, deployments: Deployments, events: EventFeed, cap: int
    ) -> None:
        self._apps = apps
        self._supervisors = supervisors
        self._deployments = deployments
        self._events = events
        self._cap = cap
        self._rounds: dict[str, int] = {}
        self._since: dict[str, float] = {}

    async def heed(self, held: Mapping[tuple[str, str], int]) -> None:
        """A round: the connections of each user and app."""
        above = {each.app: each for each in [await self._measured(*key, count) for key, count in held.items()] if each}
        for app in [app for app in self._rounds if app not in above]:
            del self._rounds[app], self._since[app]
        for app, excess in above.items():
            self._rounds[app] = self._rounds.get(app, 0) + 1
            self._since.setdefault(app, time.monotonic())
            if self._rounds[app] == 1:
                self._tell(excess, "Make one client for the whole app, not one for each request.")
            elif self._rounds[app] % _ROUNDS == 0:
                await self._restart(excess)

    async def _measured(self, user: str, app: str, count: int) -> _Excess | None:
        """None where it holds no more than it may; each of its workers has a client of its own."""
        if count <= self._cap:
            return None
        record, supervisor = await self._apps.get(app), self._supervisors.find(app)
        workers = len(supervisor.instances()) if supervisor is not None else 0
        if record is None or record.owner != user or count <= (cap := self._cap * max(workers, 1)):
            return None
        return _Excess(user, app, count, cap)

    async def _restart(self, excess: _Excess) -> None:
        app = excess.app
        record, supervisor = await self._apps.get(app), self._supervisors.find(app)
        if record is None or supervisor is None or not supervisor.is_serving:
            return
        seconds = time.monotonic() - self._since[app]
        self._tell(excess, f"That has been so for {seconds:.0f} s: it is restarted, without a pause.")
        try:
            async for event in self._deployments.restart(record, _BY):
                if event.stage is Stage.FAILED:
                    logger.warning("%s has too many connections and was not restarted", app)
        except GoFastAPIError as error:
            logger.info("%s has too many connections and is restarted later: %s", app, error.message)

    def _tell(self, excess: _Excess, what: str) -> None:
        message = f"It holds {excess.count} connections to its database; {excess.cap} are allowed. {what}"
        details = {"connections": excess.count, "cap": excess.cap}
        self._events.publish(
            EventKind.TOO_MANY_CONNECTIONS, message, owner=excess.user, app=excess.app, details=details
        )
