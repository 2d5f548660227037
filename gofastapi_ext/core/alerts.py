"""A webhook that is told when something needs its owner."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.bundle import Line


class AlertKind(StrEnum):
    TURNED_RED = "turned_red"
    CRASH_LOOP = "crash_loop"
    DEPLOY_FAILED = "deploy_failed"
    REMOVAL_WARNING = "removal_warning"
    TEST = "test"


class AlertsChange(BaseModel):
    """PUT /api/alerts"""

    model_config = ConfigDict(frozen=True)

    url: Line


class AlertDelivery(BaseModel):
    """One message to the webhook, and how it went."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    kind: AlertKind
    app: str | None = None
    attempts: int
    delivered: bool
    problem: str | None = None
    next_attempt_at: datetime | None = None


class AlertsView(BaseModel):
    """GET /api/alerts. `signing_secret` is told once, in the answer to the PUT that made it."""

    model_config = ConfigDict(frozen=True)

    url: str | None
    signing_secret: str | None = Field(default=None, repr=False)
    deliveries: list[AlertDelivery] = Field(default_factory=list)
    """The latest, newest first."""
