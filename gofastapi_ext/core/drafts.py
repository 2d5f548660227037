"""Drafts: the working copy of an app. Saving one deploys nothing."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin, Line, Origins


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class CodeState(StrEnum):
    """What is live, compared with the latest code by their hashes."""

    UP_TO_DATE = "up_to_date"
    UNSAVED = "unsaved"
    """Only an editor knows this of its own text; the platform never answers it."""
    NOT_DEPLOYED = "not_deployed"


class DraftInfo(_Frozen):
    """What a list shows of a draft."""

    etag: str
    code_hash: str
    saved_at: datetime
    saved_by: str


class DraftSave(_Frozen):
    """A whole draft to save. What goes beside the bundle is kept for the deploy of it."""

    bundle: Bundle
    origins: Origins = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)
    interpreter: Line | None = None


class DraftView(_Frozen):
    """The latest code of an app: the saved draft, or the live version where there is none.

    `etag` stands also in the ETag header. `info` is None where nothing was saved.
    """

    app: str
    etag: str
    info: DraftInfo | None
    bundle: Bundle
    etags: dict[str, str] = Field(default_factory=dict)
    """Each file's own, by path."""
    origins: Origins = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)
    interpreter: str | None = None
    code_hash: str
    code_state: CodeState


class DraftFileSave(_Frozen):
    """One file to save in a draft; `origin` is the cell it came from, where it did."""

    file: BundleFile
    origin: CellOrigin | None = None


class DraftFileView(_Frozen):
    """One file of a draft. Its etag is the sha256 of its content, so editors of two files never collide."""

    path: str
    etag: str
    file: BundleFile
    origins: list[CellOrigin] = Field(default_factory=list)
    draft_etag: str
    """Of the whole draft."""


class DraftMove(_Frozen):
    """Rename a file or a folder of a draft."""

    source: Line
    target: Line


class DraftConversion(_Frozen):
    """A draft in several files that was one file before. To undo it, save the old one over `draft.etag`."""

    draft: DraftView
    etag_before: str
    moved: dict[str, list[str]]
    """The names that each new file has."""
    notes: list[str]
    """What stayed where it was, and why."""


class FileSides(_Frozen):
    """A file that differs between what was to be saved and what is there. None: not there, or no text."""

    path: str
    yours: str | None
    theirs: str | None


class DraftConflict(_Frozen):
    """Both sides of a save that came too late. Nothing was overwritten."""

    etag: str | None
    """Of what is there now; None where there is nothing any more."""
    saved_at: datetime | None
    saved_by: str | None
    files: list[FileSides]


def code_state(draft_hash: str | None, live_hash: str | None) -> CodeState:
    """Whether the draft, where there is one, is what is live."""
    latest = draft_hash or live_hash
    return CodeState.UP_TO_DATE if latest is not None and latest == live_hash else CodeState.NOT_DEPLOYED
