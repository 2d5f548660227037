"""The picture of an app's metrics: requests over time, with their errors, and below them how long answers took.

A self-contained SVG, drawn in the colours of the theme around it. It needs no script.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import escape

from gofastapi_ext.client.metrics import format_moment, format_ms, steps_of
from gofastapi_ext.core.metrics import MetricsPoint, MetricsView

CHART_STYLE = """
.gofastapi-chart{display:block;width:100%;height:auto;margin-top:12px;overflow:visible}
.gofastapi-chart text{font:10px var(--jp-ui-font-family,system-ui,sans-serif);fill:var(--soft)}
.gofastapi-chart .gofastapi-axis{stroke:var(--line);stroke-width:1;shape-rendering:crispEdges}
.gofastapi-chart path{stroke:none}
.gofastapi-ok{fill:var(--busy);background:var(--busy)}
.gofastapi-4xx{fill:var(--warn);background:var(--warn)}
.gofastapi-5xx{fill:var(--bad);background:var(--bad)}
.gofastapi-chart path.gofastapi-p50,.gofastapi-chart path.gofastapi-p95{fill:none;stroke:var(--busy);
stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}
.gofastapi-chart path.gofastapi-p95{opacity:.6}
.gofastapi-hit path{fill:transparent}
.gofastapi-hit path:hover{fill:rgba(128,128,128,.16)}
""".replace("\n", "")

_WIDTH, _LEFT = 608, 44
_REQUESTS = (16, 116)
_LATENCY = (146, 206)
_HEIGHT = 224
_TICKS_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)
_MOST_TICKS = 9

Value = Callable[[MetricsPoint], float]


def chart(view: MetricsView) -> str:
    """The picture; one column for each step of the view."""
    steps = steps_of(view)
    width = (_WIDTH - _LEFT) / len(steps)
    label = f"Requests and latency of {view.app} since {format_moment(view.since, view.until)}"
    parts = [
        f'<svg class="gofastapi-chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">',
        *_panel(_REQUESTS, "Requests", _ceiling(_most(steps, lambda p: p.requests), 1), lambda n: f"{n:,.0f}"),
        *_bars(steps, width),
        *_panel(_LATENCY, "Latency", _ceiling(_most(steps, lambda p: p.p95_ms or 0.0), 0.1), format_ms),
        *_lines(steps, width),
        *_times(view, len(steps), width),
        *_hits(view, steps, width),
        "</svg>",
    ]
    return "".join(parts)


def _panel(place: tuple[int, int], title: str, most: float, words: Callable[[float], str]) -> Iterator[str]:
    """The lines and the numbers at its left."""
    top, bottom = place
    yield f'<text x="{_LEFT}" y="{top - 6}">{title}</text>'
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (bottom - top)
        yield f'<line class="gofastapi-axis" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.0f}" y2="{y:.0f}"/>'
        if share != 0.5 or most >= 2:
            said = words(most * share) if share else "0"
            yield f'<text x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{said}</text>'


def _bars(steps: Sequence[MetricsPoint | None], width: float) -> Iterator[str]:
    """Errors at the foot, where a few of them can be seen; the rest on top."""
    scale = _scale(_REQUESTS, _ceiling(_most(steps, lambda p: p.requests), 1))
    kinds: list[tuple[str, Value, Value]] = [
        ("5xx", lambda p: 0, lambda p: p.server_errors),
        ("4xx", lambda p: p.server_errors, lambda p: p.server_errors + p.client_errors),
        ("ok", lambda p: p.server_errors + p.client_errors, lambda p: p.requests),
    ]
    gap = 1.0 if width > 3 else 0.0
    for kind, begin, end in kinds:
        path = []
        for place, point in enumerate(steps):
            if point is None or end(point) <= begin(point):
                continue
            low, high = scale(begin(point)), scale(end(point))
            # One error among thousands of answers is still to be seen.
            high = min(high, low - 1.5) if kind != "ok" else high
            x = _LEFT + place * width + gap / 2
            path.append(f"M{_short(x)} {_short(low)}V{_short(high)}h{_short(width - gap)}V{_short(low)}z")
        if path:
            yield f'<path class="gofastapi-{kind}" d="{"".join(path)}"/>'


def _lines(steps: Sequence[MetricsPoint | None], width: float) -> Iterator[str]:
    """A line for each percentile, with gaps where nothing was asked."""
    scale = _scale(_LATENCY, _ceiling(_most(steps, lambda p: p.p95_ms or 0.0), 0.1))
    percentiles: list[tuple[str, Callable[[MetricsPoint], float | None]]] = [
        ("p95", lambda point: point.p95_ms),
        ("p50", lambda point: point.p50_ms),
    ]
    for name, value in percentiles:
        path = []
        found = [None, *(value(point) if point else None for point in steps), None]
        for place, (before, ms, after) in enumerate(zip(found, found[1:], found[2:], strict=False)):
            if ms is None:
                continue
            x, y = _LEFT + (place + 0.5) * width, _short(scale(ms))
            if before is not None:
                path.append(f"L{_short(x)} {y}")
            elif after is not None:
                path.append(f"M{_short(x)} {y}")
            else:
                # One alone is as wide as its column, or it would not be seen.
                path.append(f"M{_short(x - width / 2)} {y}h{_short(width)}")
        if path:
            yield f'<path class="gofastapi-{name}" d="{"".join(path)}"/>'


def _times(view: MetricsView, count: int, width: float) -> Iterator[str]:
    """Local times, at moments people would choose."""
    minutes = count * view.step_seconds / 60
    every = next((each for each in _TICKS_MINUTES if minutes / each <= _MOST_TICKS), 30 * 1440) * 60
    offset = view.since.astimezone().utcoffset() or timedelta()
    begin = view.since.timestamp() + offset.total_seconds()
    tick = math.ceil(begin / every) * every
    while tick < begin + count * view.step_seconds:
        x = _LEFT + (tick - begin) / view.step_seconds * width
        local = datetime.fromtimestamp(tick, UTC)
        said = f"{local:%b %d}" if every >= 86_400 or (tick % 86_400 == 0 and minutes > 1440) else f"{local:%H:%M}"
        if _LEFT + 8 <= x <= _WIDTH - 8:
            yield f'<text x="{_short(x)}" y="{_HEIGHT - 4}" text-anchor="middle">{said}</text>'
        tick += every


def _hits(view: MetricsView, steps: Sequence[MetricsPoint | None], width: float) -> Iterator[str]:
    """Over each column what there is to say of it."""
    top, height = _REQUESTS[0], _LATENCY[1] - _REQUESTS[0]
    # In units of one column: so there is little to say of each.
    yield f'<g class="gofastapi-hit" transform="translate({_LEFT} {top}) scale({width:.4f} {height})">'
    for place, point in enumerate(steps):
        if point is not None:
            yield f'<path d="M{place} 0h1v1h-1z"><title>{_words(point, view)}</title></path>'
    yield "</g>"


def _words(point: MetricsPoint, view: MetricsView) -> str:
    end = point.at + timedelta(seconds=view.step_seconds)
    said = [f"{format_moment(point.at, view.until)} – {end.astimezone():%H:%M}", f"{point.requests:,} requests"]
    errors = (("4xx", point.client_errors), ("5xx", point.server_errors))
    said += [f"{count:,} × {kind}" for kind, count in errors if count]
    if point.requests:
        said.append(f"p50 {format_ms(point.p50_ms)}, p95 {format_ms(point.p95_ms)}")
    if point.cold_starts:
        said.append(f"woken {point.cold_starts:,} ×")
    return "\n".join(said)


def _most(steps: Sequence[MetricsPoint | None], value: Value) -> float:
    return max((value(point) for point in steps if point), default=0.0)


def _ceiling(value: float, least: float) -> float:
    """The next number above that reads well, half of which does too: 1, 2, 4, 6, 8 and so on by tens."""
    value = max(value, least)
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * digit for digit in (1, 2, 4, 6, 8, 10) if value <= power * digit * 1.0000001)


def _scale(place: tuple[int, int], most: float) -> Callable[[float], float]:
    top, bottom = place
    return lambda value: bottom - (bottom - top) * min(value / most, 1.0)


def _short(value: float) -> str:
    """A coordinate, as short as it can be seen."""
    return f"{value:.1f}".removesuffix(".0")
