"""What `%env_set` does. Values of secrets are asked for and sent; they stand in no cell and no output."""

from __future__ import annotations

import sys
import time
from html import escape
from typing import TYPE_CHECKING

from gofastapi_ext.client.env import (
    ENV_HEADINGS,
    check_secret_names,
    env_as_text,
    env_change,
    env_row,
    parse_pairs,
    read_dotenv,
    read_file,
)
from gofastapi_ext.core.environment import check_secret
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.core.variables import EnvChange, EnvView
from gofastapi_ext.notebook import arguments, place, session
from gofastapi_ext.notebook.commands import one_line, watch
from gofastapi_ext.notebook.errors import CommandFailed
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.progress import Progress
from gofastapi_ext.notebook.style import STYLE
from gofastapi_ext.notebook.surface import surface_for

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_STAGES = (Stage.START, Stage.READY, Stage.LIVE)


def env_set(shell: InteractiveShell, line: str) -> None:
    """`%env_set`"""
    with one_line():
        wanted = arguments.parse_env_set(line)
        if wanted.changes_nothing:
            _list(shell, wanted.name)
            return
        change, notes = _change(wanted)
        name = wanted.name
        progress = Progress(
            app=name,
            title=f"Changing the variables of {name}",
            stages=_STAGES,
            env_names=tuple(sorted(change.set)),
            notes=tuple(notes),
            relay=place.relay_path(name),
            at_rest=f"Saved. {name} does not run now: it has them from its next deploy or start",
        )
        watch(progress, surface_for(shell), time.perf_counter(), lambda client: client.change_env(name, change))


def _list(shell: InteractiveShell, name: str) -> None:
    view = session.client().env(name)
    if not view.variables:
        sys.stdout.write(f"{name} has no variables. To set one: %env_set {name} NAME=VALUE\n")
        return
    if is_kernel(shell):
        publish({"text/html": _as_html(view), "text/plain": env_as_text(view)})
    else:
        sys.stdout.write(env_as_text(view) + "\n")


def _as_html(view: EnvView) -> str:
    head = "".join(f"<th>{heading}</th>" for heading in ENV_HEADINGS)
    rows = ("".join(f"<td>{escape(cell)}</td>" for cell in env_row(variable)) for variable in view.variables)
    body = "".join(f"<tr>{cells}</tr>" for cells in rows)
    return (
        f"<style>{STYLE}</style>"
        f'<table class="gofastapi-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _change(wanted: arguments.EnvSetArguments) -> tuple[EnvChange, list[str]]:
    """What is to be changed, and what is to be said of it. Asks for secrets that no file brings."""
    variables = parse_pairs(wanted.pairs)
    names = check_secret_names(wanted.secrets, variables)
    notes: list[str] = []
    for file in wanted.files:
        try:
            imported = read_dotenv(read_file(place.notebook_folder() / file.expanduser()), secret=names)
        except InvalidRequestError as error:
            raise CommandFailed(f"{file}: {error.message}") from None
        notes += imported.notes
        variables = imported.variables | variables
    secrets = {name: variables.pop(name) for name in names if name in variables}
    for name in names:
        if name not in secrets:
            secrets[name] = _ask(wanted.name, name)
            check_secret(name, secrets[name])
    return env_change(variables, secrets, wanted.unset), notes


def _ask(app: str, name: str) -> str:
    """The value, typed where nobody sees it."""
    # The kernel puts a way to the front end in the place of this one.
    import getpass

    try:
        return getpass.getpass(f"{name}: ")
    except NotImplementedError:
        raise CommandFailed(
            f"Nobody can be asked for {name} here: this front end takes no input. Set it in a terminal: "
            f"gofastapi env set {app} --secret {name}"
        ) from None
    except EOFError:
        raise CommandFailed(f"No value was given for {name}; nothing is changed.") from None
