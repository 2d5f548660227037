"""Every setting of the service, read from `GOFASTAPI_*` once, at start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gofastapi_ext.core.durations import parse_duration
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.validation import ImportMode


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return None if value.strip().lower() == "never" else parse_duration(value)
    except InvalidRequestError as error:
        raise ValueError(error.message) from None


Duration = Annotated[float | None, BeforeValidator(_duration)]
"""Seconds; written as `30m`, or `never`, which is None."""


def _clock(value: object) -> object:
    if not isinstance(value, str) or value.strip().lower() == "never":
        return None
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value.strip()):
        raise ValueError(f'"{value}" is no time of day. Write it like 03:00, or never')
    return value.strip()


Clock = Annotated[str | None, BeforeValidator(_clock)]
"""A time of day, as `03:00`; or `never`, which is None."""


class Settings(BaseSettings):
    """Sizes in bytes, times in seconds. `docs/settings.md` is checked against this class by a test."""

    model_config = SettingsConfigDict(env_prefix="GOFASTAPI_", frozen=True, extra="ignore")

    home: Path | None = None
    """Where everything is kept; the user's data directory by default."""

    mongo_uri: SecretStr | None = None
    """A MongoDB of your own instead of the embedded one; its user needs the role root."""
    mongod: Path | None = None
    """The `mongod` program; by default one on PATH, else the one the `local` extra brings."""

    secrets_key_file: Path | None = None
    """The keys that apps' secrets are encrypted with; by default `secrets.key` in `home`, made on first use."""

    host: str = "127.0.0.1"
    """The address apps listen on."""
    first_port: int = Field(default=18000, ge=1, le=65535)
    last_port: int = Field(default=18999, ge=1, le=65535)
    """The range an app's port is taken from, once and for good."""

    import_policy: ImportMode = ImportMode.INSTALLED
    """`installed`: what the app's Python has. `allow-list`: the standard library and `allowed_imports`."""
    allowed_imports: list[str] = Field(
        default_factory=lambda: ["fastapi", "starlette", "pydantic", "pymongo", "bson", "jinja2", "multipart"]
    )

    start_timeout_seconds: float = 30.0
    """From the fork until the app is ready; then it counts as failed."""
    drain_seconds: float = 10.0
    """How long requests of a version that is replaced may still take."""
    max_crashes: int = 5
    """Crashes in a row after which an app is failed rather than restarted."""
    stable_after_seconds: float = 10.0
    """An instance that has run this long before it crashed is no part of a crash loop."""

    log_max_bytes: int = 5_000_000
    """Per app; twice this is kept, in two files."""
    restore_days: float = Field(default=7, ge=0)
    """How long a deleted app can be restored."""
    report_interval_seconds: float = Field(default=15, gt=0)
    """How often each running app is asked for its counters and errors."""
    metrics_keep_hours: float = Field(default=24, gt=0)
    """How long metrics and errors are kept."""
    max_errors_kept: int = 200
    """Per app: different errors, the latest."""
    health_interval_seconds: float = Field(default=60, gt=0)
    """How often each running app's /health is asked."""
    events_keep_days: float = Field(default=30, gt=0)
    """How long the feed of events, and each deploy's timings, are kept."""
    sleep_after: Duration = 1800.0
    """How long an app may be without a request until it sleeps, unless its owner says otherwise; or `never`."""
    remove_after: Duration = None
    """How long an app may be without a request until it is removed, after a warning; it can be restored as any."""

    database_limit_bytes: int = Field(default=100_000_000, gt=0)
    """Per user: documents as they are when they are read, and indexes. Beyond it a database takes no more writes."""

    backup_at: Clock = "03:00"
    """When databases are backed up each night, by the clock of this machine; or `never`."""
    backups_kept: int = Field(default=7, ge=1)
    """How many of the nightly backups stay. Those that somebody made stay until somebody deletes them."""
    backup_limit_bytes: int = Field(default=1_000_000_000, gt=0)
    """Per user: the files of all backups but the nightly ones."""
    keep_replaced: Duration = 86_400.0
    """How long a database stays that a restore or a promotion replaced, so that it can be undone."""
    branch_ttl: Duration = 86_400.0
    """How long a branch lives where nobody says otherwise."""
    max_branches: int = Field(default=5, ge=0)
    """Of one user, at the same time."""
    database_operation_seconds: float = Field(default=30, gt=0)
    """How long one operation of an app or person may run in the database; then it is ended."""
    database_connections_per_app: int = Field(default=100, ge=1)
    """For each of its workers. Above this for a minute an app is restarted."""
    database_check_seconds: float = Field(default=5, gt=0)
    """How often databases are looked at: their sizes, operations and connections; each fourth time also what is due."""

    min_free_disk_bytes: int = 100_000_000
    """Below this a deploy is refused, before MongoDB meets a full disk."""

    limits: Limits = Limits()


def load_settings() -> Settings:
    """The settings of this process. Raises `InvalidRequestError` that names the variable which is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        found = error.errors()[0]
        name = "_".join(["GOFASTAPI", *map(str, found["loc"])]).upper()
        raise InvalidRequestError(f"{name} is wrong: {found['msg']}.") from None
