"""What the service and the command line say, in the words of a notebook: magics where there are any."""

from __future__ import annotations

import re

_MAGICS = (
    (re.compile(r"gofastapi env set (\S+) "), r"%env_set \1 "),
    (re.compile(r"gofastapi env unset (\S+) "), r"%env_set \1 --unset "),
    (re.compile(r"gofastapi env import (\S+) "), r"%env_set \1 --import "),
    (re.compile(r"gofastapi (app|errors|logs|start) (\S+)"), r"%\1 \2"),
    (re.compile(r"gofastapi db (backups?|branch|promote|restore)\b"), r"%db_\1"),
    (re.compile(r"gofastapi db(?! \w)"), "%db"),
    (re.compile(r"gofastapi restore (\S+)"), r"%restore \1"),
)


def as_magics(text: str, app: str = "NAME") -> str:
    """The text with magics in the place of commands, about `app` where it says `NAME`."""
    for command, magic in _MAGICS:
        text = command.sub(magic, text)
    return text.replace("%env_set NAME ", f"%env_set {app} ")
