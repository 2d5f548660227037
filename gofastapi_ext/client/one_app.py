"""One app, as the command line and the notebook both show it: how it is, and how it is set."""

from __future__ import annotations

from gofastapi_ext.client.render import printable
from gofastapi_ext.core.durations import format_duration
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.models import AppView

_SWITCH = {"on": True, "off": False}


def app_rows(app: AppView) -> list[tuple[str, str]]:
    """What there is to say of it, a name and a value each."""
    state = str(app.state) + (f": {printable(app.reason)}" if app.reason else "")
    rows = [("State", state)]
    if app.health is not None:
        rows.append(("Health", f"{app.health.color}: {printable(app.health.reason)}"))
    if app.title != app.id:
        rows.append(("Title", printable(app.title)))
    if app.version and app.url:
        rows += [("Version", f"v{app.version}"), ("Address", app.url)]
    if app.db_branch:
        rows.append(("Database", f"the branch {app.db_branch}, not the data themselves"))
    if app.last_request_at is not None:
        rows.append(("Last request", f"{app.last_request_at.astimezone():%Y-%m-%d %H:%M}"))
    after = app.sleep_after_seconds
    rows.append(("Sleeps", f"after {format_duration(after)} without a request" if after else "never"))
    if app.workers > 1:
        serving = sum(each.state == "serving" for each in app.instances)
        rows.append(
            ("Workers", f"{app.workers}" if serving in (0, app.workers) else f"{serving} of {app.workers} serve")
        )
    rows.append(("Bodies", "kept, of requests that fail" if app.record_bodies else "not kept"))
    return rows


def app_as_text(app: AppView) -> str:
    """The rows, with aligned columns."""
    rows = app_rows(app)
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in rows)


def when_it_sleeps(app: AppView) -> list[str]:
    """A line for whoever just deployed it for the first time; none where it never sleeps."""
    after = app.sleep_after_seconds
    words = "It sleeps after {} without a request; the next one wakes it. To keep it awake: gofastapi app {}"
    return [f"{words.format(format_duration(after), app.id)} --sleep-after never"] if after else []


def parse_workers(text: str | None) -> int | None:
    """How many, 4 digits at most. Raises `InvalidRequestError`."""
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 4 or not int(text):
        raise InvalidRequestError(f'--workers is a number from 1 on, not "{text}".')
    return int(text)


def parse_switch(name: str, text: str | None) -> bool | None:
    """`on` or `off`. Raises `InvalidRequestError`."""
    if text is None:
        return None
    if text.lower() not in _SWITCH:
        raise InvalidRequestError(f'{name} is on or off, not "{text}".')
    return _SWITCH[text.lower()]
