"""An app's variables, as the command line and the magic take and show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gofastapi_ext.client.render import printable
from gofastapi_ext.core.dotenv import format_dotenv, parse_dotenv
from gofastapi_ext.core.environment import check_change, check_name, looks_secret, why_reserved
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.variables import EnvChange, EnvView, Setting, VariableView

ENV_HEADINGS = ("Name", "Value", "Since", "By")
MAX_FILE_BYTES = 1_000_000
_WIDEST_VALUE = 60


@dataclass(frozen=True)
class Imported:
    """What a `.env` file holds that an app can take, and what is to be said about the rest."""

    variables: dict[str, str] = field(repr=False)
    notes: list[str]


def parse_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """The variables of `NAME=VALUE` pairs. Raises `InvalidRequestError`, which shows no value."""
    variables: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InvalidRequestError(f'"{printable(pair)}" is not NAME=VALUE, for example GREETING=hello.')
        check_name(name)
        variables[name] = value
    return variables


def check_secret_names(names: Iterable[str], variables: Mapping[str, str]) -> list[str]:
    """The names, checked before anybody is asked for a value. Raises `InvalidRequestError`."""
    checked = []
    for given in names:
        name, equals, _ = given.partition("=")
        check_name(name)
        if equals or name in variables:
            raise InvalidRequestError(
                f"--secret takes the name alone: --secret {name}. You are asked for its value, "
                "so that it stands nowhere."
            )
        checked.append(name)
    return checked


def env_change(variables: Mapping[str, str], secrets: Mapping[str, str], unset: Iterable[str] = ()) -> EnvChange:
    """The change, checked as far as it can be here. Raises `InvalidRequestError`."""
    plain = {name: Setting.model_validate({"value": value}) for name, value in variables.items()}
    hidden = {name: Setting.model_validate({"value": value, "secret": True}) for name, value in secrets.items()}
    change = EnvChange(set=plain | hidden, unset=list(unset))
    check_change(change)
    return change


def read_dotenv(content: bytes, *, secret: Iterable[str] = ()) -> Imported:
    """What a `.env` file holds. Names that the platform keeps to itself are left out, and it is said why.

    Of names that look like a secret and are not among `secret`, that is said. Raises `InvalidRequestError`.
    """
    if len(content) > MAX_FILE_BYTES:
        raise InvalidRequestError("The file is too large to be a .env file.")
    try:
        found = parse_dotenv(content.decode())
    except UnicodeDecodeError:
        raise InvalidRequestError("The file is no text in UTF-8.") from None
    variables: dict[str, str] = {}
    notes: list[str] = []
    for name, value in found.items():
        if reason := why_reserved(name):
            notes.append(f"Left out: {name} {reason}")
            continue
        check_name(name)
        variables[name] = value
    hidden = set(secret)
    if like_secrets := [n for n, value in variables.items() if n not in hidden and value and looks_secret(n)]:
        again = " ".join(f"--secret {name}" for name in like_secrets)
        notes.append(f"By the name, this is a secret, which should not be readable: {again}")
    return Imported(variables, notes)


def read_file(path: Path) -> bytes:
    """Raises `InvalidRequestError` where there is no such file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidRequestError(f"{path}: {error.strerror}.") from None


def dotenv_text(view: EnvView) -> str:
    """The variables as a `.env` file, secrets by name only."""
    plain = {v.name: v.value for v in view.variables if v.value is not None}
    return format_dotenv(plain, [v.name for v in view.variables if v.secret])


def env_row(variable: VariableView) -> tuple[str, ...]:
    """The cells under `ENV_HEADINGS`."""
    since = f"{variable.updated_at.astimezone():%Y-%m-%d %H:%M}"
    return (variable.name, _shown_value(variable), since, variable.updated_by)


def env_as_text(view: EnvView) -> str:
    """A table with aligned columns."""
    rows = [ENV_HEADINGS, *(env_row(variable) for variable in view.variables)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(ENV_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _shown_value(variable: VariableView) -> str:
    if variable.secret:
        shown = "(secret, missing)" if variable.missing else "(secret)"
    else:
        text = printable((variable.value or "").replace("\n", "\\n"))
        shown = text if len(text) <= _WIDEST_VALUE else f"{text[: _WIDEST_VALUE - 1]}…"
    return f"{shown}  (the live version has its own)" if variable.overridden else shown
