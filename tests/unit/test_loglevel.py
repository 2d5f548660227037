"""Which level a line of output tells."""

from __future__ import annotations

import pytest

from gofastapi_ext.core.loglevel import Levels, is_at_least, level_of
from gofastapi_ext.core.models import LogLevel

TOLD = [
    ("INFO:     Started server process [77]", LogLevel.INFO),
    ("\x1b[32mINFO\x1b[0m:     Started server process", LogLevel.INFO),
    ("WARNING:root:slow", LogLevel.WARNING),
    ("WARNING - slow", LogLevel.WARNING),
    ("[ERROR] slow", LogLevel.ERROR),
    ("CRITICAL: everything", LogLevel.ERROR),
    ("DEBUG:asyncio:Using selector", LogLevel.DEBUG),
    ("2026-01-31 12:00:00,123 ERROR slow", LogLevel.ERROR),
    ("2026-01-31 12:00:00,123 - app.db - WARNING - slow", LogLevel.WARNING),
    ("app.db - ERROR - slow", LogLevel.ERROR),
    ("2026-01-31 12:00:00.123 | INFO     | app:run:3 - hi", LogLevel.INFO),
    ("2026-01-31T12:00:00.123Z [warning  ] slow  took=3", LogLevel.WARNING),
    ("[2026-01-31 12:00:00 +0000] [77] [ERROR] Worker", LogLevel.ERROR),
    ("12:00:00 DEBUG slow", LogLevel.DEBUG),
    ('{"level": "warn", "message": "slow"}', LogLevel.WARNING),
    ('{"time": 1, "levelname": "ERROR"}', LogLevel.ERROR),
    ('{"severity":"CRITICAL","message":"x"}', LogLevel.ERROR),
    ("ValueError: no such thing", LogLevel.ERROR),
    ("sqlalchemy.exc.OperationalError: gone", LogLevel.ERROR),
    ("KeyError", LogLevel.ERROR),
    ("/app/main.py:3: DeprecationWarning: old", LogLevel.WARNING),
    ("Traceback (most recent call last):", LogLevel.ERROR),
]

NOT_SURE = [
    "",
    "hello",
    "error: maybe",
    "Errors: 3",
    "INFO about the weather",
    "information",
    "ERROR",
    "an ERROR in the middle",
    "DEBUG=1",
    "Error handling is fun",
    "127.0.0.1:5000 - GET / 200",
    '{"level": 30}',
    '{"level": {"deep": 1}}',
    '{"level": "loud"}',
    '{"level": "err',
    "{" * 100_000,
    '["ERROR"]',
    "x" * 30_000 + " ERROR - x",
    "\x00\x01\ufffd\ufffd",
]


@pytest.mark.parametrize(("text", "level"), TOLD)
def test_what_a_line_tells(text: str, level: LogLevel) -> None:
    assert level_of(text) is level


@pytest.mark.parametrize("text", NOT_SURE, ids=lambda text: text[:20])
def test_where_it_is_not_sure_there_is_none(text: str) -> None:
    assert level_of(text) is None


def test_a_traceback_is_an_error_up_to_its_last_line() -> None:
    text = """\
before
Traceback (most recent call last):
  File "main.py", line 1, in <module>
    1 / 0
    ~~^~~

ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "main.py", line 3, in <module>
Oddity
after"""
    levels = Levels()
    told = [levels.of(1, line) for line in text.split("\n")]
    error = LogLevel.ERROR
    assert told == [None, *[error] * 6, None, error, None, *[error] * 3, None]


def test_processes_do_not_mix() -> None:
    levels = Levels()
    assert levels.of(1, "Traceback (most recent call last):") is LogLevel.ERROR
    assert levels.of(2, "  a line of another process") is None
    assert levels.of(1, '  File "main.py", line 1') is LogLevel.ERROR
    assert levels.of(1, "INFO:     another thread goes on") is LogLevel.INFO
    assert levels.of(1, "  indented") is None


def test_that_and_above() -> None:
    assert [level for level in LogLevel if is_at_least(level, LogLevel.WARNING)] == [LogLevel.WARNING, LogLevel.ERROR]
    assert not is_at_least(None, LogLevel.DEBUG)
