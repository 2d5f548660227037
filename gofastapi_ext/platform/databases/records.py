"""Cuts a stream of bytes into the lines of a file, and the records of a CSV file, in bounded memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from gofastapi_ext.core.errors import InvalidRequestError, TooLargeError

MAX_RECORD_BYTES = 24_000_000
"""A document of 16 MB, in text: base64 makes binary a third longer."""
_BATCH_RECORDS = 1_000
_BATCH_BYTES = 1_000_000


@dataclass(frozen=True)
class Record:
    """A line, or several where a cell holds line breaks; `line` is the number of the first, from 1."""

    line: int
    content: bytes


async def batches(chunks: AsyncIterator[bytes], *, quoted: bool) -> AsyncIterator[list[Record]]:
    """The records that are not empty, some at a time. `quoted`: a line break between quotes ends none.

    Raises `TooLargeError` for one that is too long, and `InvalidRequestError` for a quote that is never closed.
    """
    batch: list[Record] = []
    size = 0
    async for record in _records(chunks, quoted):
        batch.append(record)
        size += len(record.content)
        if len(batch) >= _BATCH_RECORDS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _records(chunks: AsyncIterator[bytes], quoted: bool) -> AsyncIterator[Record]:
    held: list[bytes] = []
    size, first, number, is_open = 0, 1, 0, False
    async for line in _lines(chunks):
        number += 1
        if not held:
            first = number
            if not line.strip():
                continue
        held.append(line)
        size += len(line)
        is_open ^= quoted and line.count(b'"') % 2 == 1
        if is_open:
            if size > MAX_RECORD_BYTES:
                raise InvalidRequestError(f"A quote that is opened in line {first} is never closed.")
            continue
        yield Record(first, b"".join(held))
        held, size = [], 0
    if held:
        raise InvalidRequestError(f"A quote that is opened in line {first} is never closed.")


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Each with its line break. A long one is put together once, when it has all come."""
    pending: list[bytes] = []
    size, number = 0, 1
    async for chunk in chunks:
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            yield b"".join([*pending, chunk[start : end + 1]])
            pending, size, start, number = [], 0, end + 1, number + 1
        if start < len(chunk):
            pending.append(chunk[start:])
            size += len(chunk) - start
            if size > MAX_RECORD_BYTES:
                raise TooLargeError(f"Line {number} is longer than {MAX_RECORD_BYTES // 1_000_000} MB.")
    if pending:
        yield b"".join(pending)
