"""The files of an app as a tree: what the command line and the card show before they deploy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gofastapi_ext.client.render import Paint, plain, printable
from gofastapi_ext.core.bundle import Bundle, CellOrigin
from gofastapi_ext.core.limits import format_bytes


@dataclass(frozen=True)
class TreeRow:
    """One line: a folder has no size. `note` says where a file came from."""

    name: str
    depth: int = 0
    size_bytes: int | None = None
    note: str = ""


def tree_rows(bundle: Bundle, origins: Mapping[str, list[CellOrigin]] | None = None) -> list[TreeRow]:
    """Every file, those of a folder before the folders in it."""
    rows: list[TreeRow] = []
    shown: tuple[str, ...] = ()
    for path in sorted(bundle.files, key=_files_first):
        *folders, name = path.split("/")
        for depth, folder in enumerate(folders):
            if shown[: depth + 1] != tuple(folders[: depth + 1]):
                rows.append(TreeRow(f"{folder}/", depth))
        shown = tuple(folders)
        cells = dict.fromkeys(part.label for part in (origins or {}).get(path, []))
        rows.append(TreeRow(name, len(folders), bundle.files[path].size_bytes, ", ".join(cells)))
    return rows


def total_of(rows: list[TreeRow]) -> str:
    """`3 files, 2.4 kB`"""
    sizes = [row.size_bytes for row in rows if row.size_bytes is not None]
    return f"{len(sizes)} {'file' if len(sizes) == 1 else 'files'}, {format_bytes(sum(sizes))}"


def tree_lines(rows: list[TreeRow], paint: Paint = plain) -> list[str]:
    """The tree with its columns aligned, and the total below it."""
    names = [f"{'  ' * row.depth}{printable(row.name)}" for row in rows]
    sizes = ["" if row.size_bytes is None else format_bytes(row.size_bytes) for row in rows]
    width, size_width = max(map(len, names), default=0), max(map(len, sizes), default=0)
    lines = []
    for row, name, size in zip(rows, names, sizes, strict=True):
        beside = f"  {size.rjust(size_width)}  {printable(row.note)}".rstrip()
        lines.append(name.ljust(width) + paint(beside, "dim") if beside else name)
    return [*lines, paint(total_of(rows), "dim")]


def _files_first(path: str) -> list[tuple[bool, str]]:
    *folders, name = path.split("/")
    return [*((True, folder) for folder in folders), (False, name)]
