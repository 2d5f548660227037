"""Backups and branches of a user's database, as people see them."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.bundle import Line
from gofastapi_ext.core.data import AppMove
from gofastapi_ext.core.errors import InvalidNameError
from gofastapi_ext.core.models import ErrorBody

MAIN = "main"
"""What the data themselves are called where a branch could be named."""
MAX_BRANCH_NAME_LENGTH = 40
_BRANCH_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class _Body(BaseModel):
    """Of a request: built at once, as the API needs it."""

    model_config = ConfigDict(frozen=True)


class BackupKind(StrEnum):
    """Why there is one."""

    MANUAL = "manual"  # somebody asked for it; stays until somebody deletes it
    NIGHTLY = "nightly"  # the last few stay
    UPLOADED = "uploaded"  # it came from somewhere else


class BackupView(_Frozen):
    """One backup: a file that can be downloaded, kept elsewhere, and restored anywhere."""

    id: str
    kind: BackupKind
    created_at: datetime
    """The moment its content is of."""
    database: str
    branch: str | None = None
    documents: int
    collections: list[str]
    bytes: int
    """Unpacked."""
    file_bytes: int
    sha256: str
    """Of the file."""
    user: str
    """Whose data it was."""
    elsewhere: bool = False
    """Whether it was made by another user, or on another machine."""
    notes: list[str] = Field(default_factory=list)


class PreviousView(_Frozen):
    """A database that was in force before a restore or a promotion, and can be so again for a while."""

    name: str
    branch: str | None = None
    """Of which branch it was the database; None: of the data themselves."""
    replaced_at: datetime
    until: datetime


class BackupsView(_Frozen):
    """GET /api/database/backups"""

    backups: list[BackupView]
    """The latest first."""
    previous: list[PreviousView]
    """What a restore or promotion can be undone to, the latest first."""
    nightly_at: str | None
    """When the nightly one is made, as `03:00`; None where there is none."""
    nightly_kept: int


class RestoreRequest(_Body):
    confirm: Line = ""
    """The name of the database, whose data are replaced."""


class UndoRequest(_Body):
    name: Line | None = None
    """The previous database to come back; by default the one replaced last."""


class BranchRequest(_Body):
    """POST /api/database/branches"""

    name: Line
    ttl: Line | None = None
    """How long it lives, as `24h`; by default as the setting says."""
    backup: Line | None = None
    """The backup whose content it gets, instead of the data as they are now."""


class BranchChange(_Body):
    """PATCH /api/database/branches/{name}"""

    ttl: Line
    """How long from now on it lives."""


class PromoteRequest(_Body):
    confirm: Line = ""
    """The name of the branch, whose data become the data themselves."""


class BranchView(_Frozen):
    """A copy of the database to try things on, with credentials of its own."""

    name: str
    database: str
    """Its name in MongoDB."""
    created_at: datetime
    expires_at: datetime | None
    expired: bool = False
    """Its time is over, and it goes as soon as no app runs on it."""
    bytes: int
    documents: int
    apps: list[str] = Field(default_factory=list)
    """Whose live version works on it."""


class DataStage(StrEnum):
    CHECK = "check"  # there is room, and what is to be read is what was written
    COPY = "copy"  # the data are read, all of one moment
    LOAD = "load"  # into a database of a new name
    SWITCH = "switch"  # it is in force from this moment
    APP = "app"  # an app has moved, or could not
    DONE = "done"
    FAILED = "failed"


class DataProgress(_Frozen):
    """One line of the answer to a backup, restore, branch or promotion. `done` or `failed` comes last."""

    stage: DataStage
    seconds: float = 0.0
    """Since it began."""
    collection: str | None = None
    """The one that is being copied."""
    documents: int | None = None
    of_documents: int | None = None
    app: AppMove | None = None
    backup: BackupView | None = None
    branch: BranchView | None = None
    previous: PreviousView | None = None
    error: ErrorBody | None = None


def check_branch_name(name: str) -> str:
    """Return `name`, or raise `InvalidNameError` that says what a branch may be called."""
    if name == MAIN:
        raise InvalidNameError(f'"{MAIN}" means your data themselves. Give the branch another name.')
    if len(name) > MAX_BRANCH_NAME_LENGTH or not _BRANCH_NAME.fullmatch(name):
        raise InvalidNameError(
            f'"{name[:60]}" cannot be a branch\'s name: use up to {MAX_BRANCH_NAME_LENGTH} lower-case letters, digits, '
            "hyphens and underscores, beginning and ending with a letter or digit."
        )
    return name


def branch_of(text: str | None) -> str | None:
    """The branch that is meant where one may be named; None for the data themselves."""
    return None if text in (None, "", MAIN) else check_branch_name(str(text))
