"""Whether an app is well: a colour, and the reason in words. Pure: checks and counts in, a verdict out."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class HealthColor(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    ASLEEP = "asleep"
    """It sleeps, and wakes with the next request."""
    GREY = "grey"
    """It is not meant to run, or nothing is known yet."""


class HealthCheck(BaseModel):
    """One question to the app's /health."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    status: int | None
    """None where there was no answer."""
    seconds: float
    problem: str | None = None
    """What was wrong, in words."""


class Health(BaseModel):
    """The verdict, as it stands in the list of apps."""

    model_config = ConfigDict(frozen=True)

    color: HealthColor
    reason: str
    since: datetime | None = None


class HealthView(Health):
    """GET /api/apps/{id}/health-status"""

    app: str
    checks: list[HealthCheck] = Field(default_factory=list)
    """The recent ones, newest first."""
