"""What `%db COLLECTION` shows: the first documents, as a table."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from gofastapi_ext.client.document_text import (
    columns_of,
    documents_as_text,
    parse_object,
    parse_sort,
    short,
)
from gofastapi_ext.core.documents.views import DEFAULT_PAGE, MAX_PAGE, DocumentPage, DocumentView
from gofastapi_ext.notebook.errors import CommandFailed
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.style import STYLE
from gofastapi_ext.notebook.usage import number, split, usage

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@dataclass(frozen=True)
class DocumentsAsked:
    """Which documents, and in which order."""

    collection: str
    filter: dict[str, Any]
    sort: dict[str, int]
    limit: int
    branch: str | None


def parse_db(line: str) -> DocumentsAsked | str | None:
    """Which documents; or, where none are meant, the branch of the database."""
    line, filter = _split_filter(line)
    words, options = split("db", line)
    if len(words) > 1 or (not words and (filter or "--sort" in options)):
        raise usage("db")
    branch = options["--branch"][-1] if "--branch" in options else None
    if not words:
        return branch
    return DocumentsAsked(
        collection=words[0],
        filter=parse_object(filter, "filter") if filter else {},
        sort=parse_sort(options["--sort"][-1]) if "--sort" in options else {},
        limit=number("--limit", options["--limit"][-1], 1, MAX_PAGE) if "--limit" in options else DEFAULT_PAGE,
        branch=branch,
    )


def _split_filter(line: str) -> tuple[str, str]:
    """The line without the filter in it, and the filter: what is between the first and the last curly bracket.

    A shell would take the quotation marks of JSON away.
    """
    start, end = line.find("{"), line.rfind("}")
    if start < 0 and end < 0:
        return line, ""
    if start < 0 or end < start:
        raise CommandFailed("A curly bracket of the filter is missing its partner.")
    return f"{line[:start]} {line[end + 1 :]}", line[start : end + 1]


def show_documents(shell: InteractiveShell, wanted: DocumentsAsked, page: DocumentPage) -> None:
    """The table, as HTML where a front end shows it, and as text."""
    text = "\n".join([*([documents_as_text(page.documents)] if page.documents else []), _note(wanted, page)]).strip()
    if is_kernel(shell) and page.documents:
        publish({"text/html": documents_as_html(wanted, page), "text/plain": text})
    else:
        sys.stdout.write(text + "\n")


def documents_as_html(wanted: DocumentsAsked, page: DocumentPage) -> str:
    """A row for each document; a value that is cut shows in full when pointed at."""
    columns = columns_of(page.documents)
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(_cell(view, name) for name in columns)}</tr>" for view in page.documents)
    note = escape(_note(wanted, page))
    return (
        f"<style>{STYLE}</style>"
        f'<table class="gofastapi-table"><caption><b>{escape(wanted.collection)}</b></caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p><small>{note}</small></p>"
    )


def _cell(view: DocumentView, name: str) -> str:
    if name not in view.document:
        return "<td></td>"
    value = view.document[name]
    shown = short(value)
    whole = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    title = f' title="{escape(whole[:1000], quote=True)}"' if shown.endswith("…") else ""
    return f"<td{title}>{escape(shown)}</td>"


def _note(wanted: DocumentsAsked, page: DocumentPage) -> str:
    """How many there are, and what is not shown."""
    if not page.documents:
        return "No document matches." if wanted.filter else f"{wanted.collection} has no documents."
    left = len(dict.fromkeys(n for view in page.documents for n in view.document)) - len(columns_of(page.documents))
    parts = [f"{left} more fields"] if left else []
    if page.next:
        count = f" of {page.count_estimate:,}" if page.count_estimate is not None else ""
        parts.append(f"the first {len(page.documents)}{count}; --limit N shows more, gofastapi db export all")
    else:
        parts.append("1 document" if len(page.documents) == 1 else f"{len(page.documents)} documents")
    return ", ".join(parts)
