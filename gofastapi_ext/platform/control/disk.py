"""Room on the disk, looked at before something needs it: a database that meets a full disk stops."""

from __future__ import annotations

import shutil
from pathlib import Path

from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.core.limits import format_bytes


def check_disk(home: Path, needed_bytes: int, what_then: str) -> None:
    """Raise `UnavailableError` where less is free. `what_then` says what to do when there is room again."""
    free = shutil.disk_usage(home).free
    if free < needed_bytes:
        raise UnavailableError(
            f"The disk is nearly full: {format_bytes(free)} are free, {format_bytes(needed_bytes)} are needed. "
            f"Free some space and {what_then}"
        )
