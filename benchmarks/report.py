"""What the figures must reach, and how they are shown."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Goal:
    """A figure and its bound: at most `bound`, or at least it where `at_least`."""

    figure: str
    what: str
    bound: float
    at_least: bool = False

    @property
    def words(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


GOALS = (
    Goal("deploy_p50_ratio", "%%deploy to first 200 / uvicorn by hand", 0.25),
    Goal("redeploy_p50_ratio", "the same for changed code", 0.25),
    Goal("wake_p50_ratio", "a request that wakes an app / uvicorn by hand", 0.25),
    Goal("throughput_ratio", "requests/s / uvicorn, the lower of the two below", 1.4, at_least=True),
    Goal("throughput_async_ratio", "  async endpoint", 1.4, at_least=True),
    Goal("throughput_sync_ratio", "  sync endpoint", 1.4, at_least=True),
    Goal("gate_cost_ratio", "what counting, errors and the rest cost of it", 0.05),
    Goal("redeploy_failed_requests", "requests failed while redeploying under load", 0),
    Goal("redeploy_stale_answers", "answers of an old version after `live`", 0),
    Goal("idle_app_pss_mb", "PSS of one more idle app, MB", 20),
    Goal("service_rss_mb", "RSS of the service with all apps, MB", 100),
    Goal("list_apps_p95_ms", "GET /api/apps with all apps, p95, ms", 20),
    Goal("metrics_24h_100_apps_mb", "MongoDB for a day of metrics of 100 busy apps, MB", 45),
    Goal("metrics_list_first_ms", "  a list of them, the first of a service, ms", 1000),
    Goal("metrics_list_ms", "  a list of them, ms", 50),
    Goal("metrics_one_app_ms", "  all minutes of one of them, ms", 500),
    Goal("import_load_ratio", "documents imported / s, to json_util and insert_many", 0.5, at_least=True),
    Goal("import_insert_many_ratio", "  the same, to insert_many of what is in memory", 0.15, at_least=True),
    Goal("export_dump_ratio", "documents exported / s, to find and json_util", 0.8, at_least=True),
    Goal("export_find_ratio", "  the same, to find alone", 0.2, at_least=True),
    Goal("health_cycle_seconds", "1,000 apps asked for their health, s", 10),
    Goal("health_cycle_cpu_seconds", "  CPU of the service for it, s", 3),
)


def missed(figures: dict[str, Any]) -> list[str]:
    """The figures that were measured and do not reach their goal."""
    return [
        goal.figure for goal in GOALS if figures.get(goal.figure) is not None and not goal.is_met(figures[goal.figure])
    ]


def table(figures: dict[str, Any]) -> str:
    """A line for each figure: what, goal, value, verdict."""
    lines = [f"{'figure':<50} {'goal':>8} {'measured':>10}"]
    for goal in GOALS:
        value = figures.get(goal.figure)
        if value is None:
            shown, verdict = "–", "not measured here"
        else:
            shown, verdict = f"{value:.4g}", "ok" if goal.is_met(value) else "MISSED"
        lines.append(f"{goal.what:<50} {goal.words:>8} {shown:>10}  {verdict}")
    return "\n".join(lines)


def caution() -> str:
    """What to know of the machine while it is measured on; empty where it was idle."""
    cpus, load = os.cpu_count() or 1, os.getloadavg()[0]
    if load < cpus / 4:
        return ""
    return f"The machine is busy (load {load:.1f} on {cpus} CPUs): expect ratios that change from run to run."


def machine() -> dict[str, Any]:
    """Where the figures are from."""
    packages = ("fastapi", "granian", "uvicorn", "uvloop", "httptools", "gofastapi")
    return {
        "cpus": os.cpu_count(),
        "cpu": _cpu_name(),
        "load_average_before": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo") as info:
            return next(line.partition(":")[2].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
