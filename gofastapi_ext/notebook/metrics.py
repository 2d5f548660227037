"""What %metrics shows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from gofastapi_ext.client.metrics import (
    NUMBER_HEADINGS,
    ROUTE_HEADINGS,
    TEXT_COLUMNS,
    ask_metrics,
    facts,
    format_moment,
    format_ms,
    metrics_as_text,
    number_row,
    numbers_as_text,
    route_rows,
    usage,
)
from gofastapi_ext.client.render import plain
from gofastapi_ext.core.metrics import AppNumbers, MetricsView
from gofastapi_ext.notebook import arguments, session
from gofastapi_ext.notebook.chart import CHART_STYLE, chart
from gofastapi_ext.notebook.commands import one_line
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.place import is_kernel
from gofastapi_ext.notebook.style import STYLE
from gofastapi_ext.notebook.text import coloured

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_COLUMNS = 120
_NO_APPS = "No apps yet. Put %%deploy NAME on top of a cell with a FastAPI app."
_STYLE = (
    STYLE
    + CHART_STYLE
    + """
.gofastapi-metrics{--warn:var(--jp-warn-color1,#f59f00)}
.gofastapi-metrics .gofastapi-tiles{display:flex;flex-wrap:wrap;gap:8px 28px;margin-top:10px}
.gofastapi-tiles div{font-size:18px;line-height:24px}
.gofastapi-tiles small{display:block;color:var(--soft);font-size:11px;line-height:16px}
.gofastapi-tiles .gofastapi-raised{color:var(--bad)}
.gofastapi .gofastapi-chart-key{display:flex;flex-wrap:wrap;gap:2px 14px;margin-top:6px;color:var(--soft);
font-size:11px}
.gofastapi-chart-key i{display:inline-block;width:8px;height:8px;margin-right:5px;border-radius:2px}
.gofastapi-chart-key .gofastapi-p50,.gofastapi-chart-key .gofastapi-p95{width:12px;height:2px;vertical-align:middle;
background:var(--busy)}
.gofastapi-chart-key .gofastapi-p95{opacity:.6}
.gofastapi-metrics .gofastapi-table{width:100%;margin:10px 0 0!important;font-size:12px;line-height:16px;
table-layout:auto!important}
.gofastapi-metrics style+.gofastapi-wide .gofastapi-table{margin-top:0!important}
.gofastapi-metrics .gofastapi-table tr{background:none!important}
.gofastapi-table .gofastapi-number{padding:4px 0 4px 14px!important;text-align:right!important;white-space:nowrap}
.gofastapi-metrics .gofastapi-table td:first-child{overflow-wrap:anywhere;min-width:110px}
.gofastapi-wide{overflow-x:auto}
""".replace("\n", "")
)


def metrics(shell: InteractiveShell, line: str) -> None:
    """`%metrics`"""
    with one_line():
        name, window = arguments.parse_metrics(line)
        client = session.client()
        if name is None:
            numbers = client.numbers()
            text, html = numbers_as_text(numbers), _numbers_as_html(numbers)
            if not numbers:
                sys.stdout.write(_NO_APPS + "\n")
                return
        else:
            view = ask_metrics(client, name, window, _COLUMNS if is_kernel(shell) else TEXT_COLUMNS)
            paint = coloured if sys.stdout.isatty() else plain
            text, html = metrics_as_text(view, paint), metrics_as_html(view)
        if is_kernel(shell):
            publish({"text/html": html, "text/plain": text})
        else:
            sys.stdout.write(text + "\n")


def metrics_as_html(view: MetricsView) -> str:
    """The card of one app."""
    parts = [
        f'<p class="gofastapi-head"><b>{escape(view.app)}</b>'
        f'<span class="gofastapi-time">since {format_moment(view.since, view.until)}</span></p>',
        _tiles(view),
    ]
    if view.requests:
        parts += [chart(view), _key(view), _routes(view)]
    said = facts(view)[2:3] if view.requests else []
    notes = [f"{escape(name)}: {escape(text).replace('   ', ' · ')}" for name, text in [*said, *usage(view)]]
    parts.append(f'<p class="gofastapi-note">{"<br>".join(notes)}</p>')
    return f'<div class="gofastapi gofastapi-metrics"><style>{_STYLE}</style>{"".join(parts)}</div>'


def _tiles(view: MetricsView) -> str:
    """The numbers to see first."""
    tiles = [
        ("requests", f"{view.requests:,}", ""),
        ("4xx", f"{view.client_errors:,}", ""),
        ("5xx", f"{view.server_errors:,}", "gofastapi-raised" if view.server_errors else ""),
    ]
    if view.requests:
        tiles += [(name, format_ms(ms), "") for name, ms in _latencies(view)]
    # The blank is for viewers that drop the style sheet.
    shown = (f'<div class="{look}"><small>{name}</small> {value}</div>' for name, value, look in tiles)
    return f'<div class="gofastapi-tiles">{"".join(shown)}</div>'


def _latencies(view: MetricsView) -> tuple[tuple[str, float | None], ...]:
    return ("p50", view.p50_ms), ("p95", view.p95_ms), ("p99", view.p99_ms)


def _key(view: MetricsView) -> str:
    kinds = [("ok", "answered")]
    kinds += [("4xx", "4xx")] if view.client_errors else []
    kinds += [("5xx", "5xx")] if view.server_errors else []
    kinds += [("p50", "p50"), ("p95", "p95")]
    shown = "".join(f'<span><i class="gofastapi-{kind}"></i>{words}</span>' for kind, words in kinds)
    return f'<p class="gofastapi-chart-key">{shown}</p>'


def _routes(view: MetricsView) -> str:
    rows, more = route_rows(view)
    rest = f'<p class="gofastapi-note">and {more} more routes</p>' if more else ""
    return _table(ROUTE_HEADINGS, rows) + rest


def _numbers_as_html(numbers: Sequence[AppNumbers]) -> str:
    table = _table(NUMBER_HEADINGS, [number_row(each) for each in numbers])
    return f'<div class="gofastapi gofastapi-metrics"><style>{_STYLE}</style>{table}</div>'


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def cells(tag: str, row: Sequence[str]) -> str:
        first, *numbers = map(escape, row)
        rest = "".join(f'<{tag} class="gofastapi-number">{number}</{tag}>' for number in numbers)
        return f"<tr><{tag}>{first}</{tag}>{rest}</tr>"

    body = "".join(cells("td", row) for row in rows)
    table = f'<table class="gofastapi-table"><thead>{cells("th", headings)}</thead><tbody>{body}</tbody></table>'
    return f'<div class="gofastapi-wide">{table}</div>'
