"""`%app` and `%sleep`: how one app is, how it is set, and to let it sleep now."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING

from gofastapi_ext.client.one_app import app_as_text, app_rows, parse_switch, parse_workers
from gofastapi_ext.core.models import AppChange, AppView
from gofastapi_ext.notebook import arguments, session
from gofastapi_ext.notebook.commands import one_line
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.style import STYLE

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def app(shell: InteractiveShell, line: str) -> None:
    """`%app`"""
    with one_line():
        name, options = arguments.parse_app(line)
        change = AppChange(
            sleep_after=options.get("--sleep-after"),
            record_bodies=parse_switch("--record-bodies", options.get("--record-bodies")),
            workers=parse_workers(options.get("--workers")),
        )
        client = session.client()
        found = client.app(name) if change == AppChange() else client.change(name, change)
        if is_kernel(shell):
            publish({"text/html": app_as_html(found), "text/plain": app_as_text(found)})
        else:
            sys.stdout.write(app_as_text(found) + "\n")


def sleep(shell: InteractiveShell, line: str) -> None:
    """`%sleep`"""
    with one_line():
        name = arguments.parse_name("sleep", line)
        session.client().sleep(name)
        sys.stdout.write(f"{name} sleeps. The next request wakes it.\n")


def app_as_html(app: AppView) -> str:
    """The rows as a table."""
    body = "".join(f"<tr><th scope=row>{name}</th><td>{_linked(value)}</td></tr>" for name, value in app_rows(app))
    caption = f"<caption><b>{escape(app.id)}</b></caption>"
    return f'<style>{STYLE}</style><table class="gofastapi-table">{caption}<tbody>{body}</tbody></table>'


def _linked(value: str) -> str:
    shown = escape(value)
    is_url = value.startswith("http://")
    return f'<a href="{shown}" target="_blank" rel="noopener">{shown}</a>' if is_url else shown
