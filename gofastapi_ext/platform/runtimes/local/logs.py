"""An app's output: time-stamped, capped in size, to be followed."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

from gofastapi_ext.core.models import LogLine
from gofastapi_ext.core.redaction import Redactor

_MAX_LINE_BYTES = 32_768
_HOLD_SECONDS = 0.2
_READ_BYTES = 65_536
_LINES_AT_ONCE = 500
_MAX_TAIL_BYTES = 2_000_000


class AppLog:
    """Two files, `app.log` and the one before it, of `max_bytes` each.

    A line is `time TAB version TAB pid TAB text`. What cannot be written (a full disk) is dropped:
    an app must never wait for its log.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._written = asyncio.Event()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._closed = False
        self._descriptor = self._open()
        self._size = os.fstat(self._descriptor).st_size

    def close(self) -> None:
        self._closed = True
        os.close(self._descriptor)
        self._wake()

    def write(self, lines: bytes, version: int, pid: int) -> None:
        """Append whole lines (each ends with a newline). They share one time stamp: that of their arrival."""
        if self._closed:
            return  # the descriptor's number may be somebody else's by now
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        prefix = f"{stamp}\t{version}\t{pid}\t".encode()
        # One replace, not a loop over lines: a flood of output must not hold the event loop up.
        data = prefix + lines[:-1].replace(b"\n", b"\n" + prefix) + b"\n"
        try:
            if self._size + len(data) > self._max_bytes and self._size:
                self._rotate()
            self._size += os.write(self._descriptor, data)
        except OSError:
            return
        self._wake()

    async def read(self, tail: int, follow: bool) -> AsyncGenerator[list[LogLine]]:
        """The last `tail` lines, then, with `follow`, new ones until the caller stops; some at a time."""
        # Taken together with no await between them, so no line is missed or told twice.
        with self._path.open("rb") as first:
            last_lines = self._tail(tail)
            first.seek(0, os.SEEK_END)
            descriptor = os.dup(first.fileno())
        with os.fdopen(descriptor, "rb") as file:
            for start in range(0, len(last_lines), _LINES_AT_ONCE):
                yield _parse(last_lines[start : start + _LINES_AT_ONCE])
            if follow:
                async for lines in self._follow(file.fileno()):
                    yield _parse(lines)

    async def _follow(self, descriptor: int) -> AsyncGenerator[list[bytes]]:
        owned: int | None = None
        pending = b""
        try:
            while True:
                written = self._written
                chunk = os.read(descriptor, _READ_BYTES)
                if chunk:
                    *lines, pending = (pending + chunk).split(b"\n")
                    yield lines
                    continue
                # At the end of a file that was rotated away, the next one goes on.
                if self._closed or not self._path.exists():
                    return  # the app was removed
                if os.fstat(descriptor).st_ino != self._path.stat().st_ino:
                    if owned is not None:
                        os.close(owned)
                    descriptor = owned = os.open(self._path, os.O_RDONLY)
                    continue
                await written.wait()
        finally:
            if owned is not None:
                os.close(owned)

    def _tail(self, count: int) -> list[bytes]:
        if count <= 0:
            return []
        data = b""
        for path in (self._path, self._previous):
            if data.count(b"\n") > count or not path.exists():
                break
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _MAX_TAIL_BYTES))
                data = file.read() + data
        return data.split(b"\n")[:-1][-count:]

    @property
    def _previous(self) -> Path:
        return self._path.with_suffix(".log.1")

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _rotate(self) -> None:
        self._path.replace(self._previous)
        full, self._descriptor = self._descriptor, self._open()
        os.close(full)
        self._size = 0

    def _wake(self) -> None:
        """Let every follower look again. Each waits on the event it saw before it read."""
        self._written.set()
        self._written = asyncio.Event()


class LogPipe(asyncio.Protocol):
    """The reading end of an instance's output; cuts it into lines for the app's log, and keeps secrets out of it.

    What may be the beginning of a secret waits for what comes next: for ever in a line that has not ended,
    and for a moment where the secret itself has several lines.
    """

    def __init__(self, log: AppLog, version: int, redactor: Redactor) -> None:
        self._log = log
        self._version = version
        self._redactor = redactor
        self._pending = b""
        self._held: asyncio.TimerHandle | None = None
        self.pid = 0

    def data_received(self, data: bytes) -> None:
        self._pending += data
        settled = self._redactor.settled(self._pending)
        self._write(self._pending.rfind(b"\n", 0, settled) + 1)
        if len(self._pending) > _MAX_LINE_BYTES + self._redactor.longest_bytes:
            self._write(self._redactor.settled(self._pending) or len(self._pending))
        if self._held is not None:
            self._held.cancel()
            self._held = None
        if b"\n" in self._pending:
            self._held = asyncio.get_running_loop().call_later(_HOLD_SECONDS, self._let_go)

    def connection_lost(self, _error: Exception | None) -> None:
        self._write(len(self._pending))

    def _let_go(self) -> None:
        """Nothing more has come: these lines were no secret."""
        self._held = None
        self._write(self._pending.rfind(b"\n") + 1)

    def _write(self, size: int) -> None:
        """Write the first `size` bytes of what waits."""
        if not size:
            return
        data, self._pending = self._pending[:size], self._pending[size:]
        lines = self._redactor.data(data)  # which may take the last newline along
        self._log.write(lines if lines.endswith(b"\n") else lines + b"\n", self._version, self.pid)


def _parse(lines: list[bytes]) -> list[LogLine]:
    """The lines that are whole."""
    parsed = []
    for line in lines:
        with contextlib.suppress(ValueError):
            time, version, pid, text = line.decode("utf-8", "replace").split("\t", 3)
            stamp = datetime.fromisoformat(time)
            parsed.append(LogLine(time=stamp, version=int(version), pid=int(pid), text=text.rstrip("\r")))
    return parsed
