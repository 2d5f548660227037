"""An app's output: time-stamped, capped in size, to be followed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from gofastapi_ext.core.logs import LogQuery
from gofastapi_ext.core.models import LogLine
from gofastapi_ext.core.redaction import Redactor
from gofastapi_ext.platform.runtimes.local.log_reading import Matcher, Piece, after, read_lines, search

_MAX_LINE_BYTES = 32_768
_HOLD_SECONDS = 0.2
_LINES_AT_ONCE = 500

_P = ParamSpec("_P")
_Result = TypeVar("_Result")


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

    async def read(self, query: LogQuery, follow: bool) -> AsyncGenerator[list[LogLine]]:
        """The last lines that match, then, with `follow`, new ones until the caller stops; some at a time.

        A follower goes on from file to file. One who is slower than the app writes misses what is gone by then.
        """
        matcher = Matcher(query)
        with contextlib.ExitStack() as stack:
            # Opened together with no await between them, so no line is missed or told twice.
            pieces = [self._open_piece(path, stack) for path in (self._previous, self._path) if path.exists()]
            last = pieces[-1]
            if query.after is not None:
                for piece in after(pieces, query.after):
                    async for lines in _read(piece, matcher):
                        yield lines
            else:
                found = await _in_thread(search, pieces, matcher, query)
                for start in range(0, len(found), _LINES_AT_ONCE):
                    yield found[start : start + _LINES_AT_ONCE]
                del found
            if follow:
                async for lines in self._follow(last, matcher, query.until):
                    yield lines

    async def _follow(self, piece: Piece, matcher: Matcher, until: datetime | None) -> AsyncGenerator[list[LogLine]]:
        """The lines after a piece, also in the files after its own."""
        with contextlib.ExitStack() as stack:
            while True:
                written = self._written
                size = os.fstat(piece.descriptor).st_size
                grown = replace(piece, start=piece.end, end=size)
                step = await _in_thread(_first_lines, grown, matcher) if size > piece.end else None
                if step is not None:
                    lines, end = step
                    piece = replace(piece, end=end)
                    if lines:
                        yield lines
                    elif until is not None and datetime.now(UTC) > until:
                        return
                    continue
                # At the end of a file that was rotated away, the next one goes on.
                if self._closed or not self._path.exists():
                    return  # the app was removed
                if piece.inode != self._path.stat().st_ino:
                    was_previous = self._previous.exists() and piece.inode == self._previous.stat().st_ino
                    stack.close()
                    piece = self._open_piece(self._path if was_previous else self._previous, stack)
                    piece = replace(piece, end=0)
                    continue
                if not await _set_before(written, until):
                    return

    def _open_piece(self, path: Path, stack: contextlib.ExitStack) -> Piece:
        file = stack.enter_context(path.open("rb", buffering=0))
        info = os.fstat(file.fileno())
        return Piece(file.fileno(), info.st_ino, 0, info.st_size)

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


async def _read(piece: Piece, matcher: Matcher) -> AsyncGenerator[list[LogLine]]:
    while (step := await _in_thread(_first_lines, piece, matcher)) is not None:
        lines, start = step
        piece = replace(piece, start=start)
        if lines:
            yield lines


def _first_lines(piece: Piece, matcher: Matcher) -> tuple[list[LogLine], int] | None:
    """Those of the next piece that match, and where it ends; None where there is no whole line."""
    for matches, end in read_lines(piece, matcher):
        return [match.told() for match in matches], end
    return None


async def _set_before(event: asyncio.Event, until: datetime | None) -> bool:
    """Wait for the event; False where `until` comes first."""
    if until is None:
        return await event.wait()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout((until - datetime.now(UTC)).total_seconds()):
            return await event.wait()
    return False


async def _in_thread(function: Callable[_P, _Result], *args: _P.args, **kwargs: _P.kwargs) -> _Result:
    """Run in a thread. It has ended when this returns, also where this is cancelled: the files it reads are open."""
    work = asyncio.get_running_loop().run_in_executor(None, functools.partial(function, *args, **kwargs))
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return work.result()
