"""What the server is doing for whom: the size of databases, operations that run, connections. With all rights."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from gofastapi_ext.platform.databases.shapes import shape_of
from gofastapi_ext.platform.databases.stats import counted_bytes
from gofastapi_ext.platform.databases.users import APP_PREFIX, Document


@dataclass(frozen=True)
class Operation:
    """One that runs for the credentials of a user's database."""

    id: Any
    database: str
    """Whose credentials they are: the server knows, and no client can say otherwise."""
    app: str | None
    """As the client calls itself."""
    seconds: float
    collection: str
    shape: str


class ServerWatch:
    """Looks at every user's operations, and ends some."""

    def __init__(self, client: AsyncMongoClient[Document]) -> None:
        self._client = client

    async def size_bytes(self, database: str) -> int:
        """What counts against the limit."""
        return await counted_bytes(self._client[database])

    async def count_anew(self, database: str) -> None:
        """Have sizes and counts made right after a crash: until then the server says what it knew before it."""
        found = await (await self._client[database].list_collections()).to_list()
        for each in found:
            if each.get("type") != "view":
                # It may have been dropped meanwhile, or be MongoDB's own.
                with contextlib.suppress(OperationFailure):
                    await self._client[database].command("validate", each["name"])

    async def look(self, longer_than_seconds: float) -> tuple[list[Operation], Counter[tuple[str, str | None]]]:
        """The operations that have run for longer, and how many connections each app has, by database and app."""
        stages: list[Document] = [
            {"$currentOp": {"allUsers": True, "idleConnections": True}},
            {"$match": {"effectiveUsers.0": {"$exists": True}, "connectionId": {"$exists": True}}},
        ]
        operations: list[Operation] = []
        connections: dict[tuple[str, str | None], set[Any]] = {}
        async with await self._client.admin.aggregate(stages) as cursor:
            async for found in cursor:
                database, app = found["effectiveUsers"][0]["db"], _app(found)
                connections.setdefault((database, app), set()).add(found["connectionId"])
                seconds = found.get("microsecs_running", 0) / 1_000_000
                if seconds >= longer_than_seconds and _is_work(found):
                    operations.append(_operation(found, database, app, seconds))
        return operations, Counter({key: len(ids) for key, ids in connections.items()})

    async def end(self, operation: Operation) -> None:
        """End it at the next point where the server can. One that is over already is none of anybody's business."""
        await self._client.admin.command("killOp", op=operation.id)


def _is_work(found: Mapping[str, Any]) -> bool:
    """Whether it computes, rather than waits to be told something."""
    command, cursor = found.get("command", {}), found.get("cursor", {})
    if not found.get("active") or found.get("waitingForLock") or cursor.get("tailable"):
        return False
    return not any(name in command for name in ("hello", "isMaster", "ismaster"))


def _operation(found: Mapping[str, Any], database: str, app: str | None, seconds: float) -> Operation:
    command = found.get("cursor", {}).get("originatingCommand") or found.get("command", {})
    kind = found.get("op", "")
    if kind in ("update", "remove") and kind not in command:
        command = {kind: None, **command}
    return Operation(
        id=found["opid"],
        database=database,
        app=app,
        seconds=seconds,
        collection=found.get("ns", "").partition(".")[2],
        shape=shape_of(command),
    )


def _app(found: Mapping[str, Any]) -> str | None:
    name = found.get("appName", "")
    return name.removeprefix(APP_PREFIX) if name.startswith(APP_PREFIX) else None
