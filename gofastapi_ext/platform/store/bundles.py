"""Bundles in GridFS, named by their code hash."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gridfs import AsyncGridFSBucket
from gridfs.errors import FileExists, NoFile
from pymongo.errors import DuplicateKeyError

from gofastapi_ext.core.bundle import Bundle
from gofastapi_ext.core.errors import NotFoundError, UnavailableError
from gofastapi_ext.platform.store.database import Database, patiently


class BundleStore:
    """Immutable: a hash that is there is never written again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bucket = AsyncGridFSBucket(database, bucket_name="bundles")
        self._kept: Counter[str] = Counter()
        self._removing = asyncio.Lock()

    @asynccontextmanager
    async def kept(self, code_hash: str) -> AsyncIterator[None]:
        """Inside, the bundle is not removed: a version of it, of whichever app, is about to be stored."""
        async with self._removing:
            self._kept[code_hash] += 1
        try:
            yield
        finally:
            self._kept[code_hash] -= 1
            self._kept += Counter()  # leaves out what has come to zero

    async def put(self, bundle: Bundle) -> None:
        """Store the bundle. Safe to call again after a crash in the middle of it."""
        name = bundle.code_hash
        if await self.has(name):
            return
        content = bundle.model_dump_json(exclude_defaults=True).encode()

        async def upload() -> None:
            try:
                await self._bucket.upload_from_stream_with_id(name, name, content)
            except (FileExists, DuplicateKeyError):
                if await self.has(name):
                    return
                # Chunks of an upload that never ended: GridFS writes the file's own document last.
                await self._database["bundles.chunks"].delete_many({"files_id": name})
                await self._bucket.upload_from_stream_with_id(name, name, content)

        await patiently(upload)

    async def get(self, code_hash: str) -> Bundle:
        """Raises `UnavailableError` where the stored bytes are no longer those of the hash."""
        try:
            content = await patiently(lambda: self._read(code_hash))
        except NoFile:
            raise NotFoundError("The code of this version is no longer stored.") from None
        try:
            bundle = Bundle.model_validate_json(content)
        except ValueError:
            bundle = None
        if bundle is None or bundle.code_hash != code_hash:
            raise UnavailableError(
                f"The stored code {code_hash[:12]} is damaged and was not started. "
                "Deploy the app again from its source."
            )
        return bundle

    async def has(self, code_hash: str) -> bool:
        return (
            await patiently(lambda: self._database["bundles.files"].find_one({"_id": code_hash}, {"_id": 1}))
            is not None
        )

    async def remove_unless(self, code_hash: str, is_used: Callable[[str], Awaitable[bool]]) -> None:
        """Remove a bundle that no version has any more, and none is about to have."""
        async with self._removing:
            if self._kept[code_hash] or await is_used(code_hash):
                return
            try:
                await self._bucket.delete(code_hash)
            except NoFile:
                return

    async def _read(self, code_hash: str) -> bytes:
        stream = await self._bucket.open_download_stream(code_hash)
        content: bytes = await stream.read()
        return content
