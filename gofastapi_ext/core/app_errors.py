"""What went wrong in an app: its errors, grouped, each with a request that can be sent again."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.diagnostics import Diagnostic


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


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
    """The route's template; the path where no route was found."""
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

    headers: dict[str, str] = Field(default_factory=dict)
    body: str | None = None


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
