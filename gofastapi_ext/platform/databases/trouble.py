"""What MongoDB says when it refuses something, in words for the person who asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from bson.errors import BSONError
from pymongo.errors import (
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from gofastapi_ext.core.errors import (
    ConflictError,
    GoFastAPIError,
    InvalidRequestError,
    NotFoundError,
    OverLimitError,
    TooLargeError,
    UnavailableError,
)
from gofastapi_ext.platform.databases.refusals import is_away, is_unauthorized

_NOT_FOUND = {26, 27}
_CONFLICTS = {48, 85, 86}
_ENDED = {11601, 262, 11600}
_TOO_LARGE = {10334, 17280, 17419, 17420}
_AWAY = "The database does not answer at the moment. It comes back by itself; try again in a few seconds."


@contextmanager
def told(seconds: float | None) -> Iterator[None]:
    """Raise what goes wrong inside as a `GoFastAPIError`; MongoDB gives up each operation after so long."""
    try:
        with pymongo.timeout(seconds):
            yield
    except (PyMongoError, BSONError, OverflowError) as error:
        raise in_words(error) from error


def in_words(error: Exception) -> GoFastAPIError:
    """The error as one for people."""
    if isinstance(error, ServerSelectionTimeoutError):
        return UnavailableError(_AWAY)  # nobody was there to take long
    if isinstance(error, PyMongoError) and error.timeout:
        return InvalidRequestError(
            "The database took too long for this and gave up. An index on the fields of the filter and the sort helps; "
            "explain shows what it does."
        )
    if isinstance(error, DuplicateKeyError):
        return ConflictError(duplicate_in_words(error.details or {}))
    if isinstance(error, DocumentTooLarge):
        return TooLargeError("The document is larger than the 16 MB that MongoDB allows.")
    if isinstance(error, OperationFailure):  # a `BulkWriteError` is one, too
        return _refused(error)
    if is_away(error) or isinstance(error, ConnectionFailure):
        return UnavailableError(_AWAY)
    if isinstance(error, BSONError | OverflowError):
        return InvalidRequestError(f"MongoDB cannot hold this: {error}.")
    return UnavailableError(f"The database could not do this: {error}")


def duplicate_in_words(details: object) -> str:
    """Which value of which index is there already."""
    found = details if isinstance(details, dict) else {}
    pattern, value = found.get("keyPattern"), found.get("keyValue")
    if isinstance(pattern, dict) and isinstance(value, dict):
        fields = ", ".join(f"{name} {str(value.get(name))[:80]}" for name in pattern)
        return f"There is a document with {fields} already."
    return "There is a document with this key already."


def _refused(error: OperationFailure) -> GoFastAPIError:
    said = str((error.details or {}).get("errmsg") or error)[:500]
    if is_unauthorized(error):
        return OverLimitError(
            "The database takes no writes now: it is over its limit until something is deleted. To see what is large: "
            "gofastapi db"
        )
    if error.code in _NOT_FOUND:
        return NotFoundError(f"There is no such thing in the database: {said}.")
    if error.code in _CONFLICTS:
        return ConflictError(f"That is in the way of something that is there: {said}.")
    if error.code in _ENDED:
        return ConflictError("This was ended by the database before it was done, because it ran for too long.")
    if error.code in _TOO_LARGE:
        return TooLargeError(f"That is larger than MongoDB allows: {said}.")
    return InvalidRequestError(f"MongoDB refuses this: {said}.")
