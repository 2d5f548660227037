"""A collection as a file that is never whole in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import bson
from pymongo.asynchronous.cursor import AsyncRawBatchCursor
from pymongo.asynchronous.database import AsyncDatabase

from gofastapi_ext.core.documents.names import check_collection
from gofastapi_ext.core.errors import NotFoundError
from gofastapi_ext.platform.databases import cells, ejson
from gofastapi_ext.platform.databases.paging import Query
from gofastapi_ext.platform.databases.trouble import told

Document = dict[str, Any]

_BATCH_BYTES = 1_000_000
_MOST_DOCUMENTS = 2_000
_CHUNK_CHARACTERS = 200_000
# Of MongoDB's own time for the whole of it; how fast it is fetched does not count.
_MAX_MILLISECONDS = 600_000
_CLOSE_SECONDS = 5.0


class Export:
    """One export. Raises `GoFastAPIError`s, also in the middle: a part must not pass for the whole."""

    def __init__(self, database: AsyncDatabase[Document], collection: str, query: Query, seconds: float) -> None:
        self._database = database
        self._name = check_collection(collection)
        self._collection = database[self._name]
        self._query = query
        self._seconds = seconds

    async def json_lines(self, *, relaxed: bool) -> AsyncGenerator[bytes, None]:
        """A document in each line."""
        async for chunk in self._pieces(lambda document: ejson.to_text(document, relaxed=relaxed) + "\n"):
            yield chunk

    async def csv(self, *, plain: bool) -> AsyncGenerator[bytes, None]:
        """A line of columns, then one for each document. All are read twice: the columns have to be known first."""
        columns: dict[cells.Path, None] = {}

        def noted(document: Document) -> str:
            cells.add_columns(columns, document)
            return ""

        async for _ in self._pieces(noted):
            pass
        yield cells.header_row(columns, plain=plain).encode() if columns else b""
        if columns:
            async for chunk in self._pieces(lambda document: cells.document_row(document, columns, plain=plain)):
                yield chunk

    async def _pieces(self, write: Callable[[Document], str]) -> AsyncGenerator[bytes, None]:
        async with self._batches() as found:
            async for batch in _told_of(found):
                # Each piece is made in a thread: the service answers others meanwhile.
                pieces = _written(batch, write)
                while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                    if piece:
                        yield piece

    @asynccontextmanager
    async def _batches(self) -> AsyncGenerator[AsyncRawBatchCursor[Document], None]:
        size = await self._batch_size()
        cursor = self._collection.find_raw_batches(
            self._query.filter,
            self._query.projection or None,
            sort=list(self._query.sort.items()) or None,
            batch_size=size,
            allow_disk_use=True if self._query.sort else None,
            max_time_ms=_MAX_MILLISECONDS,
        )
        try:
            yield cursor
        finally:
            # Also where whoever downloads has left: MongoDB is not to keep it for ten minutes.
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
                await cursor.close()

    async def _batch_size(self) -> int:
        """How many documents make up a batch that is not large. Raises `NotFoundError`."""
        with told(self._seconds):
            described = await (await self._database.list_collections(filter={"name": self._name})).to_list()
            if not described:
                raise NotFoundError(f'There is no collection "{self._name}" in your database.')
            if described[0].get("type", "collection") != "collection":
                return 100
            statistics = await self._database.command("collStats", self._name)
        return max(1, min(_MOST_DOCUMENTS, _BATCH_BYTES // max(1, int(statistics.get("avgObjSize", 1000)))))


async def _told_of(cursor: AsyncRawBatchCursor[Document]) -> AsyncGenerator[bytes, None]:
    while True:
        with told(None):
            try:
                # It yields bytes, whatever the library says.
                batch: Any = await anext(cursor)
            except StopAsyncIteration:
                return
        yield batch


def _written(batch: bytes, write: Callable[[Document], str]) -> Iterator[bytes]:
    """The documents of a batch, one after the other, as text of some size."""
    held: list[str] = []
    size = 0
    for document in bson.decode_iter(batch, ejson.READING):
        text = write(document)
        held.append(text)
        size += len(text)
        if size >= _CHUNK_CHARACTERS:
            yield "".join(held).encode()
            held, size = [], 0
    yield "".join(held).encode()
