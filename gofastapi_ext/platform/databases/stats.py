"""What is in a database, and how large it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from pymongo.errors import OperationFailure

from gofastapi_ext.core.data import CollectionKind, CollectionView, IndexView
from gofastapi_ext.platform.databases.users import Document, UserDatabase

_AT_ONCE = 4
_MAX_TIME_MS = 10_000


async def counted_bytes(database: UserDatabase) -> int:
    """What counts against the limit: documents as they are when they are read, and indexes.

    Of an index, what deleted entries left free does not count, so that deleting frees space. Unlike files, which
    keep their size.
    """
    found = await database.command("dbStats", freeStorage=1, maxTimeMS=_MAX_TIME_MS)
    return int(found["dataSize"] + found["indexSize"] - found.get("indexFreeStorageSize", 0))


async def collections_of(database: UserDatabase) -> list[CollectionView]:
    """Every collection and view, by name; MongoDB's own are left out."""
    found = await (await database.list_collections(maxTimeMS=_MAX_TIME_MS)).to_list()
    mine = sorted((each for each in found if not each["name"].startswith("system.")), key=lambda each: each["name"])
    limit = asyncio.Semaphore(_AT_ONCE)

    async def view(name: str, kind: str) -> CollectionView | None:
        async with limit:
            return await _view(database, name, CollectionKind(kind))

    views = await asyncio.gather(*(view(each["name"], each.get("type", "collection")) for each in mine))
    return [view for view in views if view is not None]


async def _view(database: UserDatabase, name: str, kind: CollectionKind) -> CollectionView | None:
    if kind is CollectionKind.VIEW:
        return CollectionView(name=name, kind=kind)
    stages: list[Document] = [{"$collStats": {"storageStats": {}}}]
    try:
        parts = await (await database[name].aggregate(stages, maxTimeMS=_MAX_TIME_MS)).to_list()
        indexes = await (await database[name].list_indexes()).to_list()
    except OperationFailure:
        return None  # it was dropped meanwhile
    # Of a sharded collection there is a part for each shard.
    stats = [part["storageStats"] for part in parts]
    documents, size = _sum(stats, "count"), _sum(stats, "size")
    return CollectionView(
        name=name,
        kind=kind,
        documents=documents,
        bytes=size,
        average_bytes=size / documents if documents else None,
        storage_bytes=_sum(stats, "storageSize"),
        indexes=[
            _index(index, _sum([part.get("indexSizes", {}) for part in stats], index["name"])) for index in indexes
        ],
    )


def _index(index: Any, size: int) -> IndexView:
    return IndexView(
        name=index["name"],
        keys=[(field, direction) for field, direction in index["key"].items()],
        bytes=size,
        unique=bool(index.get("unique", False)) or index["name"] == "_id_",
        ttl_seconds=index.get("expireAfterSeconds"),
    )


def _sum(parts: Iterable[Document], name: str) -> int:
    return int(sum(part.get(name, 0) for part in parts))
