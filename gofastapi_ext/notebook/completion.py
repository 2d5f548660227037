"""Tab completion on the line of a magic: options, app names, versions, paths."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gofastapi_ext.notebook.place import notebook_folder
from gofastapi_ext.notebook.usage import OPTIONS

if TYPE_CHECKING:
    from gofastapi_ext.client.client import Client

ANSWER_WITHIN_SECONDS = 0.2
_MAX_PATHS = 200
_VALUES = {
    "--window": ("15m", "1h", "6h", "24h"),
    "--record-bodies": ("on", "off"),
    "--workers": ("1", "2", "4"),
    "--sleep-after": ("30m", "2h", "1d", "never", "default"),
    "--level": ("debug", "info", "warning", "error"),
    "--since": ("10m", "1h", "24h"),
    "--until": ("10m", "1h", "24h"),
}


def complete_line(text: str) -> dict[str, Any]:
    """What may follow `text`, a magic's line up to the cursor, as a result of IPython's matcher API."""
    from IPython.core.completer import SimpleCompletion

    # The word under the cursor: what follows the last blank that is not escaped.
    fragment = re.split(r"(?<!\\)\s", text)[-1]
    words = re.split(r"(?<!\\)\s+", text.lstrip())[:-1]
    if not words:
        return {"completions": []}
    found = [
        SimpleCompletion(text=completion, type=kind)
        for completion, kind in _complete(_magic(words[0]), words[1:], fragment)
        if completion.startswith(fragment)
    ]
    return {"completions": found, "matched_fragment": fragment, "suppress": True, "ordered": True}


def _magic(word: str) -> str:
    """The magic's key in `OPTIONS`: as a line, `%deploy` takes others than as a cell."""
    return word if word == "%deploy" else word.lstrip("%")


def _complete(magic: str, words: list[str], fragment: str) -> list[tuple[str, str]]:
    """Pairs of a completion and its kind."""
    before = words[-1] if words else ""
    if (magic, before) in (("deploy", "--file"), ("%deploy", "--file"), ("env_set", "--import")):
        return [(path, "path") for path in _paths(fragment, hidden=magic == "env_set")]
    if before == "--with":
        return [(names, "instance") for names in _object_lists(fragment)]
    if (magic, before) == ("replay", "--body"):
        return [(path, "path") for path in _paths(fragment, hidden=False)]
    if before in _VALUES:
        return [(value, "value") for value in _VALUES[before]]
    if before in (
        "--env",
        "--message",
        "--tail",
        "--header",
        "--grep",
        "--instance",
        "--limit",
        "--sort",
        "--ttl",
        "--extend",
    ):
        return []
    if before in ("--branch", "--db-branch"):
        return [(name, "branch") for name in _ask(_branches)]
    if before == "--of":
        return [(backup, "backup") for backup in _ask(_backups)]
    if magic == "env_set" and before in ("--secret", "--unset"):
        return [(name, "variable") for name in _ask(lambda client: _variables(client, words[0]))]
    if fragment.startswith("-"):
        return [(option, "option") for option in OPTIONS.get(magic, ())]
    if magic in ("apps", "db_backup", "db_backups"):
        return []
    if magic == "db":
        return [(name, "collection") for name in _ask(_collections)] if not words else []
    if magic in ("db_branch", "db_promote"):
        return [(name, "branch") for name in _ask(_branches)] if not words else []
    if magic == "db_restore":
        return [(backup, "backup") for backup in ["latest", *_ask(_backups)]] if not words else []
    if magic == "replay":
        return [(error_id, "error") for error_id in _ask(_errors)] if not words else []
    if not words:
        return [(name, "app") for name in _ask(_restorable_names if magic == "restore" else _app_names)]
    if magic == "diff":
        sides = ["live", "draft"][len(words) - 1 :]
        return [(side, "version") for side in [*sides, *_ask(lambda client: _versions(client, words[0]))]]
    if magic == "deployfile" and len(words) == 1:
        return [(path, "path") for path in _ask(lambda client: sorted(client.draft(words[0]).bundle.files))]
    if magic == "export" and len(words) == 1:
        return [(path, "path") for path in _paths(fragment, hidden=False)]
    if magic == "rollback" and len(words) == 1:
        return [(number, "version") for number in _ask(lambda client: _old_versions(client, words[0]))]
    return [(option, "option") for option in OPTIONS.get(magic, ())]


def _object_lists(fragment: str) -> list[str]:
    """The list of names that was begun, with one more of the kernel's own."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        return []
    head, comma, _ = fragment.rpartition(",")
    taken = set(head.split(","))
    return [
        f"{head}{comma}{name}"
        for name, value in sorted(shell.user_ns.items())
        if not name.startswith("_") and name not in shell.user_ns_hidden and name not in taken
        if type(value).__name__ != "module"
    ]


def _collections(client: Client) -> list[str]:
    return [collection.name for collection in client.database().collections]


def _app_names(client: Client) -> list[str]:
    return sorted(app.id for app in client.apps())


def _branches(client: Client) -> list[str]:
    return [branch.name for branch in client.branches()]


def _backups(client: Client) -> list[str]:
    """The latest first."""
    return [backup.id for backup in client.backups().backups]


def _restorable_names(client: Client) -> list[str]:
    return sorted(app.id for app in client.apps(deleted=True))


def _errors(client: Client) -> list[str]:
    """The latest first."""
    found = [error for app in client.apps() for error in client.errors(app.id)]
    return [error.id for error in sorted(found, key=lambda error: error.last_at, reverse=True)]


def _variables(client: Client, name: str) -> list[str]:
    return [variable.name for variable in client.env(name).variables]


def _versions(client: Client, name: str) -> list[str]:
    return [str(version.number) for version in client.versions(name)]


def _old_versions(client: Client, name: str) -> list[str]:
    return [str(version.number) for version in client.versions(name) if version.state == "superseded"]


def _ask(question: Callable[[Client], list[str]]) -> list[str]:
    """The answer of a running service, or [] where there is none in time. Starts nothing."""
    answers: list[list[str]] = []

    def ask() -> None:
        # In the thread, as the first import takes as long as people wait for a completion.
        from gofastapi_ext.client.client import Client
        from gofastapi_ext.client.discovery import is_listening
        from gofastapi_ext.client.places import find_places
        from gofastapi_ext.core.errors import GoFastAPIError

        places = find_places()
        if is_listening(places):
            # Completion is a courtesy: what is wrong, the magic itself will say.
            with suppress(GoFastAPIError), Client(places) as client:
                answers.append(question(client))

    thread = threading.Thread(target=ask, name="gofastapi-completion", daemon=True)
    thread.start()
    thread.join(ANSWER_WITHIN_SECONDS)
    return answers[0] if answers else []


def _paths(fragment: str, *, hidden: bool) -> list[str]:
    """The files and folders that continue a path, with blanks escaped; folders end in `/`."""
    typed = fragment.replace("\\ ", " ")
    head, _, start = typed.rpartition("/")
    folder = notebook_folder() / Path(f"{head}/" if head or typed.startswith("/") else ".").expanduser()
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                entry.name + ("/" if entry.is_dir() else "")
                for entry in entries
                if entry.name.startswith(start) and (hidden or start.startswith(".") or not entry.name.startswith("."))
            )
    except OSError:
        return []
    prefix = typed[: len(typed) - len(start)]
    return [(prefix + name).replace(" ", "\\ ") for name in names[:_MAX_PATHS]]
