"""Alerts against a webhook that takes them, and one that does not; against crashes, and without the database."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.cli import CommandLine
from support.platform import Platform, get, running_platform
from support.receiver import Receiver, receiving
from support.waiting import until

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.alerts import AlertKind
from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError, SecretsUnreadableError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.health import CHECKS_JUDGED, HealthColor
from gofastapi_ext.platform.control.alerts import Alerts
from gofastapi_ext.platform.control.telemetry import Telemetry
from gofastapi_ext.platform.control.webhooks import Sender
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.keyring import KeyRing
from gofastapi_ext.platform.store.alerts import AlertStore
from gofastapi_ext.platform.store.database import connect

APP = "from fastapi import FastAPI\napp = FastAPI()\n"
BROKEN = APP + "raise RuntimeError('it does not even start')\n"
SWITCH = """
from fastapi import FastAPI, Response
app = FastAPI()
asked = None
seen = 0

@app.get("/health")
def health(response: Response):
    global asked, seen
    seen += 1
    if asked is not None:
        asked += 1
        response.status_code = 503

@app.get("/break")
def break_it():
    global asked
    asked = 0

@app.get("/asked")
def how_often():
    return asked

@app.get("/seen")
def how_often_in_all():
    return seen
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def client(platform: Platform) -> Iterator[Client]:
    yield platform.client
    platform.client.remove_alerts()
    with platform.database() as database:
        database["alerts"].delete_many({})


class Office:
    """The loop that tells webhooks, with the platform's MongoDB under it and pauses that a test can wait for."""

    def __init__(self, store: AlertStore, folder: Path, **options: Any) -> None:
        self.events: list[tuple[EventKind, str]] = []
        options = {"retry_seconds": (0.05, 0.05), "quiet": timedelta(0), "timeout_seconds": 10.0} | options
        sender = Sender(timeout_seconds=options.pop("timeout_seconds"))
        self.store = store
        self.alerts = Alerts(store, KeyRing(folder / "keys"), self, _url_of, sender, Telemetry(), **options)

    def publish(self, kind: EventKind, message: str, **_: Any) -> None:
        self.events.append((kind, message))

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.01)

    async def until_settled(self) -> None:
        async with asyncio.timeout(30):
            while await self.store.pending(1):
                await asyncio.sleep(0.01)


async def _url_of(app_id: str) -> str:
    return f"http://127.0.0.1:8000/{app_id}"


@asynccontextmanager
async def opened(platform: Platform, folder: Path, **options: Any) -> AsyncIterator[Office]:
    password = PlatformKey.load(platform.places.home / "platform.key").derive("mongo root")
    address = platform.client.service().mongo.address.replace("/", "%2F")
    connection = connect(f"mongodb://gofastapi:{password}@{address}/?directConnection=true")
    name = "alerts_test"
    store = AlertStore(connection[name])
    await store.prepare()
    office = Office(store, folder, **options)
    office.alerts.start()
    try:
        yield office
    finally:
        await office.alerts.stop()
        await connection.drop_database(name)
        await connection.close()


def run(platform: Platform, folder: Path, test: Callable[[Office], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        async with opened(platform, folder, **options) as office:
            await test(office)

    asyncio.run(main())


def test_a_failed_deploy_is_told_with_a_signature_and_where_the_app_is(
    platform: Platform, client: Client, receiver: Receiver
) -> None:
    secret = client.set_alerts(receiver.url).signing_secret
    assert secret is not None
    assert len(secret) > 30
    url = platform.deploy_live("told", APP)
    platform.deploy_failed("told", BROKEN)
    until(lambda: receiver.messages("deploy_failed"), what="told")
    [received] = receiver.received
    assert received.path == "/hook?token=sesame"
    assert received.headers["Content-Type"] == "application/json"
    assert received.is_signed_with(secret)
    assert not received.is_signed_with(secret + "x")
    message = received.message
    assert message.keys() == {"id", "kind", "app", "message", "at", "url"}
    assert (message["app"], message["url"]) == ("told", url)
    assert "it does not even start" in message["message"]
    # The same once more is not news.
    platform.deploy_failed("told", BROKEN + "# again")
    client.test_alerts()
    assert [each.message["kind"] for each in receiver.received] == ["deploy_failed", "test"]
    latest = client.alerts().deliveries
    assert [(each.kind, each.app, each.attempts, each.delivered) for each in latest] == [
        (AlertKind.TEST, None, 1, True),
        (AlertKind.DEPLOY_FAILED, "told", 1, True),
    ]


def test_the_secret_is_told_once_and_nothing_of_it_stands_in_the_open(
    platform: Platform, client: Client, receiver: Receiver
) -> None:
    first = client.set_alerts(receiver.url).signing_secret
    assert (client.alerts().url, client.alerts().signing_secret) == (receiver.url, None)
    second = client.set_alerts(receiver.url).signing_secret
    assert first != second
    client.test_alerts()
    assert receiver.received[-1].is_signed_with(second or "")
    with platform.database() as database:
        [document] = database["webhooks"].find()
        stored = repr(document)
    assert (second or "") not in stored
    assert "sesame" not in stored + platform.log_text()
    assert (second or "") not in platform.log_text()


def test_a_new_key_opens_it_still_and_a_lost_one_is_named(
    platform: Platform, client: Client, receiver: Receiver
) -> None:
    secret = client.set_alerts(receiver.url).signing_secret or ""
    client.rotate_key()
    client.test_alerts()
    assert receiver.received[-1].is_signed_with(secret)
    keys = platform.places.home / "secrets.key"
    kept = keys.read_text()
    keys.unlink()
    try:
        with pytest.raises(SecretsUnreadableError, match="gofastapi alerts set URL"):
            client.alerts()
    finally:
        keys.write_text(kept)
    assert client.alerts().url == receiver.url


def test_what_cannot_be_set_or_tried(client: Client) -> None:
    with pytest.raises(InvalidRequestError, match=r"https://example\.com/hook"):
        client.set_alerts("file:///etc/passwd")
    with pytest.raises(InvalidRequestError, match="signed instead") as error:
        client.set_alerts("https://who:sesame@example.com/")
    assert "sesame" not in error.value.message
    assert client.alerts().url is None
    with pytest.raises(NotFoundError, match="gofastapi alerts set URL"):
        client.test_alerts()


def test_a_test_tells_what_is_wrong(client: Client, receiver: Receiver) -> None:
    client.set_alerts(receiver.url)
    receiver.statuses = [500, 302]
    for problem in ("it answered 500", "it answered 302"):
        delivery = client.test_alerts().deliveries[0]
        assert (delivery.delivered, delivery.problem, delivery.next_attempt_at) == (False, problem, None)
    assert len(receiver.received) == 2
    client.set_alerts("http://127.0.0.1:9/")
    assert client.test_alerts().deliveries[0].problem == "it cannot be reached"


def test_an_alert_is_told_again_until_it_is_taken(platform: Platform, receiver: Receiver, tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        secret = (await office.alerts.set("ada", receiver.url)).signing_secret or ""
        receiver.statuses = [500, 429]
        office.alerts.notify(AlertKind.TURNED_RED, "shop: It turned red", owner="ada", app="shop")
        await office.until(lambda: len(receiver.received) == 3)
        await office.until_settled()
        [delivery] = (await office.alerts.view("ada")).deliveries
        assert (delivery.attempts, delivery.delivered, delivery.problem) == (3, True, None)
        # One message, each time under the same id; who has it already knows.
        assert len({each.body for each in receiver.received}) == 1
        assert all(each.is_signed_with(secret) for each in receiver.received)
        assert receiver.received[0].message["url"] == "http://127.0.0.1:8000/shop"
        assert office.events == []

    run(platform, tmp_path, test)


def test_after_the_last_attempt_the_feed_says_so(platform: Platform, receiver: Receiver, tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        await office.alerts.set("ada", receiver.url)
        receiver.statuses = [500] * 10
        office.alerts.notify(AlertKind.CRASH_LOOP, "shop: It crashed", owner="ada", app="shop")
        await office.until(lambda: office.events)
        assert office.events == [
            (
                EventKind.ALERT_FAILED,
                "Your webhook was not told, in 3 attempts: it answered 500. What it missed: shop: It crashed",
            )
        ]
        [delivery] = (await office.alerts.view("ada")).deliveries
        assert (delivery.attempts, delivery.delivered, delivery.next_attempt_at) == (3, False, None)
        assert len(receiver.received) == 3

    run(platform, tmp_path, test)


def test_a_webhook_that_never_answers_holds_up_nobody_else(
    platform: Platform, receiver: Receiver, tmp_path: Path
) -> None:
    async def test(office: Office) -> None:
        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()  # until the client gives up
            writer.close()

        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await office.alerts.set("silent", f"http://127.0.0.1:{port}/")
        await office.alerts.set("ada", receiver.url)
        for owner in ("silent", "ada"):
            office.alerts.notify(AlertKind.CRASH_LOOP, "It crashed", owner=owner, app="shop")
        await office.until(lambda: receiver.received and office.events)
        assert "no answer within 1 s" in office.events[0][1]
        assert len(receiver.received) == 1
        server.close()

    run(platform, tmp_path, test, timeout_seconds=1.0)


def test_the_same_is_not_told_twice_in_a_short_time(platform: Platform, receiver: Receiver, tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        await office.alerts.set("ada", receiver.url)
        red, loop, failed = AlertKind.TURNED_RED, AlertKind.CRASH_LOOP, AlertKind.DEPLOY_FAILED
        for kind, app in (
            *((red, "a"), (red, "a"), (loop, "a"), (loop, "a")),
            *((loop, "b"), (red, "b")),
            # A deploy that failed is no trouble of what goes on serving.
            *((failed, "c"), (red, "c")),
        ):
            office.alerts.notify(kind, "words", owner="ada", app=app)
        office.alerts.notify(red, "words", owner="nobody", app="a")
        await office.until(lambda: len(receiver.received) == 5)
        await office.until_settled()
        told = sorted((each.message["kind"], each.message["app"]) for each in receiver.received)
        assert told == [
            ("crash_loop", "a"),
            ("crash_loop", "b"),
            ("deploy_failed", "c"),
            ("turned_red", "a"),
            ("turned_red", "c"),
        ]

    run(platform, tmp_path, test, quiet=timedelta(minutes=10))


def test_turned_off_means_nothing_more_is_told(platform: Platform, receiver: Receiver, tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        await office.alerts.set("ada", receiver.url)
        receiver.statuses = [500]
        office.alerts.notify(AlertKind.CRASH_LOOP, "It crashed", owner="ada", app="shop")
        await office.until(lambda: receiver.received)
        view = await office.alerts.remove("ada")
        await office.until_settled()
        assert view.url is None
        office.alerts.notify(AlertKind.CRASH_LOOP, "It crashed", owner="ada", app="other")
        await office.until(lambda: not office.alerts._raised)
        [delivery] = (await office.alerts.view("ada")).deliveries
        assert (delivery.attempts, delivery.delivered) == (1, False)
        assert len(receiver.received) == 1

    # Far enough off that it is still to be told when alerts are turned off.
    run(platform, tmp_path, test, retry_seconds=(60.0,))


def test_a_crash_between_two_attempts_loses_nothing_and_the_database_may_be_away(receiver: Receiver) -> None:
    with running_platform(GOFASTAPI_HEALTH_INTERVAL_SECONDS="0.2", GOFASTAPI_MAX_CRASHES="1") as platform:
        secret = platform.client.set_alerts(receiver.url).signing_secret or ""
        receiver.statuses = [503]
        platform.deploy_failed("unlucky", BROKEN)
        until(lambda: platform.client.alerts().deliveries and platform.client.alerts().deliveries[0].attempts)
        assert platform.process is not None
        platform.process.kill()
        platform.process.wait(10)
        platform.start()
        until(lambda: len(receiver.received) >= 2, what="told after the crash")
        assert receiver.received[0].body == receiver.received[1].body
        assert receiver.received[1].is_signed_with(secret)
        delivery = until(lambda: next((d for d in platform.client.alerts().deliveries if d.delivered), None))
        assert delivery.attempts == 2

        # A crash loop is told as that, and not once more as red.
        url = platform.deploy_live("crashes", APP + "import os\n@app.get('/crash')\ndef crash(): os._exit(3)\n")
        with suppress(httpx.HTTPError):
            get(url, "/crash")
        until(lambda: platform.app("crashes").health.color is HealthColor.RED, what="red")
        [told] = until(lambda: receiver.messages("crash_loop"), what="the crash loop is told")
        assert told["app"] == "crashes"

        # An app turns red while there is no database: it is told when there is one again.
        url = platform.deploy_live("shop", SWITCH)
        mongod = platform.mongod_pid
        # Once before it was ready; then by the loop, which knows it from then on.
        until(lambda: get(url, "/seen").json() >= 3, what="known to those who ask for health")
        os.kill(mongod, signal.SIGSTOP)
        try:
            get(url, "/break")
            # Each round waits for the database for a while before it goes by what was known.
            until(lambda: get(url, "/asked").json() >= CHECKS_JUDGED, 90, what="asked while the database is away")
            assert not receiver.messages("turned_red")
        finally:
            os.kill(mongod, signal.SIGCONT)
        [told] = until(lambda: receiver.messages("turned_red"), what="red was told")
        assert (told["app"], told["url"]) == ("shop", url)
        assert "/health answered 503" in told["message"]


def test_the_command(platform: Platform, client: Client, receiver: Receiver) -> None:
    cli = CommandLine(platform.places.home, platform.places.home)
    assert cli.run("alerts") == (
        "Nobody is told. To have a webhook told when an app needs you: gofastapi alerts set URL\n"
    )
    said = cli.run("alerts", "set", receiver.url)
    assert said.startswith(f"Alerts go to {receiver.url} from now on.\n")
    secret = next(line.strip() for line in said.splitlines() if line.startswith("  "))
    assert cli.run("alerts", "test") == "Your webhook took the message.\n"
    assert receiver.received[-1].is_signed_with(secret)
    receiver.statuses = [500]
    assert cli.run("alerts", "test", status=1) == "Your webhook did not take the message: it answered 500.\n"
    first, failed, taken = cli.run("alerts").splitlines()
    assert first == f"Alerts go to {receiver.url}"
    assert failed.endswith("test             –                 not delivered: it answered 500")
    assert taken.endswith("delivered")
    assert cli.json("alerts")["signing_secret"] is None
    assert cli.run("alerts", "off") == "Nobody is told any more.\n"
    assert cli.json("alerts")["url"] is None
