"""What the command line and the magics both take: environment variables, and the version to go back to."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError
from gofastapi_ext.core.models import VersionView

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse_env(pairs: Iterable[str]) -> dict[str, str]:
    """The variables of `NAME=VALUE` pairs. Raises `InvalidRequestError`."""
    env: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InvalidRequestError("--env takes NAME=VALUE, for example --env GREETING=hello.")
        if not _ENV_NAME.fullmatch(name):
            raise InvalidRequestError(
                f'--env: "{name}" cannot be the name of a variable: use letters, digits and underscores, '
                "not starting with a digit."
            )
        if name == "PORT" or name.startswith(("PLATFORM_", "GOFASTAPI_")):
            raise InvalidRequestError(f"--env: {name} is set by the platform; choose another name.")
        if "\0" in value:
            raise InvalidRequestError(f"--env: the value of {name} holds a NUL character.")
        env[name] = value
    return env


def version_before(versions: list[VersionView], name: str) -> int:
    """The number of the version that was live before the one that is. Raises `NotFoundError`."""
    live = next((v.number for v in versions if v.state == "live"), None)
    older = [v.number for v in versions if v.state == "superseded" and (live is None or v.number < live)]
    if not older:
        raise NotFoundError(f"{name} has no older version to go back to.")
    return max(older)
