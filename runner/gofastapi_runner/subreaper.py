"""Orphans come to us instead of to init: so that a daemon an app started ends with the app.

An instance is the subreaper of what it starts, however often that forks and leaves its session. When the
instance ends, all of it becomes the zygote's, which ends it. Linux only; elsewhere daemons stay.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def become() -> None:
    """Let orphaned descendants become children of this process."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children() -> set[int]:
    """The pids of this process's children, zombies included; none where the system does not say."""
    pid = os.getpid()
    try:
        return set(map(int, Path(f"/proc/self/task/{pid}/children").read_text().split()))
    except OSError:
        # A kernel built without that file.
        return {other for other in _processes() if _parent(other) == pid}


def _processes() -> list[int]:
    with contextlib.suppress(OSError):
        return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return []


def _parent(pid: int) -> int | None:
    try:
        # The command's name, in parentheses, may hold anything.
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return None
