"""Tells users' webhooks what needs them: an outbox, and a loop that delivers it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gofastapi_ext.core.alerts import (
    AlertDelivery,
    AlertKind,
    AlertMessage,
    AlertsView,
    alert_for,
    check_webhook_url,
)
from gofastapi_ext.core.errors import GoFastAPIError, NotFoundError, SecretsUnreadableError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.control.webhooks import Sender
from gofastapi_ext.platform.keyring import KeyRing
from gofastapi_ext.platform.store.alerts import AlertRecord, AlertStore, WebhookRecord

logger = logging.getLogger(__name__)

# 5 s, doubling: the last of ten attempts is about 40 minutes after the first.
RETRY_SECONDS = tuple(5.0 * 2**attempt for attempt in range(9))
_QUIET = timedelta(minutes=10)
_AT_ONCE = 10
_SHOWN = 20
_DATABASE_AWAY_SECONDS = 2.0
_MAX_WAITING = 1000


class Alerts:
    """One webhook for each user. Every message is delivered at least once, or given up with an event.

    `url_of` tells an app's address, for people to open.
    """

    def __init__(
        self,
        store: AlertStore,
        keyring: KeyRing,
        events: EventFeed,
        url_of: Callable[[str], Awaitable[str | None]],
        sender: Sender,
        telemetry: Telemetry,
        *,
        retry_seconds: tuple[float, ...] = RETRY_SECONDS,
        quiet: timedelta = _QUIET,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._events = events
        self._url_of = url_of
        self._sender = sender
        self._telemetry = telemetry
        self._retry_seconds = retry_seconds
        self._quiet = quiet
        self._raised: deque[AlertRecord] = deque(maxlen=_MAX_WAITING)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="alerts")

    async def stop(self) -> None:
        """What was raised last is stored still, if the database is there; the next service delivers it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(GoFastAPIError, TimeoutError):
            async with asyncio.timeout(1):
                await self._store_raised()
        await self._sender.close()

    def heed(self, kind: EventKind, message: str, owner: str, app: str | None, details: Mapping[str, Any]) -> None:
        """Take an event of the feed; some of them are worth an alert. Never waits, never fails."""
        alert = alert_for(kind, details)
        if alert is not None:
            self.notify(alert, f"{app}: {message}" if app else message, owner=owner, app=app)

    def notify(self, kind: AlertKind, message: str, *, owner: str, app: str | None) -> None:
        """Tell a user's webhook, if there is one, and it was not just told the same. Never waits, never fails."""
        self._raised.append(_new(kind, message, owner, app))
        self._wake.set()

    async def view(self, owner: str) -> AlertsView:
        """Where the user is told, and how the latest deliveries went. Raises `SecretsUnreadableError`."""
        webhook = await self._store.webhook(owner)
        latest = await self._store.latest(owner, _SHOWN)
        return AlertsView(url=self._open(webhook)[0] if webhook else None, deliveries=[_delivery(a) for a in latest])

    async def set(self, owner: str, url: str) -> AlertsView:
        """Tell this webhook from now on. The answer alone tells the new signing secret."""
        url, secret = check_webhook_url(url), secrets.token_urlsafe(32)
        async with self._keyring.sealing:
            sealed = self._keyring.seal(json.dumps({"url": url, "secret": secret}), _bound_to(owner))
            await self._store.set_webhook(WebhookRecord(owner=owner, sealed=sealed))
        self._wake.set()
        return (await self.view(owner)).model_copy(update={"signing_secret": secret})

    async def remove(self, owner: str) -> AlertsView:
        """Tell nobody any more."""
        await self._store.remove_webhook(owner)
        return await self.view(owner)

    async def test(self, owner: str) -> AlertsView:
        """Send a message now, once. Raises `NotFoundError` where there is no webhook."""
        if await self._store.webhook(owner) is None:
            raise NotFoundError("No webhook is set that could be told. Set one: gofastapi alerts set URL")
        record = _new(AlertKind.TEST, "This is a test of your alerts.", owner, None)
        record = record.model_copy(update={"next_attempt_at": None})
        await self._store.add(record)
        await self._attempt(record)
        return await self.view(owner)

    async def remove_app(self, app_id: str) -> None:
        """Forget what was told of an app that is gone."""
        await self._store.remove_app(app_id)

    async def _run(self) -> None:
        while True:
            try:
                with self._telemetry.loop("alerts"):
                    await self._store_raised()
                    seconds = await self._deliver()
            except GoFastAPIError as error:
                logger.info("alerts wait: %s", error.message)
                seconds = _DATABASE_AWAY_SECONDS
            except Exception as error:
                # Not its text: there may be an address in it.
                logger.error("alerts: %s", type(error).__name__)
                seconds = _DATABASE_AWAY_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            self._wake.clear()

    async def _store_raised(self) -> None:
        """Put what was raised into the outbox: what there is a webhook for, and was not just told."""
        while self._raised:
            record = self._raised[0]
            if await self._store.webhook(record.owner) is not None and not await self._was_just_told(record):
                url = await self._url_of(record.app) if record.app else None
                await self._store.add(record.model_copy(update={"url": url}))
            # Nobody else takes any; but where too many were raised meanwhile, the first has gone by itself.
            if self._raised and self._raised[0] is record:
                self._raised.popleft()

    async def _was_just_told(self, record: AlertRecord) -> bool:
        # That an app crashes in a loop says already that it is red.
        kinds = {record.kind} | ({AlertKind.CRASH_LOOP} if record.kind is AlertKind.TURNED_RED else set())
        return await self._store.was_told(record, kinds, self._quiet)

    async def _deliver(self) -> float:
        """Make every attempt that is due; return the seconds until the next one."""
        while True:
            pending = await self._store.pending(_AT_ONCE)
            now = datetime.now(UTC)
            # Where the clock was put back, nothing waits longer than the longest pause.
            latest = now + timedelta(seconds=max(self._retry_seconds, default=0.0))
            due = [each for each in pending if each.next_attempt_at and not now < each.next_attempt_at <= latest]
            if not due:
                next_at = pending[0].next_attempt_at if pending else None
                return (next_at - now).total_seconds() if next_at else 3600.0
            # All to their end: one that went on alone might be made twice at a time.
            for problem in await asyncio.gather(*map(self._attempt, due), return_exceptions=True):
                if problem is not None:
                    raise problem

    async def _attempt(self, record: AlertRecord) -> None:
        webhook = await self._store.webhook(record.owner)
        if webhook is None:
            await self._store.save(record.model_copy(update={"next_attempt_at": None}))
            return
        try:
            url, secret = self._open(webhook)
            message = AlertMessage.model_validate(record.model_dump(include=set(AlertMessage.model_fields)))
            problem = await self._sender.post(url, secret, message)
        except SecretsUnreadableError:
            problem = "its address cannot be read: the key it was encrypted with is gone"
        attempts = record.attempts + 1
        pauses = () if record.kind is AlertKind.TEST else self._retry_seconds
        gives_up = problem is not None and attempts > len(pauses)
        next_at = None
        if problem is not None and not gives_up:
            next_at = datetime.now(UTC) + timedelta(seconds=pauses[attempts - 1])
        outcome = {
            "attempts": attempts,
            "delivered": problem is None,
            "problem": problem,
            "next_attempt_at": next_at,
        }
        await self._store.save(record.model_copy(update=outcome))
        if gives_up and record.kind is not AlertKind.TEST:
            self._events.publish(
                EventKind.ALERT_FAILED,
                f"Your webhook was not told, in {attempts} attempts: {problem}. What it missed: {record.message}",
                owner=record.owner,
                app=record.app,
                details={"alert": str(record.kind), "problem": problem},
            )

    def _open(self, webhook: WebhookRecord) -> tuple[str, str]:
        """Its address and secret."""
        try:
            opened = json.loads(self._keyring.open(webhook.sealed, _bound_to(webhook.owner)))
        except SecretsUnreadableError as error:
            raise SecretsUnreadableError(
                f"The address of your webhook cannot be read. {error.message} Set it anew: gofastapi alerts set URL"
            ) from None
        return str(opened["url"]), str(opened["secret"])


async def reseal_webhooks(store: AlertStore, keyring: KeyRing, key: str) -> tuple[int, list[str]]:
    """Encrypt every webhook with the first key, which is `key`. Returns how many, and those that cannot be read."""
    count, unreadable = 0, []
    for webhook in await store.webhooks():
        if webhook.sealed.key == key:
            continue
        bound_to = _bound_to(webhook.owner)
        try:
            sealed = keyring.seal(keyring.open(webhook.sealed, bound_to), bound_to)
        except SecretsUnreadableError as error:
            unreadable.append(bound_to)
            logger.warning("the %s was not encrypted anew: %s", bound_to, error.message)
            continue
        await store.reseal(webhook, sealed)
        count += 1
    return count, unreadable


def _bound_to(owner: str) -> str:
    """What a webhook is bound to: it cannot be moved to another user, not even inside the database."""
    return f"webhook of {owner}"


def _new(kind: AlertKind, message: str, owner: str, app: str | None) -> AlertRecord:
    now = datetime.now(UTC)
    return AlertRecord(
        id=secrets.token_hex(12), owner=owner, kind=kind, app=app, message=message, at=now, next_attempt_at=now
    )


def _delivery(record: AlertRecord) -> AlertDelivery:
    return AlertDelivery.model_validate(record.model_dump(include=set(AlertDelivery.model_fields)))
