"""Backups as files, against real servers: everything survives, and nothing is believed that is damaged."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import resource
import threading
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from support.archives import content, fill, mongod
from support.waiting import until

from gofastapi_ext.core.documents.names import STAGING_PREFIX
from gofastapi_ext.core.errors import DamagedBackupError, UnavailableError
from gofastapi_ext.platform.databases.archive.manifest import (
    CollectionEntry,
    Consistency,
    Kind,
    Manifest,
    Part,
    comment,
)
from gofastapi_ext.platform.databases.archive.reader import Archive
from gofastapi_ext.platform.databases.archive.writer import ArchiveWriter, Spool, discarded_on_failure
from gofastapi_ext.platform.databases.consistency import ConsistentReads
from gofastapi_ext.platform.databases.copies import Copies, Source
from gofastapi_ext.platform.databases.dump import dump
from gofastapi_ext.platform.databases.load import load

Client = MongoClient[dict[str, Any]]


@pytest.fixture(scope="module")
def standalone() -> Iterator[str]:
    with mongod() as uri:
        yield uri


@pytest.fixture(scope="module")
def replica_set() -> Iterator[str]:
    with mongod("--replSet", "rs") as uri:
        yield uri


def back_up(uri: str, database: str, path: Path) -> Manifest:
    async def run() -> Manifest:
        async with AsyncMongoClient[dict[str, Any]](uri) as client:
            with Spool(path.parent) as spool, discarded_on_failure(ArchiveWriter(path)) as writer:
                async with ConsistentReads(client, path.parent / "mark").reading() as reading:
                    found = await dump(client, database, reading, spool, lambda _: None)
                writer.pack(spool)
                manifest = Manifest(
                    created_at=datetime.now(UTC),
                    user="ada",
                    database=database,
                    installation="here",
                    server_version="6.0",
                    consistency=reading.consistency,
                    collections=found.entries,
                    notes=found.notes,
                )
                sha256 = writer.finish(manifest)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        return manifest

    return asyncio.run(run())


def restore(uri: str, path: Path, database: str) -> None:
    async def run() -> None:
        async with AsyncMongoClient[dict[str, Any]](uri) as client:
            with Archive.open(path) as archive:
                archive.verify()
                await load(client, archive, database, lambda _: None)

    asyncio.run(run())


@pytest.mark.parametrize("server", ["standalone", "replica_set"])
def test_everything_a_database_holds_survives(server: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    uri = request.getfixturevalue(server)
    with Client(uri) as client:
        fill(client.before)
        manifest = back_up(uri, "before", tmp_path / "all.zip")
        restore(uri, tmp_path / "all.zip", "after")
        before, after = content(client.before), content(client.after)
        for name, found in before.items():
            assert after[name] == found, name
        assert before.keys() == after.keys()
        assert len(list(client.after.even.find())) == 1250
        assert len(list(client.after.view_on_view.find())) == 3
    assert manifest.documents == 2500 + 500 + 12
    assert manifest.consistency is (Consistency.LOCKED if server == "standalone" else Consistency.SNAPSHOT)
    assert [note.split('"')[1] for note in manifest.notes] == (["capped"] if server == "replica_set" else [])
    assert (tmp_path / "all.zip").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("server", ["standalone", "replica_set"])
def test_all_collections_are_of_one_moment(server: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Somebody writes to one and then to the other, all the time: no copy has the second without the first."""
    uri = request.getfixturevalue(server)
    over = threading.Event()
    written = [0]

    def write() -> None:
        with Client(uri) as client:
            while not over.is_set():
                number = written[0] = written[0] + 1
                client.pair.z_first.insert_one({"_id": number})
                client.pair.a_second.insert_one({"_id": number})

    with Client(uri) as client:
        client.pair.m_filling.insert_many([{"_id": n, "pad": "x" * 1000} for n in range(30_000)])
        writer = threading.Thread(target=write)
        writer.start()
        until(lambda: written[0] > 10)
        try:
            for number in range(3):
                before = written[0]
                manifest = back_up(uri, "pair", tmp_path / f"{number}.zip")
                count = {entry.name: entry.documents for entry in manifest.collections}
                assert count["z_first"] - count["a_second"] in (0, 1), count
                assert count["z_first"] >= before - 1
                after = written[0]
                assert after >= before
        finally:
            over.set()
            writer.join()
        assert written[0] > 20, "writes went on"
        client.drop_database("pair")


def test_what_nobody_wrote_is_refused(standalone: str, tmp_path: Path) -> None:
    """A byte changed anywhere, a piece missing, other files: refused, by the hashes, before anything is changed."""
    with Client(standalone) as client:
        client.small.things.insert_many([{"_id": n, "text": f"thing {n}"} for n in range(50)])
        client.small.things.create_index("text")
    good = tmp_path / "good.zip"
    back_up(standalone, "small", good)
    data = good.read_bytes()
    bad = tmp_path / "bad.zip"
    harmless = []
    for at in range(0, len(data), 3):
        bad.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        try:
            with Archive.open(bad) as archive:
                archive.verify()
                # Times and versions in the zip's own records say nothing about the data.
                harmless.append(at)
                assert archive.manifest.documents == 50
        except DamagedBackupError:
            continue
    assert len(harmless) < len(data) / 3 / 4
    for end in (0, 1, 100, len(data) // 2, len(data) - 1):
        bad.write_bytes(data[:end])
        with pytest.raises(DamagedBackupError):
            Archive.open(bad)


def rewritten(good: Path, bad: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> None:
    """An archive that somebody made, with hashes of his own."""
    with zipfile.ZipFile(good) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    text = json.dumps(manifest).encode()
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content_of_it in members.items():
            made.writestr(name, content_of_it)
        made.writestr("manifest.json", text)
        made.comment = comment(hashlib.sha256(text).hexdigest())


def _replace_data(manifest: dict[str, Any], members: dict[str, bytes], data: bytes, documents: int = 1) -> None:
    [entry] = manifest["collections"]
    members[entry["data"]["path"]] = data
    entry["data"] |= {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    entry["documents"] = documents


def _replace_metadata(manifest: dict[str, Any], members: dict[str, bytes], text: str) -> None:
    [entry] = manifest["collections"]
    members[entry["metadata"]["path"]] = data = text.encode()
    entry["metadata"] |= {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest, members: members.update({"../escape": b"x"}),
        lambda manifest, members: manifest.update(format_version=1, format="other"),
        lambda manifest, members: manifest["collections"][0].update(documents=3),
        lambda manifest, members: manifest["collections"].append(manifest["collections"][0]),
        lambda manifest, members: manifest["collections"][0].update(name="system.users"),
        lambda manifest, members: manifest["collections"][0].update(name="a\x00b"),
        lambda manifest, members: manifest["collections"][0].update(name="$cmd"),
        lambda manifest, members: manifest["collections"][0]["data"].update(size_bytes=10**12),
        lambda manifest, members: _replace_data(manifest, members, b"\xff\xff\xff\x7f" + b"\0" * 100),
        lambda manifest, members: _replace_data(manifest, members, b"\0\0\0\0" * 10),
        lambda manifest, members: _replace_data(manifest, members, b"\x05\0\0\0\0\x05\0", 2),
        lambda manifest, members: _replace_data(manifest, members, b"\x09\0\0\0\x7a\x61\x00\x01\x00"),
        lambda manifest, members: _replace_data(manifest, members, b"\x06\0\0\0\0\x01"),
        lambda manifest, members: manifest.update(created_at="2026-01-01T00:00:00"),
        lambda manifest, members: manifest.update(created_at="0001-01-01T00:00:00Z"),
        lambda manifest, members: manifest.update(created_at="9999-01-01T00:00:00Z"),
        lambda manifest, members: manifest.update(notes=["x"] * 1001),
        lambda manifest, members: manifest.update(user="x" * 301),
        lambda manifest, members: manifest.update(notes=["x" * 8_000_000]),
        lambda manifest, members: members.update({f"{n}{'x' * 50_000}": b"" for n in range(170)}),
        lambda manifest, members: _replace_metadata(manifest, members, "[]"),
        lambda manifest, members: _replace_metadata(manifest, members, '{"options": {"capped": "yes"}}'),
        lambda manifest, members: _replace_metadata(manifest, members, '{"indexes": [{"name": "x", "key": 5}]}'),
        lambda manifest, members: _replace_metadata(manifest, members, '{"indexes": 5}'),
        lambda manifest, members: _replace_metadata(manifest, members, "[" * 100_000),
    ],
)
def test_what_somebody_made_up_is_refused(change: Any, standalone: str, tmp_path: Path) -> None:
    with Client(standalone) as client:
        client.drop_database("made_up")
        client.made_up.things.insert_one({"_id": 1})
        back_up(standalone, "made_up", tmp_path / "good.zip")
        rewritten(tmp_path / "good.zip", tmp_path / "bad.zip", change)
        with pytest.raises(DamagedBackupError):
            restore(standalone, tmp_path / "bad.zip", "never")
        client.drop_database("never")
        assert client.admin.command("ping")["ok"]


def test_a_description_reaches_nothing_but_its_own_collection(standalone: str, tmp_path: Path) -> None:
    """It is loaded with all rights: no other database, and nothing of how the server stores its files."""
    away = tmp_path / "away.wt"
    engine = {"wiredTiger": {"configString": f'source="file:{away}"'}}
    options = {"$db": "elsewhere", "create": "other", "storageEngine": engine, "max": 5, "capped": True, "size": 4096}
    indexes = [{"name": "n", "key": {"n": 1}, "unique": True, "storageEngine": engine}]
    text = json.dumps({"options": options, "indexes": indexes})
    with Client(standalone) as client:
        client.described.things.insert_one({"_id": 1})
        back_up(standalone, "described", tmp_path / "good.zip")
        change = partial(_replace_metadata, text=text)
        rewritten(tmp_path / "good.zip", tmp_path / "odd.zip", change)
        restore(standalone, tmp_path / "odd.zip", "into")
        assert "elsewhere" not in client.list_database_names()
        [made] = list(client["into"].list_collections())
        assert made["name"] == "things"
        assert made["options"] == {"capped": True, "size": 4096, "max": 5}
        assert client["into"].things.index_information()["n"]["unique"]
        assert not away.exists()


def test_no_more_is_unpacked_than_is_said(standalone: str, tmp_path: Path) -> None:
    with Client(standalone) as client:
        client.bomb.things.insert_many([{"_id": n, "pad": "x" * 100_000} for n in range(100)])
    back_up(standalone, "bomb", tmp_path / "bomb.zip")
    assert (tmp_path / "bomb.zip").stat().st_size < 100_000
    with Archive.open(tmp_path / "bomb.zip") as archive, pytest.raises(DamagedBackupError, match="allowed"):
        archive.verify(max_bytes=1_000_000)

    def lie(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        manifest["collections"][0]["data"]["size_bytes"] = 1000

    rewritten(tmp_path / "bomb.zip", tmp_path / "lie.zip", lie)
    with Archive.open(tmp_path / "lie.zip") as archive, pytest.raises(DamagedBackupError, match="length"):
        archive.verify(max_bytes=1_000_000)


def test_what_nobody_could_read_again_is_not_written(tmp_path: Path) -> None:
    part = Part(path="x" * 1000, sha256="0" * 64, size_bytes=1)
    entry = CollectionEntry(name="n", kind=Kind.VIEW, metadata=part)
    manifest = Manifest(
        created_at=datetime.now(UTC),
        user="ada",
        database="db",
        installation="here",
        server_version="6.0",
        consistency=Consistency.LOCKED,
        collections=[entry] * 10_000,
    )
    with (
        pytest.raises(UnavailableError, match="10,000 collections, too many"),
        discarded_on_failure(ArchiveWriter(tmp_path / "many.zip")) as writer,
    ):
        writer.finish(manifest)
    assert list(tmp_path.iterdir()) == []


def test_memory_is_bounded(standalone: str, tmp_path: Path) -> None:
    with Client(standalone) as client:
        for first in range(0, 12_000, 1_000):
            client.large.things.insert_many([{"_id": first + n, "pad": "x" * 10_000} for n in range(1_000)])
        tracemalloc.start()
        try:
            manifest = back_up(standalone, "large", tmp_path / "large.zip")
            restore(standalone, tmp_path / "large.zip", "large_again")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert client.large_again.things.estimated_document_count() == 12_000
        client.drop_database("large")
        client.drop_database("large_again")
    assert manifest.size_bytes > 100_000_000
    assert peak < 30_000_000


def test_a_server_is_unlocked_whatever_happens(tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def is_locked(client: Client) -> bool:
        return bool(client.admin.command("currentOp").get("fsyncLock"))

    async def hurt(uri: str) -> None:
        async with AsyncMongoClient[dict[str, Any]](uri) as client:
            reads = ConsistentReads(client, mark)
            entered = asyncio.Event()

            async def work() -> None:
                async with reads.reading():
                    entered.set()
                    await asyncio.sleep(60)

            task = asyncio.create_task(work())
            await entered.wait()
            assert mark.exists()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    with mongod() as uri, Client(uri) as client:
        asyncio.run(hurt(uri))
        assert not is_locked(client)
        assert not mark.exists()

        async def release() -> None:
            async with AsyncMongoClient[dict[str, Any]](uri) as other:
                await ConsistentReads(other, mark).release()

        # Locked by its operator: that is none of ours.
        client.admin.command("fsync", lock=True)
        asyncio.run(release())
        assert is_locked(client)
        # As a service that was killed left it.
        mark.touch()
        asyncio.run(release())
        assert not is_locked(client)
        assert not mark.exists()


def test_a_failed_dump_leaves_no_file(standalone: str, tmp_path: Path) -> None:
    with Client(standalone) as client:
        client.odd.command({"create": "a..b"})
        with pytest.raises(UnavailableError, match=r"a\.\.b"):
            back_up(standalone, "odd", tmp_path / "odd.zip")
        client.drop_database("odd")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_ends_it_in_words(standalone: str, tmp_path: Path) -> None:
    """No file of this process can grow beyond a limit: as a full disk, but only for us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def save() -> None:
        async with AsyncMongoClient[dict[str, Any]](standalone) as client:
            copies = Copies(client, "here", tmp_path / "mark")
            await copies.save(Source("ada", "growing"), tmp_path / "growing.zip", lambda _: None)

    with Client(standalone) as client:
        client.growing.things.insert_many([{"pad": os.urandom(1000)} for _ in range(5000)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        try:
            with pytest.raises(UnavailableError, match="Is the disk full"):
                asyncio.run(save())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not client.admin.command("currentOp").get("fsyncLock")
        client.drop_database("growing")
    assert list(tmp_path.iterdir()) == []


def test_what_an_import_left_behind_is_in_no_backup(standalone: str, tmp_path: Path) -> None:
    with Client(standalone) as client:
        client.staged.things.insert_one({"_id": 1})
        client.staged[f"{STAGING_PREFIX}0123"].insert_one({"_id": 1})
        manifest = back_up(standalone, "staged", tmp_path / "staged.zip")
        client.drop_database("staged")
    assert [entry.name for entry in manifest.collections] == ["things"]
