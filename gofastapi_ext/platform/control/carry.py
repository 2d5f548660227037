"""What an app wrote beside its code goes along to its next version: a SQLite file, uploads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

MAX_CARRIED_BYTES = 200_000_000
_CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache"})


def carry_over(previous: Path, previous_files: Collection[str], target: Path) -> None:
    """Copy into `target` the regular files of `previous` that are neither its bundle's nor in `target` already.

    A copy, not a link: the version that still serves goes on writing its own. What it writes after
    this stays there. Nothing is copied where it is more than `MAX_CARRIED_BYTES` together: a deploy
    is not to fill the disk.
    """
    known = set(previous_files)
    written = [path for path in _regular_files(previous) if path.relative_to(previous).as_posix() not in known]
    if sum(path.stat().st_size for path in written) > MAX_CARRIED_BYTES:
        return
    for path in written:
        copy = target / path.relative_to(previous)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copy2(path, copy, follow_symlinks=False)


def _regular_files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _CACHES]
        for name in names:
            path = Path(root, name)
            if path.is_file() and not path.is_symlink():
                yield path
