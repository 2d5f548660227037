"""What this process, and those it started that still run, take of the machine."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_MAX_PROCESSES = 200


class Usage:
    """Measures; what it says of the processor never goes back."""

    def __init__(self) -> None:
        self._most_seconds = 0.0

    def measure(self) -> tuple[float, int]:
        """Processor seconds so far and resident bytes now, of the process and all it started.

        Memory that processes share is counted in each. Where the system does not list children (only
        Linux does), they count once they have ended, and memory is the most this process ever had.
        """
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = time.process_time() + ended.ru_utime + ended.ru_stime
        memory = _resident_bytes("self")
        if memory is None:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            memory = peak if sys.platform == "darwin" else peak * 1024
        for pid in _descendants():
            seconds += _processor_seconds(pid)
            memory += _resident_bytes(pid) or 0
        # A child that nobody waits for takes its seconds with it.
        self._most_seconds = max(self._most_seconds, seconds)
        return self._most_seconds, memory


def _descendants() -> Iterator[str]:
    left, seen = ["self"], 0
    while left and seen < _MAX_PROCESSES:
        pid = left.pop()
        seen += 1
        try:
            # Each thread has a list of its own.
            for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names, not paths
                children = Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
                left += children
                yield from children
        except OSError:
            continue  # it has ended


def _resident_bytes(pid: str) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _processor_seconds(pid: str) -> float:
    try:
        # Its name is in brackets, and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
