"""The rule that turns checks and counts into a colour and words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gofastapi_ext.core.health import HealthCheck, HealthColor, judge, problem_of
from gofastapi_ext.core.lifecycle import Status, Target

GREEN, YELLOW, RED = HealthColor.GREEN, HealthColor.YELLOW, HealthColor.RED


def check(status: int | None = 200, seconds: float = 0.012) -> HealthCheck:
    problem = "/health did not answer within 5 s" if status is None else problem_of(status)
    return HealthCheck(at=datetime(2026, 1, 2, tzinfo=UTC), status=status, seconds=seconds, problem=problem)


OK, BAD, SILENT, SLOW = check(), check(503), check(None, 5.0), check(200, 2.34)


@pytest.mark.parametrize(
    ("checks", "requests", "errors", "color", "reason"),
    [
        ([], 0, 0, GREEN, "it came up, and was not asked again yet"),
        ([OK], 0, 0, GREEN, "/health answered 200 in 12 ms"),
        ([check(404)], 0, 0, GREEN, "/health answered 404 in 12 ms"),
        ([check(302)], 0, 0, GREEN, "/health answered 302 in 12 ms"),
        ([BAD], 0, 0, YELLOW, "the last check failed: /health answered 503"),
        ([BAD, BAD], 0, 0, YELLOW, "2 of the last 2 checks failed: /health answered 503"),
        ([BAD, OK, BAD], 0, 0, YELLOW, "2 of the last 3 checks failed: /health answered 503"),
        ([OK, OK, BAD], 0, 0, YELLOW, "1 of the last 3 checks failed: /health answered 503"),
        ([OK, OK, OK, BAD, BAD, BAD], 0, 0, GREEN, "/health answered 200 in 12 ms"),
        ([BAD, BAD, BAD], 0, 0, RED, "3 of the last 3 checks failed: /health answered 503"),
        ([BAD, SILENT, BAD, OK], 0, 0, RED, "3 of the last 3 checks failed: /health answered 503"),
        ([SILENT] * 5, 0, 0, RED, "3 of the last 3 checks failed: /health did not answer within 5 s"),
        # Slow once may be chance.
        ([SLOW], 0, 0, GREEN, "/health answered 200 in 2340 ms"),
        ([SLOW, OK], 0, 0, GREEN, "/health answered 200 in 2340 ms"),
        ([SLOW, SLOW], 0, 0, YELLOW, "/health takes 2.3 s to answer"),
        ([OK, SLOW], 0, 0, GREEN, "/health answered 200 in 12 ms"),
        # Errors of requests: as many as say something, and a part of all that does.
        ([OK], 2, 2, GREEN, "/health answered 200 in 12 ms"),
        ([OK], 61, 3, GREEN, "/health answered 200 in 12 ms"),
        ([OK], 60, 3, YELLOW, "5% of 60 requests in the last 5 minutes failed"),
        ([OK], 340, 41, YELLOW, "12% of 340 requests in the last 5 minutes failed"),
        ([OK], 9, 9, YELLOW, "100% of 9 requests in the last 5 minutes failed"),
        ([OK], 20, 10, RED, "50% of 20 requests in the last 5 minutes failed"),
        ([], 20, 10, RED, "50% of 20 requests in the last 5 minutes failed"),
        # All that is as bad as the worst is told.
        (
            [BAD],
            340,
            41,
            YELLOW,
            "the last check failed: /health answered 503; 12% of 340 requests in the last 5 minutes failed",
        ),
        ([BAD, BAD, BAD], 340, 41, RED, "3 of the last 3 checks failed: /health answered 503"),
    ],
)
def test_an_app_that_runs(
    checks: list[HealthCheck], requests: int, errors: int, color: HealthColor, reason: str
) -> None:
    assert judge(Target.RUNNING, Status.RUNNING, None, checks, requests, errors) == (color, reason)


def test_an_app_that_runs_and_lacks_something_is_yellow() -> None:
    lacks = "1 of 2 workers serve it"
    assert judge(Target.RUNNING, Status.RUNNING, lacks, [OK]) == (YELLOW, lacks)
    assert judge(Target.RUNNING, Status.RUNNING, lacks, [BAD, BAD, BAD]).color is RED


@pytest.mark.parametrize(
    ("target", "status", "reason", "color", "words"),
    [
        (Target.RUNNING, Status.NEW, None, HealthColor.GREY, "nothing of it is live yet"),
        (Target.RUNNING, Status.STARTING, None, HealthColor.GREY, "it is being started"),
        (Target.RUNNING, Status.STOPPED, None, HealthColor.GREY, "it is being started"),
        (Target.RUNNING, Status.RESTARTING, "it ran out of memory", YELLOW, "being restarted: it ran out of memory"),
        (Target.RUNNING, Status.RESTARTING, None, YELLOW, "it is being restarted"),
        (Target.RUNNING, Status.FAILED, "It crashed 5 times in a row.", RED, "It crashed 5 times in a row."),
        (Target.RUNNING, Status.FAILED, None, RED, "it does not start"),
        (Target.ASLEEP, Status.ASLEEP, None, HealthColor.ASLEEP, "the next request wakes it"),
        (Target.ASLEEP, Status.RUNNING, None, HealthColor.ASLEEP, "wakes"),
        (Target.RUNNING, Status.ASLEEP, None, HealthColor.ASLEEP, "wakes"),
        (Target.ASLEEP, Status.FAILED, "It does not wake.", RED, "It does not wake."),
        (Target.STOPPED, Status.STOPPED, None, HealthColor.GREY, "stopped by its owner"),
        (Target.STOPPED, Status.RUNNING, None, HealthColor.GREY, "stopped by its owner"),
        (Target.STOPPED, Status.FAILED, "Its secrets cannot be read.", HealthColor.GREY, "stopped by its owner"),
        (Target.DELETED, Status.STOPPED, None, HealthColor.GREY, "deleted"),
    ],
)
def test_an_app_that_does_not_run(
    target: Target, status: Status, reason: str | None, color: HealthColor, words: str
) -> None:
    # Whatever its checks said before it went.
    verdict = judge(target, status, reason, [BAD, BAD, BAD], 100, 100)
    assert verdict.color is color
    assert words in verdict.reason
