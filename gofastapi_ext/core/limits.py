"""How large things may be. Each limit is told to the person who meets it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """Sizes in bytes, counts as numbers, times in seconds."""

    model_config = ConfigDict(frozen=True)

    max_files: int = 500
    max_file_bytes: int = 5_000_000
    max_bundle_bytes: int = 20_000_000
    max_object_bytes: int = 100_000_000
    max_objects_bytes: int = 200_000_000
    max_env_bytes: int = 64_000
    max_env_variables: int = 200
    max_versions_kept: int = 10
    max_workers: int = Field(default=8, ge=1)
    """Of one app, also where more were set before."""


def format_bytes(size: int) -> str:
    """A size people read: `5.0 MB`."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} GB"
