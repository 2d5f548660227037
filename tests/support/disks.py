"""A disk that can be filled to its last byte."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.platform import Platform


@contextmanager
def platform_on_small_disk(**settings: str) -> Iterator[tuple[Platform, Path]]:
    """A service whose home is on a disk of 700 MB of its own, and the file to fill it with. Only root may have one."""
    mount = Path(tempfile.mkdtemp(prefix="gfa-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700m", "tmpfs", mount], check=True)
    platform = Platform(mount / "home", **settings)
    try:
        platform.start()
        yield platform, mount / "fill"
    finally:
        platform.client.close()
        platform.stop()
        subprocess.run(["umount", "--lazy", mount], check=True)


def fill_disk(file: Path) -> None:
    """Not a byte is left."""
    fill = os.open(file, os.O_CREAT | os.O_WRONLY)
    for size in (1_000_000, 1000, 1):
        with suppress(OSError):
            while os.write(fill, b"0" * size):
                pass
    os.close(fill)
