"""When an app goes for want of visitors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gofastapi_ext.core.cleanup import Leftover
from gofastapi_ext.core.idle import IdleVerdict, judge_idle

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def judge(*, used: float, warned: float | None = None, up: float = 1000) -> IdleVerdict:
    """It is noon, and a day without a visitor is too long; the rest in hours ago."""
    return judge_idle(
        used_at=NOON - hours(used),
        warned_at=None if warned is None else NOON - hours(warned),
        now=NOON,
        remove_after=hours(24),
        running_since=NOON - hours(up),
    )


@pytest.mark.parametrize(
    ("used", "warned", "due", "goes_in"),
    [
        (0, None, None, 24),
        (17.9, None, None, 6.1),
        (18, None, Leftover.APP_WARNED, 6),
        (23, None, Leftover.APP_WARNED, 6),  # never less than a quarter of the time
        (1000, None, Leftover.APP_WARNED, 6),
        (20, 2, None, 4),
        (24, 6, Leftover.APP_REMOVED, 0),
        (30, 5, None, 1),
        (31, 6, Leftover.APP_REMOVED, 0),
        (3, 4, None, 21),  # somebody came after the warning
        (19, 40, Leftover.APP_WARNED, 6),  # that warning was of another time
    ],
)
def test_an_app_is_warned_for_a_quarter_of_the_time_and_then_goes(
    used: float, warned: float | None, due: Leftover | None, goes_in: float
) -> None:
    verdict = judge(used=used, warned=warned)
    assert verdict.due is due
    assert verdict.goes_at - NOON == hours(goes_in)


@pytest.mark.parametrize("warned", [None, 50, 500])
def test_a_service_that_was_away_warns_first_and_waits(warned: float | None) -> None:
    assert judge(used=1000, warned=warned, up=0.1) == IdleVerdict(Leftover.APP_WARNED, NOON + hours(6))
    assert judge(used=1000, warned=0.05, up=0.1).due is None


def test_a_clock_that_was_set_back_removes_nothing() -> None:
    assert judge(used=-100).due is None
    assert judge(used=-100, warned=-90).due is None
