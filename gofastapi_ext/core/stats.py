"""The measured promise: how fast and how surely code comes to a URL here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from gofastapi_ext.core.lifecycle import STAGES, Outcome, Stage

TARGET_SECONDS = 60.0
"""From the cell to the URL."""
TARGET_SUCCESS_RATE = 0.95


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


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


_SUCCEEDED = frozenset({Outcome.LIVE, Outcome.UNCHANGED})


@dataclass(frozen=True, slots=True)
class DeployFigures:
    """One deploy that has ended, as far as it counts here."""

    outcome: Outcome
    from_cell_seconds: float
    was_refused: bool = False
    stages: Mapping[Stage, float] = field(default_factory=dict)


def promise_of(deploys: Sequence[DeployFigures], days: int) -> Promise:
    """How well the promise was kept by the deploys of the last `days` days."""
    good = [deploy.from_cell_seconds for deploy in deploys if deploy.outcome in _SUCCEEDED]
    rate = len(good) / len(deploys) if deploys else None
    p95 = percentile(good, 0.95)
    is_kept = None
    if rate is not None:
        is_kept = rate >= TARGET_SUCCESS_RATE and p95 is not None and p95 <= TARGET_SECONDS
    return Promise(
        days=days,
        deploys=len(deploys),
        succeeded=len(good),
        success_rate=rate,
        refused=sum(deploy.was_refused for deploy in deploys),
        p50_seconds=percentile(good, 0.5),
        p95_seconds=p95,
        is_kept=is_kept,
    )


def stage_numbers(deploys: Iterable[DeployFigures]) -> list[StageNumbers]:
    """Of each stage that was gone through, in their order."""
    taken: dict[Stage, list[float]] = {}
    for deploy in deploys:
        for stage, seconds in deploy.stages.items():
            taken.setdefault(stage, []).append(seconds)
    found = []
    for stage in STAGES:
        p50, p95 = percentile(taken.get(stage, ()), 0.5), percentile(taken.get(stage, ()), 0.95)
        if p50 is not None and p95 is not None:
            found.append(StageNumbers(stage=stage.value, p50_seconds=p50, p95_seconds=p95))
    return found


def percentile(values: Iterable[float], share: float) -> float | None:
    """The smallest of the values that at least `share` (0 to 1) of them do not exceed; None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
