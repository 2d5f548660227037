"""What %logs and %events show."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from gofastapi_ext.client.events import EVENT_HEADINGS, event_line, event_row, events_as_text
from gofastapi_ext.client.text import log_line
from gofastapi_ext.core.events import Event
from gofastapi_ext.notebook import arguments, session
from gofastapi_ext.notebook.commands import one_line
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.style import STYLE

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_NOTHING = "Nothing has happened yet."


def logs(shell: InteractiveShell, line: str) -> None:
    """`%logs`. Following ends with an interrupt, which is no error."""
    with one_line():
        wanted = arguments.parse_logs(line, datetime.now(UTC))
        silent = True
        try:
            for entry in session.client().logs(
                wanted.name,
                tail=wanted.tail,
                follow=wanted.follow,
                since=wanted.since,
                until=wanted.until,
                grep=wanted.grep,
                level=wanted.level,
                pid=wanted.pid,
            ):
                silent = False
                _write(log_line(entry), now=wanted.follow)
        except KeyboardInterrupt:
            if not wanted.follow:
                raise
        if silent and not wanted.follow:
            words = "No line of {} is like that." if wanted.is_filtered else "{} has printed nothing yet."
            _write(words.format(wanted.name))


def events(shell: InteractiveShell, line: str) -> None:
    """`%events`. Following ends with an interrupt, which is no error."""
    with one_line():
        name, limit, follow = arguments.parse_events(line)
        client = session.client()
        found = client.events(name, limit=limit)
        if not follow:
            if is_kernel(shell) and found:
                publish({"text/html": events_as_html(found), "text/plain": events_as_text(found)})
            else:
                _write(events_as_text(found) or _NOTHING)
            return
        try:
            for event in reversed(found):
                _write(event_line(event), now=True)
            for event in client.follow_events(name, after=found[0].id if found else 0):
                _write(event_line(event), now=True)
        except KeyboardInterrupt:
            return


def events_as_html(events: list[Event]) -> str:
    """A table, the latest first."""
    head = "".join(f"<th>{heading}</th>" for heading in EVENT_HEADINGS)
    body = "".join(
        f'<tr><td class="gofastapi-whole">{time}</td><td>{app}</td><td>{message}</td></tr>'
        for time, app, message in (map(escape, event_row(event)) for event in events)
    )
    return (
        f"<style>{STYLE}</style>"
        f'<table class="gofastapi-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _write(text: str, *, now: bool = False) -> None:
    sys.stdout.write(text + "\n")
    if now:
        sys.stdout.flush()
