"""The processes of this user's platform: found by what they hold and run, and ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from gofastapi_ext.client.places import Places

_STOP_TIMEOUT_SECONDS = 10.0
_LEFTOVER_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Stopped:
    """What was ended, as `(what it was, pid)`; `killed` where something did not end by itself."""

    ended: list[tuple[str, int]] = field(default_factory=list)
    killed: bool = False


def stop_platform(places: Places) -> Stopped:
    """End the service and all it runs; what does not end in 10 s is killed. Returns when nothing is left."""
    service = _service(places)
    family = _family(service, places)
    ended = [(_role(process), process.pid) for process in family]
    killed = False
    if service is not None:
        # It ends its apps and its MongoDB itself, in good order.
        killed |= _end([service], _STOP_TIMEOUT_SECONDS)
    killed |= _end(family, _LEFTOVER_TIMEOUT_SECONDS)
    # Gone on purpose: nobody is to take it for a crash.
    places.service_info.unlink(missing_ok=True)
    return Stopped(ended, killed)


def _service(places: Places) -> psutil.Process | None:
    """The process that holds the service's lock: nothing else is it, whatever a file says."""
    for process in _processes(lambda command: "gofastapi_ext.platform" in command):
        with contextlib.suppress(psutil.Error):
            if any(_same(Path(file.path), places.service_lock) for file in process.open_files()):
                return process
    return None


def _family(service: psutil.Process | None, places: Places) -> list[psutil.Process]:
    """The service, what it started, and what is left of one that crashed."""
    found: list[psutil.Process] = []
    if service is not None:
        found.append(service)
        with contextlib.suppress(psutil.Error):
            found += service.children(recursive=True)
    # One that is listed twice keeps its first place.
    return list({process.pid: process for process in [*found, *_orphans(places)]}.values())


def _orphans(places: Places) -> Iterable[psutil.Process]:
    yield from _processes(lambda command: "--dbpath" in command and str(places.home / "mongo") in command)
    for process in _processes(lambda command: "gofastapi_runner.zygote" in command):
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(places.home.resolve()):
                yield process


def _processes(wanted: Callable[[list[str]], bool]) -> Iterable[psutil.Process]:
    for process in psutil.process_iter(["cmdline"]):
        if wanted(process.info["cmdline"] or []):
            yield process


def _role(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        command = process.cmdline()
        if "gofastapi_ext.platform" in command:
            return "service"
        if "--dbpath" in command:
            return "mongod"
    return "app process"


def _end(processes: list[psutil.Process], timeout_seconds: float) -> bool:
    """Ask them to end, wait, and kill what remains. Returns whether that was needed."""
    alive = [process for process in processes if _is_alive(process)]
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    remaining = _wait(alive, timeout_seconds)
    for process in remaining:
        with contextlib.suppress(psutil.Error):
            process.kill()
    _wait(remaining, timeout_seconds)
    return bool(remaining)


def _wait(processes: list[psutil.Process], timeout_seconds: float) -> list[psutil.Process]:
    deadline = time.monotonic() + timeout_seconds
    while processes := [process for process in processes if _is_alive(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return processes


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False
