"""Whether an app is well: a colour, and the reason in words. Pure: checks and counts in, a verdict out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.lifecycle import Status, Target

CHECKS_JUDGED = 3
"""The latest checks that count: all of them failed is red, some of them yellow."""
SLOW_SECONDS = 1.0
"""An app whose last two answers took longer is yellow."""
YELLOW_ERROR_RATE = 0.05
YELLOW_ERRORS = 3
RED_ERROR_RATE = 0.5
RED_ERRORS = 10
"""Of the requests in the last minutes; a few errors of an app that is hardly used say nothing."""


class HealthColor(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    ASLEEP = "asleep"
    """It sleeps, and wakes with the next request."""
    GREY = "grey"
    """It is not meant to run, or nothing is known yet."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One question to the app's /health. Small: the service keeps many of them."""

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


class Verdict(NamedTuple):
    color: HealthColor
    reason: str


def problem_of(status: int) -> str | None:
    """What is wrong with an answer of /health. An app that asks who you are (401), or has no such page, is alive."""
    return f"/health answered {status}" if status >= 500 else None


def judge(
    target: Target,
    status: Status,
    reason: str | None,
    checks: Sequence[HealthCheck],
    requests: int = 0,
    server_errors: int = 0,
) -> Verdict:
    """The colour of an app, and why.

    `reason` is the app's own for its status; of one that runs, what it lacks. `checks` are those since the process
    that serves now began to, newest first.
    `requests` and `server_errors` are of the last 5 minutes.
    """
    if target is not Target.RUNNING or status is not Status.RUNNING:
        return _not_running(target, status, reason)
    found = [_by_checks(checks[:CHECKS_JUDGED]), _by_errors(requests, server_errors), _by_speed(checks[:2])]
    if reason:
        found.append(Verdict(HealthColor.YELLOW, reason))
    for color in (HealthColor.RED, HealthColor.YELLOW):
        reasons = [verdict.reason for verdict in found if verdict is not None and verdict.color is color]
        if reasons:
            return Verdict(color, "; ".join(reasons))
    if not checks:
        return Verdict(HealthColor.GREEN, "it came up, and was not asked again yet")
    return Verdict(HealthColor.GREEN, f"/health answered {checks[0].status} in {checks[0].seconds * 1000:.0f} ms")


def _not_running(target: Target, status: Status, reason: str | None) -> Verdict:
    match target, status:
        case Target.DELETED, _:
            return Verdict(HealthColor.GREY, "deleted")
        case Target.STOPPED, _:
            return Verdict(HealthColor.GREY, "stopped by its owner")
        case _, Status.NEW:
            return Verdict(HealthColor.GREY, "nothing of it is live yet")
        case _, Status.FAILED:
            return Verdict(HealthColor.RED, reason or "it does not start")
        case _, Status.RESTARTING:
            return Verdict(HealthColor.YELLOW, "it is being restarted" + (f": {reason}" if reason else ""))
        case (Target.ASLEEP, _) | (_, Status.ASLEEP):
            return Verdict(HealthColor.ASLEEP, "the next request wakes it")
    return Verdict(HealthColor.GREY, "it is being started")


def _by_checks(checks: Sequence[HealthCheck]) -> Verdict | None:
    failed = [check for check in checks if check.problem]
    if not failed:
        return None
    color = HealthColor.RED if len(failed) == CHECKS_JUDGED else HealthColor.YELLOW
    how_many = f"{len(failed)} of the last {len(checks)} checks" if len(checks) > 1 else "the last check"
    return Verdict(color, f"{how_many} failed: {failed[0].problem}")


def _by_errors(requests: int, errors: int) -> Verdict | None:
    rate = errors / max(requests, 1)
    words = f"{rate:.0%} of {requests} requests in the last 5 minutes failed"
    if errors >= RED_ERRORS and rate >= RED_ERROR_RATE:
        return Verdict(HealthColor.RED, words)
    if errors >= YELLOW_ERRORS and rate >= YELLOW_ERROR_RATE:
        return Verdict(HealthColor.YELLOW, words)
    return None


def _by_speed(checks: Sequence[HealthCheck]) -> Verdict | None:
    if len(checks) < 2 or any(check.problem or check.seconds <= SLOW_SECONDS for check in checks):
        return None
    return Verdict(HealthColor.YELLOW, f"/health takes {checks[0].seconds:.1f} s to answer")
