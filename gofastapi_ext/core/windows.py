"""Stretches of time that metrics are asked for, and the steps they are shown in."""

from __future__ import annotations

from gofastapi_ext.core.durations import format_duration
from gofastapi_ext.core.errors import InvalidRequestError

MINUTE = 60
HOUR = 3600
DAY = 86_400
MOST_POINTS = 300
_STEPS = tuple(MINUTE * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440))


def step_for(window_seconds: float, most: int = MOST_POINTS) -> int:
    """Seconds; whole minutes that divide a day, so that the window has at most `most` steps."""
    for step in _STEPS:
        if window_seconds <= step * most:
            return step
    days = -(-window_seconds // (most * DAY))
    return int(days) * DAY


def check_window(window_seconds: float | None, kept_seconds: float) -> float:
    """The window that is meant: a day by default, or what is kept. Raises `InvalidRequestError`."""
    if window_seconds is None:
        return min(DAY, kept_seconds)
    # Written so that it refuses what is no number at all.
    if not MINUTE <= window_seconds <= kept_seconds:
        raise InvalidRequestError(
            f"A window of {format_duration(window_seconds)} cannot be shown. "
            f"Metrics are kept by the minute, for {format_duration(kept_seconds)}: ask for one between."
        )
    return window_seconds


def check_step(step_seconds: int | None, window_seconds: float) -> int:
    """The step that is meant. Raises `InvalidRequestError` where it is no whole minutes, or makes too many points."""
    if step_seconds is None:
        return step_for(window_seconds)
    least = step_for(window_seconds, 5 * MOST_POINTS)
    if step_seconds % MINUTE or not least <= step_seconds <= DAY:
        raise InvalidRequestError(
            f"A step of {step_seconds} s cannot be shown. For this window give whole minutes, "
            f"from {format_duration(least)} to {format_duration(DAY)}."
        )
    return step_seconds
