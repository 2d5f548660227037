"""What %db shows."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING

from gofastapi_ext.client.database_text import (
    COLLECTION_HEADINGS,
    NOTHING_YET,
    collection_row,
    database_as_text,
    fullness,
    index_as_text,
    notice_of,
)
from gofastapi_ext.core.data import CollectionView, DatabaseView
from gofastapi_ext.notebook import session
from gofastapi_ext.notebook.commands import one_line
from gofastapi_ext.notebook.documents import DocumentsAsked, parse_db, show_documents
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.style import STYLE

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def db(shell: InteractiveShell, line: str) -> None:
    """`%db`"""
    with one_line():
        wanted = parse_db(line)
        client = session.client()
        if isinstance(wanted, DocumentsAsked):
            page = client.documents(
                wanted.collection, wanted.filter, sort=wanted.sort, limit=wanted.limit, branch=wanted.branch
            )
            show_documents(shell, wanted, page)
        else:
            show_database(shell, client.database(branch=wanted))


def show_database(shell: InteractiveShell, view: DatabaseView) -> None:
    """The card, as HTML where a front end shows it, and as text."""
    if is_kernel(shell):
        publish({"text/html": database_as_html(view), "text/plain": database_as_text(view)})
    else:
        sys.stdout.write(database_as_text(view) + "\n")


def database_as_html(view: DatabaseView) -> str:
    """How full it is as a bar, what its owner has to know, and its collections as a table."""
    name = escape(view.name) + (f", branch {escape(view.branch)}" if view.branch else "")
    level = "full" if view.over_limit else "nearly" if notice_of(view) else ""
    share = min(view.bytes / view.limit_bytes, 1.0)
    notice = f'<p class="gofastapi-notice gofastapi-{level}">{escape(notice_of(view))}</p>' if level else ""
    return (
        f'<div class="gofastapi gofastapi-db"><style>{STYLE}</style>'
        f'<div class="gofastapi-head"><b>{name}</b><span class="gofastapi-time">{escape(fullness(view))}</span></div>'
        f'<div class="gofastapi-bar gofastapi-{level or "well"}" role="meter" aria-label="{share:.0%} full">'
        f'<span style="width:{max(share, 0.005):.1%}"></span></div>'
        f"{notice}{_table(view)}</div>"
    )


def _table(view: DatabaseView) -> str:
    if not view.collections:
        return f'<p class="gofastapi-note">{escape(NOTHING_YET)}</p>'
    head = "".join(f"<th>{heading.capitalize()}</th>" for heading in COLLECTION_HEADINGS)
    body = "".join(_row(collection) for collection in view.collections)
    return f'<table class="gofastapi-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(collection: CollectionView) -> str:
    name, *numbers, indexes = (escape(cell) for cell in collection_row(collection))
    names = escape("\n".join(index_as_text(index) for index in collection.indexes), quote=True)
    cells = "".join(f"<td>{cell}</td>" for cell in numbers)
    return f'<tr><td><b>{name}</b></td>{cells}<td title="{names}">{indexes}</td></tr>'
