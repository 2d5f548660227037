"""What an archive says of itself.

An archive is a zip with the layout of a `mongodump` folder: for each collection `<database>/<name>.metadata.json`
(options and indexes) and `<database>/<name>.bson` (its documents, as they are stored). `manifest.json` holds the
sha256 of each of them, and the comment of the zip that of the manifest: so one hash answers for everything.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

FORMAT = "gofastapi-backup"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
SUFFIX = ".gfa.zip"
MAX_LIST_BYTES = 8_000_000
"""Of the manifest, and of the zip's own list of members: both are whole in memory. That is about 10,000 collections."""
MAX_NOTES = 1000

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(days=2)


class Consistency(StrEnum):
    """Why all collections of an archive are of one moment."""

    LOCKED = "locked"  # nobody could write while it was made
    SNAPSHOT = "snapshot"  # read at one moment of a replica set


class Kind(StrEnum):
    COLLECTION = "collection"
    TIMESERIES = "timeseries"
    VIEW = "view"


def _in_utc(moment: datetime) -> datetime:
    if not _EARLIEST <= moment <= datetime.now(UTC) + _CLOCKS_DIFFER:
        raise ValueError("no backup is from then")
    return moment.astimezone(UTC)


# Backups are named and put in order by it, so it has to be one that a clock could have shown.
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Name = Annotated[str, Field(max_length=300)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(_Frozen):
    """A member of the zip."""

    path: str = Field(max_length=2000)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=0)


class CollectionEntry(_Frozen):
    """A collection; a view has no documents of its own."""

    name: Name
    kind: Kind
    metadata: Part
    data: Part | None = None
    documents: int = Field(default=0, ge=0)


class Metadata(BaseModel):
    """What a collection is, beside its documents, in MongoDB's own words."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    options: dict[str, Any] = Field(default_factory=dict)
    indexes: list[dict[str, Any]] = Field(default_factory=list)


class Manifest(_Frozen):
    format: Literal["gofastapi-backup"] = "gofastapi-backup"
    format_version: int = FORMAT_VERSION
    created_at: Moment
    user: Name
    database: Name
    branch: Name | None = None
    installation: Name
    """Which platform made it; another one's archive is told apart by this."""
    server_version: Name
    consistency: Consistency
    collections: list[CollectionEntry] = Field(default_factory=list)
    notes: list[Annotated[str, Field(max_length=1000)]] = Field(default_factory=list, max_length=MAX_NOTES)
    """What is not as one might expect, in words for people."""

    @property
    def parts(self) -> list[Part]:
        return [part for entry in self.collections for part in (entry.metadata, entry.data) if part is not None]

    @property
    def size_bytes(self) -> int:
        """Of everything, unpacked."""
        return sum(part.size_bytes for part in self.parts)

    @property
    def documents(self) -> int:
        return sum(entry.documents for entry in self.collections)


def comment(manifest_sha256: str) -> bytes:
    """The comment of the zip."""
    return f"{FORMAT} {FORMAT_VERSION} sha256={manifest_sha256}".encode()


def path_of(database: str, collection: str, ending: str) -> str:
    """The member that holds `ending` (`bson`, `metadata.json`) of a collection, whatever its name."""
    return f"{quote(database, safe='')}/{quote(collection, safe='')}.{ending}"
