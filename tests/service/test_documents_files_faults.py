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
from support.platform import Platform, running_platform
from support.transfers import lines, load
from support.waiting import until

from gofastapi_ext.core.documents.views import ImportMode
from gofastapi_ext.core.errors import ServiceUnreachableError

MB = 1_000_000


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


def test_a_database_that_is_replaced_during_an_import_is_told() -> None:
    with running_platform() as platform:
        platform.client.insert_document("notes", {"_id": 1})
        made = list(platform.client.back_up())[-1].backup
        assert made is not None

        def content() -> Iterator[bytes]:
            yield lines({"n": n} for n in range(3000))
            name = platform.client.database().name
            assert list(platform.client.restore_backup(made.id, confirm=name))
            yield lines({"n": n} for n in range(3000))

        result = load(platform, "notes", content())
        assert result.kind == "failed"
        assert "replaced by another" in str(result.message)
        assert [view.id for view in platform.client.documents("notes").documents] == [1]


def test_new_credentials_during_an_import_do_it_no_harm(platform: Platform) -> None:
    def content() -> Iterator[bytes]:
        yield lines({"n": n} for n in range(3000))
        assert list(platform.client.rotate_credentials())[-1].done
        yield lines({"n": n} for n in range(3000))

    assert load(platform, "rotated", content()).stored == 6000
    assert platform.client.documents("rotated").count_estimate == 6000
    platform.client.drop_collection("rotated", confirm="rotated")


def test_who_leaves_during_a_replacement_leaves_nothing_behind(platform: Platform, data: Data) -> None:
    data.notes.insert_one({"_id": "old"})

    def content() -> Iterator[bytes]:
        yield lines({"n": n} for n in range(3000))
        until(lambda: any(name != "notes" for name in data.list_collection_names()), what="a collection of its own")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(platform, "notes", content(), mode=ImportMode.REPLACE)
    until(lambda: data.list_collection_names() == ["notes"], what="nothing left")
    assert data.notes.find_one() == {"_id": "old"}


def test_what_a_crash_of_the_service_leaves_is_swept() -> None:
    with running_platform() as platform, opened(platform) as data:
        data.notes.insert_one({"_id": "old"})

        def content() -> Iterator[bytes]:
            yield lines({"n": n} for n in range(3000))
            until(lambda: any(name != "notes" for name in data.list_collection_names()), what="a collection of its own")
            assert platform.process is not None
            platform.process.kill()
            platform.process.wait()
            yield b"\n"

        with pytest.raises(ServiceUnreachableError):
            load(platform, "notes", content(), mode=ImportMode.REPLACE)
        assert len(data.list_collection_names()) == 2
        platform.start()
        assert [view.id for view in platform.client.documents("notes").documents] == ["old"]
        assert data.list_collection_names() == ["notes"]


@pytest.mark.parametrize("mode", list(ImportMode))
def test_a_database_that_dies_during_an_import_is_told(mode: ImportMode) -> None:
    over = threading.Event()
    with running_platform() as platform:
        service, mongod = psutil.Process(platform.client.service().pid), platform.mongod_pid

        def keep_it_away() -> None:
            """One that was back in time would be written to as if nothing had been."""
            while not over.wait(0.05):
                for process in service.children():
                    with suppress(psutil.Error):
                        if process.name() == "mongod":
                            process.kill()

        killer = threading.Thread(target=keep_it_away)
        with opened(platform) as data:
            data.notes.insert_one({"_id": "old"})

        def content() -> Iterator[bytes]:
            for start in range(0, 40_000, 1000):
                yield lines({"_id": n, "text": "x" * 100} for n in range(start, start + 1000))
                if start == 20_000:
                    os.kill(mongod, signal.SIGKILL)
                    killer.start()

        try:
            result = load(platform, "notes", content(), mode=mode)
        finally:
            over.set()
            if killer.is_alive():
                killer.join()
        assert result.kind == "failed"
        assert "does not answer" in str(result.message)
        until(lambda: is_back(platform), what="the database is back")
        with opened(platform) as data:
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
            again = load(platform, "notes", lines({"_id": n} for n in range(40_000)))
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


def test_an_export_that_breaks_off_is_no_whole_one() -> None:
    with running_platform() as platform, opened(platform) as data:
        data.large.insert_many({"text": "x" * 100_000} for _ in range(300))
        target = io.BytesIO()

        class Slow(io.BytesIO):
            def write(self, chunk: Any) -> int:
                if not self.tell():
                    mongod = psutil.Process(platform.mongod_pid)
                    mongod.kill()
                    mongod.wait(10)
                return super().write(chunk)

        target = Slow()
        with pytest.raises(ServiceUnreachableError):
            platform.client.export_documents("large", target)
        assert 0 < target.tell() < 30 * MB
