"""A user's database, as people see it: what is in it, how large it is, and what may happen to it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.bundle import Line


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class _Body(BaseModel):
    """Of a request: built at once, as the API needs it."""

    model_config = ConfigDict(frozen=True)


class CollectionKind(StrEnum):
    COLLECTION = "collection"
    VIEW = "view"
    TIMESERIES = "timeseries"


class IndexView(_Frozen):
    name: str
    keys: list[tuple[str, int | float | str]]
    """Fields, each with 1, -1, or a kind as `text`."""
    bytes: int
    unique: bool = False
    ttl_seconds: float | None = None
    """Documents go by themselves so long after the time in this field."""


class CollectionView(_Frozen):
    name: str
    kind: CollectionKind = CollectionKind.COLLECTION
    documents: int = 0
    bytes: int = 0
    """Of its documents, as they are when they are read."""
    average_bytes: float | None = None
    """Of one document; None where there is none."""
    storage_bytes: int = 0
    """On disk, compressed, without indexes."""
    indexes: list[IndexView] = Field(default_factory=list)


class DatabaseView(_Frozen):
    """GET /api/database"""

    name: str
    branch: str | None = None
    bytes: int
    """What counts against the limit: documents as they are when they are read, and indexes."""
    limit_bytes: int
    over_limit: bool
    """Whether writes are refused, until it holds less than `writable_below_bytes`."""
    writable_below_bytes: int
    documents: int
    collections: list[CollectionView]
    """By name."""
    created_at: datetime
    credentials_rotated_at: datetime | None = None
    expires_at: datetime | None = None
    """Of a branch: when it goes by itself."""
    apps: list[str] = Field(default_factory=list)
    """Those that have it open now, by name."""


class UriRequest(_Body):
    """POST /api/database/uri"""

    confirm: Line = ""
    """The name of the database: that its credentials are shown is meant."""


class UriView(_Frozen):
    uri: str = Field(repr=False)


class AppMove(_Frozen):
    """An app, after new credentials or another database came into force."""

    app: str
    moved: bool
    reason: str | None = None
    """Why not; then it goes on with what it had, which stays valid for it."""
    seconds: float | None = None


class RotationEvent(_Frozen):
    """A line of the answer to a rotation: an app that is done, or, as the last one, the end of it."""

    app: AppMove | None = None
    done: bool = False
    still_used: bool = False
    """Of the last one: whether the credentials before are still used, by an app that finishes its requests or was
    not moved. They are dropped as soon as they are not."""


def writable_below(limit_bytes: int) -> int:
    """Below this a database that was over its limit takes writes again: so that it does not go back and forth."""
    return limit_bytes * 95 // 100
