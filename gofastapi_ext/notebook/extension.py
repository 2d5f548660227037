"""Makes the magics known to an IPython shell. Every kernel of the environment loads this: it stays light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gofastapi_ext.notebook.data_magics import DataMagics
from gofastapi_ext.notebook.magics import GoFastAPIMagics
from gofastapi_ext.notebook.observing_magics import ObservingMagics
from gofastapi_ext.notebook.runs import Runs

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

_CELL_MAGICS = ("deploy", "deployfile")
_LINE_MAGICS = (
    "app",
    "apps",
    "clone",
    "db",
    "db_backup",
    "db_backups",
    "db_branch",
    "db_promote",
    "db_restore",
    "deploy",
    "deployfile",
    "diff",
    "env_set",
    "errors",
    "events",
    "export",
    "health",
    "logs",
    "metrics",
    "rename",
    "replay",
    "restart",
    "restore",
    "rollback",
    "sleep",
    "start",
    "stop",
    "undeploy",
    "versions",
)


def register(shell: InteractiveShell) -> None:
    """Add the magics and their completion; a second time changes nothing."""
    runs = _taken_runs(shell) or Runs(shell)
    shell.register_magics(GoFastAPIMagics(shell, runs), ObservingMagics(shell), DataMagics(shell))
    shell.events.register("pre_run_cell", runs.note)
    unregister_matcher(shell)
    shell.Completer.custom_matchers.append(complete_magics)


def unregister(shell: InteractiveShell) -> None:
    """Take both away again."""
    _taken_runs(shell)
    magics = shell.magics_manager.magics
    for kind, names in (("cell", _CELL_MAGICS), ("line", _LINE_MAGICS)):
        for name in names:
            magics[kind].pop(name, None)
    for each in (GoFastAPIMagics, ObservingMagics, DataMagics):
        shell.magics_manager.registry.pop(each.__name__, None)
    unregister_matcher(shell)


def _taken_runs(shell: InteractiveShell) -> Runs | None:
    """What was noted so far, which nobody adds to any more."""
    registered = shell.magics_manager.registry.get(GoFastAPIMagics.__name__)
    if not isinstance(registered, GoFastAPIMagics):
        return None
    shell.events.unregister("pre_run_cell", registered.runs.note)
    return registered.runs


def unregister_matcher(shell: InteractiveShell) -> None:
    matchers = shell.Completer.custom_matchers
    matchers[:] = [matcher for matcher in matchers if matcher is not complete_magics]


def complete_magics(context: CompletionContext) -> dict[str, Any]:
    """Completions for the line of one of our magics; nothing for any other line."""
    words = context.text_until_cursor.split()
    if not words or words[0].lstrip("%") not in (*_CELL_MAGICS, *_LINE_MAGICS) or words[0][0] != "%":
        return {"completions": []}
    from gofastapi_ext.notebook.completion import complete_line

    return complete_line(context.text_until_cursor)


complete_magics.matcher_api_version = 2  # type: ignore[attr-defined]
complete_magics.matcher_priority = 100  # type: ignore[attr-defined]
