"""What the small magics print: the table of apps, a line of a log."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING

from gofastapi_ext.client.render import printable
from gofastapi_ext.core.models import AppView, LogLine
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.style import STYLE

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_HEADINGS = ("App", "State", "Version", "Address", "Since")
_NO_APPS = "No apps yet. Put %%deploy NAME on top of a cell with a FastAPI app."


def show_apps(shell: InteractiveShell, apps: list[AppView]) -> None:
    """The table, as HTML where a front end shows it, and as text."""
    if not is_kernel(shell) or not apps:
        sys.stdout.write(apps_as_text(apps) + "\n")
    else:
        publish({"text/html": apps_as_html(apps), "text/plain": apps_as_text(apps)})


def apps_as_text(apps: list[AppView]) -> str:
    """A table with aligned columns, and below it why something is not running."""
    if not apps:
        return _NO_APPS
    rows = [_HEADINGS, *(_row(app) for app in apps)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *(f"{app.id}: {printable(app.reason)}" for app in apps if app.reason)])


def apps_as_html(apps: list[AppView]) -> str:
    head = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
    body = "".join(_html_row(app) for app in apps)
    return (
        f"<style>{STYLE}</style>"
        f'<table class="gofastapi-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def log_line(entry: LogLine) -> str:
    """`12:03:04.123  the text`, in local time."""
    moment = entry.time.astimezone()
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}  {printable(entry.text)}"


def _row(app: AppView) -> tuple[str, ...]:
    version, url = (f"v{app.version}", app.url or "") if app.version else ("", "")
    return (app.id, str(app.state), version, url, f"{app.updated_at.astimezone():%Y-%m-%d %H:%M}")


def _html_row(app: AppView) -> str:
    name, state, version, url, since = (escape(cell) for cell in _row(app))
    link = f'<a href="{url}" target="_blank" rel="noopener">{url}</a>' if url else ""
    reason = f"<br><small>{escape(printable(app.reason))}</small>" if app.reason else ""
    return f"<tr><td><b>{name}</b></td><td>{state}{reason}</td><td>{version}</td><td>{link}</td><td>{since}</td></tr>"
