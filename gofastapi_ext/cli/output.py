"""How the command prints: aligned text with a little colour, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

_LOOKS: dict[str, dict[str, Any]] = {
    "error": {"fg": "red"},
    "warning": {"fg": "yellow"},
    "place": {"bold": True},
    "caret": {"fg": "red"},
    "hint": {"fg": "cyan"},
    "good": {"fg": "green"},
    "dim": {"dim": True},
}


def say(text: str = "", *, err: bool = False) -> None:
    """Print a line. Colours are left out where nobody sees them, or `NO_COLOR` is set."""
    click.echo(text, err=err)


def paint(text: str, role: str) -> str:
    """The look of a role; see `client.render.Paint`."""
    return click.style(text, **_LOOKS[role])


def say_json(data: object) -> None:
    """Print one line of JSON; models may stand anywhere in `data`."""
    click.echo(json.dumps(data, default=_plain, ensure_ascii=False))


def aligned(rows: Iterable[tuple[str, str]]) -> str:
    """Two columns, the first as wide as it has to be."""
    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}".rstrip() for name, value in listed)


def _plain(value: object) -> object:
    from pydantic import BaseModel  # at its first use: `--help` is to be quick

    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is not JSON")
