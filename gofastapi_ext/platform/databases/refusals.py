"""What the server refused, told apart."""

from __future__ import annotations

from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure

_UNAUTHORIZED = 13
_OUT_OF_DISK_SPACE = 14031


def is_unauthorized(error: BaseException) -> bool:
    """Whether the credentials do not allow what was asked."""
    if isinstance(error, BulkWriteError):
        found = [*error.details.get("writeErrors", []), *error.details.get("writeConcernErrors", [])]
        return any(each.get("code") == _UNAUTHORIZED for each in found)
    return isinstance(error, OperationFailure) and error.code == _UNAUTHORIZED


def is_away(error: BaseException) -> bool:
    """Whether the server does not answer at this moment."""
    return isinstance(error, AutoReconnect)


def is_disk_full(error: BaseException) -> bool:
    """Whether the server found no room to write."""
    if not isinstance(error, OperationFailure):
        return False
    return error.code == _OUT_OF_DISK_SPACE or "No space left on device" in str(error)
