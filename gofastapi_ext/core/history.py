"""Versions in full, and how two trees of code differ."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.bundle import Bundle
from gofastapi_ext.core.lifecycle import Outcome, Stage
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


class DeploymentView(_Frozen):
    """One attempt to bring something live: how it ended, and how long each of its stages took."""

    kind: str
    """What it was made for: `deploy`, `rollback`, `start`, `restart`, `environment`, `restore` or `database`."""
    by: str
    version: int | None
    """None where it ended before there was one."""
    started_at: datetime
    outcome: Outcome
    seconds: float | None = None
    """From the request to the end; None while it runs, and where the service went away in the middle of it."""
    client_seconds: float = 0.0
    """From the person's command until the request came."""
    stages: dict[Stage, float] = Field(default_factory=dict)
    """The seconds of each stage that ended well, in their order."""
    failed_stage: Stage | None = None
    problem: str | None = None
    """What went wrong, in one sentence."""
