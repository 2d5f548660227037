"""The part of the client that asks how apps are doing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import ConfigDict, TypeAdapter

from gofastapi_ext.client import following
from gofastapi_ext.client.transport import Transport
from gofastapi_ext.core.alerts import AlertsChange, AlertsView
from gofastapi_ext.core.app_errors import ErrorView, ReplayRequest, ReplayView
from gofastapi_ext.core.cleanup import CleanupReport
from gofastapi_ext.core.events import Event
from gofastapi_ext.core.health import HealthView
from gofastapi_ext.core.logs import MAX_TAIL
from gofastapi_ext.core.metrics import AppNumbers, MetricsView
from gofastapi_ext.core.models import LogLine
from gofastapi_ext.core.stats import StatsView

# Built when first used: a deploy needs none of it.
_LATER = ConfigDict(defer_build=True)
_ERRORS = TypeAdapter(list[ErrorView], config=_LATER)
_EVENTS = TypeAdapter(list[Event], config=_LATER)
_NUMBERS = TypeAdapter(list[AppNumbers], config=_LATER)


class Observation(Transport):
    """Metrics, errors, health, logs, events, statistics, clean-up and alerts."""

    def metrics(
        self, app_id: str, *, window_seconds: float | None = None, step_seconds: int | None = None
    ) -> MetricsView:
        """The last 24 hours by default, in steps that make a few hundred points at most."""
        given = {"window_seconds": window_seconds, "step_seconds": step_seconds}
        params = {name: value for name, value in given.items() if value is not None}
        return self._ask("GET", f"/api/apps/{app_id}/metrics", MetricsView, params=params)

    def numbers(self) -> list[AppNumbers]:
        """All your apps in the last 24 hours, by name."""
        return _NUMBERS.validate_json(self._request("GET", "/api/metrics").content)

    def errors(self, app_id: str) -> list[ErrorView]:
        """The latest first."""
        return _ERRORS.validate_json(self._request("GET", f"/api/apps/{app_id}/errors").content)

    def error(self, error_id: str) -> ErrorView:
        return self._ask("GET", f"/api/errors/{error_id}", ErrorView)

    def clear_errors(self, app_id: str) -> None:
        self._request("DELETE", f"/api/apps/{app_id}/errors")

    def replay(self, error_id: str, request: ReplayRequest) -> ReplayView:
        """Send an error's request to what is running now."""
        return self._ask("POST", f"/api/errors/{error_id}/replay", ReplayView, content=request.model_dump_json())

    def health(self, app_id: str) -> HealthView:
        return self._ask("GET", f"/api/apps/{app_id}/health-status", HealthView)

    def logs(
        self,
        app_id: str,
        *,
        tail: int | None = None,
        follow: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
        grep: str | None = None,
        level: str | None = None,
        pid: int | None = None,
    ) -> Iterator[LogLine]:
        """The last `tail` lines that match, oldest first; with `follow`, then the new ones until you stop.

        `tail` is 200, or where there is a `since`, 10,000, which is the most. `since` and `until` are aware times;
        `grep` is a piece of the text, whatever its case; `level` stands for itself and those above; `pid` is of one
        instance. Following goes on over losses of the connection and restarts of the service; it ends with the app.
        """
        if tail is None:
            tail = 200 if since is None else MAX_TAIL
        filters = _given(until=_iso(until), grep=grep, level=level, pid=pid)
        path = f"/api/apps/{app_id}/logs"
        if not follow:
            params = _given(since=_iso(since), tail=tail) | filters
            yield from self._stream("GET", path, LogLine, params=params)
            return
        self._request("GET", f"/api/apps/{app_id}")
        begin = {"follow": "true", "tail": tail} | _given(since=_iso(since)) | filters
        # Where nothing was told yet when the connection is lost: all there is since now.
        now = datetime.now(UTC)
        again = begin | {"tail": MAX_TAIL, "since": _iso(max(since or now, now))}

        def ask() -> Iterator[LogLine] | None:
            nonlocal begin
            if until is not None and datetime.now(UTC) > until and begin is again:
                return None
            params, begin = begin, again
            return self._stream("GET", path, LogLine, params=params)

        for line in following.follow(self._places, ask):
            if line.position is not None:
                again.pop("since", None)
                again["after"] = line.position
            yield line

    def events(self, app_id: str | None = None, *, limit: int = 50) -> list[Event]:
        """Of one app or of all yours, the latest first."""
        return _EVENTS.validate_json(self._request("GET", _events(app_id), params={"limit": limit}).content)

    def follow_events(self, app_id: str | None = None, *, after: int | None = None) -> Iterator[Event]:
        """Those after the event `after`, then new ones as they come, until you stop; over losses of the connection."""
        newest = self.events(app_id, limit=1)
        if after is None:
            after = newest[0].id if newest else 0

        def ask() -> Iterator[Event]:
            return self._server_sent(_events(app_id), Event, params={"follow": "true", "after": after})

        for event in following.follow(self._places, ask):
            after = event.id
            yield event

    def stats(self) -> StatsView:
        return self._ask("GET", "/api/stats", StatsView)

    def cleanup(self, *, dry_run: bool) -> CleanupReport:
        """Take away what is due; with `dry_run`, say what that would be."""
        return self._ask("GET" if dry_run else "POST", "/api/cleanup", CleanupReport)

    def alerts(self) -> AlertsView:
        return self._ask("GET", "/api/alerts", AlertsView)

    def set_alerts(self, url: str) -> AlertsView:
        """Tell this webhook from now on. The answer holds the secret that its messages are signed with, this once."""
        return self._ask("PUT", "/api/alerts", AlertsView, content=AlertsChange(url=url).model_dump_json())

    def remove_alerts(self) -> AlertsView:
        return self._ask("DELETE", "/api/alerts", AlertsView)

    def test_alerts(self) -> AlertsView:
        """Send a test message now; its delivery stands first."""
        return self._ask("POST", "/api/alerts/test", AlertsView)


def _events(app_id: str | None) -> str:
    return f"/api/apps/{app_id}/events" if app_id else "/api/events"


def _given(**values: str | int | None) -> dict[str, str | int]:
    return {name: value for name, value in values.items() if value is not None}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
