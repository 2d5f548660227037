"""What %health shows."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING

from gofastapi_ext.client.health import check_lines, health_as_text, health_reason
from gofastapi_ext.core.health import HealthView
from gofastapi_ext.notebook import arguments, session
from gofastapi_ext.notebook.commands import one_line
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.style import STYLE
from gofastapi_ext.notebook.tables import health_as_html

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def health(shell: InteractiveShell, line: str) -> None:
    """`%health`"""
    with one_line():
        view = session.client().health(arguments.parse_name("health", line))
        if is_kernel(shell):
            publish({"text/html": _as_html(view), "text/plain": health_as_text(view)})
        else:
            sys.stdout.write(health_as_text(view) + "\n")


def _as_html(view: HealthView) -> str:
    checks = escape("\n".join(check_lines(view)))
    return (
        f'<div class="gofastapi"><style>{STYLE}</style>'
        f'<div class="gofastapi-head"><b>{escape(view.app)}</b>{health_as_html(view)}</div>'
        f'<p class="gofastapi-note">{escape(health_reason(view))}</p>'
        + (f'<pre class="gofastapi-code">{checks}</pre>' if checks else "")
        + "</div>"
    )
