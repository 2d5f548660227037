"""Connect to the platform's database, and carry reads and repeatable writes over its restarts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import AutoReconnect, OperationFailure, ServerSelectionTimeoutError

from gofastapi_ext.core.errors import UnavailableError

DATABASE = "gofastapi"
# mongod is restarted in about two seconds; a request rather waits than fails.
_PATIENCE_SECONDS = 15.0
_INDEX_OPTIONS_CONFLICT = 85

Document = dict[str, Any]
Database = AsyncDatabase[Document]
_Result = TypeVar("_Result")


def connect(uri: str) -> AsyncMongoClient[Document]:
    """A client whose writes are on disk when they are acknowledged, and whose times are aware."""
    return AsyncMongoClient(
        uri, tz_aware=True, journal=True, w=1, retryWrites=False, serverSelectionTimeoutMS=2000, maxPoolSize=20
    )


async def patiently(operation: Callable[[], Awaitable[_Result]]) -> _Result:
    """Run `operation`, again where the server went away meanwhile.

    Only for what may run twice: reads, and writes that come to the same. Raises `UnavailableError`.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return await operation()
        except (AutoReconnect, ServerSelectionTimeoutError) as error:
            if time.monotonic() > deadline:
                raise UnavailableError(
                    "The platform's database does not answer. Apps that run go on; try again in a moment."
                ) from error
            await asyncio.sleep(0.1)


async def expire_after(database: Database, collection: str, field: str, seconds: float) -> None:
    """Have documents removed by MongoDB when the time in their `field` is longer ago than this. May be changed."""
    whole = max(1, int(seconds))
    try:
        await database[collection].create_index(field, expireAfterSeconds=whole)
    except OperationFailure as error:
        if error.code != _INDEX_OPTIONS_CONFLICT:
            raise
        index = {"keyPattern": {field: 1}, "expireAfterSeconds": whole}
        await database.command("collMod", collection, index=index)
