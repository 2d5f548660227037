"""What went wrong in an app: its errors, grouped, each with a request that can be sent again."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.bundle import Text
from gofastapi_ext.core.diagnostics import Diagnostic

LEFT_OUT = "***"
"""What stands in the place of a value that is not kept."""
CUT = "[…]"
"""What stands in the place of the rest of a text that was too long."""

# What tells one occurrence from the next, not one error from another: numbers, hashes, UUIDs.
_CHANGING = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{8,}|[0-9]+")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class ErrorType(StrEnum):
    """Whose error it is: `client` is a 4xx, `server` a 5xx or an exception."""

    CLIENT = "client"
    SERVER = "server"


class ErrorRequest(_Frozen):
    """The request as far as it is kept: harmless headers only, and a body only where the owner asked for that."""

    method: str
    path: str
    """With its query; values that look like credentials are `***`."""
    headers: dict[str, str] = Field(default_factory=dict)
    body: str | None = None
    body_is_base64: bool = False
    is_whole: bool = True
    """False where something was left out (a body, a credential) without which it cannot be sent as it was."""


class ErrorView(_Frozen):
    """The same error, however often it came."""

    id: str
    """Unique over all apps."""
    app: str
    version: int
    type: ErrorType
    method: str
    route: str
    """The route's template; the latest path where no route was found."""
    status: int
    exception: str | None = None
    """The class, as `KeyError`."""
    message: str
    """The exception's text, or what the app answered in short."""
    diagnostic: Diagnostic | None = None
    """Where it was raised, in the user's own code, with its traceback."""
    count: int
    first_at: datetime
    last_at: datetime
    request: ErrorRequest
    """The latest."""
    answer: str | None = None
    """What the app answered to it, the beginning."""


class ReplayRequest(_Frozen):
    """What to send beside what is stored: headers that were not kept (Authorization, say), and another body."""

    model_config = ConfigDict(defer_build=False)  # what is a request's body is built at once anyway

    headers: dict[str, str] = Field(default_factory=dict)
    body: Text | None = None


class Answer(_Frozen):
    status: int
    content_type: str | None = None
    body: str | None = None
    """The beginning, where it is text."""
    seconds: float | None = None


class ReplayView(_Frozen):
    """An error's request, sent to what is running now; both answers."""

    error: ErrorView
    version: int
    """That answered now."""
    before: Answer
    now: Answer
    left_out: list[str] = Field(default_factory=list)
    """What the request lacked, in words."""


def in_words(exception: str | None, message: str) -> str:
    """`KeyError: 'toast'`"""
    return message if not exception or message.startswith(exception) else f"{exception}: {message}".rstrip(": ")


def error_type(status: int, exception: str | None) -> ErrorType:
    """Whose error an answer is."""
    return ErrorType.CLIENT if 400 <= status < 500 and exception is None else ErrorType.SERVER


def error_id(
    app: str,
    version: int,
    *,
    method: str,
    route: str,
    status: int,
    exception: str | None,
    message: str,
    file: str | None,
    line: int | None,
) -> str:
    """The group an error belongs to: 12 hexadecimal digits, unique over all apps.

    One place in the code, reached by one route, is one group, whatever the message. Where no place is known
    the message counts, but for its numbers.
    """
    place = f"{file}:{line}" if file else _CHANGING.sub("0", message)
    parts = (app, str(version), error_type(status, exception), method, route, str(status), exception or "", place)
    # No part holds a NUL that could be taken for the next one: each is told with its length.
    told = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()[:12]
