"""One cycle of the health checks over many simulated apps, as fast as it goes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import uvloop

from benchmarks.web import BenchmarkError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.health import HealthColor
from gofastapi_ext.core.lifecycle import Status, Target
from gofastapi_ext.platform.control.health import HealthWatch
from gofastapi_ext.platform.control.probes import Prober
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.store.apps import AppRecord

_PID = 1


class _NoFeed:
    """Nothing changes its colour here."""

    def publish(self, kind: EventKind, message: str, **_: Any) -> None:
        raise BenchmarkError(message)


def health_cycle(count: int) -> dict[str, Any]:
    """The seconds, and the seconds of CPU, that the service takes to ask `count` apps once."""
    with _simulated(count) as ports:
        records = [_record(f"app-{number}", port) for number, port in enumerate(ports)]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            seconds, cpu_seconds = runner.run(_measure(records))
    return {
        "health_cycle_seconds": seconds,
        "health_cycle_cpu_seconds": cpu_seconds,
        "raw": {"health_cycle_apps": count},
    }


async def _measure(records: list[AppRecord]) -> tuple[float, float]:
    async def listed() -> list[AppRecord]:
        return records

    watch = HealthWatch(
        apps=listed,
        serving=lambda _: _PID,
        url=lambda port: f"http://127.0.0.1:{port}",
        recent=lambda *_: (0, 0),
        prober=Prober({}),
        events=_NoFeed(),
        telemetry=Telemetry(),
        interval_seconds=60,
    )
    try:
        await watch.once()
        started, cpu_started = time.perf_counter(), time.process_time()
        await watch.once()
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        colors = {watch.of(record).color for record in records}
        if colors != {HealthColor.GREEN}:
            raise BenchmarkError(f"Simulated apps are not all well: {sorted(colors)}")
        return seconds, cpu_seconds
    finally:
        await watch.stop()


def _record(app_id: str, port: int) -> AppRecord:
    now = datetime.now(UTC)
    return AppRecord(
        id=app_id,
        owner="bench",
        target=Target.RUNNING,
        status=Status.RUNNING,
        port=port,
        created_at=now,
        updated_at=now,
    )


@contextmanager
def _simulated(count: int) -> Iterator[list[int]]:
    """The ports of so many apps, which another process serves."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.instances", str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise BenchmarkError(f"{count} simulated apps did not start")
        yield json.loads(line)
        process.stdin.close()
        process.wait(10)
    finally:
        process.kill()
        process.wait()
