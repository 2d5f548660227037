"""What is due to go, planned before it is done: so that a dry run cannot say anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gofastapi_ext.core.cleanup import CleanupItem


@dataclass(frozen=True)
class Step:
    """One thing that is due.

    `carry_out` looks again, for things may have changed since; it answers whether the thing went. It may raise
    `ConflictError` where somebody is at it just now: then it is due again the next time.
    """

    item: CleanupItem
    carry_out: Callable[[], Awaitable[bool]]
