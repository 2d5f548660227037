"""Drafts: read, save, discard, and single files of them. Nothing here deploys, and nothing is validated:
a draft may be half-written.

Whoever saves names what they have read, by its etag. Where that is no longer what is there, nothing is
overwritten, and they are told both sides. The etag of a file is the hash of its content, so people who edit
two files of one draft are never in each other's way.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from gofastapi_ext.core.bundle import Bundle, BundleFile, Origins, check_path, check_sizes
from gofastapi_ext.core.drafts import DraftFileSave, DraftFileView, DraftMove, DraftSave, DraftView
from gofastapi_ext.core.edits import moved_origins, moved_paths, with_file, with_moved, without_file
from gofastapi_ext.core.environment import check_environment
from gofastapi_ext.core.errors import ConflictError, DraftConflictError, GoFastAPIError, NotFoundError
from gofastapi_ext.core.leftout import check_all_go_in
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.platform.control.latest import Latest, conflict, file_conflict, latest_view, with_code
from gofastapi_ext.platform.store.apps import AppRecord, AppStore
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.drafts import DraftRecord, DraftStore, first_revision
from gofastapi_ext.platform.store.versions import VersionStore, new_version_time

logger = logging.getLogger(__name__)

# Of saves to one draft at the same moment one is first each time.
_TRIES = 100


class Drafts:
    """Use cases on the drafts of apps that are known to be their caller's."""

    def __init__(
        self,
        apps: AppStore,
        drafts: DraftStore,
        versions: VersionStore,
        bundles: BundleStore,
        limits: Limits,
        forget_bundle: Callable[[str], Awaitable[object]],
        changed: Callable[[AppRecord, str, str], None] = lambda app, message, by: None,
    ) -> None:
        """`forget_bundle` is told of code that the draft has no use for any more; another thing may have.

        `changed` is told of an app whose draft was saved or discarded, in words, and by whom.
        """
        self._apps = apps
        self._drafts = drafts
        self._versions = versions
        self._bundles = bundles
        self._limits = limits
        self._forget_bundle = forget_bundle
        self._changed = changed

    async def view(self, app: AppRecord) -> DraftView:
        """The latest code. Raises `NotFoundError` where there is none at all."""
        return latest_view(*await self._code(app))

    async def check(self, bundle: Bundle, env: dict[str, str] | None = None, *, has_blobs: bool = True) -> None:
        """Raise where a draft of this could not be saved, whatever is there; without `has_blobs`, they come later."""
        check_sizes(bundle, self._limits, needs_main=False)
        check_all_go_in(bundle.files)
        check_environment(env or {}, self._limits.max_env_bytes)
        if has_blobs:
            await self._bundles.check_blobs(bundle)

    async def save(self, app: AppRecord, save: DraftSave, etag: str | None, by: str) -> DraftView:
        """Save a whole draft over the one of `etag`; see `client.Client.save_draft`."""
        await self.check(save.bundle, save.env)
        for _ in range(_TRIES):
            latest = await self._latest(app)
            if latest.draft is not None and _is_same(latest.draft, save):
                await self._bundles.put(save.bundle)  # what is stored may be damaged
                return latest_view(latest, save.bundle)
            if not latest.is_meant_by(etag):
                raise await self._conflict(latest, save.bundle)
            if draft := await self._store(latest, save, by):
                return latest_view(latest.saved_as(draft), save.bundle)
        raise _too_busy(app)

    async def discard(self, app: AppRecord, etag: str) -> None:
        """Forget the draft. Raises `NotFoundError` where none is saved."""
        for _ in range(_TRIES):
            latest = await self._latest(app)
            if latest.draft is None:
                raise NotFoundError(f'"{app.id}" has no draft.')
            if not latest.is_meant_by(etag):
                raise await self._conflict(latest, None)
            if await self._drafts.remove(app.id, latest.draft.revision):
                await self._forget(latest.draft.code_hash)
                self._changed(app, "Its draft was discarded.", app.owner)
                return
        raise _too_busy(app)

    async def file(self, app: AppRecord, path: str) -> DraftFileView:
        """Raises `NotFoundError`."""
        check_path(path)
        latest, bundle = await self._code(app)
        _file_of(bundle, path)
        return _file_view(latest, bundle, path)

    async def content(self, app: AppRecord, path: str) -> BundleFile:
        """One file, whose bytes may be stored apart. Raises `NotFoundError`."""
        check_path(path)
        _, bundle = await self._code(app)
        return _file_of(bundle, path)

    async def save_file(
        self, app: AppRecord, path: str, save: DraftFileSave, etag: str | None, by: str
    ) -> DraftFileView:
        """Save one file over the one of `etag`, which is the file's own; see `client.Client.save_draft_file`."""
        parts = [save.origin] if save.origin else []
        for _ in range(_TRIES):
            latest, before = await self._code(app, may_be_none=True)
            current = before.files.get(path)
            bundle = with_file(before, path, save.file)
            is_there = current is not None and current.sha256 == save.file.sha256
            if is_there and latest.source and latest.source.origins.get(path, []) == parts:
                return _file_view(latest, before, path)
            if not is_there and etag not in ("*", current.sha256 if current else None):
                raise file_conflict(latest, path, save.file, current)
            await self.check(bundle)
            origins = {**_origins(latest), path: parts}
            if draft := await self._store(latest, _like(latest, bundle, origins), by):
                return _file_view(latest.saved_as(draft), bundle, path)
        raise _too_busy(app)

    async def delete_file(self, app: AppRecord, path: str, etag: str, by: str) -> None:
        """Take one file away, the one of `etag`. Raises `NotFoundError`."""
        check_path(path)
        for _ in range(_TRIES):
            latest, before = await self._code(app)
            current = _file_of(before, path)
            if etag not in ("*", current.sha256):
                raise file_conflict(latest, path, None, current)
            origins = {other: parts for other, parts in _origins(latest).items() if other != path}
            if await self._store(latest, _like(latest, without_file(before, path), origins), by):
                return
        raise _too_busy(app)

    async def move(self, app: AppRecord, move: DraftMove, by: str) -> DraftView:
        """Rename a file or a folder. Raises `NotFoundError`, and `ConflictError` where the target is there already."""
        for _ in range(_TRIES):
            latest, before = await self._code(app)
            moved = moved_paths(before, move.source, move.target)
            save = _like(latest, with_moved(before, moved), moved_origins(_origins(latest), moved))
            await self.check(save.bundle, has_blobs=False)
            if draft := await self._store(latest, save, by):
                return latest_view(latest.saved_as(draft), save.bundle)
        raise _too_busy(app)

    async def _latest(self, app: AppRecord) -> Latest:
        # Anew: a deploy may have gone live, and have taken its draft away, since `app` was read.
        app = await self._apps.get(app.id) or app
        draft = await self._drafts.get(app.id)
        live = await self._versions.get(app.id, app.live_version) if app.live_version is not None else None
        return Latest(app, draft, live)

    async def _code(self, app: AppRecord, *, may_be_none: bool = False) -> tuple[Latest, Bundle]:
        """The latest code, as it is known and itself. Raises `NotFoundError` where there is none, if it may not be."""
        latest, bundle = await with_code(lambda: self._latest(app), self._bundles)
        if bundle is None and not may_be_none:
            raise NotFoundError(f'"{app.id}" has no code yet: neither a draft nor a version.')
        return latest, bundle or Bundle(files={})

    async def _store(self, latest: Latest, save: DraftSave, by: str) -> DraftRecord | None:
        """Write the draft in place of `latest.draft`; None where that is not there any more.

        The bundle first, and the document that names it last: a crash between the two leaves the draft as it was.
        """
        before, bundle = latest.draft, save.bundle
        draft = DraftRecord(
            app=latest.app.id,
            owner=latest.app.owner,
            revision=before.revision + 1 if before else first_revision(),
            code_hash=bundle.code_hash,
            origins=save.origins,
            env=save.env,
            interpreter=save.interpreter,
            saved_at=new_version_time(),
            saved_by=by,
        )
        async with self._bundles.kept(draft.code_hash):
            await self._bundles.put(bundle)
            is_saved = await self._drafts.save(draft, before.revision if before else None)
        if is_saved and ((app := await self._apps.get(draft.app)) is None or app.is_gone):
            # Deleted for good since it was read; what was there has been removed already.
            await self._drafts.remove(draft.app, draft.revision)
            await self._forget(draft.code_hash)
            raise NotFoundError(f'There is no app "{draft.app}" any more.')
        if not is_saved:
            await self._forget(draft.code_hash)
        elif before and before.code_hash != draft.code_hash:
            await self._forget(before.code_hash)
        if is_saved:
            self._changed(latest.app, "Its draft was saved.", by)
        return draft if is_saved else None

    async def _forget(self, code_hash: str) -> None:
        try:
            await self._forget_bundle(code_hash)
        except GoFastAPIError as error:
            # The save itself is done. What nothing names is looked for again by the next service.
            logger.warning("bundle %s was not removed: %s", code_hash[:12], error.message)

    async def _conflict(self, latest: Latest, yours: Bundle | None) -> DraftConflictError:
        """Both sides of a whole draft; `yours` is None where it was to be discarded."""
        theirs = None
        if yours is not None:
            try:
                theirs = await self._bundles.get(latest.source.code_hash) if latest.source else Bundle(files={})
            except GoFastAPIError as error:
                logger.warning("%s: the other side of a conflict cannot be read: %s", latest.app.id, error.message)
        return conflict(latest, yours, theirs)


def _file_of(bundle: Bundle, path: str) -> BundleFile:
    file = bundle.files.get(path)
    if file is None:
        is_folder = any(other.startswith(f"{path}/") for other in bundle.files)
        raise NotFoundError(f"{path} is a folder." if is_folder else f"There is no file {path} in the draft.")
    return file


def _file_view(latest: Latest, bundle: Bundle, path: str) -> DraftFileView:
    file = bundle.files[path]
    return DraftFileView(
        path=path,
        etag=file.sha256,
        file=file,
        origins=_origins(latest).get(path, []),
        draft_etag=latest.etag or "",
    )


def _like(latest: Latest, bundle: Bundle, origins: Origins) -> DraftSave:
    """A draft with another bundle, and what stood beside the one before."""
    source = latest.source
    env, interpreter = (source.env, source.interpreter) if source else ({}, None)
    return DraftSave(
        bundle=bundle,
        origins={path: parts for path, parts in origins.items() if parts},
        env=env,
        interpreter=interpreter,
    )


def _origins(latest: Latest) -> Origins:
    return latest.source.origins if latest.source else {}


def _is_same(draft: DraftRecord, save: DraftSave) -> bool:
    return (
        draft.code_hash == save.bundle.code_hash
        and draft.origins == save.origins
        and draft.env == save.env
        and draft.interpreter == save.interpreter
    )


def _too_busy(app: AppRecord) -> ConflictError:
    return ConflictError(f'The draft of "{app.id}" is being saved by too many at once. Try again.')
