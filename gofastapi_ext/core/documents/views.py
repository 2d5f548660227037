"""What the API says and takes of documents, collections and indexes. Values are Extended JSON throughout."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_PAGE = 20
MAX_PAGE = 200


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class _Asked(BaseModel):
    """What a request brings. Built at once: FastAPI looks at it when it makes the routes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DocumentView(_Model):
    """A document, as Extended JSON: relaxed, or canonical where that was asked for."""

    key: str
    """Names it in a URL; made of letters, digits and `~-_` alone."""
    id: Any
    """Its `_id`."""
    version: str
    """Changes with everything in the document. Who edits it says which version they saw."""
    document: Any
    """All of it, or the fields that were chosen."""


class DocumentPage(_Model):
    """Some documents of a collection, in order."""

    documents: list[DocumentView]
    next: str | None = None
    """What to give as `after` for the page that follows; None on the last one."""
    count_estimate: int | None = None
    """How many there are in the collection, about; None where a filter is set."""


class DocumentInsert(_Asked):
    """A new document."""

    document: dict[str, Any]


class DocumentChange(_Asked):
    """Fields to change, by their dotted paths."""

    set: dict[str, Any] = {}
    unset: list[str] = []
    version: str = Field(max_length=64)
    """Of the document as it was seen; where it is another one meanwhile, nothing is changed."""


class DocumentReplace(_Asked):
    """A whole document in the place of the one that was seen."""

    document: dict[str, Any]
    version: str = Field(max_length=64)


class DocumentConflict(_Model):
    """Somebody else changed the document: both sides. It is the `details` of the error."""

    yours: Any
    """The change that was not made."""
    theirs: DocumentView | None
    """The document as it is now; None where it is gone."""


class DeletedDocument(_Model):
    """A document that is gone, and for a minute can be brought back."""

    undo: str | None
    """What to POST to /api/database/undo/; None where the document is too large to be kept."""
    expires_at: datetime | None
    note: str | None = None


class CollectionCreate(_Asked):
    name: str


class CollectionName(_Model):
    name: str


class IndexCreate(_Asked):
    """An index: fields with 1, -1, `text`, `2dsphere` or `hashed`."""

    keys: dict[str, Literal[1, -1, "text", "2dsphere", "hashed"]] = Field(min_length=1, max_length=32)
    name: str | None = Field(default=None, min_length=1, max_length=120)
    unique: bool = False
    sparse: bool = False
    expire_after_seconds: int | None = Field(default=None, ge=0, le=2**31 - 1)
    partial: dict[str, Any] | None = None
    """Only documents that match this filter are in it."""


class IndexName(_Model):
    name: str


class ExplainRequest(_Asked):
    filter: dict[str, Any] = {}
    sort: dict[str, Any] = {}
    projection: dict[str, Any] = {}


class Explanation(_Model):
    """How MongoDB finds what a query asks for; it was run once to know."""

    summary: str
    uses_index: bool
    indexes: list[str]
    sorts_in_memory: bool
    keys_examined: int
    documents_examined: int
    returned: int
    seconds: float
    advice: str | None = None
    plan: dict[str, Any]
    """MongoDB's own words for the winning plan."""


class Format(StrEnum):
    """Of a file that comes in or goes out."""

    JSONL = "jsonl"
    CSV = "csv"


class ImportMode(StrEnum):
    ADD = "add"
    """To what is there; lines that cannot be taken are told, and the others are stored."""
    REPLACE = "replace"
    """What is there, all or nothing: until the last line is stored, everything stays as it is."""


class LineProblem(_Model):
    """A line of an import that was not stored, and why."""

    line: int
    message: str


class ImportEvent(_Model):
    """How far an import is; the last one is `done` or `failed`."""

    kind: Literal["progress", "done", "failed"]
    lines: int = 0
    """Read so far; of CSV, with its header."""
    stored: int = 0
    refused: int = 0
    bytes: int = 0
    seconds: float = 0
    problems: list[LineProblem] = []
    """The first ones that were refused."""
    message: str | None = None
