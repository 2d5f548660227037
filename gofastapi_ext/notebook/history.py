"""What %versions and %diff show."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING

from gofastapi_ext.client.history import (
    VERSION_HEADINGS,
    ask_diff,
    diff_lines,
    render_diff,
    version_row,
    versions_as_text,
)
from gofastapi_ext.client.render import plain
from gofastapi_ext.core.history import TreeDiff
from gofastapi_ext.core.models import VersionView
from gofastapi_ext.notebook import arguments, session
from gofastapi_ext.notebook.commands import one_line
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.style import STYLE
from gofastapi_ext.notebook.text import coloured

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_MOST_LINES = 1000
_CLASSES = {"good": "added", "error": "removed", "hint": "hunk", "place": "file", "dim": "dim"}


def versions(shell: InteractiveShell, line: str) -> None:
    """`%versions`"""
    with one_line():
        name = arguments.parse_name("versions", line)
        found = session.client().versions(name)
        if not found:
            sys.stdout.write(f"{name} was never deployed. To bring its draft live: %deploy {name}\n")
        elif is_kernel(shell):
            publish({"text/html": _versions_as_html(found), "text/plain": versions_as_text(found)})
        else:
            sys.stdout.write(versions_as_text(found) + "\n")


def diff(shell: InteractiveShell, line: str) -> None:
    """`%diff`"""
    with one_line():
        name, old, new = arguments.parse_diff(line)
        show_diff(shell, ask_diff(session.client(), name, old, new))


def show_diff(shell: InteractiveShell, found: TreeDiff, most: int = _MOST_LINES) -> None:
    """A diff in colours, of each file at most `most` lines."""
    if is_kernel(shell):
        publish({"text/html": _diff_as_html(found, most), "text/plain": render_diff(found, most=most)})
    else:
        paint = coloured if sys.stdout.isatty() else plain
        sys.stdout.write(render_diff(found, paint, most=most) + "\n")


def _versions_as_html(found: list[VersionView]) -> str:
    head = "".join(f"<th>{heading}</th>" for heading in VERSION_HEADINGS)
    rows = ("".join(f"<td>{escape(cell)}</td>" for cell in version_row(version)) for version in found)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f"<style>{STYLE}</style>"
        f'<table class="gofastapi-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _diff_as_html(found: TreeDiff, most: int) -> str:
    lines = [
        f'<span class="gofastapi-{_CLASSES[role]}">{escape(text)}</span>' if role else escape(text)
        for text, role in diff_lines(found, most=most)
    ]
    code = "\n".join(lines)
    return f'<div class="gofastapi gofastapi-diff"><style>{STYLE}</style><pre class="gofastapi-code">{code}</pre></div>'
