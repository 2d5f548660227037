"""What the command line and the notebook both say: durations, the table of apps, a line of a log."""

from __future__ import annotations

from gofastapi_ext.client.health import health_reason, health_word
from gofastapi_ext.client.render import Paint, plain, printable
from gofastapi_ext.core.drafts import CodeState
from gofastapi_ext.core.health import HealthColor
from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.core.models import AppView, LogLevel, LogLine

APP_HEADINGS = ("App", "State", "Health", "Version", "Address", "Since")


def format_seconds(seconds: float) -> str:
    """A duration people read: `38 ms`, `1.24 s`, `12.4 s`."""
    if seconds < 0.0005:
        return "<1 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"


def apps_as_text(apps: list[AppView]) -> str:
    """A table with aligned columns, and below it why something is not running, or not well."""
    rows = [APP_HEADINGS, *(app_row(app) for app in apps)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(APP_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [f"{app.id}: {why}" for app in apps if (why := why_not_well(app))]
    return "\n".join([*lines, *about_sleep(apps)])


def about_sleep(apps: list[AppView]) -> list[str]:
    """What it means that some are asleep, once for all of them."""
    return ["asleep: the next request wakes it"] if any(app.state is State.ASLEEP for app in apps) else []


def why_not_well(app: AppView) -> str:
    """Why an app does not run, or is yellow or red; empty where there is nothing to say."""
    if app.reason:
        return printable(app.reason)
    is_well = app.health is None or app.health.color not in (HealthColor.YELLOW, HealthColor.RED)
    return "" if is_well or app.health is None else health_reason(app.health)


def app_row(app: AppView) -> tuple[str, ...]:
    """The cells under `APP_HEADINGS`. `v2 + draft`: there is newer code than what is live. `v2 on exp`: on a branch."""
    has_newer = app.draft is not None and app.code_state is CodeState.NOT_DEPLOYED
    code = [*([f"v{app.version}"] if app.version else []), *(["draft"] if has_newer else [])]
    branch = f" on {app.db_branch}" if app.db_branch else ""
    url = (app.url or "") if app.version else ""
    return (
        app.id,
        str(app.state),
        health_word(app.health),
        " + ".join(code) + branch,
        url,
        f"{app.updated_at.astimezone():%Y-%m-%d %H:%M}",
    )


def restorable_as_text(apps: list[AppView]) -> str:
    """The deleted apps that can be restored, each with the time until then."""
    lines = [
        f"{app.id}  until {app.restorable_until.astimezone():%Y-%m-%d %H:%M}" for app in apps if app.restorable_until
    ]
    return "\n".join(lines) or "No deleted app can be restored."


def log_line(entry: LogLine, paint: Paint = plain) -> str:
    """`12:03:04.123  the text`, in local time."""
    moment = entry.time.astimezone()
    text = printable(entry.text)
    if entry.level in (LogLevel.ERROR, LogLevel.WARNING):
        text = paint(text, entry.level)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}  {text}"
