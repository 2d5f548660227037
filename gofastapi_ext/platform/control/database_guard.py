"""Keeps every database within its bounds: its size, how long an operation may run, how many connections an app has."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from gofastapi_ext.core.data import writable_below
from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.platform.control.connection_cap import ConnectionCap
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.databases.refusals import is_unauthorized
from gofastapi_ext.platform.databases.server import MongoServer
from gofastapi_ext.platform.databases.watch import Operation, ServerWatch
from gofastapi_ext.platform.settings import Settings
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.database import patiently
from gofastapi_ext.platform.store.databases import BindingRecord

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 60.0
_NOT_ALLOWED = (
    "The user of GOFASTAPI_MONGO_URI may not look after databases: sizes, operations and connections go unwatched as "
    "far as that goes. Give it the role root. %s"
)


class DatabaseGuard:
    """A loop. Each round looks at the server once, and at each database once."""

    def __init__(
        self,
        databases: Databases,
        server: MongoServer,
        watch: ServerWatch,
        apps: AppStore,
        connections: ConnectionCap,
        events: EventFeed,
        telemetry: Telemetry,
        settings: Settings,
    ) -> None:
        self._databases = databases
        self._server = server
        self._watch = watch
        self._apps = apps
        self._connections = connections
        self._events = events
        self._telemetry = telemetry
        self._limit_bytes = settings.database_limit_bytes
        self._operation_seconds = settings.database_operation_seconds
        self._interval_seconds = settings.database_check_seconds
        self._not_allowed: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="databases")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_seconds)
            # One thing that cannot be done must not keep the others from being done.
            for work in (self._watch_server, self._watch_sizes, self._tidy_up):
                try:
                    with self._telemetry.loop(f"databases{work.__name__.removeprefix('_watch')}"):
                        await work()
                except GoFastAPIError as error:
                    logger.warning("databases: %s", error.message)
                except Exception as error:
                    if not is_unauthorized(error):
                        logger.exception("databases")
                    elif work.__name__ not in self._not_allowed:
                        self._not_allowed.add(work.__name__)
                        logger.warning(_NOT_ALLOWED, error)

    async def _watch_server(self) -> None:
        """End what runs for too long, and count connections."""
        owners = {name: record for record in await self._databases.all() for name in _names(record)}
        operations, counts = await patiently(lambda: self._watch.look(self._operation_seconds))
        mine = [operation for operation in operations if operation.database in owners]
        for operation in mine:
            await self._end(operation)
        same: dict[tuple[str, str | None, str, str], list[Operation]] = defaultdict(list)
        for operation in mine:
            same[owners[operation.database].user, operation.app, operation.collection, operation.shape].append(
                operation
            )
        for (user, app, _, _), found in same.items():
            self._tell_ended(user, await self._app_of(user, app), found)
        held: Counter[tuple[str, str]] = Counter()
        for (database, app), count in counts.items():
            if app is not None and database in owners:
                held[owners[database].user, app] += count
        await self._connections.heed(held)

    def _tell_ended(self, user: str, app: str | None, found: list[Operation]) -> None:
        longest = max(found, key=lambda operation: operation.seconds)
        times = "" if len(found) == 1 else f" {len(found)} times at once"
        details: dict[str, Any] = {
            "database": longest.database,
            "collection": longest.collection,
            "shape": longest.shape,
            "seconds": round(longest.seconds, 1),
            "count": len(found),
        }
        message = (
            f"An operation in the database ran for {longest.seconds:.0f} s{times} and was ended; "
            f"{self._operation_seconds:g} s are allowed. On {longest.collection or 'the database'}: {longest.shape}"
        )
        self._events.publish(EventKind.OPERATION_ENDED, message, owner=user, app=app, details=details)

    async def _app_of(self, user: str, app: str | None) -> str | None:
        """An app's name comes from its client, which may say anything: only one of the user's own counts."""
        if app is None:
            return None
        record = await self._apps.get(app)
        return app if record is not None and record.owner == user else None

    async def _watch_sizes(self) -> None:
        records = await self._databases.all()
        if (unclean := self._server.unclean_start) is not None:
            for record in records:
                await self._count_anew(record.name)
            self._server.made_right(unclean)
        for record in records:
            size = await self._size_bytes(record.name)
            if self._server.unclean_start is not None:
                return  # it crashed just now: this is not to be relied on
            if not record.over_limit and size > self._limit_bytes:
                await self._databases.limit(record, over_limit=True)
                self._tell_full(record, size)
            elif record.over_limit and size < writable_below(self._limit_bytes):
                await self._databases.limit(record, over_limit=False)
                said = f"The database takes writes again: it holds {format_bytes(size)}."
                self._publish(EventKind.DATABASE_WRITABLE, said, record, size)

    async def _size_bytes(self, database: str) -> int:
        return await patiently(lambda: self._watch.size_bytes(database))

    async def _count_anew(self, database: str) -> None:
        await patiently(lambda: self._watch.count_anew(database))

    async def _end(self, operation: Operation) -> None:
        await patiently(lambda: self._watch.end(operation))

    def _tell_full(self, record: BindingRecord, size: int) -> None:
        what = "The database" if record.branch is None else f'The branch "{record.branch}" of the database'
        message = (
            f"{what} is over its limit, with {format_bytes(size)} of {format_bytes(self._limit_bytes)}, and takes no "
            "more writes. Reading and deleting go on. To see what is large: gofastapi db. Once it holds less than "
            f"{format_bytes(writable_below(self._limit_bytes))}, writes are taken again."
        )
        self._publish(EventKind.DATABASE_FULL, message, record, size)

    def _publish(self, kind: EventKind, message: str, record: BindingRecord, size: int) -> None:
        details = {"database": record.name, "bytes": size, "limit_bytes": self._limit_bytes}
        self._events.publish(kind, message, owner=record.user, details=details)

    async def _tidy_up(self) -> None:
        """What was retired and is used no more; connections nobody needs."""
        await self._databases.close_idle(_IDLE_SECONDS)
        await self._databases.drop_all_retired()


def _names(record: BindingRecord) -> Iterable[str]:
    """Of every database that is, or was, the user's."""
    return {record.name, *(retired.name for retired in record.retiring)}
