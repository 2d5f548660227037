"""Every error of a command becomes clear words and exit status 1, never a traceback."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import click

from gofastapi_ext.core.errors import GoFastAPIError, VersionMismatchError

_Command = TypeVar("_Command", bound=Callable[..., None])


def told_in_words(command: _Command) -> _Command:
    """Wrap a command that takes `as_json`.

    Where the service is of another version and somebody is there to answer, a restart is offered; then the
    command runs once more.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, **kwargs: Any) -> None:
        try:
            try:
                command(*args, as_json=as_json, **kwargs)
            except VersionMismatchError as error:
                if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
                    raise
                _offer_restart(error)
                command(*args, as_json=as_json, **kwargs)
        except (GoFastAPIError, OSError, ModuleNotFoundError) as error:
            _fail(in_words(error), as_json)

    return wrapped  # type: ignore[return-value]


def in_words(error: Exception) -> GoFastAPIError:
    """The error as one with a message for people. Raises what is a defect of ours again."""
    if isinstance(error, GoFastAPIError):
        return error
    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        return GoFastAPIError(f"{error.filename}: {what}" if error.filename else what)
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("gofastapi"):
        return GoFastAPIError(f"This needs {error.name}, which is not installed: pip install 'gofastapi[local]'")
    raise error


def _fail(error: GoFastAPIError, as_json: bool) -> NoReturn:
    if as_json:
        body = {"error": {"code": error.code, "message": error.message, "details": error.details}}
        click.echo(json.dumps(body))
    else:
        click.echo(f"{click.style('error', fg='red')}  {error.message}", err=True)
    sys.exit(1)


def _offer_restart(error: VersionMismatchError) -> None:
    click.echo(error.message)
    if not click.confirm("Restart it now?", default=True):
        sys.exit(1)
    from gofastapi_ext.cli import service

    service.up(restart=True, as_json=False)
    click.echo()
