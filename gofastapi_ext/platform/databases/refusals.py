"""What the server refused, told apart."""

from __future__ import annotations

from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure

_UNAUTHORIZED = 13


def is_unauthorized(error: BaseException) -> bool:
    """Whether the credentials do not allow what was asked."""
    if isinstance(error, BulkWriteError):
        found = [*error.details.get("writeErrors", []), *error.details.get("writeConcernErrors", [])]
        return any(each.get("code") == _UNAUTHORIZED for each in found)
    return isinstance(error, OperationFailure) and error.code == _UNAUTHORIZED


def is_away(error: BaseException) -> bool:
    """Whether the server does not answer at this moment."""
    return isinstance(error, AutoReconnect)
