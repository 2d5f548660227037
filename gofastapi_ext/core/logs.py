"""What may be asked of an app's output."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gofastapi_ext.core.models import LogLevel

MAX_TAIL = 10_000
"""How many lines are told at once at most."""


@dataclass(frozen=True)
class LogQuery:
    """Which lines of an app's output are asked for. Times are aware."""

    tail: int = 200
    since: datetime | None = None
    until: datetime | None = None
    grep: str | None = None
    """A piece of the text, whatever its case."""
    level: LogLevel | None = None
    """And those above."""
    pid: int | None = None
    after: str | None = None
    """The position of a line: all those after it, however many."""

    @property
    def is_filtered(self) -> bool:
        """Whether there may be lines that do not match."""
        return any(each is not None for each in (self.since, self.until, self.grep, self.level, self.pid))
