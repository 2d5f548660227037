"""What the command line and the magics both take: environment variables, and the version to go back to."""

from __future__ import annotations

from collections.abc import Iterable

from gofastapi_ext.core.environment import check_environment
from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError
from gofastapi_ext.core.models import VersionView


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


def version_before(versions: list[VersionView], name: str) -> int:
    """The number of the version that was live before the one that is. Raises `NotFoundError`."""
    live = next((v.number for v in versions if v.state == "live"), None)
    older = [v.number for v in versions if v.state == "superseded" and (live is None or v.number < live)]
    if not older:
        raise NotFoundError(f"{name} has no older version to go back to.")
    return max(older)
