"""What %apps shows: the table of apps."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING

from gofastapi_ext.client.health import health_reason, health_word
from gofastapi_ext.client.text import APP_HEADINGS, about_sleep, app_row, apps_as_text, why_not_well
from gofastapi_ext.core.health import Health
from gofastapi_ext.core.models import AppView
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.style import STYLE

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_NO_APPS = "No apps yet. Put %%deploy NAME on top of a cell with a FastAPI app."


def show_apps(shell: InteractiveShell, apps: list[AppView]) -> None:
    """The table, as HTML where a front end shows it, and as text."""
    if not is_kernel(shell) or not apps:
        sys.stdout.write(_as_text(apps) + "\n")
    else:
        publish({"text/html": apps_as_html(apps), "text/plain": _as_text(apps)})


def _as_text(apps: list[AppView]) -> str:
    return apps_as_text(apps) if apps else _NO_APPS


def apps_as_html(apps: list[AppView]) -> str:
    head = "".join(f"<th>{heading}</th>" for heading in APP_HEADINGS)
    body = "".join(_html_row(app) for app in apps)
    notes = "".join(f"<p><small>{note}</small></p>" for note in about_sleep(apps))
    return (
        f"<style>{STYLE}</style>"
        f'<table class="gofastapi-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}'
    )


def _html_row(app: AppView) -> str:
    name, state, _, version, url, since = (escape(cell) for cell in app_row(app))
    link = f'<a href="{url}" target="_blank" rel="noopener">{url}</a>' if url else ""
    why = why_not_well(app)
    reason = f"<br><small>{escape(why)}</small>" if why else ""
    cells = (f"<b>{name}</b>", state + reason, health_as_html(app.health), version, link, since)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def health_as_html(health: Health | None) -> str:
    """A dot in the app's colour, and the colour as a word, for whoever cannot see the dot."""
    if health is None:
        return health_word(None)
    why = escape(health_reason(health), quote=True)
    return f'<span class="gofastapi-health gofastapi-{health.color}" title="{why}">{health_word(health)}</span>'
