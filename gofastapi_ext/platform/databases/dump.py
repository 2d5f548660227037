"""A database into parts of an archive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bson import json_util
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import InvalidName, OperationFailure

from gofastapi_ext.core.documents.names import STAGING_PREFIX
from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.platform.databases.archive.manifest import CollectionEntry, Kind, path_of
from gofastapi_ext.platform.databases.archive.writer import Spool
from gofastapi_ext.platform.databases.consistency import Reading
from gofastapi_ext.platform.databases.progress import Progress

# What MongoDB keeps for itself: measurements are read through their collection, views are made from their definition.
_OWN = ("system.buckets.", "system.views", "system.profile")
# MongoDB would fill 16 MB each time, which are in memory more than once.
_BATCH_BYTES = 2_000_000
_MOST_DOCUMENTS = 2000
_SNAPSHOT_NOT_SUPPORTED = frozenset({20, 246, 5054})  # IllegalOperation, SnapshotUnavailable


@dataclass(frozen=True)
class Dumped:
    entries: list[CollectionEntry]
    notes: list[str]


async def dump(
    client: AsyncMongoClient[dict[str, Any]],
    database: str,
    reading: Reading,
    spool: Spool,
    tell: Callable[[Progress], None],
) -> Dumped:
    """Every collection, view and index definition of the database, as it is in `reading`. Memory is bounded."""
    found = await _listed(client[database])
    entries: list[CollectionEntry] = []
    notes: list[str] = []
    documents = 0
    for info in found:
        name, kind, options = info["name"], Kind(info["type"]), info.get("options", {})
        if "encryptedFields" in options:
            raise UnavailableError(
                f'"{name}" is encrypted by its fields (Queryable Encryption), which backups do not support.'
            )
        indexes = [] if kind is Kind.VIEW else await _indexes(client[database], name)
        metadata = {"options": options, "indexes": indexes, "collectionName": name, "type": kind.value}
        text = json_util.dumps(metadata, json_options=json_util.CANONICAL_JSON_OPTIONS).encode()
        part = await asyncio.to_thread(spool.add, path_of(database, name, "metadata.json"), text)
        if kind is Kind.VIEW:
            entries.append(CollectionEntry(name=name, kind=kind, metadata=part))
            continue
        tell(Progress(name, documents))
        data = spool.begin(path_of(database, name, "bson"))
        count = 0
        try:
            async for batch in _batches(client[database], name, options, reading, notes):
                await asyncio.to_thread(data.write, batch)
                count += _count(batch)
                tell(Progress(name, documents + count))
        finally:
            closed = data.close()
        documents += count
        entries.append(CollectionEntry(name=name, kind=kind, metadata=part, data=closed, documents=count))
    return Dumped(entries, notes)


async def _listed(database: AsyncDatabase[dict[str, Any]]) -> list[dict[str, Any]]:
    cursor = await database.list_collections()
    left_out = (*_OWN, STAGING_PREFIX)
    found = [dict(info) for info in await cursor.to_list() if not info["name"].startswith(left_out)]
    return sorted(found, key=lambda info: str(info["name"]))


async def _indexes(database: AsyncDatabase[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    try:
        cursor = await database[name].list_indexes()
    except InvalidName as error:
        raise UnavailableError(f'"{name}" has a name that cannot be backed up: {error}. Rename it.') from None
    return [dict(index) for index in await cursor.to_list()]


async def _batches(
    database: AsyncDatabase[dict[str, Any]], name: str, options: dict[str, Any], reading: Reading, notes: list[str]
) -> Any:
    """The documents as they are stored, some at a time, in their natural order."""
    session = reading.session
    if session is not None and options.get("capped"):
        session = None
        notes.append(
            f'"{name}" is capped: on a replica set MongoDB reads such a one only as it is while it is copied, '
            "not at the moment of the others."
        )
    statistics = await database.command("collStats", name)
    size = max(1, min(_MOST_DOCUMENTS, _BATCH_BYTES // max(1, int(statistics.get("avgObjSize", 1)))))
    try:
        async for batch in database[name].find_raw_batches({}, batch_size=size, session=session):
            yield batch
    except OperationFailure as error:
        if session is not None and error.code in _SNAPSHOT_NOT_SUPPORTED:
            raise UnavailableError(f'"{name}" cannot be read in a snapshot: {error}') from error
        raise


def _count(batch: bytes) -> int:
    """How many documents there are in BSON."""
    at = count = 0
    while at < len(batch):
        at += int.from_bytes(batch[at : at + 4], "little")
        count += 1
    return count
