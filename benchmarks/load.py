"""`python -m benchmarks.load URL CONNECTIONS SECONDS`: requests a second that a server answers.

A closed loop on keep-alive connections: each sends its next request when it has its answer. Raw
sockets and no parsing beyond what proves an answer whole, so that the generator takes a small part
of the machine it shares with the server.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.web import BenchmarkError

_WARM_UP_SECONDS = 0.2
_LENGTH = re.compile(rb"content-length: (\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Load:
    """What a server did: `requests_per_second` once it was warm, and `requests` from the first to the last."""

    requests_per_second: float
    requests: int


def put_load_on(url: str, connections: int, seconds: float) -> Load:
    """Run the generator as a process of its own. Raises where any answer was not a 200."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", url, str(connections), str(seconds)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=seconds + 30,
    )
    if done.returncode:
        raise BenchmarkError(f"load on {url}: {done.stderr.strip()[-500:]}")
    return Load(**json.loads(done.stdout))


def _measure(url: str, connections: int, seconds: float) -> Load:
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    request = f"GET {parts.path or '/'} HTTP/1.1\r\nhost: {parts.netloc}\r\naccept: */*\r\n\r\n".encode()
    length = _answer_length(address, request)
    selector = selectors.DefaultSelector()
    # What is still to come of each connection's answer, by its descriptor.
    missing: dict[int, int] = {}
    for _ in range(connections):
        connection = socket.create_connection(address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, connection)
        missing[connection.fileno()] = length
        connection.sendall(request)
    done = before = 0
    started = time.perf_counter()
    end = started + _WARM_UP_SECONDS
    warm = False
    while True:
        now = time.perf_counter()
        if now >= end:
            if warm:
                return Load((done - before) / (now - started), done)
            warm, before, started, end = True, done, now, now + seconds
        for key, _ in selector.select(1.0):
            connection = key.data
            data = connection.recv(65536)
            rest = missing[key.fd] - len(data)
            if missing[key.fd] == length and not data.startswith(b"HTTP/1.1 200"):
                raise BenchmarkError(f"not a 200: {data[:200]!r}")
            if rest < 0 or not data:
                raise BenchmarkError("an answer of another length than the first")
            if rest == 0:
                done += 1
                rest = length
                connection.sendall(request)
            missing[key.fd] = rest


def _answer_length(address: tuple[str, int], request: bytes) -> int:
    """The length of the whole answer, head and body. It is the same for every request of a run."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
    head = data[: data.index(b"\r\n\r\n") + 4]
    found = _LENGTH.search(head)
    if not found:
        raise BenchmarkError(f"an answer without a length: {head!r}")
    return len(head) + int(found[1])


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))))
