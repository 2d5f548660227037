"""An app's log, alone."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from gofastapi_ext.core.logs import LogQuery
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

    assert asyncio.run(asyncio.wait_for(follow(), 5)) == ["first"]


async def _closing(log: AppLog, path: Path):  # type: ignore[no-untyped-def]
    async for lines in log.read(LogQuery(tail=10), follow=True):
        for line in lines:
            yield line
        # The app is removed and deployed anew before the follower looks again.
        path.unlink()
        log.close()
        AppLog(path, 1000).close()
