"""What the command line and the magics both take: variables, moments, and the version to go back to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from gofastapi_ext.core.durations import parse_duration
from gofastapi_ext.core.environment import check_environment
from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError
from gofastapi_ext.core.models import LogLevel, VersionView


def parse_env(pairs: Iterable[str]) -> dict[str, str]:
    """The variables of `NAME=VALUE` pairs. Raises `InvalidRequestError`."""
    env: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InvalidRequestError("--env takes NAME=VALUE, for example --env GREETING=hello.")
        env[name] = value
    check_environment(env)
    return env


def parse_moment(text: str, now: datetime) -> datetime:
    """An aware time: so long before `now` (`10m`), or one like `2026-01-31T12:00`, of this machine's zone by default.

    Raises `InvalidRequestError`.
    """
    try:
        return now - timedelta(seconds=parse_duration(text))
    except (InvalidRequestError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise InvalidRequestError(
            f'"{text}" is no time. Write how long ago, like 10m or 2h, or a time like 2026-01-31T12:00.'
        ) from None


def parse_level(text: str) -> str:
    """Raises `InvalidRequestError`."""
    if text.lower() not in set(LogLevel):
        raise InvalidRequestError(f'A level is one of {", ".join(LogLevel)}, not "{text}".')
    return text.lower()


def version_before(versions: list[VersionView], name: str) -> int:
    """The number of the version that was live before the one that is. Raises `NotFoundError`."""
    live = next((v.number for v in versions if v.state == "live"), None)
    older = [v.number for v in versions if v.state == "superseded" and (live is None or v.number < live)]
    if not older:
        raise NotFoundError(f"{name} has no older version to go back to.")
    return max(older)
