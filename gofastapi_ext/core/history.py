"""Versions in full, and how two trees of code differ."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from gofastapi_ext.core.bundle import Bundle
from gofastapi_ext.core.models import VersionView


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class VersionContent(_Frozen):
    """A version with its files."""

    version: VersionView
    bundle: Bundle


class FileChange(StrEnum):
    """What happened to a file between the old and the new side."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class FileDiff(_Frozen):
    """One file that differs."""

    path: str
    change: FileChange
    unified: str
    """The unified diff; "" where a side is binary or too large to compare, which `note` says."""
    added_lines: int = 0
    removed_lines: int = 0
    note: str = ""


class TreeDiff(_Frozen):
    """From the old side to the new one, by path. The sides are named `v3`, or `draft`."""

    old: str
    new: str
    files: list[FileDiff]
    env_added: list[str] = []
    env_removed: list[str] = []
    notes: list[str] = []
    """What changed beside the files: the main file, the entrypoint, the requirements."""
