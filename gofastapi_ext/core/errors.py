"""Errors the platform raises on purpose.

Deep code raises one of these; only `platform.api` knows the HTTP status of each, and the client
raises the same class again by its `code`.
"""

from __future__ import annotations

from typing import Any, ClassVar


class GoFastAPIError(Exception):
    """An error with words for the person who meets it.

    `code` is stable and names the class across the wire; `message` says what is wrong and what to
    do; `details` is JSON data for programs.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}


class InternalError(GoFastAPIError):
    """Something of ours broke; its text stands in the service's log under the request id."""

    code = "internal"


class InvalidRequestError(GoFastAPIError):
    """The request does not have the form the API asks for."""

    code = "invalid_request"


class TooLargeError(InvalidRequestError):
    """What was sent is larger than is allowed."""

    code = "too_large"


class InvalidNameError(GoFastAPIError):
    """An app's name is not a DNS label, or is reserved."""

    code = "invalid_name"


class InvalidBundleError(GoFastAPIError):
    """The files cannot be a bundle: a path that escapes, too many, too large."""

    code = "invalid_bundle"


class NotFoundError(GoFastAPIError):
    """There is no such object, or it is not yours."""

    code = "not_found"


class ConflictError(GoFastAPIError):
    """The object changed, or is being changed, by someone else."""

    code = "conflict"


class DraftConflictError(ConflictError):
    """A draft, or a file of it, was saved by someone else since it was read.

    `details` is a `core.drafts.DraftConflict`: both sides.
    """

    code = "draft_conflict"


class DocumentConflictError(ConflictError):
    """A document of a user's database is another one than was seen.

    `details` is a `core.documents.views.DocumentConflict`: both sides.
    """

    code = "document_conflict"


class SecretsUnreadableError(GoFastAPIError):
    """Secrets were encrypted with a key that is not there any more, or is another one."""

    code = "secrets_unreadable"


class DamagedBackupError(GoFastAPIError):
    """A file is no backup, or not the one that was written: its hashes do not answer for it."""

    code = "damaged_backup"


class OverLimitError(GoFastAPIError):
    """The user's database holds, or the user's backups take, more than is allowed, until something is deleted."""

    code = "over_limit"


class UnavailableError(GoFastAPIError):
    """Something the platform stands on is away for the moment (the database, a runtime)."""

    code = "unavailable"


class ServiceUnreachableError(GoFastAPIError):
    """The platform service does not run, or could not be started."""

    code = "service_unreachable"


class VersionMismatchError(GoFastAPIError):
    """The running service is of another version than this client."""

    code = "version_mismatch"


_BY_CODE: dict[str, type[GoFastAPIError]] = {
    cls.code: cls
    for cls in (
        InternalError,
        InvalidRequestError,
        TooLargeError,
        InvalidNameError,
        InvalidBundleError,
        NotFoundError,
        ConflictError,
        DraftConflictError,
        DocumentConflictError,
        SecretsUnreadableError,
        DamagedBackupError,
        OverLimitError,
        UnavailableError,
        ServiceUnreachableError,
        VersionMismatchError,
    )
}


def error_from_code(code: str, message: str, details: dict[str, Any] | None = None) -> GoFastAPIError:
    """Rebuild the error a service sent; an unknown code becomes a plain `GoFastAPIError`."""
    return _BY_CODE.get(code, GoFastAPIError)(message, details)
