"""Large content in GridFS, named by its sha256 and shared by every bundle that names it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError, TooLargeError, UnavailableError
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.platform.store.database import Database, Document, patiently

# What is held in memory of one upload or download at a time.
_CHUNK_BYTES = 1 << 20
# A blob that was uploaded or asked for this recently is about to be named by a bundle.
GRACE = timedelta(hours=1)


class BlobStore:
    """Immutable content. It has the layout of a GridFS bucket, written and read a chunk at a time.

    A blob is there once its document in `blobs.files` is, which comes last and only when the hash is right. What
    an upload that never ended leaves are chunks without one; `sweep` removes them.
    """

    def __init__(self, database: Database) -> None:
        self._files = database["blobs.files"]
        self._chunks = database["blobs.chunks"]

    async def prepare(self) -> None:
        """Make the indexes, and remove what uploads left behind that never ended."""
        await self._files.create_index("filename", unique=True)
        await self._chunks.create_index([("files_id", 1), ("n", 1)], unique=True)
        await self.sweep()

    async def sweep(self) -> None:
        """Remove the chunks of uploads that never ended."""
        begun_before = ObjectId.from_datetime(datetime.now(UTC) - GRACE)
        query = {"n": 0, "files_id": {"$lt": begun_before}}
        ids = {each["files_id"] for each in await self._chunks.find(query, {"files_id": 1}).to_list()}
        whole = {each["_id"] for each in await self._files.find({}, {"_id": 1}).to_list()}
        for file_id in ids - whole:
            await self._chunks.delete_many({"files_id": file_id})

    async def has(self, sha256: str) -> bool:
        """Whether it is stored. Asking keeps it from being removed for an hour."""
        return sha256 in await self.sizes([sha256])

    async def sizes(self, hashes: Iterable[str]) -> dict[str, int]:
        """The size in bytes of each that is stored. Asking keeps them from being removed for an hour."""
        query = {"filename": {"$in": list(hashes)}}
        if not query["filename"]["$in"]:
            return {}
        await patiently(lambda: self._files.update_many(query, {"$set": {"metadata.used_at": datetime.now(UTC)}}))
        found = await patiently(lambda: self._files.find(query, {"filename": 1, "length": 1}).to_list())
        return {each["filename"]: each["length"] for each in found}

    async def put(self, sha256: str, content: AsyncIterable[bytes], max_bytes: int) -> None:
        """Store what `content` yields; does nothing where it is stored already.

        Raises `TooLargeError`, or `InvalidRequestError` where the content is not that of the hash.
        """
        if await self.has(sha256):
            return
        file_id = ObjectId()
        try:
            length = await self._write(file_id, sha256, content, max_bytes)
            now = datetime.now(UTC)
            document = {
                "_id": file_id,
                "filename": sha256,
                "length": length,
                "chunkSize": _CHUNK_BYTES,
                "uploadDate": now,
                "metadata": {"used_at": now},
            }
            await patiently(lambda: self._insert(document))
        except BaseException:
            # Whatever ended it, also a caller who went away: what was written is of no use to anybody.
            with contextlib.suppress(Exception):
                await asyncio.shield(self._chunks.delete_many({"files_id": file_id}))
            raise

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        """The content, some at a time. Raises `NotFoundError`, or `UnavailableError` before the end of damaged content.

        Damaged content is removed, so that it can be uploaded again.
        """
        document = await self._document(sha256)
        digest = hashlib.sha256()
        held = b""
        async for data in self._chunks_of(document["_id"]):
            if held:
                yield held
            held = data
            digest.update(data)
        if digest.hexdigest() != sha256:
            await self._remove(document)
            raise UnavailableError(
                f"The stored content {sha256[:12]} is damaged and was not used. Deploy the app again from its source."
            )
        # The last part only now: who has received everything has what the hash says.
        yield held

    async def write_to(self, sha256: str, path: Path) -> None:
        """Write the content to a new file. Raises as `read` does, and leaves no file then."""
        try:
            with path.open("wb") as file:
                async for data in self.read(sha256):
                    await asyncio.to_thread(file.write, data)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    async def unused_since(self, moment: datetime) -> dict[str, int]:
        """The hashes of what nobody uploaded or asked for since then, each with its size in bytes."""
        query = {"metadata.used_at": {"$lt": moment}}
        found = await patiently(lambda: self._files.find(query, {"filename": 1, "length": 1}).to_list())
        return {each["filename"]: each["length"] for each in found}

    async def remove_unless(self, sha256: str, is_used: Callable[[str], Awaitable[bool]]) -> bool:
        """Remove a blob that no bundle names, and that nobody uploaded or asked for in the last hour.

        Whether it was there and went.
        """
        if await is_used(sha256):
            return False
        query = {"filename": sha256, "metadata.used_at": {"$lt": datetime.now(UTC) - GRACE}}
        document = await patiently(lambda: self._files.find_one(query))
        if document is None:
            return False
        await self._remove(document, query)
        return True

    async def _write(self, file_id: ObjectId, sha256: str, content: AsyncIterable[bytes], max_bytes: int) -> int:
        digest = hashlib.sha256()
        length = number = 0
        pending = bytearray()
        async for data in content:
            length += len(data)
            if length > max_bytes:
                raise TooLargeError(
                    f"This is more than {format_bytes(max_bytes)}, which is the limit for one thing. "
                    "Store large data in the database, or give the app less of it.",
                    {"limit": max_bytes},
                )
            digest.update(data)
            pending += data
            while len(pending) >= _CHUNK_BYTES:
                await self._write_chunk(file_id, number, bytes(pending[:_CHUNK_BYTES]))
                del pending[:_CHUNK_BYTES]
                number += 1
        if pending:
            await self._write_chunk(file_id, number, bytes(pending))
        if digest.hexdigest() != sha256:
            raise InvalidRequestError(
                f"What arrived is not what its name says: its sha256 is {digest.hexdigest()}. Send it again.",
                {"sha256": digest.hexdigest()},
            )
        return length

    async def _write_chunk(self, file_id: ObjectId, number: int, data: bytes) -> None:
        place = {"files_id": file_id, "n": number}
        await patiently(lambda: self._chunks.replace_one(place, place | {"data": data}, upsert=True))

    async def _insert(self, document: Document) -> None:
        try:
            await self._files.insert_one(document)
        except DuplicateKeyError:
            # Somebody else was faster with the same, unless it was us and the answer got lost.
            if await self._files.find_one({"_id": document["_id"]}, {"_id": 1}) is None:
                await self._chunks.delete_many({"files_id": document["_id"]})

    async def _document(self, sha256: str) -> Document:
        document = await patiently(lambda: self._files.find_one({"filename": sha256}))
        if document is None:
            raise NotFoundError(f"The content {sha256[:12]} is no longer stored. Deploy the app again from its source.")
        return document

    async def _chunks_of(self, file_id: ObjectId) -> AsyncIterator[bytes]:
        """Each read by its number: a cursor would fetch sixteen at once, and not outlive a restart of the database."""
        number = 0
        while True:
            place = {"files_id": file_id, "n": number}
            chunk = await patiently(lambda place=place: self._chunks.find_one(place))  # type: ignore[misc]
            if chunk is None:
                return
            yield cast(bytes, chunk["data"])
            number += 1

    async def _remove(self, document: Document, query: Document | None = None) -> None:
        removed = await patiently(lambda: self._files.delete_one(query or {"_id": document["_id"]}))
        if removed.deleted_count:
            await patiently(lambda: self._chunks.delete_many({"files_id": document["_id"]}))
