"""List and change an app's variables, take them from a file and write them to one; change the key."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from gofastapi_ext.cli.deploy import show_stages
from gofastapi_ext.cli.output import paint, say, say_json
from gofastapi_ext.cli.service import open_client
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.env import (
    check_secret_names,
    dotenv_text,
    env_as_text,
    env_change,
    parse_pairs,
    read_dotenv,
    read_file,
)
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.lifecycle import Stage, State
from gofastapi_ext.core.models import StageEvent
from gofastapi_ext.core.naming import check_app_id
from gofastapi_ext.core.variables import EnvChange


def list_variables(name: str, *, as_json: bool) -> None:
    """`gofastapi env NAME`"""
    with open_client() as client:
        view = client.env(name)
    if as_json:
        say_json(view)
    else:
        say(env_as_text(view) if view.variables else f"{name} has no variables: gofastapi env set {name} NAME=VALUE")


def set_variables(name: str, pairs: tuple[str, ...], secrets: tuple[str, ...], *, as_json: bool) -> None:
    """`gofastapi env set`. Exits with status 1 where the app did not come up with them."""

    def change() -> EnvChange:
        variables = parse_pairs(pairs)
        return env_change(variables, _ask(check_secret_names(secrets, variables)))

    _change(name, change, as_json)


def unset_variables(name: str, variables: tuple[str, ...], *, as_json: bool) -> None:
    """`gofastapi env unset`"""
    _change(name, lambda: env_change({}, {}, variables), as_json)


def import_variables(name: str, file: str, secrets: tuple[str, ...], *, all_secret: bool, as_json: bool) -> None:
    """`gofastapi env import`"""

    def change() -> EnvChange:
        content = sys.stdin.buffer.read() if file == "-" else read_file(Path(file))
        try:
            imported = read_dotenv(content, secret=secrets)
        except InvalidRequestError as error:
            raise InvalidRequestError(f"{file}: {error.message}") from None
        found = imported.variables
        if absent := [secret for secret in secrets if secret not in found]:
            raise InvalidRequestError(f"There is no {absent[0]} in {file}.")
        if not found:
            raise InvalidRequestError(f"There is no variable in {file}.")
        hidden = set(found) if all_secret else set(secrets)
        for note in imported.notes if not all_secret else []:
            say(paint(note, "dim"), err=True)
        return env_change(
            {key: value for key, value in found.items() if key not in hidden},
            {key: value for key, value in found.items() if key in hidden},
        )

    _change(name, change, as_json)


def export_variables(name: str, file: str | None, *, as_json: bool) -> None:
    """`gofastapi env export`. A file that is there is not written over: it may hold what the app's own does not."""
    with open_client() as client:
        view = client.env(name)
    text = dotenv_text(view)
    if file is not None:
        try:
            with Path(file).open("x", encoding="utf-8") as target:
                target.write(text)
        except FileExistsError:
            raise InvalidRequestError(f"{file} is there already. Name another file.") from None
    secrets = [variable.name for variable in view.variables if variable.secret]
    if as_json:
        count = len(view.variables) - len(secrets)
        say_json({"file": file, "text": None if file else text, "variables": count, "secrets": secrets})
    elif file is None:
        sys.stdout.write(text)
    else:
        left_out = f" Not in it, but named there: {', '.join(secrets)}." if secrets else ""
        say(f"{file} holds the variables of {name}.{left_out}")


def rotate_key(*, as_json: bool) -> None:
    """`gofastapi keys rotate`"""
    with open_client() as client:
        done = client.rotate_key()
    if as_json:
        say_json(done)
        return
    say(f"Secrets are encrypted with the key {done.key} now; {done.secrets} were encrypted anew.")
    for secret in done.unreadable:
        say(f"{paint('warning', 'warning')}  {secret} cannot be read, and has to be set again.")


def _change(name: str, change: Callable[[], EnvChange], as_json: bool) -> None:
    def begin(client: Client) -> Iterator[StageEvent]:
        check_app_id(name)  # before anybody types a secret
        last: StageEvent | None = None
        for last in client.change_env(name, change()):
            yield last
        if last is not None and last.stage is Stage.SAVED and not as_json:
            new = client.app(name).state is State.NEW
            say(
                f"Nothing of {name} is deployed yet: it gets them then."
                if new
                else f"{name} does not run: it gets them at its next start."
            )

    show_stages(begin, as_json=as_json)


def _ask(names: list[str]) -> dict[str, str]:
    """The value of each secret: from who sits there, else from standard input."""
    if not names:
        return {}
    if sys.stdin.isatty():
        return {name: click.prompt(f"{name} (hidden)", hide_input=True, err=True) for name in names}
    given = sys.stdin.read()
    if len(names) == 1:
        return {names[0]: given.removesuffix("\n").removesuffix("\r")}
    lines = given.splitlines()
    if len(lines) != len(names):
        raise InvalidRequestError(
            f"Standard input has {len(lines)} lines for {len(names)} secrets. Give a line for each, or one secret at a "
            "time."
        )
    return dict(zip(names, lines, strict=True))
