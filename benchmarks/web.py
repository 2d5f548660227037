"""Small things every measurement needs: the sample's text, one request, a free port."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

SAMPLE = (Path(__file__).parent / "sample.py").read_text()


class BenchmarkError(Exception):
    """What was measured did not work; there is no figure to give."""


def sample(version: int) -> str:
    """The sample app, telling `version` in its answers."""
    return SAMPLE.replace("VERSION = 1\n", f"VERSION = {version}\n")


def connect(url: str, timeout_seconds: float = 10.0) -> http.client.HTTPConnection:
    """A connection to the host of `url`, which opens with the first request. It retries nothing."""
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_seconds)


def version_at(url: str) -> int:
    """The version in the answer of `url`, asked on a connection of its own. Raises where it is no 200."""
    connection = connect(url)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise BenchmarkError(f"{url} answered {response.status}: {body[:200]!r}")
    version: int = json.loads(body)["version"]
    return version


def until_answers(url: str, timeout_seconds: float = 20.0) -> None:
    """Ask every millisecond until something listens and answers 200."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            version_at(url)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{url} did not answer in {timeout_seconds:.0f} s") from None
        time.sleep(0.001)


def until_true(condition: Callable[[], bool], what: str, timeout_seconds: float = 20.0) -> None:
    """Look again every ten milliseconds."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"not in {timeout_seconds:.0f} s: {what}")
        time.sleep(0.01)


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
