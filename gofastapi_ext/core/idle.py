"""When an app goes for want of visitors. Pure: times in, a verdict out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from gofastapi_ext.core.cleanup import Leftover

WARNED_BEFORE = 4
"""An app is warned for a quarter of the time that it may be idle, at least."""


class IdleVerdict(NamedTuple):
    due: Leftover | None
    """`APP_WARNED`, `APP_REMOVED`, or nothing yet."""
    goes_at: datetime
    """When it goes, if nobody comes."""


def judge_idle(
    *,
    used_at: datetime,
    warned_at: datetime | None,
    now: datetime,
    remove_after: timedelta,
    running_since: datetime,
) -> IdleVerdict:
    """What is due of an app that was last used at `used_at`.

    A warning from before that was heard. One from before `running_since`, when the service came up, is given once
    more: while it was away nobody could come.
    """
    notice, due_at = remove_after / WARNED_BEFORE, used_at + remove_after
    if warned_at is not None and warned_at > used_at and warned_at >= running_since:
        goes_at = max(due_at, warned_at + notice)
        return IdleVerdict(Leftover.APP_REMOVED if now >= goes_at else None, goes_at)
    if now < due_at - notice:
        return IdleVerdict(None, due_at)
    return IdleVerdict(Leftover.APP_WARNED, max(due_at, now + notice))
