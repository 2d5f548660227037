"""Wait for something to become true, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")


def until(condition: Callable[[], _Result], timeout_seconds: float = 10.0, what: str = "") -> _Result:
    """Poll until `condition` gives something true; return it. Fails with `what` at the deadline."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds} s: {what or condition}")
        time.sleep(0.02)
