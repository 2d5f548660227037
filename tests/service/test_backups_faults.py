"""Backups, restores and branches while things die: nothing of the data is lost, and nothing stays locked."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from pymongo import MongoClient
from support.noted import NOTES, note, notes, physical, user_data
from support.platform import Platform, running_platform
from support.waiting import until

from gofastapi_ext.core.backups import BackupKind, DataProgress, DataStage
from gofastapi_ext.core.errors import GoFastAPIError, UnavailableError
from gofastapi_ext.core.events import EventKind

DOCUMENTS = 60_000


@pytest.fixture
def platform() -> Iterator[Platform]:
    """One with enough data that a copy can be interrupted."""
    with running_platform(
        GOFASTAPI_DATABASE_LIMIT_BYTES="1000000000", GOFASTAPI_DATABASE_CHECK_SECONDS="0.5"
    ) as running:
        with user_data(running) as data:
            for first in range(0, DOCUMENTS, 10_000):
                data.large.insert_many([{"_id": first + n, "pad": os.urandom(400).hex()} for n in range(10_000)])
            data.large.create_index("pad")
        yield running


def is_locked(platform: Platform) -> bool:
    with MongoClient[dict[str, Any]](platform.root_uri) as root:
        return bool(root.admin.command("currentOp").get("fsyncLock"))


def remains(platform: Platform) -> list[str]:
    return [str(path) for path in (platform.places.home / "backups").rglob("*.partial")]


def kill_mongod_at(
    platform: Platform, stage: DataStage, begin: Callable[[], Iterator[DataProgress]]
) -> GoFastAPIError | None:
    """Kill it in the middle of a stage; how that ended for the caller."""
    pid = platform.mongod_pid
    try:
        for event in begin():
            # What comes after the check, the copy, may be over before anybody hears that it has begun.
            if event.stage is stage and (event.collection is not None or stage is DataStage.CHECK):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    except GoFastAPIError as error:
        return error
    return None


def check_is_whole(platform: Platform, name: str) -> None:
    until(lambda: platform.client.service().mongo.pid is not None and not is_locked(platform), 30)
    assert platform.client.database().name == name
    with user_data(platform) as data:
        assert data.large.count_documents({}) == DOCUMENTS
        data.words.insert_one({})
        data.drop_collection("words")
    assert until(lambda: physical(platform) == {name}, 40, "what was half-made is dropped")
    assert remains(platform) == []


def test_mongod_is_killed_during_backup_branch_and_restore(platform: Platform) -> None:
    client, name = platform.client, platform.client.database().name

    error = kill_mongod_at(platform, DataStage.CHECK, client.back_up)
    assert isinstance(error, UnavailableError)
    assert "Nothing was changed" in error.message
    check_is_whole(platform, name)
    assert client.backups().backups == []

    backup = list(client.back_up())[-1].backup
    assert backup is not None
    for stage in (DataStage.CHECK, DataStage.LOAD):
        error = kill_mongod_at(platform, stage, lambda: client.create_branch("x"))
        assert isinstance(error, UnavailableError), stage
        assert client.branches() == []
        check_is_whole(platform, name)

    error = kill_mongod_at(platform, DataStage.LOAD, lambda: client.restore_backup(backup.id, confirm=name))
    assert isinstance(error, UnavailableError)
    check_is_whole(platform, name)
    list(client.restore_backup(backup.id, confirm=name))
    with user_data(platform) as data:
        assert data.large.count_documents({}) == DOCUMENTS


def test_a_service_that_is_killed_while_it_has_the_lock_is_followed_by_one_that_unlocks(platform: Platform) -> None:
    url = platform.deploy_live("noted", NOTES)
    name = platform.client.database().name
    pid = platform.client.service().pid

    def back_up() -> None:
        with suppress(GoFastAPIError):
            list(platform.client.back_up())

    caller = Thread(target=back_up)
    caller.start()
    until(lambda: (platform.places.home / "backups" / ".locked").exists(), 20)
    with MongoClient[dict[str, Any]](platform.root_uri) as root:
        until(lambda: root.admin.command("currentOp").get("fsyncLock"), 20)
        os.kill(pid, signal.SIGKILL)
        caller.join(20)
        assert root.admin.command("currentOp").get("fsyncLock"), "it was killed in time"
        start_again(platform)
        assert not root.admin.command("currentOp").get("fsyncLock")
    platform.client.cleanup(dry_run=False)
    check_is_whole(platform, name)
    until(lambda: notes(url) == [], 20)
    note(url, "after")
    assert notes(url) == ["after"]
    assert list(platform.client.back_up())[-1].stage is DataStage.DONE


def start_again(platform: Platform) -> None:
    assert platform.process is not None
    platform.process.wait(20)
    platform.start()


def kill_service_at(platform: Platform, stage: DataStage, begin: Callable[[], Iterator[DataProgress]]) -> None:
    pid = platform.client.service().pid
    with suppress(GoFastAPIError):
        for event in begin():
            if event.stage is stage:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    start_again(platform)


def test_a_service_that_is_killed_during_a_restore_leaves_the_one_or_the_other(platform: Platform) -> None:
    client = platform.client
    url = platform.deploy_live("noted", NOTES)
    note(url, "kept")
    backup = list(client.back_up())[-1].backup
    assert backup is not None
    note(url, "later")
    name = client.database().name

    kill_service_at(platform, DataStage.LOAD, lambda: client.restore_backup(backup.id, confirm=name))
    assert client.database().name == name
    until(lambda: notes(url) == ["kept", "later"], 20)
    assert until(lambda: physical(platform) == {name}, 40), "what was half-loaded is dropped at the start"

    kill_service_at(platform, DataStage.SWITCH, lambda: client.restore_backup(backup.id, confirm=name))
    now = client.database().name
    assert now != name
    until(lambda: notes(url) == ["kept"], 20)
    list(client.undo_restore())
    assert client.database().name == name
    until(lambda: notes(url) == ["kept", "later"], 20)

    kill_service_at(platform, DataStage.LOAD, lambda: client.create_branch("half"))
    assert client.branches() == []
    assert list(client.create_branch("whole"))[-1].branch is not None
    kill_service_at(platform, DataStage.SWITCH, lambda: client.promote_branch("whole"))
    assert client.branches() == []
    until(lambda: notes(url) == ["kept", "later"], 20)


def test_a_night_that_was_slept_through_is_made_up_for_and_the_last_few_stay() -> None:
    """As a laptop: off at night, on in the morning."""
    with running_platform(
        GOFASTAPI_BACKUPS_KEPT="2", GOFASTAPI_BACKUP_AT="never", GOFASTAPI_DATABASE_CHECK_SECONDS="0.5"
    ) as platform:
        assert platform.client.backups().nightly_at is None
        with user_data(platform) as data:
            data.words.insert_one({})
        by_hand = list(platform.client.back_up())[-1].backup
        assert by_hand is not None
        with platform.database() as database:
            database.databases.update_many({}, {"$set": {"created_at": by_hand.created_at.replace(year=2020)}})
        platform.environment["GOFASTAPI_BACKUP_AT"] = "03:00"
        for count in (1, 2, 2):
            before = {each.id for each in platform.client.backups().backups}
            platform.stop()
            # The days before, as the platform remembers them.
            for path in (platform.places.home / "backups").rglob("*.json"):
                path.write_text(path.read_text().replace(f'"created_at":"{time.strftime("%Y")}', '"created_at":"2020'))
            platform.start()
            made = until(
                lambda before=before: [b for b in platform.client.backups().backups if b.id not in before],
                60,
                "a night",
            )
            assert [each.kind for each in made] == [BackupKind.NIGHTLY]
            nightly = [b for b in platform.client.backups().backups if b.kind is BackupKind.NIGHTLY]
            assert len(nightly) == count
            assert by_hand.id in {b.id for b in platform.client.backups().backups}, "what somebody made stays"
        told = [event for event in platform.client.events() if event.kind is EventKind.BACKED_UP]
        assert told[0].by is None
