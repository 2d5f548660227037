"""The variables people may set for their apps."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.limits import format_bytes

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_environment(environment: Mapping[str, str], max_bytes: int | None = None) -> None:
    """Raise `InvalidRequestError` for a name or value that cannot be one, or all of it being too large."""
    for name, value in environment.items():
        if not _NAME.fullmatch(name):
            raise InvalidRequestError(
                f'"{name}" cannot be the name of a variable: use letters, digits and underscores, '
                "not starting with a digit."
            )
        if name in ("HOST", "PORT") or name.startswith(("PLATFORM_", "GOFASTAPI_")):
            raise InvalidRequestError(f"{name} is set by the platform; choose another name.")
        if "\0" in value:
            raise InvalidRequestError(f"The value of {name} holds a NUL character.")
    size = sum(len(name) + len(value.encode(errors="surrogatepass")) for name, value in environment.items())
    if max_bytes is not None and size > max_bytes:
        raise InvalidRequestError(
            f"The variables are {format_bytes(size)} together; {format_bytes(max_bytes)} is the limit. "
            "Put large data into a file or the database."
        )
