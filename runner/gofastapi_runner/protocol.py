"""What the platform, a zygote and an instance tell each other: JSON, one object a line.

platform -> zygote   {"fork": token} with three descriptors (channel, listening socket, log),
                     {"missing": token, "names": [...]}
zygote -> platform   {"warm": pid, "files": [...], "sites": [...]}, {"forked": token, "pid"}, {"exited": pid, "status"},
                     {"not_forked": token, "reason"}, {"missing": token, "names"}
platform -> instance first an `InstanceSpec`, then {"do": "accept" | "drain" | "report" | "give_up"},
                     {"do": "release_if_idle", "before": monotonic, "drain_seconds"}, {"do": "record_bodies", "wanted"}
instance -> platform {"event": "loaded" | "ready" | "serving" | "released"},
                     {"event": "failed", "failure": Failure}, {"event": "busy"} (to "release_if_idle"),
                     {"event": "report", "metrics": str, "idle_seconds": float, "errors": [...]}, also as its
                     last word; the errors are as `failures.Failures.report` makes them
                     {"event": "failing"}: a report would tell of a new kind of error

Standard library only: the platform imports this module too.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

DESCRIPTORS_PER_FORK = 3

# The longest line of an instance.
MAX_REPORT_BYTES = 512_000

# Stands where the middle of a text was left out, in what is told of a failure.
GAP = " […] "

# An instance gets this signal when it has not become ready in time. Its handler raises in the main
# thread, so the traceback names the line it hangs at.
START_TIMEOUT_SIGNAL_NAME = "SIGUSR1"

# An instance gets this signal ahead of `drain`. Its handler runs between two lines of the app's code, so an
# app that blocks its event loop stops taking connections too. Real-time signals are nobody else's.
RELEASE_SIGNAL: int = signal.SIGUSR2 if sys.platform == "darwin" else signal.SIGRTMIN + 1


@dataclass(frozen=True)
class Origin:
    """The notebook cell that a file, or the part of it from `first_line` on, came from.

    Lines of the file plus `line_offset` are lines of the cell.
    """

    label: str
    """No other part of the app has the same."""
    line_offset: int = 0
    first_line: int = 1


@dataclass(frozen=True)
class InstanceSpec:
    """Everything an instance needs to know. `environment` is its whole environment."""

    app_id: str
    version: int
    code_dir: str
    entrypoint: str
    environment: dict[str, str] = field(repr=False)
    port: int
    drain_seconds: float
    origins: dict[str, list[Origin]] = field(default_factory=dict)
    """The parts of files by path, in their order."""
    record_bodies: bool = False
    """Whether to keep the bodies of requests that fail."""
    probe_token: str = field(default="", repr=False)
    """A request whose `x-gofastapi-probe` is this is the platform's own: it is not counted."""
    title: str = ""
    """What people call the app; its id where it is empty."""

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> InstanceSpec:
        data = json.loads(line)
        data["origins"] = {path: [Origin(**part) for part in parts] for path, parts in data["origins"].items()}
        return cls(**data)


@dataclass(frozen=True)
class Failure:
    """Why an instance did not become ready: the exception, and where in the user's files it arose."""

    code: str
    message: str
    traceback: str
    file: str | None = None
    """Relative to the app's root."""
    line: int | None = None
    """1-based, of the file."""
    hint: str | None = None
    columns: tuple[int, int] | None = None
    """The first and the end character of the expression that failed, where it is on that one line."""


def send(channel: socket.socket, message: dict[str, Any], descriptors: list[int] | None = None) -> None:
    """Send one message from a plain socket, with `descriptors` beside it."""
    line = json.dumps(message).encode() + b"\n"
    if descriptors:
        sent = socket.send_fds(channel, [line], descriptors)
        line = line[sent:]
    if line:
        channel.sendall(line)


def read_line(channel: socket.socket) -> bytes:
    """Read one line from a blocking socket and nothing after it; b"" at the end."""
    line = bytearray()
    while not line.endswith(b"\n"):
        # The peer sends nothing after this line until it is answered, except where it waits for us.
        chunk = channel.recv(65536, socket.MSG_PEEK)
        if not chunk:
            return b""
        end = chunk.find(b"\n") + 1
        line += channel.recv(end or len(chunk))
    return bytes(line)
