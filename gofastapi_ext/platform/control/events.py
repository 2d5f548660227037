"""The feed of events: stored, and told to whoever follows it."""

from __future__ import annotations

from typing import Any

from gofastapi_ext.core.events import EventKind


class EventFeed:
    """What happened, in the order it did."""

    def publish(
        self,
        kind: EventKind,
        message: str,
        *,
        owner: str,
        app: str | None = None,
        by: str | None = None,
        version: int | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Note an event. Never waits and never fails: what cannot be stored now is stored as soon as it can."""
