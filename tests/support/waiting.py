"""Wait for something to become true, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_Result = TypeVar("_Result")


def until(condition: Callable[[], _Result], timeout_seconds: float = 30.0, what: str = "") -> _Result:
    """Poll until `condition` gives something true; return it. Fails with `what` at the deadline.

    The deadline is for what will never be: generous, because a busy machine is not to fail a test,
    and it costs nothing.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds} s: {what or condition}")
        time.sleep(0.02)


def held_until(gate: Path) -> str:
    """Lines of an app that waits at them until there is such a file, so that a test says how long it takes."""
    return f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n"
