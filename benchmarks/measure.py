"""The measurements. Where there is a peer, both take turns, so that a noisy machine hits both."""

from __future__ import annotations

import math
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.clients import busy_clients
from benchmarks.kernel import Kernel
from benchmarks.load import put_load_on
from benchmarks.programs import Service, running, uvicorn_command
from benchmarks.web import BenchmarkError, free_port, sample, until_answers, until_true, version_at
from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.core.models import DeployRequest

MB = 1_000_000
_CONNECTIONS = 16
_UVICORN_OPTIONS = ("--no-access-log",)
_SETTLE_SECONDS = 1.0
# On a machine with less memory than this for each app, fewer are deployed.
_MEMORY_PER_APP_BYTES = 30 * MB


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    deploys: int
    throughput_rounds: int
    throughput_seconds: float
    redeploys: int
    apps: int
    simulated: int
    """Apps in one cycle of health checks."""
    metered: int
    """Apps with a day of metrics."""
    documents: int
    """In a file that is imported and exported."""


Figures = dict[str, Any]


def deploys(kernel: Kernel, folder: Path, plan: Plan) -> Figures:
    """`%%deploy` of new apps and of changed code, beside cold starts by hand, in turns."""
    (folder / "main.py").write_text(sample(1))
    # Before the clock runs: byte code is written, the kernel has imported what the magic needs.
    _cold_start(folder)
    first = kernel.deploy("warm-up", sample(1), 1)
    by_hand, new, again = [], [], []
    for number in range(plan.deploys):
        by_hand.append(_cold_start(folder))
        new.append(kernel.deploy(f"new-{number}", sample(1), 1))
        again.append(kernel.deploy(f"new-{number}", sample(2), 2))
    return {
        "deploy_p50_ratio": median(new) / median(by_hand),
        "redeploy_p50_ratio": median(again) / median(by_hand),
        "raw": {
            "uvicorn_cold_start_seconds": by_hand,
            "deploy_seconds": new,
            "redeploy_seconds": again,
            "first_deploy_of_a_kernel_seconds": first,
        },
    }


def wakes(service: Service, folder: Path, plan: Plan) -> Figures:
    """The first answer of an app that sleeps, beside cold starts by hand, in turns."""
    (folder / "main.py").write_text(sample(1))
    url = deploy(service, "sleeper", 1)
    until_answers(url)
    _cold_start(folder)
    by_hand, woken = [], []
    for _ in range(plan.deploys):
        by_hand.append(_cold_start(folder))
        service.client.sleep("sleeper")
        until_true(lambda: not service.client.app("sleeper").instances, "no process of a sleeping app")
        started = time.perf_counter()
        until_answers(url)
        woken.append(time.perf_counter() - started)
    return {
        "wake_p50_ratio": median(woken) / median(by_hand),
        "raw": {"wake_seconds": woken, "uvicorn_cold_start_seconds_beside_wakes": by_hand},
    }


def _cold_start(folder: Path) -> float:
    """Seconds from `python -m uvicorn main:app` to its first 200."""
    port = free_port()
    started = time.perf_counter()
    with running(uvicorn_command(port), folder):
        until_answers(f"http://127.0.0.1:{port}")
        return time.perf_counter() - started


def throughput(service: Service, folder: Path, plan: Plan) -> Figures:
    """Requests a second of one worker: through an app's URL, by uvicorn, and by our server without the gate."""
    (folder / "main.py").write_text(sample(1))
    ports = free_port(), free_port()
    bare = [sys.executable, "-m", "benchmarks.bare", str(ports[1])]
    servers = {
        "gofastapi": deploy(service, "throughput", 1),
        "uvicorn": f"http://127.0.0.1:{ports[0]}",
        "without_gate": f"http://127.0.0.1:{ports[1]}",
    }
    rates: dict[str, dict[str, list[float]]] = {
        endpoint: {name: [] for name in servers} for endpoint in ("async", "sync")
    }
    cpu: dict[str, list[float]] = {"gofastapi": [], "without_gate": []}
    with ExitStack() as stack:
        stack.enter_context(running(uvicorn_command(ports[0], *_UVICORN_OPTIONS), folder))
        without_gate = stack.enter_context(running(bare, folder))
        processes = {
            "gofastapi": psutil.Process(service.client.app("throughput").instances[0].pid),
            "without_gate": psutil.Process(without_gate.pid),
        }
        for url in servers.values():
            until_answers(url)
        for turn in range(plan.throughput_rounds):
            for endpoint, path in (("async", "/"), ("sync", "/sync")):
                # The order changes from round to round: none always follows the same one.
                order = list(servers) if turn % 2 == 0 else list(reversed(servers))
                for name in order:
                    before = _cpu_seconds(processes.get(name))
                    load = put_load_on(servers[name] + path, _CONNECTIONS, plan.throughput_seconds)
                    rates[endpoint][name].append(load.requests_per_second)
                    if name in cpu and endpoint == "async":
                        cpu[name].append((_cpu_seconds(processes[name]) - before) / load.requests)
    ratios = {endpoint: _median_ratio(r["gofastapi"], r["uvicorn"]) for endpoint, r in rates.items()}
    return {
        # The lower of the two: what is gained whichever way the endpoints are written.
        "throughput_ratio": min(ratios.values()),
        "throughput_async_ratio": ratios["async"],
        "throughput_sync_ratio": ratios["sync"],
        # Of processor time, which a busy neighbour does not take away. A server at its limit loses as much in requests.
        "gate_cost_ratio": _undisturbed(cpu["gofastapi"]) / _undisturbed(cpu["without_gate"]) - 1,
        "raw": {
            "requests_per_second": rates,
            "cpu_seconds_per_request": cpu,
            "connections": _CONNECTIONS,
            "uvicorn_options": _UVICORN_OPTIONS,
        },
    }


def _undisturbed(seconds: list[float]) -> float:
    """The first quartile: neighbours, who share the caches, make work dearer and never cheaper."""
    return sorted(seconds)[len(seconds) // 4]


def _cpu_seconds(process: psutil.Process | None) -> float:
    times = process.cpu_times() if process else None
    return times.user + times.system if times else 0.0


def _median_ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the rounds: both of a round had the same machine, whatever else it did."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def redeploys_under_load(service: Service, plan: Plan) -> Figures:
    """Deploy version after version while clients use the app. Nothing may fail, and nothing answer too old."""
    name = "busy"
    url = deploy(service, name, 1)
    live_at = {1: time.monotonic()}
    with busy_clients(url) as seen:
        begun = time.monotonic()
        for version in range(2, plan.redeploys + 2):
            deploy(service, name, version)
            live_at[version] = time.monotonic()
            # Half of them come while the version before the last one still drains.
            time.sleep(0.1 if version % 2 else 0.9)
        seconds = time.monotonic() - begun
    stale = [
        sent_at - live_at[newer]
        for sent_at, version in seen.answers
        if (newer := version + 1) in live_at and sent_at > live_at[newer]
    ]
    return {
        "redeploy_failed_requests": len(seen.failures),
        "redeploy_stale_answers": len(stale),
        "raw": {
            "redeploys_under_load": plan.redeploys,
            "redeploy_requests": len(seen.answers) + len(seen.failures),
            "redeploy_load_seconds": seconds,
            "redeploy_failures": seen.failures[:50],
            "redeploy_stale_seconds": sorted(stale)[-50:],
            "versions_seen": len({version for _, version in seen.answers}),
        },
    }


def memory(service: Service, plan: Plan) -> Figures:
    """What one more idle app takes, and what many apps do to the service itself."""
    few = min(10, plan.apps)
    before = _settled_pss(service)
    for number in range(few):
        version_at(deploy(service, f"idle-{number}", 1))
    after = _settled_pss(service)
    per_app = {kind: (after[kind] - before[kind]) / few / MB for kind in after} if after else {}
    listed = len(service.client.apps())
    room = psutil.virtual_memory().available // _MEMORY_PER_APP_BYTES
    for number in range(min(plan.apps - listed, room)):
        deploy(service, f"listed-{number}", 1)
    times = sorted(_timed_list(service) for _ in range(100))
    return {
        "idle_app_pss_mb": sum(per_app.values()) if per_app else None,
        "service_rss_mb": psutil.Process(service.pid).memory_info().rss / MB,
        "list_apps_p95_ms": times[math.ceil(len(times) * 0.95) - 1] * 1000,
        "raw": {
            "idle_app_pss_mb_by_process": per_app,
            "apps_listed": len(service.client.apps()),
            "list_apps_p50_ms": median(times) * 1000,
        },
    }


def _timed_list(service: Service) -> float:
    started = time.perf_counter()
    service.client.apps()
    return time.perf_counter() - started


def _settled_pss(service: Service) -> dict[str, int]:
    """Proportional set size in bytes, by kind of process. Empty where the system does not tell (only Linux does)."""
    time.sleep(_SETTLE_SECONDS)
    total: dict[str, int] = {"service": 0, "mongod": 0, "zygote and apps": 0}
    for process in service.processes():
        if process.pid == service.pid:
            kind = "service"
        else:
            kind = "mongod" if "mongod" in process.name() else "zygote and apps"
        try:
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except FileNotFoundError:
            return {}
        [line] = [line for line in rollup.splitlines() if line.startswith("Pss:")]
        total[kind] += int(line.split()[1]) * 1024
    return total


def deploy(service: Service, name: str, version: int) -> str:
    """Deploy the sample through the client, and return its URL once it is live."""
    request = DeployRequest(bundle=Bundle(files={"main.py": BundleFile(text=sample(version))}))
    events = list(service.client.deploy(name, request))
    if events[-1].stage is not Stage.LIVE or events[-1].url is None:
        raise BenchmarkError(f"{name} did not come live: {[d.message for d in events[-1].diagnostics]}")
    return events[-1].url
