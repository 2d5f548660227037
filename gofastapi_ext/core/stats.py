"""The measured promise: how fast and how surely code comes to a URL here."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

TARGET_SECONDS = 60.0
"""From the cell to the URL."""
TARGET_SUCCESS_RATE = 0.95


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Promise(_Frozen):
    """Of the deploys of some days. Rates are from 0 to 1; None where there was no deploy."""

    days: int
    deploys: int
    succeeded: int
    success_rate: float | None
    refused: int
    """Of those that failed: how many because of the code itself, told with its line before anything was started."""
    p50_seconds: float | None
    """From the cell to the URL, of those that succeeded."""
    p95_seconds: float | None
    target_seconds: float = TARGET_SECONDS
    target_success_rate: float = TARGET_SUCCESS_RATE
    is_kept: bool | None
    """Whether both targets are met."""


class StageNumbers(_Frozen):
    stage: str
    p50_seconds: float
    p95_seconds: float


class StatsView(_Frozen):
    """GET /api/stats"""

    since: datetime
    promise: Promise
    stages: list[StageNumbers]
    apps: int
    apps_running: int
    apps_asleep: int
    wakes: int
    """Of the last 24 hours."""
    wake_p50_seconds: float | None
    requests: int
    """To all apps together, in the last 24 hours."""
