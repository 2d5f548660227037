"""The card: a deploy as self-contained HTML, the same while it runs and when it is kept in the notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gofastapi_ext.client.render import excerpt, printable
from gofastapi_ext.client.text import format_seconds
from gofastapi_ext.client.tree import TreeRow, tree_lines
from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.notebook.magic_words import as_magics
from gofastapi_ext.notebook.progress import Ending, Progress, headline, what_it_works_on, what_still_serves
from gofastapi_ext.notebook.style import CLICK_SCRIPT, COPY_SCRIPT, STYLE
from gofastapi_ext.notebook.text import first_few, in_cell


def html_card(progress: Progress) -> str:
    """The card in its present state."""
    state = str(progress.ending or "running")
    parts = [_head(progress), _address(progress), html_tree(progress.tree), _stages(progress)]
    parts += [html_finding(diagnostic) for diagnostic in progress.diagnostics]
    parts += [f'<p class="gofastapi-note">{line}</p>' for line in _notes(progress)]
    return f'<div class="gofastapi gofastapi-{state}"><style>{STYLE}</style>{"".join(parts)}</div>'


def _head(progress: Progress) -> str:
    took = format_seconds(progress.seconds) if progress.seconds is not None else ""
    if progress.ending is Ending.UNCHANGED:
        words = f"Unchanged: version {progress.version} is live, nothing to do"
    else:
        words = headline(progress)
    name = escape(progress.app)
    return (
        '<p class="gofastapi-head"><span class="gofastapi-dot"></span>'
        f"<span>{escape(words).replace(name, f'<b>{name}</b>', 1)}</span> "
        f'<span class="gofastapi-time">{took}</span></p>'
    )


def _address(progress: Progress) -> str:
    if not progress.url or progress.ending not in (Ending.LIVE, Ending.UNCHANGED):
        return ""
    url = escape(progress.url)
    link = f'<a href="{url}" target="_blank" rel="noopener">{url}</a>'
    # The words on it come from the style sheet: where that is dropped, scripts are too, and it is not seen.
    copy = (
        f'<span class="gofastapi-copy" role="button" tabindex="0" aria-label="Copy the address" data-copy="{url}" '
        f'data-label="Copy" onclick="{escape(COPY_SCRIPT)}" onkeydown="{escape(CLICK_SCRIPT)}"></span>'
    )
    relay = ""
    if progress.relay:
        relay = (
            f'<a class="gofastapi-relay" href="{escape(progress.relay)}" target="_blank" rel="noopener" '
            'title="For browsers on another machine">open through Jupyter</a>'
        )
    return f'<p class="gofastapi-url">{link} {copy} {relay}</p>'


def _stages(progress: Progress) -> str:
    if progress.ending in (Ending.UNCHANGED, Ending.SAVED, Ending.PLANNED, Ending.REFUSED):
        return ""
    return f'<ol class="gofastapi-stages">{"".join(_stage(progress, stage) for stage in progress.stages)}</ol>'


def html_tree(rows: Sequence[TreeRow]) -> str:
    """The files of an app; "" where there are none to show."""
    if not rows:
        return ""
    lines = "\n".join(tree_lines(list(rows), _dimmed))
    return f'<pre class="gofastapi-code gofastapi-tree">{_tagged(lines)}</pre>'


def _stage(progress: Progress, stage: Stage) -> str:
    if stage in progress.done:
        kind, time = "done", format_seconds(progress.done[stage])
    elif stage is progress.failed_stage:
        kind, time = "bad", "failed"
    elif stage is progress.running_stage:
        kind, time = "now", "…"
    else:
        kind, time = "later", ""
    return f'<li class="gofastapi-{kind}">{stage} <span>{time}</span></li>'


def html_finding(diagnostic: Diagnostic) -> str:
    """What is wrong, where, the line with a caret, the frames, and what to do."""
    diagnostic = in_cell(diagnostic)
    where = ""
    if diagnostic.file:
        where = diagnostic.file + (f", line {diagnostic.line}" if diagnostic.line is not None else "")
    code = "\n".join(line.removeprefix(" " * 6) for line in excerpt(diagnostic, _marked))
    html = [f'<div class="gofastapi-finding"><p>{_lines(diagnostic.message)}</p>']
    if where:
        html.append(f'<p class="gofastapi-where">{escape(printable(where))}</p>')
    if code:
        html.append(html_code(code))
    if diagnostic.traceback:
        html.append(html_code(printable(diagnostic.traceback).rstrip()))
    if diagnostic.hint:
        html.append(f'<p class="gofastapi-note">{_lines(diagnostic.hint)}</p>')
    return "".join(html) + "</div>"


def _notes(progress: Progress) -> list[str]:
    notes = [escape(progress.note)] if progress.note else []
    if progress.ending is Ending.FAILED and (serves := what_still_serves(progress)):
        notes.append(_with_link(escape(serves), progress.still_live.url if progress.still_live else None))
    if works_on := what_it_works_on(progress):
        notes.append(f"<b>{escape(works_on)}</b>")
    if progress.included:
        names = ", ".join(f"<code>{escape(printable(name))}</code>" for name in first_few(progress.included, 12))
        notes.append(f"Came along: {names}")
    skipped = [as_magics(line, progress.app) for line in first_few(progress.skipped, 5)]
    notes += [f"Left out: {escape(printable(line))}" for line in skipped]
    notes += [escape(printable(note)) for note in progress.notes]
    if progress.env_names:
        notes.append("Environment: " + ", ".join(f"<code>{escape(n)}</code>" for n in progress.env_names))
    return notes


def _with_link(html: str, url: str | None) -> str:
    href = escape(url or "")
    return html.replace(href, f'<a href="{href}" target="_blank" rel="noopener">{href}</a>') if href else html


def _marked(text: str, role: str) -> str:
    # Control characters stand for the tags until the text is escaped; `printable` lets none through.
    return f"\x01{text}\x02" if role == "caret" else text


def _dimmed(text: str, role: str) -> str:
    return f"\x03{text}\x02" if role == "dim" else text


def html_code(text: str) -> str:
    """A block of code, which is `printable` already."""
    return f'<pre class="gofastapi-code">{_tagged(text)}</pre>'


def _tagged(text: str) -> str:
    html = escape(text).replace("\x01", '<span class="gofastapi-caret">')
    return html.replace("\x03", '<span class="gofastapi-dim">').replace("\x02", "</span>")


def _lines(text: str) -> str:
    return "<br>".join(escape(line) for line in printable(text).splitlines())
