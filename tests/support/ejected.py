"""An exported project, run by plain uvicorn in a Python that has nothing of ours."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from support.waiting import until

# Without the site module no .pth file is read, which is how this checkout is installed.
PYTHON = [sys.executable, "-S"]


def environment(**variables: str) -> dict[str, str]:
    """What a project is started with: the installed packages but ours, and its own variables."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": sysconfig.get_path("purelib"), **variables}


def has_nothing_of_ours(folder: Path) -> bool:
    """Whether that Python, started in the project, finds neither the platform nor the runner."""
    code = (
        "from importlib.util import find_spec as f; print(f('fastapi') and f('gofastapi_ext') or f('gofastapi_runner'))"
    )
    done = subprocess.run([*PYTHON, "-c", code], cwd=folder, env=environment(), capture_output=True, text=True)
    return done.stdout.strip() == "None"


def start_command(folder: Path, dockerfile: str = "Dockerfile") -> list[str]:
    """What the image starts."""
    return _command(folder / dockerfile, "CMD ")


def health_check(folder: Path, dockerfile: str = "Dockerfile") -> list[str]:
    """What the image asks to know whether it is well."""
    return _command(folder / dockerfile, "    CMD ")


def _command(dockerfile: Path, start: str) -> list[str]:
    lines = dockerfile.read_text().splitlines()
    return list(json.loads(next(line for line in lines if line.startswith(start)).removeprefix(start)))


@contextmanager
def served(folder: Path, dockerfile: str = "Dockerfile", **variables: str) -> Iterator[str]:
    """The URL of the project, served by the command of its Dockerfile but for host and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    *command, _host, _, _port, _ = start_command(folder, dockerfile)
    assert (command[0], _host, _port) == ("uvicorn", "--host", "--port")
    with (folder.parent / f"{folder.name}.log").open("w") as log:
        process = subprocess.Popen(
            [*PYTHON, "-m", *command, "--host", "127.0.0.1", "--port", port],
            cwd=folder,
            env=environment(**variables),
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or _answers(url), 30, "uvicorn answers")
        assert process.poll() is None, Path(log.name).read_text()
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/openapi.json", timeout=30, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False
