"""Durations as people write and read them: `90s`, `30m`, `24h`, `7d`."""

from __future__ import annotations

import re

from gofastapi_ext.core.errors import InvalidRequestError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([smhd]?)")


def parse_duration(text: str) -> float:
    """Seconds. A bare number is one of seconds. Raises `InvalidRequestError`."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise InvalidRequestError(f'"{text}" is no duration. Write it like 90s, 30m, 24h or 7d.')
    return float(match[1]) * _SECONDS[match[2] or "s"]


def format_duration(seconds: float) -> str:
    """In the largest unit that leaves a whole number: `30m`, `36h`, `1.5s`."""
    for unit in ("d", "h", "m"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{seconds:g}s"
