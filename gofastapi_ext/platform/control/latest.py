"""The latest code of an app, as it was read at one moment, and the words for who has read an older one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.drafts import DraftConflict, DraftView, FileSides, code_state
from gofastapi_ext.core.errors import DraftConflictError, NotFoundError
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.drafts import DraftRecord
from gofastapi_ext.platform.store.versions import VersionRecord


class _HasCode(Protocol):
    @property
    def code_hash(self) -> str | None: ...


_Found = TypeVar("_Found", bound="_HasCode | None")


@dataclass(frozen=True)
class Latest:
    """The latest code of an app: its saved draft, or the live version where there is none, or nothing at all."""

    app: AppRecord
    draft: DraftRecord | None
    live: VersionRecord | None

    @property
    def source(self) -> DraftRecord | VersionRecord | None:
        return self.draft or self.live

    @property
    def code_hash(self) -> str | None:
        return self.source.code_hash if self.source else None

    @property
    def etag(self) -> str | None:
        if self.draft:
            return self.draft.etag
        return f"v{self.live.number}" if self.live else None

    @property
    def saved(self) -> tuple[datetime | None, str | None]:
        """When, and by whom."""
        if self.draft:
            return self.draft.saved_at, self.draft.saved_by
        return (self.live.created_at, self.live.created_by) if self.live else (None, None)

    def is_meant_by(self, etag: str | None) -> bool:
        """Whether this is what was read under `etag`. None means that there was no draft, `*` whatever there is."""
        if etag == "*":
            return True
        if self.draft or etag is None:
            return etag == (self.draft.etag if self.draft else None)
        # Whoever read the draft that went live since has read what is live.
        read = etag.rpartition("-")[2] if "-" in etag else None
        return etag == self.etag or (self.live is not None and read == self.live.code_hash[:12])

    def saved_as(self, draft: DraftRecord) -> Latest:
        return replace(self, draft=draft)


async def with_code(read: Callable[[], Awaitable[_Found]], bundles: BundleStore) -> tuple[_Found, Bundle | None]:
    """What `read` finds, and its code; None where it has none. Raises `NotFoundError` for code that is lost.

    Where somebody saves in between, the code of what was found goes: then it is read anew.
    """
    found = await read()
    while found is not None and (code_hash := found.code_hash):
        try:
            return found, await bundles.get(code_hash)
        except NotFoundError:
            again = await read()
            if again is not None and again.code_hash == code_hash:
                raise
            found = again
    return found, None


def latest_view(latest: Latest, bundle: Bundle) -> DraftView:
    """As its owner sees it. Raises `NotFoundError` where there is no code."""
    source, etag = latest.source, latest.etag
    if source is None or etag is None:
        raise NotFoundError(f'"{latest.app.id}" has no code yet: neither a draft nor a version.')
    return DraftView(
        app=latest.app.id,
        etag=etag,
        info=latest.draft.info if latest.draft else None,
        bundle=bundle,
        etags={path: file.sha256 for path, file in bundle.files.items()},
        origins=source.origins,
        env=source.env,
        interpreter=source.interpreter,
        code_hash=source.code_hash,
        code_state=code_state(source.code_hash, latest.app.live_hash),
    )


def conflict(latest: Latest, yours: Bundle | None, theirs: Bundle | None) -> DraftConflictError:
    """Of a whole draft; None is a side that nobody wants to save, or that cannot be read."""
    mine, others = yours.files if yours else {}, theirs.files if theirs else {}
    paths = [path for path in sorted(mine.keys() | others) if _sha256(mine, path) != _sha256(others, path)]
    files = [FileSides(path=path, yours=_text(mine.get(path)), theirs=_text(others.get(path))) for path in paths]
    return _conflict(latest, f'The draft of "{latest.app.id}"', latest.etag, files)


def file_conflict(latest: Latest, path: str, yours: BundleFile | None, theirs: BundleFile | None) -> DraftConflictError:
    sides = FileSides(path=path, yours=_text(yours), theirs=_text(theirs))
    return _conflict(latest, f'{path} of "{latest.app.id}"', theirs.sha256 if theirs else None, [sides])


def _conflict(latest: Latest, what: str, etag: str | None, files: list[FileSides]) -> DraftConflictError:
    at, by = latest.saved
    who = f" by {by}, {at:%Y-%m-%d %H:%M:%S} UTC" if at and by else ""
    happened = f"was changed meanwhile{who}" if etag else "is not there any more"
    sides = DraftConflict(etag=etag, saved_at=at, saved_by=by, files=files)
    return DraftConflictError(
        f"{what} {happened}. Nothing was overwritten: look at it, and save again.", sides.model_dump(mode="json")
    )


def _text(file: BundleFile | None) -> str | None:
    return file.text if file else None


def _sha256(files: dict[str, BundleFile], path: str) -> str | None:
    return files[path].sha256 if path in files else None
