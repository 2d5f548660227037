"""A zip that somebody sends becomes the draft of an app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile

from gofastapi_ext.core.drafts import DraftSave
from gofastapi_ext.core.errors import NotFoundError, TooLargeError
from gofastapi_ext.core.limits import Limits, format_bytes
from gofastapi_ext.core.project.archive import Archive
from gofastapi_ext.core.project.restored import ImportResult, Restored, restore
from gofastapi_ext.platform.control.drafts import Drafts
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.blobs import BlobStore

_IN_MEMORY_BYTES = 4_000_000
# What a zip and the files that an export adds take beside an app's own files.
_OVERHEAD_BYTES = 5_000_000


@dataclass(frozen=True)
class Received:
    """A zip that was read and found good."""

    archive: Archive
    restored: Restored


class Imports:
    """Nothing of a zip is stored before all of it was looked at, so that a bad one leaves no trace."""

    def __init__(self, drafts: Drafts, blobs: BlobStore, limits: Limits) -> None:
        self._drafts = drafts
        self._blobs = blobs
        self._limits = limits

    @asynccontextmanager
    async def received(self, body: AsyncIterable[bytes]) -> AsyncIterator[Received]:
        """Raises `TooLargeError`, and `InvalidBundleError` that says what is wrong with the zip."""
        most = self._limits.max_bundle_bytes + self._limits.max_objects_bytes + _OVERHEAD_BYTES
        with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
            size = 0
            async for chunk in body:
                size += len(chunk)
                if size > most:
                    raise TooLargeError(
                        f"The zip is more than {format_bytes(most)}, which is the limit. "
                        "Leave out what is not the app's own, such as .venv and node_modules.",
                        {"limit": most},
                    )
                await asyncio.to_thread(file.write, chunk)
            archive = await asyncio.to_thread(Archive, file, self._limits)
            restored = restore(await asyncio.to_thread(archive.files))
            await self._drafts.check(restored.bundle, restored.env, has_blobs=False)
            yield Received(archive, restored)

    async def save(self, record: AppRecord, received: Received, etag: str | None, by: str) -> ImportResult:
        """Make it the draft of the app; see `Drafts.save`."""
        restored, bundle = received.restored, received.restored.bundle
        for path, file in bundle.files.items():
            if file.blob is not None:
                chunks = _in_thread(received.archive, path)
                await self._blobs.put(file.blob, chunks, self._limits.max_object_bytes)
        save = DraftSave(bundle=bundle, env=restored.env, interpreter=await self._interpreter(record))
        view = await self._drafts.save(record, save, etag, by)
        return ImportResult(
            app=record.id,
            etag=view.etag,
            code_hash=view.code_hash,
            main=bundle.main,
            files=sorted(bundle.files),
            left_out=received.archive.left_out,
            notes=restored.notes,
        )

    async def _interpreter(self, record: AppRecord) -> str | None:
        """The Python the app has had so far."""
        try:
            return (await self._drafts.view(record)).interpreter
        except NotFoundError:
            return None


async def _in_thread(archive: Archive, path: str) -> AsyncIterator[bytes]:
    chunks = archive.chunks(path)
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk
