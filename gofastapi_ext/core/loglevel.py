"""The level of a line of output, where its text tells it. Where that is not sure, there is none."""

from __future__ import annotations

import json
import re

from gofastapi_ext.core.models import LogLevel

_LEVELS = {
    "TRACE": LogLevel.DEBUG,
    "DEBUG": LogLevel.DEBUG,
    "INFO": LogLevel.INFO,
    "NOTICE": LogLevel.INFO,
    "SUCCESS": LogLevel.INFO,
    "WARN": LogLevel.WARNING,
    "WARNING": LogLevel.WARNING,
    "ERROR": LogLevel.ERROR,
    "CRITICAL": LogLevel.ERROR,
    "FATAL": LogLevel.ERROR,
}
_WORD = "|".join(_LEVELS)
_ORDER = tuple(LogLevel)
# What tells a level stands at the beginning of a line; the rest may say anything.
_BEGINNING = 160

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_TIME = r"\[?\d{2,4}[-/.:]\d\d[-/.:]\d\d[\d:.,TZ+-]*(?: [\d:.,+-]+){0,2}\]?"
_PATTERNS = (
    # INFO:     Started server     WARNING:root:slow     WARNING - slow     ERROR | slow
    re.compile(rf"(?P<level>{_WORD})(?::|\s+[-|]\s)"),
    # [ERROR] slow     [error    ] slow, each perhaps after a time
    re.compile(rf"(?:{_TIME}\s+)?\[(?P<level>{_WORD}|{_WORD.lower()})\s*\]"),
    # 2026-01-31 12:00:00,123 ERROR slow     12:00:00 | ERROR    | slow     2026-01-31T12:00:00Z [ERROR] slow
    re.compile(rf"{_TIME}\s+(?:[-|]\s+)?\[?(?P<level>{_WORD})\b"),
    # 2026-01-31 12:00:00,123 - app.db - ERROR - slow     app.db - ERROR - slow     [time] [ERROR] slow
    re.compile(rf"(?:{_TIME}\s+-\s+)?[\w.]+ - (?P<level>{_WORD}) - "),
    re.compile(rf"{_TIME}\s+\[[^\]]*\]\s+\[?(?P<level>{_WORD})\b"),
)
_EXCEPTION = re.compile(r"(?:\w+\.)*[A-Z]\w*(?:Error|Exception|ExceptionGroup)(?::\s|$)")
_PYTHON_WARNING = re.compile(r"\S+:\d+: [A-Z]\w*Warning: ")
_TRACEBACK = re.compile(r"\s*(?:\+ Exception Group )?Traceback \(most recent call last\):")
_CHAINED = re.compile(
    r"(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):"
)
_JSON_NAMES = ("level", "levelname", "severity", "log_level")


def is_at_least(level: LogLevel | None, least: LogLevel) -> bool:
    """Whether a line of this level is one of `least` or above; a line without one is not."""
    return level is not None and _ORDER.index(level) >= _ORDER.index(least)


def level_of(text: str) -> LogLevel | None:
    """The level of one line by itself."""
    if "\x1b" in text:
        text = _COLOURS.sub("", text)
    if text.startswith("{"):
        return _of_json(text)
    text = text[:_BEGINNING]
    for pattern in _PATTERNS:
        if found := pattern.match(text):
            return _LEVELS[found["level"].upper()]
    if _EXCEPTION.match(text) or _CHAINED.match(text) or _TRACEBACK.match(text):
        return LogLevel.ERROR
    return LogLevel.WARNING if _PYTHON_WARNING.match(text) else None


class Levels:
    """Levels of lines as they come, those of tracebacks included; each process has its own."""

    def __init__(self) -> None:
        self._in_traceback: set[int] = set()

    def of(self, pid: int, text: str) -> LogLevel | None:
        if pid in self._in_traceback:
            if not text or text[0] in " \t|+":
                return LogLevel.ERROR
            # The line with the exception itself ends it.
            self._in_traceback.discard(pid)
            return level_of(text) or LogLevel.ERROR
        if _TRACEBACK.match(text):
            self._in_traceback.add(pid)
        return level_of(text)


def _of_json(text: str) -> LogLevel | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    told = next((data[name] for name in _JSON_NAMES if name in data), None)
    return _LEVELS.get(told.upper()) if isinstance(told, str) else None
