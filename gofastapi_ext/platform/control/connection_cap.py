"""An app that opens ever more connections to its database: told of, and where it goes on, restarted."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

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
        above = {app: (user, count) for (user, app), count in held.items() if count > self._cap}
        for app in [app for app in self._rounds if app not in above]:
            del self._rounds[app], self._since[app]
        for app, (user, count) in above.items():
            record = await self._apps.get(app)
            if record is None or record.owner != user:
                continue
            self._rounds[app] = self._rounds.get(app, 0) + 1
            self._since.setdefault(app, time.monotonic())
            if self._rounds[app] == 1:
                self._tell(user, app, count, "Make one client for the whole app, not one for each request.")
            elif self._rounds[app] % _ROUNDS == 0:
                await self._restart(user, app, count)

    async def _restart(self, user: str, app: str, count: int) -> None:
        record, supervisor = await self._apps.get(app), self._supervisors.find(app)
        if record is None or supervisor is None or not supervisor.is_serving:
            return
        seconds = time.monotonic() - self._since[app]
        self._tell(user, app, count, f"That has been so for {seconds:.0f} s: it is restarted, without a pause.")
        try:
            async for event in self._deployments.restart(record, _BY):
                if event.stage is Stage.FAILED:
                    logger.warning("%s has too many connections and was not restarted", app)
        except GoFastAPIError as error:
            logger.info("%s has too many connections and is restarted later: %s", app, error.message)

    def _tell(self, user: str, app: str, count: int, what: str) -> None:
        message = f"It holds {count} connections to its database; {self._cap} are allowed. {what}"
        details = {"connections": count, "cap": self._cap}
        self._events.publish(EventKind.TOO_MANY_CONNECTIONS, message, owner=user, app=app, details=details)
