"""An app's log, alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from gofastapi_ext.core.logs import LogQuery
from gofastapi_ext.core.models import LogLevel, LogLine
from gofastapi_ext.platform.runtimes.local.logs import AppLog


def test_a_closed_log_writes_to_nobody_elses_file(tmp_path: Path) -> None:
    log = AppLog(tmp_path / "app" / "app.log", 1000)
    log.write(b"before\n", 1, 1)
    log.close()
    other = tmp_path / "other"
    # The system gives the lowest number that is free: the one the log had.
    descriptor = os.open(other, os.O_WRONLY | os.O_CREAT)
    log.write(b"after\n", 1, 1)
    os.close(descriptor)
    assert other.read_bytes() == b""


def test_a_follower_ends_with_its_log_although_another_one_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "app" / "app.log"

    async def follow() -> list[str]:
        log = AppLog(path, 1000)
        log.write(b"first\n", 1, 1)
        return [line.text async for line in _closing(log, path)]

    assert asyncio.run(asyncio.wait_for(follow(), 30)) == ["first"]


async def _closing(log: AppLog, path: Path):  # type: ignore[no-untyped-def]
    async for lines in log.read(LogQuery(tail=10), follow=True):
        for line in lines:
            yield line
        # The app is removed and deployed anew before the follower looks again.
        path.unlink()
        log.close()
        AppLog(path, 1000).close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AppLog]:
    async def made() -> AppLog:
        return AppLog(tmp_path / "app" / "app.log", 100_000)

    made_log = asyncio.run(made())
    yield made_log
    made_log.close()


def write(log: AppLog, *texts: str, pid: int = 1, version: int = 1) -> None:
    log.write("".join(f"{text}\n" for text in texts).encode(), version, pid)


def found(log: AppLog, **query: Any) -> list[LogLine]:
    async def collect() -> list[LogLine]:
        return [line async for lines in log.read(LogQuery(**query), follow=False) for line in lines]

    return asyncio.run(collect())


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize("tail", [0, 1, 5, 150, 2000, 10_000])
def test_the_last_lines_are_told_over_both_files(log: AppLog, tail: int) -> None:
    for number in range(0, 5000, 10):
        write(log, *(f"line {n} " + "x" * (n % 40) for n in range(number, number + 10)))
    kept = texts(found(log, tail=10_000))
    # Rotation has taken the first ones away, whole.
    assert 1500 < len(kept) < 5000
    assert [text.split()[1] for text in kept] == [str(n) for n in range(5000 - len(kept), 5000)]
    assert texts(found(log, tail=tail)) == (kept[-tail:] if tail else [])
    # With a filter that lets everything pass it is another way to the same.
    assert texts(found(log, tail=tail, pid=1)) == (kept[-tail:] if tail else [])


def test_filters(log: AppLog) -> None:
    write(log, "INFO:     Hello", "plain hello", "Gr\u00fc\u00dfe", "WARNING: hot", "\thello\ttabs", pid=1)
    write(log, "Traceback (most recent call last):", '  File "x"', "ValueError: hello", "after", pid=2)
    assert texts(found(log, grep="HELLO")) == ["INFO:     Hello", "plain hello", "\thello\ttabs", "ValueError: hello"]
    assert texts(found(log, grep="GR\u00dcSSE")) == ["Gr\u00fc\u00dfe"]
    assert texts(found(log, grep="hello", tail=1)) == ["ValueError: hello"]
    assert texts(found(log, level=LogLevel.INFO)) == [
        "INFO:     Hello",
        "WARNING: hot",
        "Traceback (most recent call last):",
        '  File "x"',
        "ValueError: hello",
    ]
    assert texts(found(log, level=LogLevel.WARNING, pid=1)) == ["WARNING: hot"]
    # A line inside a traceback is one although the search is for it alone.
    assert [line.level for line in found(log, grep="File")] == [LogLevel.ERROR]
    assert texts(found(log, pid=2, tail=1)) == ["after"]
    assert found(log, pid=3) == []


def test_since_and_until(log: AppLog, monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2026, 1, 31, 12, tzinfo=UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, _zone: object = None) -> datetime:  # type: ignore[override]
            return moment

    monkeypatch.setattr("gofastapi_ext.platform.runtimes.local.logs.datetime", Clock)
    for second in (0, 1, 2, 1):  # the clock was set back in the end
        moment = start + timedelta(seconds=second, microseconds=500)
        write(log, f"at {second}")
    one = timedelta(seconds=1)
    assert texts(found(log, since=start + one)) == ["at 1", "at 2", "at 1"]
    assert texts(found(log, until=start + one)) == ["at 0", "at 1", "at 1"]
    assert texts(found(log, since=start + one, until=start + one)) == ["at 1", "at 1"]
    # Times of another zone are the same times.
    assert texts(found(log, since=(start + 2 * one).astimezone(timezone(timedelta(hours=5))))) == ["at 2"]


def test_garbage_and_endless_lines_are_told_as_far_as_they_can_be(log: AppLog) -> None:
    log.write(bytes(range(256)).replace(b"\n", b"") + b"\n", 1, 1)
    log.write(b"\xff\xfe\x00\n" + b"y" * 60_000 + b"\r\n", 1, 1)
    with (log._path).open("ab") as file:
        file.write(b"not ours\n2026-13-45T99\t1\t1\tno time\n" + b"z" * 600_000 + b"\n")
    write(log, "the end")
    told = texts(found(log, tail=100))
    assert len(told) == 4
    assert told[1] == "\ufffd\ufffd\x00"
    assert told[2] == "y" * 60_000
    assert told[3] == "the end"
    assert texts(found(log, grep="yyy")) == ["y" * 60_000]


def test_what_is_found_is_bounded_in_bytes(tmp_path: Path) -> None:
    async def made() -> AppLog:
        return AppLog(tmp_path / "app" / "app.log", 20_000_000)

    log = asyncio.run(made())
    for number in range(400):
        write(log, f"{number} " + "x" * 30_000)
    told = found(log, tail=10_000, grep="x")
    assert 3_000_000 < sum(len(line.text) for line in told) <= 4_000_000
    assert told[-1].text.startswith("399 ")
    assert texts(found(log, tail=10_000))[-1].startswith("399 ")
    log.close()


def test_a_position_is_gone_on_after_exactly(log: AppLog) -> None:
    for number in range(0, 2500, 10):
        write(log, *(f"line {n}" for n in range(number, number + 10)))
    everything = found(log, tail=10_000)
    # The same millisecond has many lines; some are in the file before.
    for index in (0, 7, len(everything) // 2, len(everything) - 1):
        assert found(log, after=everything[index].position, tail=0) == everything[index + 1 :]
    assert texts(found(log, after=everything[5].position, grep="LINE 2499")) == ["line 2499"]
    # What is no place of this log, or not any more, as where the file's number has gone to another: all there is.
    position = str(everything[9].position)
    inode, end, size, check = position.split("-")
    for gone in ("", "x", f"ffff-{end}-{size}-{check}", f"{inode}-{end}-{size}-1", f"{inode}-ffffff-{size}-{check}"):
        assert found(log, after=gone) == everything
    assert found(log, after=f"{inode}-{end}-{'f' * 15}-{check}") == everything
    assert found(log, after=f"-1-{end}-{size}-{check}") == everything


def test_following_goes_through_rotations_without_losing_a_line(tmp_path: Path) -> None:
    async def run() -> None:
        log = AppLog(tmp_path / "app" / "app.log", 20_000)
        write(log, "before")
        followed = log.read(LogQuery(tail=1), follow=True)
        told = await some(followed, 1)
        for number in range(2000):
            write(log, f"line {number}")
            if number % 50 == 49:
                told += await some(followed, 50)
        assert texts(told) == ["before", *(f"line {number}" for number in range(2000))]
        # A follower who is too slow goes on with what there is.
        for number in range(3000):
            write(log, f"late {number}")
        numbers = [int(line.text.split()[1]) for line in await some(followed, 1, until="late 2999")]
        assert numbers == sorted(set(numbers))
        assert len(numbers) < 3000
        await followed.aclose()
        log.close()

    asyncio.run(asyncio.wait_for(run(), 60))


def test_following_keeps_to_the_filters_and_ends_at_its_time(tmp_path: Path) -> None:
    async def run() -> list[LogLine]:
        log = AppLog(tmp_path / "app" / "app.log", 100_000)
        write(log, "ERROR: one", "two")
        query = LogQuery(level=LogLevel.ERROR, until=datetime.now(UTC) + timedelta(seconds=0.5))
        followed = log.read(query, follow=True)
        told = await some(followed, 1)
        write(log, "three", "ERROR: four")
        told += [line async for lines in followed for line in lines]
        log.close()
        return told

    assert texts(asyncio.run(asyncio.wait_for(run(), 30))) == ["ERROR: one", "ERROR: four"]


async def some(followed: AsyncGenerator[list[LogLine]], count: int, until: str | None = None) -> list[LogLine]:
    """The next lines: `count` of them at least, and up to the one that says `until`."""
    told: list[LogLine] = []
    while len(told) < count or (until is not None and told[-1].text != until):
        told += await anext(followed)
    return told
