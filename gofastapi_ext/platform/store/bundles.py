"""Bundles in GridFS, named by their code hash."""

from __future__ import annotations

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

    async def remove(self, code_hash: str) -> None:
        try:
            await self._bucket.delete(code_hash)
        except NoFile:
            return

    async def _read(self, code_hash: str) -> bytes:
        stream = await self._bucket.open_download_stream(code_hash)
        content: bytes = await stream.read()
        return content
