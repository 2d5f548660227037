"""What clean-up takes away, or would."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Leftover(StrEnum):
    """What kind of thing goes."""

    APP_WARNED = "app_warned"  # about to be removed for want of visitors
    APP_REMOVED = "app_removed"  # removed; can be restored for some days
    APP_PURGED = "app_purged"  # deleted long enough ago: gone for good
    NAME = "name"  # free for everybody again
    BUNDLE = "bundle"
    BLOB = "blob"
    BRANCH = "branch"  # of a database, whose time is over
    DATABASE = "database"  # another one took its place
    FILES = "files"
    SOCKET = "socket"
    PROCESS = "process"


class CleanupItem(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    what: Leftover
    name: str
    """The app's id, the file's path below the platform's folder, the process's id."""
    reason: str
    size_bytes: int | None = None
    due_at: datetime | None = None
    """Of a warning: when the app goes."""


class CleanupReport(BaseModel):
    """GET /api/cleanup: what would go now. POST: what went."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    dry_run: bool
    items: list[CleanupItem] = Field(default_factory=list)
