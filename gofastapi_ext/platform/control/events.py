"""The feed of events: stored, and told to whoever follows it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from gofastapi_ext.core.events import EventKind

logger = logging.getLogger(__name__)


Listener = Callable[[EventKind, str, str, str | None, Mapping[str, Any]], None]
"""Takes an event as it is published: its kind, message, owner, app and details. It must not wait."""


class EventFeed:
    """What happened, in the order it did."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def add_listener(self, listener: Listener) -> None:
        self._listeners.append(listener)

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
        for listener in self._listeners:
            try:
                listener(kind, message, owner, app, details or {})
            except Exception:
                logger.exception("event %s was not taken", kind)
