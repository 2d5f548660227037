"""Removes stored code that nothing names any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

from gofastapi_ext.core.cleanup import CleanupItem, Leftover
from gofastapi_ext.platform.control.steps import Step
from gofastapi_ext.platform.store.blobs import GRACE, BlobStore
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.drafts import DraftStore
from gofastapi_ext.platform.store.versions import VersionStore

_SHOWN = 12


class Garbage:
    """A bundle stays while a version or a draft, of whichever app, has it; a blob while a bundle has it."""

    def __init__(self, versions: VersionStore, drafts: DraftStore, bundles: BundleStore, blobs: BlobStore) -> None:
        self._versions = versions
        self._drafts = drafts
        self._bundles = bundles
        self._blobs = blobs

    async def bundle(self, code_hash: str) -> bool:
        """Remove a bundle that somebody let go of, unless another has it. Its blobs go with a later sweep."""
        return await self._bundles.remove_unless(code_hash, self._is_used)

    async def steps(self) -> list[Step]:
        """Blobs that have served, and what a crash left: stored, and never named."""
        stored = await self._bundles.all()
        named = await self._versions.bundles() | await self._drafts.bundles()
        found = [
            _step(Leftover.BUNDLE, code_hash, size, "no version and no draft has this code", self.bundle)
            for code_hash, size in stored.items()
            if code_hash not in named
        ]
        unused = await self._blobs.unused_since(datetime.now(UTC) - GRACE)
        if unused:
            kept = await self._bundles.named_blobs()
            found += [
                _step(Leftover.BLOB, blob, size, "no code holds it", self._blob)
                for blob, size in unused.items()
                if blob not in kept
            ]
        return found

    async def _blob(self, sha256: str) -> bool:
        return await self._blobs.remove_unless(sha256, self._bundles.names_blob)

    async def _is_used(self, code_hash: str) -> bool:
        return await self._versions.uses_bundle(code_hash) or await self._drafts.uses_bundle(code_hash)


def _step(what: Leftover, name: str, size: int, reason: str, remove: Callable[[str], Awaitable[bool]]) -> Step:
    item = CleanupItem(what=what, name=name[:_SHOWN], reason=reason, size_bytes=size)
    return Step(item, partial(remove, name))
