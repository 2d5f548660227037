"""`make bench`: every figure is there, no request is lost, nothing stays behind. Ratios are too noisy to test."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import psutil
import pytest
from support.waiting import until

from gofastapi_ext.client.discovery import service_environment

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a run keeps everything; whatever it starts has it in its environment. Short: there are sockets in it."""
    path = Path(tempfile.mkdtemp(prefix="b-"))
    yield path
    rmtree(path, ignore_errors=True)


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "--quick", "--output", str(folder / "results.json")],
        cwd=ROOT,
        env=service_environment() | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left_behind(folder: Path) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


@pytest.mark.timeout(400)
def test_a_quick_run_gives_every_figure_and_loses_no_request(folder: Path) -> None:
    printed, _ = start(folder).communicate(timeout=380)
    assert (folder / "results.json").exists(), printed
    results = json.loads((folder / "results.json").read_text())
    ratios = ["deploy_p50_ratio", "redeploy_p50_ratio", "throughput_ratio"]
    assert all(results[name] > 0 for name in ratios)
    assert results["throughput_ratio"] == min(results["throughput_async_ratio"], results["throughput_sync_ratio"])
    assert results["redeploy_failed_requests"] == 0, results["raw"]["redeploy_failures"]
    assert results["redeploy_stale_answers"] == 0, results["raw"]["redeploy_stale_seconds"]
    # Under load every version answered, or the two zeros above say nothing.
    assert results["raw"]["versions_seen"] == results["raw"]["redeploys_under_load"] + 1
    assert results["raw"]["redeploy_requests"] > 100
    assert results["idle_app_pss_mb"] is None or 1 < results["idle_app_pss_mb"] < 60
    assert results["raw"]["health_cycle_apps"] > 0
    assert 0 < results["health_cycle_seconds"] < 10
    assert 0 < results["health_cycle_cpu_seconds"] < 10
    assert results["machine"]["cpus"] > 0
    assert set(results["missed"]) <= results.keys()
    assert all(name in printed for name in ("goal", "measured", "missed"))
    assert left_behind(folder) == []


@pytest.mark.timeout(400)
def test_an_interrupted_run_leaves_nothing_behind(folder: Path) -> None:
    run = start(folder)
    assert run.stdout is not None
    for line in run.stdout:
        if "throughput" in line:
            break
    until(lambda: any("benchmarks.bare" in command for command in left_behind(folder)), 120, "peers started")
    run.send_signal(signal.SIGTERM)
    printed, _ = run.communicate(timeout=120)
    assert run.returncode == 1, printed
    assert "everything it started has been ended" in printed
    assert until(lambda: not left_behind(folder), what=f"no {left_behind(folder)}")
    assert not list(folder.iterdir())
