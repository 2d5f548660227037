"""Ending tasks, and what is not to be ended half-way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any


async def cancelled(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait until it is over."""
    if task is None or task.done() or task is asyncio.current_task():
        return
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await `work`; where this task is cancelled meanwhile, it is over once `work` is."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
