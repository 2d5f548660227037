"""The programs that are measured: our service, and uvicorn by hand. Each ends with its `with` block."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.web import BenchmarkError
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.discovery import is_listening, service_environment
from gofastapi_ext.client.places import Places

_START_TIMEOUT_SECONDS = 60.0
_STOP_TIMEOUT_SECONDS = 20.0
_FIRST_PORT = 26000
_LAST_PORT = 26999


class Service:
    """A platform service in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.environment = service_environment() | {
            "GOFASTAPI_HOME": str(home),
            "GOFASTAPI_FIRST_PORT": str(_FIRST_PORT),
            "GOFASTAPI_LAST_PORT": str(_LAST_PORT),
        }
        self.places = Places(home=home, run=home / "run").make()
        with self.places.service_log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gofastapi_ext.platform"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )
        self.client = Client(self.places)

    @property
    def pid(self) -> int:
        return self._process.pid

    def processes(self) -> list[psutil.Process]:
        """The service, mongod, the zygotes and every instance."""
        service = psutil.Process(self.pid)
        return [service, *service.children(recursive=True)]

    def until_up(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while not is_listening(self.places):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BenchmarkError(f"The service did not start:\n{self.places.service_log.read_text()[-3000:]}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End it and all that belongs to it, by force where it does not end by itself."""
        self.client.close()
        with suppress(psutil.NoSuchProcess):
            rest = self.processes()
            self._process.terminate()
            _, alive = psutil.wait_procs(rest, timeout=_STOP_TIMEOUT_SECONDS)
            for process in alive:
                process.kill()


@contextmanager
def running_service(home: Path) -> Iterator[Service]:
    """A service that is up."""
    service = Service(home)
    try:
        service.until_up()
        yield service
    finally:
        service.stop()


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program from its start to the end of the block, silent, in `folder`."""
    # In a session of its own, an interrupt from the keyboard reaches us alone and we end it in order.
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def uvicorn_command(port: int, *options: str) -> list[str]:
    """What a person types, in the folder of `main.py`."""
    return [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port), *options]
