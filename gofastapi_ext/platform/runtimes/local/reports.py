"""From what an instance says of itself to a `Report`: bounded, redacted, and never believed."""

from __future__ import annotations

import base64
import math
import re
from datetime import UTC, datetime, timedelta

from gofastapi_runner.protocol import GAP

from gofastapi_ext.core.redaction import Redactor
from gofastapi_ext.platform.runtimes.base import InstanceFailedError, Report, ReportedError

MAX_ERRORS = 50
"""In one report."""
_MAX_METRICS = 256_000
_MAX_BODY_BYTES = 65_536
_MAX_HEADERS = 20
_MAX_COUNT = 1_000_000_000
_MAX_LINE = 10_000_000
# An instance that runs for longer than this without a request is not told from one that does for this long.
_MAX_IDLE_SECONDS = 1e9
_HEADER = re.compile(r"[a-z0-9-]{1,50}")
# A little more than an honest instance sends, so that nothing is cut twice.
_MAX = {
    "method": 20, "route": 250, "path": 4_200, "exception": 200, "message": 2_100, "traceback": 17_000, "file": 300,
    "answer": 2_100, "header": 600,
}  # fmt: skip
# Of a failure to start, which is shown as a whole.
_MAX_TOLD = 120_000


def read_report(message: dict[str, object], redactor: Redactor, since: datetime) -> Report | None:
    """The report in a message of an instance that started at `since`; None where it is none."""
    metrics, errors, idle = message.get("metrics"), message.get("errors"), _number(message.get("idle_seconds"))
    if not isinstance(metrics, str) or not isinstance(errors, list) or idle is None:
        return None
    reader = _Reader(redactor, since, datetime.now(UTC))
    found = [error for item in errors[:MAX_ERRORS] if (error := reader.error(item)) is not None]
    return Report(_clean(metrics[:_MAX_METRICS]), found, min(max(idle, 0.0), _MAX_IDLE_SECONDS))


def merged(first: Report, then: Report) -> Report:
    """Two reports of which nobody has seen the first: the errors of both, and what was counted last."""
    return Report(then.metrics, [*first.errors, *then.errors][-MAX_ERRORS:], then.idle_seconds)


def read_failure(failure: dict[str, object], redactor: Redactor) -> InstanceFailedError:
    """Why an instance did not become ready, as it says. Nothing of its secrets goes further than this."""

    def told(name: str) -> str | None:
        value = failure.get(name)
        return redactor.shortened(_clean(value[:_MAX_TOLD]), GAP) if isinstance(value, str) else None

    return InstanceFailedError(
        str(failure.get("code"))[:50],
        told("message") or "",
        traceback=told("traceback"),
        file=told("file"),
        line=_count(failure.get("line"), 1),
        hint=told("hint"),
        columns=_columns(failure.get("columns")),
    )


class _Reader:
    """Reads the errors of one report."""

    def __init__(self, redactor: Redactor, since: datetime, now: datetime) -> None:
        self._redactor = redactor
        self._since = since
        self._now = now

    def error(self, item: object) -> ReportedError | None:
        """None where a part is of another type than it has to be."""
        if not isinstance(item, dict):
            return None
        method, route, path = (self._text(item, name) for name in ("method", "route", "path"))
        status, count, at = _count(item.get("status"), 100), _count(item.get("count"), 1), _number(item.get("at"))
        if method is None or route is None or path is None or status is None or count is None or at is None:
            return None
        return ReportedError(
            method=method,
            route=route,
            path=path,
            status=min(status, 599),
            exception=self._text(item, "exception"),
            message=self._text(item, "message") or "",
            traceback=self._text(item, "traceback"),
            file=self._text(item, "file"),
            line=_count(item.get("line"), 1, _MAX_LINE),
            columns=_columns(item.get("columns")),
            count=count,
            at=self._time(at),
            headers=self._headers(item.get("headers")),
            body=self._body(item.get("body")),
            has_body=item.get("has_body") is True,
            answer=self._text(item, "answer"),
        )

    def _text(self, item: dict[object, object], name: str) -> str | None:
        value = item.get(name)
        if not isinstance(value, str):
            return None
        return self._redactor.shortened(_clean(value[: _MAX[name]]), GAP)

    def _headers(self, headers: object) -> dict[str, str]:
        if not isinstance(headers, dict):
            return {}
        return {
            name: self._redactor.shortened(_clean(value[: _MAX["header"]]), GAP)
            for name, value in list(headers.items())[:_MAX_HEADERS]
            if isinstance(value, str) and _HEADER.fullmatch(name)
        }

    def _body(self, body: object) -> bytes | None:
        if not isinstance(body, str):
            return None
        try:
            data = base64.b64decode(body[: 4 * _MAX_BODY_BYTES // 3 + 8], validate=True)[:_MAX_BODY_BYTES]
        except ValueError:
            return None
        if len(data) == _MAX_BODY_BYTES:
            # It may go on: the beginning of a secret may be its end.
            data = data[: self._redactor.settled(data)]
        return self._redactor.data(data)

    def _time(self, at: float) -> datetime:
        """Not before the instance, nor after now."""
        try:
            told = datetime.fromtimestamp(at, UTC)
        except (ValueError, OverflowError, OSError):
            return self._now
        # A clock may have been set back since.
        return min(max(told, self._since - timedelta(hours=1)), self._now)


def _columns(value: object) -> tuple[int, int] | None:
    first, last = value if isinstance(value, list) and len(value) == 2 else (None, None)
    start, end = _count(first, 0), _count(last, 0)
    return (start, end) if start is not None and end is not None else None


def _clean(text: str) -> str:
    """Without the halves of characters that JSON may hold and nothing else."""
    return text.encode(errors="replace").decode()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _count(value: object, least: int, most: int = _MAX_COUNT) -> int | None:
    """A whole number from `least` on, `most` at most; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        return None
    return min(value, most)
