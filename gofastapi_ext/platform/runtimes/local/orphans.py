"""Processes that outlived what they belonged to: daemons of an app whose zygote was killed, say. Linux only.

All that apps run carries a mark in its environment. Who has ours, and is not below this service, is left over.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import psutil

from gofastapi_ext.platform.runtimes.base import Orphan

_PROC = Path("/proc")
# A parent may end between two looks; then its children have another one.
_LOOKS = 5


def mark(home: Path) -> dict[str, str]:
    """What every process of an app of this home has in its environment. No service inherits it."""
    return {"STARTED_BY_GOFASTAPI": str(home)}


def find_orphans(home: Path) -> list[Orphan]:
    """Those of this home that are neither below this process nor above it. Takes some milliseconds."""
    if sys.platform != "linux":
        return []
    above = _line_of(os.getpid())
    found = []
    for pid in _marked(home):
        # Looked up after the mark was seen: what is being forked at this moment is in the right place by now.
        line = _line_of(pid)
        if line is None or os.getpid() in line or above is None or pid in above:
            continue
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(Orphan(id=f"{pid}:{process.create_time()}", pid=pid, command=_command(process)))
    return found


def end_orphan(home: Path, orphan: Orphan) -> bool:
    """Kill it, unless it has gone, or its id is somebody else's by now."""
    if orphan not in find_orphans(home):
        return False
    with contextlib.suppress(psutil.Error):
        psutil.Process(orphan.pid).kill()
        return True
    return False


def _marked(home: Path) -> list[int]:
    wanted = {f"{name}={value}".encode() for name, value in mark(home).items()}
    found = []
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            # Those of other users do not tell.
            with contextlib.suppress(OSError):
                if wanted <= set((folder / "environ").read_bytes().split(b"\0")):
                    found.append(int(folder.name))
    return found


def _line_of(pid: int) -> list[int] | None:
    """A process and those it descends from; None where they change while one looks."""
    for _ in range(_LOOKS):
        line = [pid]
        while (parent := _parent(line[-1])) not in (None, 0):
            line.append(parent or 0)
        if parent == 0:
            return line
    return None


def _parent(pid: int) -> int | None:
    try:
        # The command's name, in parentheses, may hold anything.
        return int((_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return None


def _command(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())[:200] or process.name()
    return "?"
