"""Searches in an app's log: which lines match, and where each ends. Blocking; memory is bounded."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple
from zlib import crc32

from gofastapi_ext.core.loglevel import Levels, is_at_least
from gofastapi_ext.core.logs import LogQuery
from gofastapi_ext.core.models import LogLevel, LogLine

_READ_BYTES = 262_144
_MAX_FOUND_BYTES = 4_000_000


@dataclass(frozen=True)
class Piece:
    """A part of an open file, from byte `start` up to `end`. Its lines are whole."""

    descriptor: int
    inode: int
    start: int
    end: int


class Match(NamedTuple):
    """A line that is asked for, as it stands in the file: there may be many of which few are told."""

    time: datetime
    version: int
    pid: int
    text: str
    level: LogLevel | None
    position: str

    def told(self) -> LogLine:
        return LogLine.model_construct(
            time=self.time,
            version=self.version,
            pid=self.pid,
            text=self.text,
            level=self.level,
            position=self.position,
        )


class Matcher:
    """Takes lines in the order they were written, and tells which are asked for."""

    def __init__(self, query: LogQuery) -> None:
        self._since = _stamp(query.since) if query.since else b""
        self._until = _stamp(query.until) if query.until else b"~"
        self._pid = query.pid
        self._level = query.level
        self._grep = query.grep.casefold() if query.grep else ""
        self._levels = Levels()

    def match(self, line: bytes, inode: int, end: int) -> Match | None:
        """The line, where it is whole and asked for."""
        try:
            stamp, version, pid, raw = line.split(b"\t", 3)
            number = int(pid)
            if self._pid is not None and number != self._pid:
                return None
            text = raw.decode("utf-8", "replace").rstrip("\r")
            level = self._levels.of(number, text)
            if not self._since <= stamp <= self._until:
                return None
            if self._level is not None and not is_at_least(level, self._level):
                return None
            if self._grep and self._grep not in text.casefold():
                return None
            return Match(
                datetime.fromisoformat(stamp.decode()), int(version), number, text, level, _position(line, inode, end)
            )
        except ValueError:
            return None


def search(pieces: list[Piece], matcher: Matcher, query: LogQuery) -> list[LogLine]:
    """The last lines that match, oldest first: `query.tail` of them, fewer where they are very long."""
    if query.tail <= 0:
        return []
    if not query.is_filtered:
        pieces = _ends(pieces, query.tail)
    found: deque[Match] = deque()
    size = 0
    for piece in pieces:
        for lines, _ in read_lines(piece, matcher):
            for line in lines:
                found.append(line)
                size += len(line.text)
                while len(found) > query.tail or (size > _MAX_FOUND_BYTES and len(found) > 1):
                    size -= len(found.popleft().text)
    return [match.told() for match in found]


def read_lines(piece: Piece, matcher: Matcher) -> Iterator[tuple[list[Match], int]]:
    """The lines that match, some at a time, and the byte they go up to. A line that is not whole is left."""
    offset, size = piece.start, _READ_BYTES
    while offset < piece.end:
        chunk = os.pread(piece.descriptor, min(size, piece.end - offset), offset)
        whole = chunk.rfind(b"\n") + 1
        if not whole:
            if len(chunk) < size:
                return
            size *= 2  # a longer line than any that is written in one piece
            continue
        found = []
        for line in chunk[: whole - 1].split(b"\n"):
            offset += len(line) + 1
            matched = matcher.match(line, piece.inode, offset)
            if matched is not None:
                found.append(matched)
        yield found, offset


def after(pieces: list[Piece], position: str) -> list[Piece]:
    """What of the pieces comes after a line that was told with this position; all where that is gone by now."""
    with contextlib.suppress(ValueError, OverflowError):
        inode, end, size, _ = (int(part, 16) for part in position.split("-"))
        for index, piece in enumerate(pieces):
            if piece.inode == inode and 0 < size < end <= piece.end and size < _READ_BYTES:
                # Another file may have got the number of one that is gone.
                line = os.pread(piece.descriptor, size, end - 1 - size)
                if _position(line, inode, end) == position:
                    return [replace(piece, start=end), *pieces[index + 1 :]]
    return pieces


def _ends(pieces: list[Piece], lines: int) -> list[Piece]:
    """The pieces without what is surely before their last `lines` lines."""
    kept: list[Piece] = []
    for piece in reversed(pieces):
        kept.insert(0, replace(piece, start=_start_of_last(piece, lines)))
        if kept[0].start > piece.start:
            break
    return kept


def _start_of_last(piece: Piece, lines: int) -> int:
    """Where the last `lines` lines of a piece begin, or as many of them as are read at most."""
    missing, offset = lines + 1, piece.end
    while offset > piece.start and piece.end - offset < _MAX_FOUND_BYTES:
        begin = max(piece.start, offset - _READ_BYTES)
        chunk = os.pread(piece.descriptor, offset - begin, begin)
        breaks = chunk.count(b"\n")
        if breaks >= missing:
            at = len(chunk)
            for _ in range(missing):
                at = chunk.rfind(b"\n", 0, at)
            return begin + at + 1
        missing, offset = missing - breaks, begin
    return offset


def _position(line: bytes, inode: int, end: int) -> str:
    """Where the line after this one begins, and how to tell that this one is before it."""
    return f"{inode:x}-{end:x}-{len(line):x}-{crc32(line):x}"


def _stamp(moment: datetime) -> bytes:
    """As lines are stamped: the times of a log are compared as they are written."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").encode()
