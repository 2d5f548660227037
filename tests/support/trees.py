"""Folders of files for the tests of what goes into a bundle."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from gofastapi_ext.client.collect import Collected


def write(root: Path, tree: dict[str, str | bytes]) -> Path:
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def names(collected: Collected) -> list[str]:
    return sorted(collected.bundle.files)


@contextmanager
def closed_to_us(tree: dict[str, str | bytes], closed: dict[str, int]) -> Iterator[Path]:
    """A tree in which the paths of `closed` have these modes, and a process that is not root meanwhile."""
    root = Path(tempfile.mkdtemp(prefix="gfc-"))
    is_root = os.geteuid() == 0
    try:
        write(root, tree)
        root.chmod(0o755)
        for path, mode in closed.items():
            (root / path).chmod(mode)
        if is_root:
            os.seteuid(65534)
        yield root
    finally:
        if is_root:
            os.seteuid(0)
        for path in closed:
            (root / path).chmod(0o700)
        rmtree(root)
