"""The feed of events: stored, and told to whoever follows it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.core.events import Event, EventKind
from gofastapi_ext.platform.store.events import EventRecord, EventStore

logger = logging.getLogger(__name__)

_WRITTEN_AT_ONCE = 200
_READ_AT_ONCE = 500
_MAX_UNSAVED = 10_000
_RETRY_SECONDS = 1.0
_LAST_WRITE_SECONDS = 2.0
_MAX_MESSAGE_LENGTH = 2000
_MAX_DETAILS_BYTES = 4_000

Listener = Callable[[EventKind, str, str, str | None, Mapping[str, Any]], None]
"""Takes an event as it is published: its kind, message, owner, app and details. It must not wait."""


class EventFeed:
    """What happened, in the order it did.

    An event has its id and time at once, and is told to listeners and followers before it is stored. While the
    database is away events wait for it, the latest 10,000 of them; a crash loses those that wait.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._listeners: list[Listener] = []
        self._followers: set[Follower] = set()
        self._unsaved: deque[EventRecord] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._last_id = 0

    async def start(self) -> None:
        """Before anything is published."""
        # Ids go on above the time of day, which is beyond any that a crash kept from being stored, and that
        # a follower may have heard of.
        self._last_id = max(await self._store.newest_id(), int(time.time() * 1000))
        self._task = asyncio.create_task(self._run(), name="events")

    async def stop(self) -> None:
        """Store what waits, if the database is there; end every follower."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(UnavailableError, TimeoutError):
            async with asyncio.timeout(_LAST_WRITE_SECONDS):
                while self._unsaved:
                    await self._save_some()
        for follower in list(self._followers):
            follower.close()

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
        is_kept: bool = True,
    ) -> None:
        """Note an event. Never waits and never fails: what cannot be stored now is stored as soon as it can.

        What is not kept is only told to those who follow now.
        """
        self._last_id += 1
        now = datetime.now(UTC)
        record = EventRecord(
            id=self._last_id,
            at=now.replace(microsecond=now.microsecond // 1000 * 1000),  # the precision MongoDB keeps
            kind=kind,
            app=app,
            message=message[:_MAX_MESSAGE_LENGTH].encode(errors="replace").decode(),
            by=by,
            version=version,
            details=_plain(details or {}),
            owner=owner,
        )
        if is_kept:
            if len(self._unsaved) >= _MAX_UNSAVED:
                self._unsaved.popleft()
            self._unsaved.append(record)
            self._wake.set()
        for follower in list(self._followers):
            follower.offer(record)
        for listener in self._listeners:
            try:
                listener(kind, message, owner, app, record.details)
            except Exception:
                logger.exception("event %s was not taken", kind)

    async def newest(self, owner: str, app: str | None, limit: int, before: int | None = None) -> list[Event]:
        """Of an owner, or of one app of theirs: those before the id `before`, newest first."""
        waiting = [each for each in self._unsaved if _is_of(each, owner, app) and (before is None or each.id < before)]
        stored = await self._store.newest(owner, app, limit, before)
        found = {each.id: each for each in [*stored, *waiting]}
        return [_shown(found[id_]) for id_ in sorted(found, reverse=True)[:limit]]

    def follow(self, owner: str, app: str | None, after: int | None, *, max_waiting: int = 100) -> Follower:
        """Those after the id `after`, else new ones only. To be closed by the caller.

        A follower who takes so little that more than `max_waiting` would wait for him is closed.
        """
        follower = Follower(self, self._store, owner, app, max_waiting)
        if after is not None:
            follower.look_back(after, list(self._unsaved), self._last_id + 1)
        self._followers.add(follower)
        return follower

    def unfollow(self, follower: Follower) -> None:
        self._followers.discard(follower)

    async def remove_app(self, app_id: str) -> None:
        """Forget every event of an app."""
        kept = [each for each in self._unsaved if each.app != app_id]
        self._unsaved.clear()
        self._unsaved.extend(kept)
        await self._store.remove_app(app_id)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._unsaved:
                try:
                    await self._save_some()
                except UnavailableError as error:
                    logger.warning("%d events wait: %s", len(self._unsaved), error.message)
                    await asyncio.sleep(_RETRY_SECONDS)

    async def _save_some(self) -> None:
        batch = list(islice(self._unsaved, _WRITTEN_AT_ONCE))
        try:
            await self._store.add(batch)
        except UnavailableError:
            raise
        except Exception:
            logger.exception("events are written one by one")
            for record in batch:
                await self._save_or_drop(record)
        # Some may have gone meanwhile, where too many waited.
        while self._unsaved and self._unsaved[0].id <= batch[-1].id:
            self._unsaved.popleft()

    async def _save_or_drop(self, record: EventRecord) -> None:
        try:
            await self._store.add([record])
        except UnavailableError:
            raise
        except Exception:
            logger.exception("event %d (%s) cannot be stored", record.id, record.kind)


class Follower:
    """Events as they come, for one reader. What he does not take in time is bounded."""

    def __init__(
        self,
        feed: EventFeed,
        store: EventStore,
        owner: str,
        app: str | None,
        max_waiting: int,
    ) -> None:
        self._feed = feed
        self._store = store
        self._owner = owner
        self._app = app
        self._max_waiting = max_waiting
        self._past: AsyncGenerator[list[EventRecord]] | None = None
        self._waiting: deque[EventRecord] = deque()
        self._wake = asyncio.Event()
        self.is_open = True
        self.on_overflow: Callable[[], None] | None = None
        """Called where the reader was too slow, and is closed for it."""

    def look_back(self, after: int, unsaved: list[EventRecord], next_id: int) -> None:
        """Begin with those after the id `after`: what is stored, then `unsaved`; all are before `next_id`."""
        mine = [each for each in unsaved if each.id > after and _is_of(each, self._owner, self._app)]
        self._past = self._stored(after, unsaved[0].id if unsaved else next_id, mine)

    def offer(self, record: EventRecord) -> None:
        if not _is_of(record, self._owner, self._app):
            return
        if len(self._waiting) >= self._max_waiting:
            logger.info("a follower of events does not read, and is let go")
            self.close()
            if self.on_overflow is not None:
                self.on_overflow()
            return
        self._waiting.append(record)
        self._wake.set()

    def close(self) -> None:
        """Take no more events; `batches` ends."""
        self.is_open = False
        self._feed.unfollow(self)
        self._waiting.clear()
        self._wake.set()

    async def batches(self, heartbeat_seconds: float) -> AsyncGenerator[list[Event]]:
        """First what was before, then what comes; an empty list after each `heartbeat_seconds` of silence.

        No event is missed and none comes twice. Raises `UnavailableError` where the database is away.
        """
        if self._past is not None:
            async for found in self._past:
                yield [_shown(each) for each in found]
        while self.is_open:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(heartbeat_seconds):
                    await self._wake.wait()
            self._wake.clear()
            batch = [_shown(each) for each in self._waiting]
            self._waiting.clear()
            if self.is_open:
                yield batch

    async def _stored(self, after: int, before: int, unsaved: list[EventRecord]) -> AsyncGenerator[list[EventRecord]]:
        while found := await self._store.between(self._owner, self._app, after, before, _READ_AT_ONCE):
            yield found
            after = found[-1].id
        if unsaved:
            yield unsaved


def _is_of(record: EventRecord, owner: str, app: str | None) -> bool:
    return record.owner == owner and (app is None or record.app == app)


def _shown(record: EventRecord) -> Event:
    return Event.model_construct(**{name: getattr(record, name) for name in Event.model_fields})


def _plain(details: dict[str, Any]) -> dict[str, Any]:
    """`details` as JSON that can be stored; nothing of it where there is too much."""
    if not details:
        return {}
    try:
        text = json.dumps(details, default=str, ensure_ascii=False).encode(errors="replace")
    except (TypeError, ValueError):
        return {}
    return json.loads(text) if len(text) <= _MAX_DETAILS_BYTES else {}
