"""Large content that bundles name: uploaded before them, and read by who may read them."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from gofastapi_ext.core.errors import NotFoundError
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.platform.control.apps import Apps
from gofastapi_ext.platform.store.blobs import BlobStore
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.drafts import DraftStore
from gofastapi_ext.platform.store.versions import VersionStore


class Blobs:
    """Whoever knows a hash may ask for it to be kept; its content is told only to those who have an app with it."""

    def __init__(
        self,
        apps: Apps,
        versions: VersionStore,
        drafts: DraftStore,
        bundles: BundleStore,
        blobs: BlobStore,
        limits: Limits,
    ) -> None:
        self._apps = apps
        self._versions = versions
        self._drafts = drafts
        self._bundles = bundles
        self._blobs = blobs
        self._limits = limits

    async def has(self, sha256: str) -> bool:
        return await self._blobs.has(sha256)

    async def put(self, sha256: str, content: AsyncIterable[bytes]) -> None:
        """Raises as `BlobStore.put`."""
        await self._blobs.put(sha256, content, self._limits.max_object_bytes)

    async def read(self, app_id: str, owner: str, sha256: str) -> tuple[int, AsyncIterator[bytes]]:
        """The size and the content. Raises `NotFoundError` where no version and no draft of the app names it."""
        record = await self._apps.find(app_id, owner)
        hashes = [version.code_hash for version in await self._versions.of_app(record.id)]
        draft = await self._drafts.get(record.id)
        if draft is not None:
            hashes.append(draft.code_hash)
        sizes = await self._blobs.sizes([sha256]) if await self._bundles.names_blob(sha256, hashes) else {}
        if sha256 not in sizes:
            raise NotFoundError(f'No version of "{app_id}" that is kept holds {sha256[:12]}.')
        return sizes[sha256], self._blobs.read(sha256)
