"""`python -m benchmarks.clients URL`: clients that use an app without pause, and note all that goes wrong.

Each is a thread with `http.client`, which retries nothing. Some keep their connection alive, some
open one for each request, some pause between requests on one connection. As every HTTP library does,
they look whether the server has closed a connection before they use it again. They go on until
standard input ends, then print what they saw.
"""

from __future__ import annotations

import http.client
import json
import random
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.web import BenchmarkError, connect

_REQUEST_TIMEOUT_SECONDS = 10.0
_END_TIMEOUT_SECONDS = 30.0
# How many of each kind.
_KINDS = {"keep-alive": 16, "fresh": 8, "pausing": 8}
# Below the time a replaced version goes on answering on open connections (runner/gofastapi_runner/instance.py).
_LONGEST_PAUSE_SECONDS = 0.35


@dataclass
class Seen:
    """What the clients saw. Times are of `time.monotonic`, which all processes of a machine share."""

    answers: list[tuple[float, int]] = field(default_factory=list)
    """When the request was sent, and the version that answered it."""
    failures: list[str] = field(default_factory=list)


@contextmanager
def busy_clients(url: str) -> Iterator[Seen]:
    """Clients that use `url` during the block; what they saw is filled in at its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.clients", url],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    seen = Seen()
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "started\n":
            raise BenchmarkError("the clients did not start")
        yield seen
        printed, _ = process.communicate(timeout=_END_TIMEOUT_SECONDS)
        told = json.loads(printed)
        seen.failures += told["failures"]
        seen.answers += [(sent_at, version) for sent_at, version in told["answers"]]
    finally:
        process.kill()
        process.wait()


class _Client:
    """One client; `answers` and `failures` as in `Seen`."""

    def __init__(self, url: str, kind: str, seed: int) -> None:
        self.answers: list[tuple[float, int]] = []
        self.failures: list[str] = []
        self._url = url
        self._kind = kind
        self._random = random.Random(seed)

    def use_until(self, ended: threading.Event) -> None:
        connection = connect(self._url, _REQUEST_TIMEOUT_SECONDS)
        while not ended.is_set():
            if _is_closed(connection):
                connection.close()
            sent_at = time.monotonic()
            try:
                self.answers.append((sent_at, _ask(connection)))
            except (OSError, http.client.HTTPException, ValueError, BenchmarkError) as error:
                waited = time.monotonic() - sent_at
                self.failures.append(f"{self._kind}, after {waited:.3f} s: {type(error).__name__}: {error}")
                connection.close()
                # Where nobody listens at all, do not note it a million times.
                ended.wait(0.01)
            if self._kind == "fresh":
                connection.close()
            elif self._kind == "pausing":
                ended.wait(self._random.uniform(0, _LONGEST_PAUSE_SECONDS))
        connection.close()


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has ended the connection: between two answers there is nothing else to read."""
    return connection.sock is not None and bool(select.select([connection.sock], [], [], 0)[0])


def _ask(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/")
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise BenchmarkError(f"status {response.status}")
    version: int = json.loads(body)["version"]
    return version


def _main(url: str) -> None:
    ended = threading.Event()
    clients = [_Client(url, kind, seed) for kind, count in _KINDS.items() for seed in range(count)]
    threads = [threading.Thread(target=client.use_until, args=(ended,)) for client in clients]
    for thread in threads:
        thread.start()
    print("started", flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    print(
        json.dumps(
            {
                "answers": [answer for client in clients for answer in client.answers],
                "failures": [failure for client in clients for failure in client.failures],
            }
        )
    )


if __name__ == "__main__":
    _main(sys.argv[1])
