"""Backups through a real service: made, listed, restored, undone; refused where they cannot be believed."""

from __future__ import annotations

import hashlib
import io
import shutil
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from support.archives import content, fill
from support.noted import NOTES, note, notes, physical, user_data
from support.platform import Platform, running_platform
from support.waiting import until

from gofastapi_ext.core.backups import BackupKind, BackupView, DataProgress, DataStage, PreviousView
from gofastapi_ext.core.errors import (
    ConflictError,
    DamagedBackupError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.platform.databases.archive.manifest import CollectionEntry, Consistency, Kind, Manifest, Part
from gofastapi_ext.platform.databases.archive.writer import ArchiveWriter


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """One of its own: the databases of the others would be swapped under them."""
    with running_platform() as running:
        yield running


def backed_up(platform: Platform) -> BackupView:
    last = list(platform.client.back_up())[-1]
    assert last.backup is not None
    return last.backup


def restored(platform: Platform, backup: BackupView) -> list[DataProgress]:
    return list(platform.client.restore_backup(backup.id, confirm=platform.client.database().name))


def previous(events: list[DataProgress]) -> PreviousView:
    found = events[-1].previous
    assert found is not None
    return found


def test_a_backup_is_a_file_of_everything(platform: Platform, tmp_path: Path) -> None:
    with user_data(platform) as data:
        fill(data)
        before = content(data)
    events = list(platform.client.back_up())
    assert [event.stage for event in events if event.stage is not DataStage.COPY] == [DataStage.CHECK, DataStage.DONE]
    backup = events[-1].backup
    assert backup is not None
    assert backup == platform.client.backup(backup.id) == platform.client.backups().backups[0]
    assert (backup.kind, backup.elsewhere, backup.documents) == (BackupKind.MANUAL, False, 3012)
    assert set(backup.collections) == set(before)

    with (tmp_path / "copy.zip").open("wb") as file:
        platform.client.download_backup(backup.id, file)
    data_bytes = (tmp_path / "copy.zip").read_bytes()
    assert hashlib.sha256(data_bytes).hexdigest() == backup.sha256
    assert len(data_bytes) == backup.file_bytes
    with zipfile.ZipFile(tmp_path / "copy.zip") as opened:
        assert f"{backup.database}/notes.bson" in opened.namelist()
    folder = platform.places.home / "backups"
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in [folder, *folder.iterdir()] if path.is_dir()} == {0o700}

    with user_data(platform) as data:
        data.drop_collection("notes")
        data.types.update_one({"_id": 1}, {"$set": {"text": "other"}})
        data.more.insert_one({})
    restored(platform, backup)
    with user_data(platform) as data:
        assert content(data) == before
    told = [event for event in platform.client.events() if event.kind is EventKind.DATABASE_RESTORED]
    assert told[0].details["backup"] == backup.id


def test_running_apps_move_over_without_a_failed_request_and_back(platform: Platform) -> None:
    url = platform.deploy_live("noted", NOTES)
    note(url, "kept")
    name = platform.client.database().name
    backup = backed_up(platform)
    note(url, "later")
    failed: list[str] = []
    seen: list[list[str]] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(trust_env=False, timeout=15) as client:
            while not over.is_set():
                try:
                    seen.append(client.get(url).raise_for_status().json())
                except httpx.HTTPError as error:
                    failed.append(repr(error))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        until(lambda: len(seen) > 5)
        events = restored(platform, backup)
        assert notes(url) == ["kept"]
        assert [event.app.app for event in events if event.app is not None and event.app.moved] == ["noted"]
        assert platform.client.database().name != name
        kept = previous(events)
        assert kept == platform.client.backups().previous[0]
        assert kept.name == name
        note(url, "after")

        events = list(platform.client.undo_restore())
        assert notes(url) == ["kept", "later"], "as it was before the restore"
        assert platform.client.database().name == name
        again = previous(events)
        list(platform.client.undo_restore(again.name))
        assert notes(url) == ["after", "kept"], "and what came after it can come back too"
    finally:
        over.set()
        asking.join()
    assert failed == []
    assert seen[0] == ["kept", "later"]
    assert ["kept"] in seen


def test_nobody_reaches_what_was_replaced(platform: Platform) -> None:
    from pymongo import MongoClient
    from pymongo.errors import OperationFailure

    name = platform.client.database().name
    uri = platform.client.database_uri(confirm=name).uri
    restored(platform, backed_up(platform))
    assert name in physical(platform)

    def is_refused() -> bool:
        with MongoClient(uri) as client:
            try:
                client.get_default_database().notes.find_one()
            except OperationFailure:
                return True
        return False

    until(is_refused, what="the former credentials have ended")


def test_a_restore_is_confirmed_by_the_databases_name(platform: Platform) -> None:
    backup = backed_up(platform)
    name = platform.client.database().name
    with pytest.raises(InvalidRequestError, match=name):
        list(platform.client.restore_backup(backup.id, confirm="yes"))
    with pytest.raises(NotFoundError, match="no backup"):
        list(platform.client.restore_backup("20000101-000000-abcdef", confirm=name))
    for odd in ("../../platform", "..%2f..", "x" * 5000, "20000101-000000-abcdef/x", "%00"):
        with pytest.raises((NotFoundError, InvalidRequestError)):
            platform.client.backup(odd)
    with pytest.raises(NotFoundError):
        list(platform.client.undo_restore("admin"))
    with pytest.raises(NotFoundError):
        list(platform.client.undo_restore("gofastapi"))


def test_a_backup_from_elsewhere_is_taken_in_and_says_so(platform: Platform, tmp_path: Path) -> None:
    with running_platform() as other:
        with user_data(other) as data:
            data.theirs.insert_one({"_id": "from there"})
        theirs = backed_up(other)
        with (tmp_path / "theirs.zip").open("wb") as file:
            other.client.download_backup(theirs.id, file)
    with (tmp_path / "theirs.zip").open("rb") as file:
        taken = platform.client.upload_backup(iter(lambda: file.read(1000), b""))
    assert taken.kind is BackupKind.UPLOADED
    assert taken.elsewhere
    assert (taken.documents, taken.sha256) == (theirs.documents, theirs.sha256)
    restored(platform, taken)
    with user_data(platform) as data:
        assert data.theirs.find_one() == {"_id": "from there"}
        assert "notes" not in data.list_collection_names()
    list(platform.client.undo_restore())


def test_what_is_damaged_is_refused_before_anything_is_changed(platform: Platform) -> None:
    with user_data(platform) as data:
        data.precious.insert_one({"_id": 1})
    backup = backed_up(platform)
    before = (platform.client.database().name, physical(platform))
    [path] = platform.places.home.glob(f"backups/*/{backup.id}.gfa.zip")
    good = path.read_bytes()
    for damaged in (good[:-1], good[:200] + b"?" + good[201:], b""):
        path.write_bytes(damaged)
        with pytest.raises(DamagedBackupError, match="hash"):
            restored(platform, backup)
        with pytest.raises(DamagedBackupError):
            platform.client.upload_backup(iter([damaged]))
    with pytest.raises(DamagedBackupError, match="no backup"):
        platform.client.upload_backup(iter([_a_zip()]))
    path.unlink()
    with pytest.raises(NotFoundError):
        restored(platform, backup)
    assert (platform.client.database().name, physical(platform)) == before
    assert list((platform.places.home / "backups").rglob("*.partial")) == []


def _a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("hello.txt", "hello")
    return buffer.getvalue()


def test_a_small_file_that_says_it_is_a_huge_one_is_refused_at_once(platform: Platform, tmp_path: Path) -> None:
    part = Part(path="data", sha256="0" * 64, size_bytes=10**15)
    manifest = Manifest(
        created_at=datetime.now(UTC),
        user="ada",
        database="db",
        installation="elsewhere",
        server_version="6.0",
        consistency=Consistency.LOCKED,
        collections=[CollectionEntry(name="huge", kind=Kind.COLLECTION, metadata=part, data=part)],
    )
    ArchiveWriter(tmp_path / "huge.zip").finish(manifest)
    with pytest.raises(UnavailableError, match=r"disk is too full for what is in this backup.* are needed"):
        platform.client.upload_backup(iter([(tmp_path / "huge.zip").read_bytes()]))


def test_one_at_a_time_and_it_goes_on_without_its_caller(platform: Platform) -> None:
    with user_data(platform) as data:
        data.large.insert_many([{"pad": "x" * 1000} for _ in range(20_000)])
    had = len(platform.client.backups().backups)
    events = platform.client.back_up()
    assert next(events).stage is DataStage.CHECK
    with pytest.raises(ConflictError, match="under way"):
        list(platform.client.back_up())
    events.close()
    until(lambda: len(platform.client.backups().backups) == had + 1)
    with user_data(platform) as data:
        data.drop_collection("large")


def test_a_deleted_backup_is_gone(platform: Platform) -> None:
    backup = backed_up(platform)
    [path] = platform.places.home.glob(f"backups/*/{backup.id}.gfa.zip")
    platform.client.delete_backup(backup.id)
    assert not path.exists()
    with pytest.raises(NotFoundError):
        platform.client.delete_backup(backup.id)


def test_what_was_replaced_goes_when_its_time_is_over() -> None:
    with running_platform(GOFASTAPI_KEEP_REPLACED="2s") as platform:
        with user_data(platform) as data:
            data.notes.insert_one({})
        name = platform.client.database().name
        restored(platform, backed_up(platform))
        assert name in physical(platform)
        plan = until(lambda: platform.client.cleanup(dry_run=True).items)
        assert [(item.what, item.name) for item in plan] == [("database", name)]
        assert name in physical(platform), "a dry run changes nothing"
        assert platform.client.backups().previous == []
        with pytest.raises(NotFoundError):
            list(platform.client.undo_restore())
        platform.client.cleanup(dry_run=False)
        assert physical(platform) == {platform.client.database().name}


def test_without_room_nothing_is_begun() -> None:
    free = shutil.disk_usage("/tmp").free
    with running_platform() as platform:
        with user_data(platform) as data:
            data.notes.insert_one({})
        backup = backed_up(platform)
        platform.stop()
        platform.environment["GOFASTAPI_MIN_FREE_DISK_BYTES"] = str(2 * free)
        platform.start()
        before = physical(platform)
        for begin in (
            lambda: list(platform.client.back_up()),
            lambda: restored(platform, backup),
            lambda: list(platform.client.create_branch("x")),
            lambda: platform.client.upload_backup(iter([b"x" * 1000])),
        ):
            with pytest.raises(UnavailableError, match=r"disk is too full.* are free.* are needed.*[Nn]othing"):
                begin()
        assert physical(platform) == before
        assert len(platform.client.backups().backups) == 1
