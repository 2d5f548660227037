"""Folders of files for the tests of what goes into a bundle."""

from __future__ import annotations

from pathlib import Path

from gofastapi_ext.client.collect import Collected


def write(root: Path, tree: dict[str, str | bytes]) -> Path:
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def names(collected: Collected) -> list[str]:
    return sorted(collected.bundle.files)
