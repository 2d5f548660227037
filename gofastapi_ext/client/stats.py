"""The measured promise in words."""

from __future__ import annotations

from gofastapi_ext.client.render import Paint, plain
from gofastapi_ext.client.text import format_seconds
from gofastapi_ext.core.stats import Promise, StatsView


def stats_as_text(stats: StatsView, paint: Paint = plain) -> str:
    """What was promised and what was measured, a tick or a cross each; then the stages, and the apps."""
    rows = [("apps", f"{stats.apps}: {stats.apps_running} running, {stats.apps_asleep} asleep")]
    rows.append(("requests", f"{stats.requests:,} in the last 24 hours"))
    wakes = f"{stats.wakes:,} in the last 24 hours"
    if stats.wake_p50_seconds is not None:
        wakes += f", half of them within {format_seconds(stats.wake_p50_seconds)}"
    rows.append(("wakes", wakes))
    return "\n".join([*_promise(stats.promise, paint), "", *_stages(stats), *_aligned(rows)])


def _promise(promise: Promise, paint: Paint) -> list[str]:
    days = f"in the last {promise.days} days"
    if promise.success_rate is None:
        return [f"Nothing was deployed {days}."]
    count = f"{promise.deploys:,} deploy{'' if promise.deploys == 1 else 's'}"
    lines = [f"From the cell to the URL, {days}, over {count}:"]
    if promise.p50_seconds is not None and promise.p95_seconds is not None:
        told = f"95 % within {format_seconds(promise.p95_seconds)}, half within {format_seconds(promise.p50_seconds)}"
        target = f"promised: {promise.target_seconds:g} s"
        lines.append(f"{_mark(promise.p95_seconds <= promise.target_seconds, paint)} {told}  ({target})")
    rate = f"{100 * promise.success_rate:.1f} % came live: {promise.succeeded:,} of {promise.deploys:,}"
    target = f"promised: {100 * promise.target_success_rate:.0f} %"
    lines.append(f"{_mark(promise.success_rate >= promise.target_success_rate, paint)} {rate}  ({target})")
    failed = promise.deploys - promise.succeeded
    if failed:
        refused = f"{promise.refused:,} refused for a mistake that was told before anything was started"
        lines.append(f"  Not live: {refused}; {failed - promise.refused:,} failed later.")
    return lines


def _stages(stats: StatsView) -> list[str]:
    if not stats.stages:
        return []
    rows = [("stage", "half", "95 %")]
    rows += [(each.stage, format_seconds(each.p50_seconds), format_seconds(each.p95_seconds)) for each in stats.stages]
    return [*(f"{stage:<8}  {p50:>8}  {p95:>8}" for stage, p50, p95 in rows), ""]


def _aligned(rows: list[tuple[str, str]]) -> list[str]:
    return [f"{name:<8}  {value}" for name, value in rows]


def _mark(is_kept: bool, paint: Paint) -> str:
    return paint("✓", "good") if is_kept else paint("✗", "error")
