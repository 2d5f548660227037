"""What happened to apps, as a feed: deploys, crashes, wakes, and who or what was behind it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class EventKind(StrEnum):
    DEPLOYED = "deployed"
    DEPLOY_FAILED = "deploy_failed"
    ROLLED_BACK = "rolled_back"
    STARTED = "started"
    RESTARTED = "restarted"
    STOPPED = "stopped"
    ENV_CHANGED = "env_changed"
    CHANGED = "changed"  # its title, or a setting of it
    DRAFT_SAVED = "draft_saved"  # or discarded; only followers are told
    NEW_ERROR = "new_error"  # an error of the app that was not known yet; only followers are told
    CLONED = "cloned"
    DELETED = "deleted"
    RESTORED = "restored"
    CRASHED = "crashed"
    CRASH_LOOP = "crash_loop"
    RECOVERED = "recovered"  # it came back by itself after a crash
    SCALED = "scaled"  # another number of workers serves it now
    SLEPT = "slept"
    WOKE = "woke"
    HEALTH = "health"  # another colour
    REMOVAL_WARNING = "removal_warning"
    REMOVED = "removed"  # by clean-up, for want of visitors
    CLEANED = "cleaned"  # remains of what is gone were swept
    BACKED_UP = "backed_up"  # somebody's database
    BACKUP_FAILED = "backup_failed"  # the nightly one
    DATABASE_RESTORED = "database_restored"  # a backup took the place of the data, or was taken back
    BRANCH_CREATED = "branch_created"
    BRANCH_DROPPED = "branch_dropped"
    BRANCH_PROMOTED = "branch_promoted"  # it is the data now
    DATA_CHANGED = "data_changed"  # by hand or an import, not by an app; only followers are told
    CREDENTIALS_ROTATED = "credentials_rotated"  # of somebody's database
    DATABASE_FULL = "database_full"  # over its limit: no more writes
    DATABASE_WRITABLE = "database_writable"  # below it again
    OPERATION_ENDED = "operation_ended"  # it ran for too long in the database
    TOO_MANY_CONNECTIONS = "too_many_connections"  # to the database, of one app
    ALERT_FAILED = "alert_failed"  # a webhook could not be told


class Event(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    id: int
    """Grows from event to event: what a feed is resumed by."""
    at: datetime
    kind: EventKind
    app: str | None = None
    message: str
    """One sentence for people."""
    by: str | None = None
    """Who asked for it; None where the platform did it by itself."""
    version: int | None = None
    details: dict[str, Any] = Field(default_factory=dict)
    """For programs; never a secret."""
