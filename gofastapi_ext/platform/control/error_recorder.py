"""Notes what instances report of errors: merged, bounded, and written without anybody waiting."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from gofastapi_ext.core.app_errors import error_id
from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.platform.control.observer import Observed, Observer
from gofastapi_ext.platform.runtimes.base import Report, ReportedError
from gofastapi_ext.platform.store.errors import MAX_BODY_BYTES, ErrorRecord, ErrorStore, RequestRecord

logger = logging.getLogger(__name__)

# What waits to be written is at most this much, and is tried for so long.
_MAX_WAITING_BYTES = 8_000_000
_KEPT_SECONDS = 300.0
_RETRY_SECONDS = 1.0
_WRITTEN_AT_ONCE = 100
# Who asks for errors waits this long for what is just being written.
_SETTLE_SECONDS = 2.0
# A process may have been slow to tell, but not slower; and it does not know the future.
_MAX_AGE = timedelta(hours=1)

_MAX_WORD = 500
_MAX_MESSAGE = 2_000
_MAX_PATH = 4_000
_MAX_TEXT = 64_000
_MAX_HEADERS = 50


class ErrorRecorder:
    """Takes what instances report, merges what is the same, and writes it, a batch at a time.

    While the database is away it waits, bounded in size and in time: the oldest go first. `tell_of_new` is called with
    what was not known before, one of each app where several come together.
    """

    def __init__(
        self,
        store: ErrorStore,
        observer: Observer,
        max_per_report: int,
        tell_of_new: Callable[[ErrorRecord], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._observer = observer
        self._max_per_report = max_per_report
        self._tell_of_new = tell_of_new
        self._waiting: dict[str, ErrorRecord] = {}
        self.waiting_bytes = 0
        """About how much is not written yet."""
        self._has_work = asyncio.Event()
        self._is_settled = asyncio.Event()
        self._is_settled.set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._observer.add_sink(self.take)
        self._task = asyncio.create_task(self._run(), name="errors")

    async def stop(self) -> None:
        """Write what there is, if that can be done in a moment."""
        await self._settle()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def take(self, observed: Observed, report: Report) -> None:
        """What the `Observer` hands over."""
        for error in report.errors[-self._max_per_report :]:
            self._add(_record(observed, error, datetime.now(UTC)))
        if self._waiting:
            self._is_settled.clear()
            self._has_work.set()

    async def catch_up(self, app_id: str) -> None:
        """Ask the app's instances, and wait until what they tell is stored, or a moment has passed."""
        await self._observer.refresh(app_id)
        await self._settle()

    async def remove_app(self, app_id: str) -> None:
        """Forget every error of an app, also those it has not told yet."""
        await self.catch_up(app_id)
        await self._store.remove_app(app_id)

    async def _settle(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_settled.wait(), _SETTLE_SECONDS)

    def _add(self, record: ErrorRecord) -> None:
        before = self._waiting.pop(record.id, None)
        if before is not None:
            self.waiting_bytes -= _size(before)
            first_at, last_at = min(before.first_at, record.first_at), max(before.last_at, record.last_at)
            count = before.count + record.count
            record = record.model_copy(update={"count": count, "first_at": first_at, "last_at": last_at})
        self._waiting[record.id] = record
        self.waiting_bytes += _size(record)
        while self.waiting_bytes > _MAX_WAITING_BYTES:
            self.waiting_bytes -= _size(self._waiting.pop(next(iter(self._waiting))))

    async def _run(self) -> None:
        while True:
            await self._has_work.wait()
            while batch := self._take_batch():
                await self._write(batch)
            self._has_work.clear()
            self._is_settled.set()

    def _take_batch(self) -> list[ErrorRecord]:
        batch = [self._waiting.pop(each) for each in list(islice(self._waiting, _WRITTEN_AT_ONCE))]
        self.waiting_bytes -= sum(map(_size, batch))
        return batch

    async def _write(self, batch: list[ErrorRecord]) -> None:
        name, deadline = uuid.uuid4().hex, time.monotonic() + _KEPT_SECONDS
        while True:
            try:
                new = await self._store.add(name, batch)
                for record in {record.app: record for record in new}.values():
                    self._tell_of_new(record)
                return
            except UnavailableError:
                if time.monotonic() > deadline:
                    logger.warning("%d errors of apps were not stored: the database is away", len(batch))
                    return
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:
                logger.exception("%d errors of apps were not stored", len(batch))
                return


def _record(observed: Observed, error: ReportedError, now: datetime) -> ErrorRecord:
    """What a process told, in bounds: whatever it said, it can be stored and shown."""
    method, route, message = _cut(error.method, 20), _cut(error.route, _MAX_WORD), _cut(error.message, _MAX_MESSAGE)
    exception = _cut(error.exception, _MAX_WORD) if error.exception else None
    status = min(max(error.status, 0), 999)
    file = _cut(error.file, _MAX_WORD) if error.file else None
    line = error.line if file and error.line is not None and 0 < error.line < 10**7 else None
    at = min(max(error.at, now - _MAX_AGE), now)
    return ErrorRecord(
        id=error_id(
            observed.app_id,
            observed.version,
            method=method,
            route=route,
            status=status,
            exception=exception,
            message=message,
            file=file,
            line=line,
        ),
        app=observed.app_id,
        owner=observed.owner,
        version=observed.version,
        method=method,
        route=route,
        status=status,
        exception=exception,
        message=message,
        traceback=_cut(error.traceback, _MAX_TEXT) if error.traceback else None,
        file=file,
        line=line,
        columns=_columns(error) if line else None,
        count=min(max(error.count, 1), 10**9),
        first_at=at,
        last_at=at,
        request=RequestRecord(
            path=_cut(error.path, _MAX_PATH),
            headers=dict(_headers(error)),
            body=error.body[:MAX_BODY_BYTES] if error.body is not None else None,
            has_body=error.has_body,
        ),
        answer=_cut(error.answer, _MAX_TEXT) if error.answer is not None else None,
    )


def _columns(error: ReportedError) -> tuple[int, int] | None:
    start, end = error.columns or (-1, -1)
    return (start, end) if 0 <= start <= end < 10**6 else None


def _headers(error: ReportedError) -> Iterator[tuple[str, str]]:
    for name, value in islice(error.headers.items(), _MAX_HEADERS):
        yield _cut(name, 100), _cut(value, _MAX_WORD)


def _cut(text: str, most: int) -> str:
    """The beginning of the text, in valid Unicode: nothing else can be stored."""
    return text[:most].encode(errors="replace").decode()


def _size(record: ErrorRecord) -> int:
    """About how many bytes it takes."""
    request = record.request
    texts = (record.message, record.traceback or "", record.answer or "", request.path, *request.headers.values())
    return 1000 + sum(map(len, texts)) + len(request.body or b"")
