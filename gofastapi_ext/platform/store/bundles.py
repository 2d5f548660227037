"""Bundles in GridFS, named by their code hash."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gridfs import AsyncGridFSBucket
from gridfs.errors import CorruptGridFile, FileExists, NoFile
from pymongo.errors import DuplicateKeyError

from gofastapi_ext.core.bundle import Bundle
from gofastapi_ext.core.errors import InvalidBundleError, NotFoundError, UnavailableError
from gofastapi_ext.platform.store.blobs import BlobStore
from gofastapi_ext.platform.store.database import Database, Document, patiently


class BundleStore:
    """Immutable: a hash that is there is written again only where it is damaged.

    What blobs a bundle names is stored beside it.
    """

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self.blobs = blobs
        self._bucket = AsyncGridFSBucket(database, bucket_name="bundles")
        self._kept: Counter[str] = Counter()
        self._removing = asyncio.Lock()
        self._writing = asyncio.Lock()

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

    async def prepare(self) -> None:
        await self._database["bundles.files"].create_index("metadata.blobs", sparse=True)

    async def put(self, bundle: Bundle) -> None:
        """Store the bundle. Safe to call again after a crash in the middle of it, and heals what is damaged.

        Raises `InvalidBundleError` where it names a blob that is not stored.
        """
        await self.check_blobs(bundle)
        name = bundle.code_hash
        if await self._is_sound(name):
            return
        content = bundle.model_dump_json(exclude_defaults=True).encode()
        metadata = {"blobs": sorted(bundle.blobs)} if bundle.blobs else None

        async def upload() -> None:
            try:
                await self._bucket.upload_from_stream_with_id(name, name, content, metadata=metadata)
            except (FileExists, DuplicateKeyError):
                if await self._is_sound(name):
                    return
                # Chunks of an upload that never ended (GridFS writes the file's own document last), or damaged ones.
                await self._database["bundles.files"].delete_one({"_id": name})
                await self._database["bundles.chunks"].delete_many({"files_id": name})
                await self._bucket.upload_from_stream_with_id(name, name, content, metadata=metadata)

        # One at a time: two who store the same would each take the other's chunks for remains.
        async with self._writing:
            await patiently(upload)

    async def get(self, code_hash: str) -> Bundle:
        """Raises `UnavailableError` where the stored bytes are no longer those of the hash."""
        try:
            bundle = await self._load(code_hash)
        except NoFile:
            raise NotFoundError("The code of this version is no longer stored.") from None
        if bundle is None:
            raise UnavailableError(
                f"The stored code {code_hash[:12]} is damaged and is not used. Deploy the app again from its source."
            )
        return bundle

    async def all(self) -> dict[str, int]:
        """The code hash of every bundle, each with its size in bytes as stored."""
        found = await patiently(lambda: self._database["bundles.files"].find({}, {"_id": 1, "length": 1}).to_list())
        return {each["_id"]: each["length"] for each in found}

    async def named_blobs(self) -> set[str]:
        """The hash of every blob that a stored bundle holds."""
        return set(await patiently(lambda: self._database["bundles.files"].distinct("metadata.blobs")))

    async def names_blob(self, sha256: str, hashes: list[str] | None = None) -> bool:
        """Whether a stored bundle, or one of those named, holds a blob."""
        query: Document = {"metadata.blobs": sha256} | ({} if hashes is None else {"_id": {"$in": hashes}})
        return await patiently(lambda: self._database["bundles.files"].find_one(query, {"_id": 1})) is not None

    async def remove_unless(self, code_hash: str, is_used: Callable[[str], Awaitable[bool]]) -> bool:
        """Remove a bundle that no version has any more, and none is about to have; whether it was there and went."""
        async with self._removing:
            if self._kept[code_hash] or await is_used(code_hash):
                return False
            try:
                await patiently(lambda: self._bucket.delete(code_hash))
            except NoFile:
                return False
            return True

    async def check_blobs(self, bundle: Bundle) -> None:
        """Raise `InvalidBundleError` where the bundle names a blob that is not stored."""
        stored = await self.blobs.sizes(bundle.blobs)
        for path, file in bundle.files.items():
            if file.blob is not None and stored.get(file.blob) != file.blob_bytes:
                why = "is not stored here" if file.blob not in stored else "is of another size"
                raise InvalidBundleError(
                    f"The content of {path} {why}. Send it first: deploy the app again from its source.",
                    {"file": path, "blob": file.blob},
                )

    async def _is_sound(self, code_hash: str) -> bool:
        """Whether the bundle is there, and is what its name says."""
        try:
            return await self._load(code_hash) is not None
        except NoFile:
            return False

    async def _load(self, code_hash: str) -> Bundle | None:
        """None where the stored bytes are not those of the hash. Raises `NoFile`."""
        try:
            bundle = Bundle.model_validate_json(await patiently(lambda: self._read(code_hash)))
            return bundle if bundle.code_hash == code_hash else None
        except (CorruptGridFile, ValueError, InvalidBundleError):
            return None

    async def _read(self, code_hash: str) -> bytes:
        stream = await self._bucket.open_download_stream(code_hash)
        content: bytes = await stream.read()
        return content
