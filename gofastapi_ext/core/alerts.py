"""A webhook that is told when something needs its owner."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.bundle import Text
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.health import HealthColor

TIMESTAMP_HEADER = "X-GoFastAPI-Timestamp"
SIGNATURE_HEADER = "X-GoFastAPI-Signature"
MAX_URL_LENGTH = 2000


class AlertKind(StrEnum):
    TURNED_RED = "turned_red"
    CRASH_LOOP = "crash_loop"
    DEPLOY_FAILED = "deploy_failed"
    REMOVAL_WARNING = "removal_warning"
    DATABASE_FULL = "database_full"
    BACKUP_FAILED = "backup_failed"
    TEST = "test"


class AlertsChange(BaseModel):
    """PUT /api/alerts"""

    model_config = ConfigDict(frozen=True)

    url: Text = Field(max_length=MAX_URL_LENGTH, repr=False)


class AlertMessage(BaseModel):
    """What the webhook gets, as JSON. The same message may come twice, under the same id."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    kind: AlertKind
    app: str | None
    message: str
    """One sentence for people."""
    at: datetime
    url: str | None = None
    """Of the app."""


class AlertDelivery(BaseModel):
    """One message to the webhook, and how it went."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    at: datetime
    kind: AlertKind
    app: str | None = None
    attempts: int
    delivered: bool
    problem: str | None = None
    next_attempt_at: datetime | None = None


class AlertsView(BaseModel):
    """GET /api/alerts. `signing_secret` is told once, in the answer to the PUT that made it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    url: str | None
    signing_secret: str | None = Field(default=None, repr=False)
    deliveries: list[AlertDelivery] = Field(default_factory=list)
    """The latest, newest first."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a message, as it stands in its header; `timestamp` is in seconds, as in the other header.

    A receiver computes the same, compares with `hmac.compare_digest`, and refuses what is minutes old.
    """
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def check_webhook_url(url: str) -> str:
    """The address without blanks around it. Raises `InvalidRequestError`, which does not repeat it."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, has_host = None, False
    if parts is None or parts.scheme not in ("http", "https") or not has_host or not url.isascii() or " " in url:
        raise InvalidRequestError("A webhook's address is like https://example.com/hook.")
    if not url.isprintable() or len(url) > MAX_URL_LENGTH:
        raise InvalidRequestError(f"A webhook's address is one line of at most {MAX_URL_LENGTH} characters.")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequestError(
            "Leave the user and password out of the webhook's address: every message is signed instead."
        )
    return url


def alert_for(kind: EventKind, details: Mapping[str, Any]) -> AlertKind | None:
    """The alert that an event is worth."""
    if kind is EventKind.HEALTH:
        return AlertKind.TURNED_RED if details.get("color") == HealthColor.RED else None
    return _ALERTS.get(kind)


_ALERTS = {
    EventKind.CRASH_LOOP: AlertKind.CRASH_LOOP,
    EventKind.DEPLOY_FAILED: AlertKind.DEPLOY_FAILED,
    EventKind.REMOVAL_WARNING: AlertKind.REMOVAL_WARNING,
    EventKind.DATABASE_FULL: AlertKind.DATABASE_FULL,
    EventKind.BACKUP_FAILED: AlertKind.BACKUP_FAILED,
}
