"""The variables and secrets people may set for their apps."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.core.variables import EnvChange, Setting

MIN_SECRET_LENGTH = 4
_MAX_NAME_LENGTH = 200
# A secret of this length or more does not stand in another value by chance.
_TELLING_LENGTH = 8

_SECRET_NAME = re.compile(r"PASSW|SECRET|TOKEN|API_?KEY|PRIVATE|CREDENTIAL", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = "is set by the platform; choose another name."
_TOO_LATE = "is read when Python starts, before your app does, so it would change nothing but what your app starts."
_RESERVED = {
    "HOST": _OURS,
    "PORT": _OURS,
    "PATH": "tells your app where programs are; extend os.environ['PATH'] in your code instead.",
    "HOME": "is the home of the account your app runs as; choose another name.",
    "VIRTUAL_ENV": "names the Python environment your app runs in; choose another name.",
    "PYTHONHOME": _TOO_LATE,
    "PYTHONPATH": f"{_TOO_LATE} Modules beside your code are found without it.",
}
_RESERVED_PREFIXES = {"PLATFORM_": _OURS, "GOFASTAPI_": _OURS, "LD_": _TOO_LATE, "DYLD_": _TOO_LATE}


def check_environment(environment: Mapping[str, str], max_bytes: int | None = None) -> None:
    """Raise `InvalidRequestError` for a name or value that cannot be one, or all of it being too large."""
    for name, value in environment.items():
        check_name(name)
        _check_value(name, value)
    size = sum(size_bytes(name, value) for name, value in environment.items())
    if max_bytes is not None and size > max_bytes:
        raise too_large(size, max_bytes)


def check_name(name: str) -> None:
    """Raise `InvalidRequestError` for a name that no variable can have, or that is not to be set, with the reason."""
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME_LENGTH:
        shown = name if len(name) <= _MAX_NAME_LENGTH else f"{name[:_MAX_NAME_LENGTH]}…"
        raise InvalidRequestError(
            f'"{shown}" cannot be the name of a variable: use letters, digits and underscores, '
            f"not starting with a digit, {_MAX_NAME_LENGTH} at most."
        )
    if reason := why_reserved(name):
        raise InvalidRequestError(f"{name} {reason}")


def why_reserved(name: str) -> str | None:
    """Why the name is not to be set, as the rest of a sentence that begins with it; None where it may be."""
    by_prefix = (reason for prefix, reason in _RESERVED_PREFIXES.items() if name.startswith(prefix))
    return _RESERVED.get(name) or next(by_prefix, None)


def looks_secret(name: str) -> bool:
    """Whether, by its name, a variable holds what should not be readable."""
    return _SECRET_NAME.search(name) is not None


def check_change(change: EnvChange, max_bytes: int | None = None) -> None:
    """Raise `InvalidRequestError` for a change that no app can take, whatever its variables are."""
    if not change.set and not change.unset:
        raise InvalidRequestError("Nothing is to be set, and nothing taken away. Say what, for example MODE=fast.")
    for name in change.unset:
        if name in change.set:
            raise InvalidRequestError(f"{name} is to be set and to be taken away; only one of the two can be.")
    check_environment({name: setting.value.get_secret_value() for name, setting in change.set.items()}, max_bytes)
    for name, setting in change.set.items():
        if setting.secret:
            check_secret(name, setting.value.get_secret_value())
    _check_plain_values(change.set)


def check_secret(name: str, value: str) -> None:
    """Raise `InvalidRequestError` for a value that could not be kept out of logs."""
    if len(value.strip()) < MIN_SECRET_LENGTH:
        raise InvalidRequestError(
            f"A secret has {MIN_SECRET_LENGTH} characters at least: a shorter one could not be kept out of logs "
            f"without blacking out ordinary text. Make {name} longer, or a plain variable."
        )


def too_large(size_bytes: int, max_bytes: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"The variables are {format_bytes(size_bytes)} together; {format_bytes(max_bytes)} is the limit. "
        "Put large data into a file or the database."
    )


def size_bytes(name: str, value: str) -> int:
    """What a variable counts for."""
    return len(name) + len(value.encode(errors="surrogatepass"))


def _check_value(name: str, value: str) -> None:
    if "\0" in value:
        raise InvalidRequestError(f"The value of {name} holds a NUL character.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(f"The value of {name} holds what is no text in UTF-8.") from None


def _check_plain_values(settings: Mapping[str, Setting]) -> None:
    """A secret must not stand readable in a variable beside it, as a password in a connection string does."""
    secrets = {name: setting.value.get_secret_value() for name, setting in settings.items() if setting.secret}
    for name, setting in settings.items():
        if setting.secret:
            continue
        for secret, value in secrets.items():
            if len(value.strip()) >= _TELLING_LENGTH and value.strip() in setting.value.get_secret_value():
                raise InvalidRequestError(f"{name} holds the value of the secret {secret}: make {name} a secret too.")
