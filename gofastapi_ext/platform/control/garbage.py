"""Removes stored code that nothing names any more."""

from __future__ import annotations

from datetime import UTC, datetime

from gofastapi_ext.platform.store.blobs import GRACE, BlobStore
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.drafts import DraftStore
from gofastapi_ext.platform.store.versions import VersionStore


class Garbage:
    """A bundle stays while a version or a draft, of whichever app, has it; a blob while a bundle has it."""

    def __init__(self, versions: VersionStore, drafts: DraftStore, bundles: BundleStore, blobs: BlobStore) -> None:
        self._versions = versions
        self._drafts = drafts
        self._bundles = bundles
        self._blobs = blobs

    async def bundle(self, code_hash: str) -> None:
        """Remove a bundle that somebody let go of, unless another has it. Its blobs go with a later sweep."""
        await self._bundles.remove_unless(code_hash, self._is_used)

    async def sweep(self) -> None:
        """Remove blobs that have served, and what a crash left: stored, and never named."""
        named = await self._versions.bundles() | await self._drafts.bundles()
        for code_hash in await self._bundles.all() - named:
            await self.bundle(code_hash)
        for blob in await self._blobs.unused_since(datetime.now(UTC) - GRACE):
            await self._blobs.remove_unless(blob, self._bundles.names_blob)

    async def _is_used(self, code_hash: str) -> bool:
        return await self._versions.uses_bundle(code_hash) or await self._drafts.uses_bundle(code_hash)
