"""Large content: sent once, shared, kept while somebody names it."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx
import psutil
import pytest
from bson import ObjectId
from support.platform import Platform, get, running_platform
from support.secrets import database_of
from support.waiting import until

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.drafts import DraftSave
from gofastapi_ext.core.errors import (
    GoFastAPIError,
    InvalidBundleError,
    InvalidRequestError,
    NotFoundError,
    TooLargeError,
)
from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.core.models import DeployRequest

MAIN = """
import hashlib
from pathlib import Path
from fastapi import FastAPI

app = FastAPI()

@app.get("/")
def which():
    return hashlib.sha256(Path("big.bin").read_bytes()).hexdigest()
"""


def content(seed: int, size: int = 3_000_000) -> tuple[str, bytes]:
    """Some bytes and their hash."""
    data = bytes([seed]) * size
    return hashlib.sha256(data).hexdigest(), data


def parts(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def bundle_with(sha256: str, size: int, comment: str = "") -> Bundle:
    return Bundle(
        files={"main.py": BundleFile(text=MAIN + comment), "big.bin": BundleFile(blob=sha256, blob_bytes=size)}
    )


def deploy(platform: Platform, app: str, bundle: Bundle) -> str:
    last = list(platform.client.deploy(app, DeployRequest(bundle=bundle)))[-1]
    assert last.url, last.diagnostics
    return last.url


def until_no_remains(platform: Platform) -> None:
    """Every part that is stored belongs to something whole."""
    with database_of(platform) as database:
        files, chunks = database["blobs.files"], database["blobs.chunks"]
        until(lambda: set(chunks.distinct("files_id")) <= set(files.distinct("_id")), what="no remains")


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 3_500_000])
def test_what_is_put_is_what_an_app_finds(platform: Platform, size: int) -> None:
    sha256, data = content(size % 251, size)
    assert not platform.client.has_blob(sha256)
    platform.client.put_blob(sha256, parts(data))
    assert platform.client.has_blob(sha256)
    platform.client.put_blob(sha256, parts(data))  # a second time changes nothing
    assert get(deploy(platform, f"big-{size}", bundle_with(sha256, size))).json() == sha256
    assert platform.client.get_blob(f"big-{size}", sha256) == data


def test_wrong_or_unfinished_content_is_not_stored(platform: Platform) -> None:
    sha256, data = content(7)
    for wrong in (data[:-1], data + b"x", b""):
        with pytest.raises(InvalidRequestError, match="not what its name says"):
            platform.client.put_blob(sha256, parts(wrong))

    def breaks_off() -> Iterator[bytes]:
        yield data[:2_000_000]
        raise RuntimeError("the kernel was interrupted")

    with pytest.raises(RuntimeError):
        platform.client.put_blob(sha256, breaks_off())
    assert not platform.client.has_blob(sha256)
    until_no_remains(platform)
    platform.client.put_blob(sha256, parts(data))
    assert platform.client.has_blob(sha256)


def test_too_large_is_said_before_all_of_it_came(platform: Platform) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 10_000_000_000:
            sent += 1_000_000
            yield b"x" * 1_000_000

    with pytest.raises(TooLargeError, match=r"more than 100\.0 MB, which is the limit"):
        platform.client.put_blob("a" * 64, endless())
    assert 100_000_000 < sent < 120_000_000
    assert platform.client.me()


def test_the_statuses(platform: Platform) -> None:
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(timeout=30, base_url="http://gofastapi", transport=transport) as http:
        sha256, data = content(9, 10)
        assert http.head(f"/api/blobs/{sha256}").status_code == 404
        assert http.put(f"/api/blobs/{sha256}", content=b"other").status_code == 422
        assert http.put(f"/api/blobs/{sha256}", content=data).status_code == 204
        assert http.head(f"/api/blobs/{sha256}").status_code == 204
        assert http.put("/api/blobs/nonsense", content=data).status_code == 422
        assert http.head(f"/api/blobs/{'A' * 64}").status_code == 422


def test_memory_stays_bounded_while_much_is_sent_and_read(platform: Platform) -> None:
    assert platform.process
    service = psutil.Process(platform.process.pid)
    sha256, data = content(11, 90_000_000)
    small, first = content(12, 2_000_000)
    platform.client.put_blob(small, parts(first))
    before = service.memory_info().rss
    platform.client.put_blob(sha256, parts(data, 1 << 20))
    deploy(platform, "much", bundle_with(sha256, len(data)))
    assert service.memory_info().rss - before < 30_000_000


def test_two_send_the_same_at_once(platform: Platform) -> None:
    sha256, data = content(13, 20_000_000)
    with ThreadPoolExecutor(4) as pool:
        clients = [type(platform.client)(platform.places) for _ in range(4)]
        list(pool.map(lambda client: client.put_blob(sha256, parts(data)), clients))
        for client in clients:
            client.close()
    with database_of(platform) as database:
        [file] = database["blobs.files"].find({"filename": sha256})
        assert file["length"] == len(data)
    until_no_remains(platform)
    assert get(deploy(platform, "once", bundle_with(sha256, len(data)))).json() == sha256


def test_a_bundle_that_names_what_is_not_stored_is_refused(platform: Platform) -> None:
    sha256, data = content(15, 100)
    unknown = bundle_with(sha256, 100)
    [*_, last] = platform.client.deploy("unknown", DeployRequest(bundle=unknown))
    assert last.stage == "failed"
    assert "The content of big.bin is not stored here. Send it first" in last.diagnostics[0].message
    with pytest.raises(InvalidBundleError, match=r"The content of big\.bin is not stored here"):
        platform.client.save_draft("unknown", DraftSave(bundle=unknown))
    platform.client.put_blob(sha256, parts(data))
    with pytest.raises(InvalidBundleError, match=r"The content of big\.bin is of another size"):
        platform.client.save_draft("unknown", DraftSave(bundle=bundle_with(sha256, 5)))
    platform.client.save_draft("unknown", DraftSave(bundle=unknown))


def test_content_is_told_to_apps_that_name_it_alone(platform: Platform) -> None:
    sha256, data = content(16, 100)
    platform.client.put_blob(sha256, parts(data))
    platform.deploy_live("stranger", MAIN.replace("big.bin", "main.py"))
    for app in ("stranger", "nobody-at-all"):
        with pytest.raises(NotFoundError):
            platform.client.get_blob(app, sha256)
    platform.client.save_draft("drafted-blob", DraftSave(bundle=bundle_with(sha256, 100)))
    assert platform.client.get_blob("drafted-blob", sha256) == data


@pytest.fixture(scope="module")
def hurt() -> Iterator[Platform]:
    """A service of its own, to be ended."""
    with running_platform() as running:
        yield running


def restart(platform: Platform) -> None:
    platform.stop()
    platform.start()


def age(platform: Platform, sha256: str) -> None:
    """As if nobody had asked for it for two hours."""
    with database_of(platform) as database:
        long_ago = datetime.now(UTC) - timedelta(hours=2)
        assert database["blobs.files"].update_one({"filename": sha256}, {"$set": {"metadata.used_at": long_ago}})


def test_a_service_that_is_killed_half_way_leaves_nothing_for_long(hurt: Platform) -> None:
    sha256, data = content(21, 20_000_000)
    assert hurt.process
    service = hurt.process

    def killed_half_way() -> Iterator[bytes]:
        for number, part in enumerate(parts(data, 1_000_000)):
            if number == 10:
                os.kill(service.pid, signal.SIGKILL)
                service.wait()
            yield part

    with suppress(GoFastAPIError):
        hurt.client.put_blob(sha256, killed_half_way())
    hurt.start()
    assert not hurt.client.has_blob(sha256)
    with database_of(hurt) as database:
        [remains] = database["blobs.chunks"].distinct("files_id")
        # Younger ones may belong to an upload that is under way; so make them old.
        old = ObjectId.from_datetime(datetime.now(UTC) - timedelta(hours=2))
        database["blobs.chunks"].update_many({"files_id": remains}, {"$set": {"files_id": old}})
        restart(hurt)
        until(lambda: database["blobs.chunks"].count_documents({}) == 0, what="swept")
    hurt.client.put_blob(sha256, parts(data))
    assert get(deploy(hurt, "after-all", bundle_with(sha256, len(data)))).json() == sha256


def test_what_nobody_names_goes_after_an_hour_and_not_before(hurt: Platform) -> None:
    named, data = content(22)
    young, other = content(23)
    old, third = content(24)
    for sha256, each in ((named, data), (young, other), (old, third)):
        hurt.client.put_blob(sha256, parts(each))
    url = deploy(hurt, "keeps", bundle_with(named, len(data)))
    age(hurt, named)
    age(hurt, old)
    restart(hurt)
    until(lambda: hurt.app("keeps").state is State.RUNNING, what="restored")
    with database_of(hurt) as database:
        until(lambda: old not in database["blobs.files"].distinct("filename"), what="old content gone")
        assert set(database["blobs.files"].distinct("filename")) >= {named, young}
    until_no_remains(hurt)
    assert get(url).json() == named


def test_asking_for_a_blob_keeps_it_for_the_bundle_that_is_to_come(hurt: Platform) -> None:
    sha256, data = content(25)
    hurt.client.put_blob(sha256, parts(data))
    age(hurt, sha256)
    assert hurt.client.has_blob(sha256)
    restart(hurt)
    assert get(deploy(hurt, "asked", bundle_with(sha256, len(data)))).json() == sha256


def test_the_last_app_that_names_it_takes_it_along(hurt: Platform) -> None:
    sha256, data = content(26)
    hurt.client.put_blob(sha256, parts(data))
    deploy(hurt, "first-owner", bundle_with(sha256, len(data)))
    url = deploy(hurt, "second-owner", bundle_with(sha256, len(data), "# another bundle\n"))
    hurt.client.delete("first-owner", forever=True)
    age(hurt, sha256)
    restart(hurt)
    until(lambda: hurt.app("second-owner").state is State.RUNNING, what="restored")
    assert get(url).json() == sha256
    assert hurt.client.get_blob("second-owner", sha256) == data

    hurt.client.delete("second-owner", forever=True)
    age(hurt, sha256)
    restart(hurt)
    with database_of(hurt) as database:
        until(lambda: sha256 not in database["blobs.files"].distinct("filename"), what="gone with the last app")


def test_damage_is_found_by_the_hash_and_mended_by_sending_it_again(hurt: Platform) -> None:
    sha256, data = content(27)
    hurt.client.put_blob(sha256, parts(data))
    url = deploy(hurt, "mended", bundle_with(sha256, len(data)))
    with database_of(hurt) as database:
        file = database["blobs.files"].find_one({"filename": sha256})
        assert file
        database["blobs.chunks"].delete_one({"files_id": file["_id"], "n": 1})
    [*_, last] = hurt.client.deploy("mended-2", DeployRequest(bundle=bundle_with(sha256, len(data), "# 2")))
    assert last.stage == "failed"
    assert "is damaged and was not used. Deploy the app again from its source." in last.diagnostics[0].message
    assert get(url).json() == sha256
    assert not hurt.client.has_blob(sha256)
    hurt.client.put_blob(sha256, parts(data))
    assert get(deploy(hurt, "mended-2", bundle_with(sha256, len(data), "# 2"))).json() == sha256


def test_mongod_restarts_while_much_is_sent(hurt: Platform) -> None:
    sha256, data = content(28, 30_000_000)
    mongod = hurt.mongod_pid

    def with_a_restart() -> Iterator[bytes]:
        for number, part in enumerate(parts(data, 1_000_000)):
            if number == 15:
                os.kill(mongod, signal.SIGKILL)
            yield part

    hurt.client.put_blob(sha256, with_a_restart())
    assert get(deploy(hurt, "through", bundle_with(sha256, len(data)))).json() == sha256
