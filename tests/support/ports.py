"""A range of ports for the apps of one service, which no other test has, in whichever process it runs."""

from __future__ import annotations

import fcntl
import os
import tempfile
import weakref
from pathlib import Path

# Below those that Linux gives to connections, and beside those of a developer's own apps.
_FIRST, _SIZE, _RANGES = 24_000, 200, 40


class PortRange:
    """Taken when it is made, and given back when nobody holds it any more, or its process has ended."""

    def __init__(self) -> None:
        folder = Path(tempfile.gettempdir()) / f"gofastapi-test-ports-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        for number in range(_RANGES):
            lock = os.open(folder / str(number), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            weakref.finalize(self, os.close, lock)
            self.first = _FIRST + _SIZE * number
            self.last = self.first + _SIZE - 1
            return
        raise AssertionError(f"all {_RANGES} ranges of ports are taken: too many services at once")

    @property
    def settings(self) -> dict[str, str]:
        return {"GOFASTAPI_FIRST_PORT": str(self.first), "GOFASTAPI_LAST_PORT": str(self.last)}
