"""What the command line and the notebook both say of events."""

from __future__ import annotations

from gofastapi_ext.client.render import printable
from gofastapi_ext.core.events import Event

EVENT_HEADINGS = ("Time", "App", "What happened")


def event_row(event: Event) -> tuple[str, str, str]:
    """The cells under `EVENT_HEADINGS`, in local time."""
    return f"{event.at.astimezone():%Y-%m-%d %H:%M:%S}", event.app or "-", " ".join(printable(event.message).split())


def event_line(event: Event, width: int = 0) -> str:
    """`2026-01-31 12:03:04  hello  Version 2 is live.`; the app's name takes `width` characters at least."""
    time, app, message = event_row(event)
    return f"{time}  {app.ljust(width)}  {message}"


def events_as_text(events: list[Event]) -> str:
    """A line each, the latest last, as they are followed."""
    width = max((len(event.app or "-") for event in events), default=0)
    return "\n".join(event_line(event, width) for event in reversed(events))
