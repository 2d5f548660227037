"""Measure, print a table, and write the figures to a file."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import measure, report
from benchmarks.documents import transfers
from benchmarks.health import health_cycle
from benchmarks.kernel import running_kernel
from benchmarks.metrics import day_of_metrics
from benchmarks.programs import running_service

FULL = measure.Plan(
    deploys=15,
    throughput_rounds=12,
    throughput_seconds=0.8,
    redeploys=20,
    apps=100,
    simulated=1000,
    metered=100,
    documents=50_000,
)
QUICK = measure.Plan(
    deploys=2,
    throughput_rounds=1,
    throughput_seconds=0.5,
    redeploys=5,
    apps=5,
    simulated=50,
    metered=2,
    documents=2_000,
)


def main() -> int:
    """Return 0 whether or not goals are missed: the figures say it, and a busy machine is no error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: every figure, none of them steady")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results.json")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        # As from the keyboard: every `with` block ends what it started.
        signal.signal(number, signal.default_int_handler)
    caution = report.caution()
    started = time.monotonic()
    figures, raw = _measure_all(QUICK if arguments.quick else FULL)
    results = {
        **figures,
        "missed": report.missed(figures),
        "quick": arguments.quick,
        "seconds": time.monotonic() - started,
        "machine": raw.pop("machine"),
        "raw": raw,
    }
    arguments.output.write_text(json.dumps(_rounded(results), indent=2) + "\n")
    print(report.table(figures))
    if caution:
        print(caution)
    print(f"{len(results['missed'])} missed. All figures, raw ones too: {arguments.output}")
    return 0


def _measure_all(plan: measure.Plan) -> tuple[measure.Figures, dict[str, Any]]:
    figures: measure.Figures = {}
    raw: dict[str, Any] = {"machine": report.machine()}

    def take(taken: measure.Figures) -> None:
        raw.update(taken.pop("raw"))
        figures.update(taken)

    with _folder() as folder, running_service(folder / "home") as service:
        with running_kernel(folder, service.environment) as kernel:
            _say("deploys")
            take(measure.deploys(kernel, folder, plan))
        _say("wakes")
        take(measure.wakes(service, folder, plan))
        _say("throughput")
        take(measure.throughput(service, folder, plan))
        _say("redeploys under load")
        take(measure.redeploys_under_load(service, plan))
        _say("files of documents")
        take(transfers(service, folder, plan.documents))
        _say("memory")
        take(measure.memory(service, plan))
        _say("a day of metrics")
        take(day_of_metrics(folder / "metrics", plan.metered))
    _say("a cycle of health checks")
    take(health_cycle(plan.simulated))
    return figures, raw


@contextmanager
def _folder() -> Iterator[Path]:
    """A temporary folder. A short path: there are sockets in it."""
    folder = Path(tempfile.mkdtemp(prefix="gfa-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


def _rounded(value: Any) -> Any:
    """Six digits are more than any of this is good for."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted: everything it started has been ended")
