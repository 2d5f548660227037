"""What the magics do that lead an app through the rest of its life: stop, start, rename, clone, remove, restore."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gofastapi_ext.client.client import Client
from gofastapi_ext.client.render import printable
from gofastapi_ext.client.text import restorable_as_text
from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.core.models import AppChange, CloneRequest, StageEvent
from gofastapi_ext.notebook import arguments, place, session
from gofastapi_ext.notebook.commands import one_line, watch
from gofastapi_ext.notebook.progress import Progress
from gofastapi_ext.notebook.surface import surface_for

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_STAGES = (Stage.START, Stage.READY, Stage.LIVE)


def start(shell: InteractiveShell, line: str) -> None:
    """`%start`"""
    with one_line():
        name = arguments.parse_name("start", line)
        _show(shell, name, f"Starting {name}", lambda client: client.start(name))


def restart(shell: InteractiveShell, line: str) -> None:
    """`%restart`"""
    with one_line():
        name = arguments.parse_name("restart", line)
        _show(shell, name, f"Restarting {name}", lambda client: client.restart(name))


def stop(shell: InteractiveShell, line: str) -> None:
    """`%stop`"""
    with one_line():
        name = arguments.parse_name("stop", line)
        session.client().stop(name)
        sys.stdout.write(f"{name} is stopped. To start it: %start {name}\n")


def rename(shell: InteractiveShell, line: str) -> None:
    """`%rename`"""
    with one_line():
        name, title = arguments.parse_rename(line)
        app = session.client().change(name, AppChange(title=title))
        sys.stdout.write(f"{name} is called {printable(app.title)} now. Its address stays.\n")


def clone(shell: InteractiveShell, line: str) -> None:
    """`%clone`"""
    with one_line():
        source, to = arguments.parse_clone(line)
        result = session.client().clone(source, CloneRequest(to=to))
        sys.stdout.write(f"{to} has the code of {source} as its draft. To bring it live: %deploy {to}\n")
        if result.missing_secrets:
            secrets = " ".join(f"--secret {name}" for name in result.missing_secrets)
            sys.stdout.write(f"Secrets do not come along. Set them first: %env_set {to} {secrets}\n")


def undeploy(shell: InteractiveShell, line: str) -> None:
    """`%undeploy`"""
    with one_line():
        name = arguments.parse_name("undeploy", line)
        gone = session.client().delete(name)
        until = f"{gone.restorable_until.astimezone():%Y-%m-%d}" if gone.restorable_until else "then"
        sys.stdout.write(f"{name} is gone. Until {until} it can be brought back: %restore {name}\n")


def restore(shell: InteractiveShell, line: str) -> None:
    """`%restore`. Without a name: what can be restored."""
    with one_line():
        if not line.strip():
            sys.stdout.write(restorable_as_text(session.client().apps(deleted=True)) + "\n")
            return
        name = arguments.parse_name("restore", line)
        at_rest = f"{name} is back. It does not run, as before"
        _show(shell, name, f"Restoring {name}", lambda client: client.restore(name), at_rest)


def _show(
    shell: InteractiveShell, name: str, title: str, begin: Callable[[Client], Iterator[StageEvent]], at_rest: str = ""
) -> None:
    progress = Progress(app=name, title=title, stages=_STAGES, relay=place.relay_path(name), at_rest=at_rest)
    watch(progress, surface_for(shell), time.perf_counter(), begin)
