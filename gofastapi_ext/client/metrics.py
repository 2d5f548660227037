"""How apps are doing in numbers, as the command line and the notebook say it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from gofastapi_ext.client.client import Client
from gofastapi_ext.client.render import Paint, plain, printable
from gofastapi_ext.core.durations import format_duration, parse_duration
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.core.metrics import AppNumbers, MetricsPoint, MetricsView, Numbers
from gofastapi_ext.core.windows import DAY, HOUR, step_for

ROUTE_HEADINGS = ("Route", "Requests", "4xx", "5xx", "avg", "p50", "p95", "p99")
NUMBER_HEADINGS = ("App", "Requests", "4xx", "5xx", "avg")
TEXT_COLUMNS = 72
_ROUTES_SHOWN = 20
_BLOCKS = "▁▂▃▄▅▆▇█"


def ask_metrics(
    client: Client, name: str, window: str | None, columns: int, *, may_shorten: bool = True
) -> MetricsView:
    """The metrics of a window such as `1h`, in steps that make at most so many columns of a picture.

    Without a window: of a day, or of an hour where there is nothing before and that is welcome.
    """
    seconds = parse_duration(window) if window is not None else None
    step = step_for(seconds or DAY, columns)
    view = client.metrics(name, window_seconds=seconds, step_seconds=step)
    if may_shorten and window is None and view.points and view.points[0].at >= view.until - timedelta(seconds=HOUR):
        return client.metrics(name, window_seconds=HOUR, step_seconds=step_for(HOUR, columns))
    return view


def metrics_as_text(view: MetricsView, paint: Paint = plain) -> str:
    """Totals, what came when, and the routes."""
    lines = [f"{view.app}  since {format_moment(view.since, view.until)}", ""]
    lines += [f"  {name:<10} {text}" for name, text in facts(view)]
    if view.requests:
        lines += ["", *(f"  {line}" for line in _chart(view, paint)), "", *_routes_as_text(view)]
    return "\n".join(lines)


def numbers_as_text(numbers: Sequence[AppNumbers]) -> str:
    """A line for each app."""
    return "\n".join(_aligned([NUMBER_HEADINGS, *(number_row(each) for each in numbers)]))


def facts(view: MetricsView) -> list[tuple[str, str]]:
    """Pairs of a word and what there is to say."""
    said = [f"{view.requests:,}"]
    said += [f"{count:,} × {kind} ({_share(count, view.requests)})" for kind, count in _errors(view) if count]
    found = [("Requests", "   ".join(said))]
    if view.requests:
        latency = (("avg", view.latency_ms), ("p50", view.p50_ms), ("p95", view.p95_ms), ("p99", view.p99_ms))
        found.append(("Latency", "   ".join(f"{name} {format_ms(ms)}" for name, ms in latency)))
        found.append(("Bytes", f"in {format_bytes(view.bytes_in)}   out {format_bytes(view.bytes_out)}"))
    return [*found, *usage(view)]


def usage(view: MetricsView) -> list[tuple[str, str]]:
    """What it took, and what is open at this moment."""
    processor = f"processor {view.cpu_seconds:,.1f} s"
    if view.cold_starts:
        processor += f"   woken {view.cold_starts:,} ×"
    memory = f"memory {format_bytes(view.memory_bytes)}   " if view.memory_bytes else ""
    last = ""
    if view.last_request_at is not None:
        last = f"   last request {format_moment(view.last_request_at, view.until, seconds=True)}"
    return [("Used", processor), ("Now", f"{memory}{view.in_flight:,} open{last}")]


def route_row(name: str, numbers: Numbers) -> tuple[str, ...]:
    """The cells under `ROUTE_HEADINGS`."""
    latencies = (numbers.latency_ms, numbers.p50_ms, numbers.p95_ms, numbers.p99_ms)
    counts = (numbers.requests, numbers.client_errors, numbers.server_errors)
    return (printable(name), *(f"{count:,}" for count in counts), *(format_ms(ms) for ms in latencies))


def number_row(numbers: AppNumbers) -> tuple[str, ...]:
    """The cells under `NUMBER_HEADINGS`."""
    counts = (numbers.requests, numbers.client_errors, numbers.server_errors)
    return (numbers.app, *(f"{count:,}" for count in counts), format_ms(numbers.latency_ms))


def route_rows(view: MetricsView, most: int = _ROUTES_SHOWN) -> tuple[list[tuple[str, ...]], int]:
    """The rows of the busiest routes, and how many more there are."""
    rows = [route_row(f"{each.method} {each.route}", each) for each in view.routes[:most]]
    return rows, len(view.routes) - len(rows)


def steps_of(view: MetricsView) -> list[MetricsPoint | None]:
    """Every step of the window; None where nothing was measured."""
    step = timedelta(seconds=view.step_seconds)
    by_place = {(point.at - view.since) // step: point for point in view.points}
    return [by_place.get(place) for place in range((view.until - view.since) // step + 1)]


def format_ms(ms: float | None) -> str:
    """`0.4 ms`, `12 ms`, `1.24 s`, or a dash where there is none."""
    if ms is None:
        return "–"
    if ms < 9.95:
        return f"{ms:.1f} ms"
    return f"{ms:.0f} ms" if ms < 999.5 else f"{ms / 1000:.2f} s"


def format_moment(moment: datetime, now: datetime, *, seconds: bool = False) -> str:
    """The local time; with the day where that is not today's."""
    local = moment.astimezone()
    time = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    return time if local.date() == now.astimezone().date() else f"{local:%b %d} {time}"


def _errors(numbers: Numbers) -> tuple[tuple[str, int], ...]:
    return ("4xx", numbers.client_errors), ("5xx", numbers.server_errors)


def _share(count: int, of: int) -> str:
    percent = 100 * count / max(of, 1)
    return "< 0.1 %" if percent < 0.05 else f"{percent:.1f} %"


def _chart(view: MetricsView, paint: Paint) -> list[str]:
    """A line of blocks for each of what is shown over time, and below them when that was."""
    steps = steps_of(view)
    step = format_duration(view.step_seconds)
    rows: list[tuple[str, str, Callable[[MetricsPoint], float | None], Callable[[float], str]]] = [
        ("requests", "good", lambda point: point.requests, lambda most: f"up to {most:,.0f} in {step}"),
        ("4xx", "warning", lambda point: point.client_errors, lambda most: f"up to {most:,.0f}"),
        ("5xx", "error", lambda point: point.server_errors, lambda most: f"up to {most:,.0f}"),
        ("p95", "dim", lambda point: point.p95_ms, lambda most: f"up to {format_ms(most)}"),
    ]
    lines = []
    for name, role, value, words in rows:
        values = [(value(point) or 0.0) if point else 0.0 for point in steps]
        if most := max(values):
            blocks = "".join(_BLOCKS[min(int(each / most * 8), 7)] if each else " " for each in values)
            lines.append(f"{name:<10} {paint(blocks, role)}  {words(most)}")
    begin, end = format_moment(view.since, view.until), format_moment(view.until, view.until)
    return [*lines, " " * 11 + paint(begin + end.rjust(max(len(steps) - len(begin), 7)), "dim")]


def _routes_as_text(view: MetricsView) -> list[str]:
    rows, more = route_rows(view)
    lines = [f"  {line}" for line in _aligned([ROUTE_HEADINGS, *rows])]
    return [*lines, f"  and {more} more"] if more else lines


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns under each other: names to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
