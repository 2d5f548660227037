"""What a mongod that ended says of why, in one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

_MOST_LINES = 2
_MOST_CHARACTERS = 600
_READ_BYTES = 1_000_000
_SERIOUS = frozenset({"E", "F"})


def last_words(log: Path, since: int) -> str:
    """The first errors in what mongod wrote to `log` after its first `since` bytes, or else its last lines.

    The first, because what follows an error is how mongod died of it. Empty where it wrote nothing.
    """
    try:
        with log.open("rb") as file:
            file.seek(since)
            lines = file.read(_READ_BYTES).decode(errors="replace").splitlines()
    except OSError:
        return ""
    said = list(dict.fromkeys(_errors(lines)))[:_MOST_LINES] or [line for line in lines if line.strip()][-_MOST_LINES:]
    return "; ".join(" ".join(each.split()) for each in said)[:_MOST_CHARACTERS]


def _errors(lines: list[str]) -> Iterator[str]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("s") in _SERIOUS:
            yield _text(entry)


def _text(entry: dict[str, object]) -> str:
    """What the entry says in words: the most of it stands in its attributes, in one of a few places."""
    attributes = entry.get("attr")
    found = attributes if isinstance(attributes, dict) else {}
    for name in ("error", "message"):
        value = found.get(name)
        if isinstance(value, dict):
            value = ": ".join(str(value[key]) for key in ("errmsg", "msg", "error_str") if value.get(key))
        if isinstance(value, str) and value:
            return value
    return str(entry.get("msg", ""))
