"""What happens while a file goes in or out: others change the data, somebody leaves, the service or MongoDB dies."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import psutil
import pytest
from support.data import Data, opened
from support.platform import Platform, collections_of, drop_collections, running_platform
from support.transfers import lines, load
from support.waiting import until

from gofastapi_ext.core.documents.views import ImportMode
from gofastapi_ext.core.errors import ServiceUnreachableError

MB = 1_000_000


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    with running_platform(GOFASTAPI_DRAIN_SECONDS="1") as running:
        yield running


@pytest.fixture
def hurt(own: Platform) -> Platform:
    """A service to be hurt, without apps and data."""
    own.mend()
    with opened(own) as data:
        drop_collections(data)
    return own


def test_while_a_replacement_comes_in_the_old_data_stand(platform: Platform, data: Data) -> None:
    data.notes.insert_one({"_id": "old"})
    seen: list[list[Any]] = []

    def content() -> Iterator[bytes]:
        for start in range(0, 4000, 1000):
            yield lines({"n": n} for n in range(start, start + 1000))
            seen.append([d["_id"] for d in data.notes.find()])

    assert load(platform, "notes", content(), mode=ImportMode.REPLACE).stored == 4000
    assert seen == [[["old"]][0]] * 4
    assert data.notes.count_documents({}) == 4000


def test_a_database_that_is_replaced_during_an_import_is_told(hurt: Platform) -> None:
    hurt.client.insert_document("notes", {"_id": 1})
    made = list(hurt.client.back_up())[-1].backup
    assert made is not None

    def content() -> Iterator[bytes]:
        yield lines({"n": n} for n in range(3000))
        name = hurt.client.database().name
        assert list(hurt.client.restore_backup(made.id, confirm=name))
        yield lines({"n": n} for n in range(3000))

    result = load(hurt, "notes", content())
    assert result.kind == "failed"
    assert "replaced by another" in str(result.message)
    assert [view.id for view in hurt.client.documents("notes").documents] == [1]


def test_new_credentials_during_an_import_do_it_no_harm(hurt: Platform) -> None:
    def content() -> Iterator[bytes]:
        yield lines({"n": n} for n in range(3000))
        assert list(hurt.client.rotate_credentials())[-1].done
        yield lines({"n": n} for n in range(3000))

    assert load(hurt, "rotated", content()).stored == 6000
    assert hurt.client.documents("rotated").count_estimate == 6000
    hurt.client.drop_collection("rotated", confirm="rotated")


def test_who_leaves_during_a_replacement_leaves_nothing_behind(platform: Platform, data: Data) -> None:
    data.notes.insert_one({"_id": "old"})

    def content() -> Iterator[bytes]:
        yield lines({"n": n} for n in range(3000))
        until(lambda: any(name != "notes" for name in collections_of(data)), what="a collection of its own")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(platform, "notes", content(), mode=ImportMode.REPLACE)
    until(lambda: collections_of(data) == ["notes"], what="nothing left")
    assert data.notes.find_one() == {"_id": "old"}


def test_what_a_crash_of_the_service_leaves_is_swept(hurt: Platform) -> None:
    with opened(hurt) as data:
        data.notes.insert_one({"_id": "old"})

        def content() -> Iterator[bytes]:
            yield lines({"n": n} for n in range(3000))
            until(lambda: any(name != "notes" for name in collections_of(data)), what="a collection of its own")
            assert hurt.process is not None
            hurt.process.kill()
            hurt.process.wait()
            yield b"\n"

        with pytest.raises(ServiceUnreachableError):
            load(hurt, "notes", content(), mode=ImportMode.REPLACE)
        assert len(collections_of(data)) == 2
        hurt.start()
        assert [view.id for view in hurt.client.documents("notes").documents] == ["old"]
        assert collections_of(data) == ["notes"]


@pytest.mark.parametrize("mode", list(ImportMode))
def test_a_database_that_dies_during_an_import_is_told(hurt: Platform, mode: ImportMode) -> None:
    over = threading.Event()
    service, mongod = psutil.Process(hurt.client.service().pid), hurt.mongod_pid

    def keep_it_away() -> None:
        """One that was back in time would be written to as if nothing had been."""
        while not over.wait(0.05):
            for process in service.children():
                with suppress(psutil.Error):
                    if process.name() == "mongod":
                        process.kill()

    killer = threading.Thread(target=keep_it_away)
    with opened(hurt) as data:
        data.notes.insert_one({"_id": "old"})

    def content() -> Iterator[bytes]:
        for start in range(0, 40_000, 1000):
            yield lines({"_id": n, "text": "x" * 100} for n in range(start, start + 1000))
            if start == 20_000:
                os.kill(mongod, signal.SIGKILL)
                killer.start()

    try:
        result = load(hurt, "notes", content(), mode=mode)
    finally:
        over.set()
        if killer.is_alive():
            killer.join()
    assert result.kind == "failed"
    assert "does not answer" in str(result.message)
    until(lambda: is_back(hurt), what="the database is back")
    with opened(hurt) as data:
        count = data.notes.count_documents({"_id": {"$ne": "old"}})
        assert data.notes.find_one({"_id": "old"}) is not None
    if mode is ImportMode.REPLACE:
        assert "as it was" in str(result.message)
        assert count == 0
    else:
        assert f"{result.stored:,} documents are stored" in str(result.message)
        assert result.stored <= count <= result.stored + 2000, "what was told is there"
        assert result.stored % 1000 == 0
        # The rest of it, again from the start: what is there is told, nothing is twice.
        again = load(hurt, "notes", lines({"_id": n} for n in range(40_000)))
        assert (again.stored, again.refused) == (40_000 - count, count)


def is_back(platform: Platform) -> bool:
    try:
        platform.client.documents("notes")
    except Exception:
        return False
    return True


def test_who_leaves_during_an_export_frees_the_cursor(platform: Platform, data: Data) -> None:
    data.large.insert_many({"text": "x" * 100_000} for _ in range(300))

    def open_cursors() -> int:
        stages = [{"$currentOp": {"idleCursors": True, "allUsers": True}}, {"$match": {"ns": f"{data.name}.large"}}]
        with platform.database() as database:
            return len(list(database.client.admin.aggregate(stages)))

    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with (
        httpx.Client(timeout=30, transport=transport, base_url="http://gofastapi") as http,
        http.stream("GET", "/api/database/collections/large/export") as answer,
    ):
        chunks = answer.iter_raw()
        next(chunks)
        until(open_cursors, what="a cursor is open")
    until(lambda: not open_cursors(), what="the cursor is closed")


def test_an_export_that_breaks_off_is_no_whole_one(hurt: Platform) -> None:
    with opened(hurt) as data:
        data.large.insert_many({"text": "x" * 100_000} for _ in range(300))
        target = io.BytesIO()

        class Slow(io.BytesIO):
            def write(self, chunk: Any) -> int:
                if not self.tell():
                    mongod = psutil.Process(hurt.mongod_pid)
                    mongod.kill()
                    mongod.wait(10)
                return super().write(chunk)

        target = Slow()
        with pytest.raises(ServiceUnreachableError):
            hurt.client.export_documents("large", target)
        assert 0 < target.tell() < 30 * MB
