"""Nobody reaches what is not theirs, and nothing that is asked keeps the database or the service busy."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pymongo
import pytest
from support.data import Data, opened
from support.platform import Platform, collections_of, running_platform
from support.waiting import until

from gofastapi_ext.core.documents.views import DocumentChange, Format, ImportMode
from gofastapi_ext.core.errors import (
    GoFastAPIError,
    InvalidRequestError,
    NotFoundError,
    OverLimitError,
    UnavailableError,
)
from gofastapi_ext.platform.control.backup_files import BackupFiles
from gofastapi_ext.platform.control.browser import Asked, Browser, Place
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.undo import Undo
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.mongod import EmbeddedMongo
from gofastapi_ext.platform.databases.trouble import told
from gofastapi_ext.platform.databases.users import DatabaseUsers
from gofastapi_ext.platform.keyring import KeyRing
from gofastapi_ext.platform.store.database import DATABASE, connect
from gofastapi_ext.platform.store.databases import DatabaseStore
from gofastapi_ext.platform.store.undo import UndoStore


@pytest.fixture
def http(platform: Platform) -> Iterator[httpx.Client]:
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(transport=transport, base_url="http://gofastapi/api/database", timeout=60) as client:
        yield client


@asynccontextmanager
async def second_browser(platform: Platform) -> AsyncIterator[Browser]:
    """The browser as the service makes it, on the same mongod."""
    home = platform.places.home
    backups = BackupFiles(home, "here", min_free_bytes=0, limit_bytes=1)
    key = PlatformKey.load(home / "platform.key")
    mongo = EmbeddedMongo(home / "mongo", platform.places.mongo_socket, key, None)
    async with connect(mongo.root_uri) as client:
        databases = Databases(DatabaseStore(client[DATABASE]), DatabaseUsers(mongo, client, key), backups)
        undo = Undo(UndoStore(client[DATABASE]), KeyRing(home / "secrets.key"))
        try:
            yield Browser(databases, undo, 30, lambda: None, lambda _: None)
        finally:
            await databases.stop()


def test_a_second_user_reaches_nothing_of_the_first(platform: Platform, data: Data) -> None:
    data.notes.insert_many([{"_id": "mine", "n": 1}, {"_id": "also mine"}])
    token = platform.client.delete_document("notes", '"also mine"').undo
    assert token is not None

    async def try_all() -> None:
        async with second_browser(platform) as browser:
            theirs = Place("bob", None, "notes")
            asked = Asked()
            refused: list[Callable[[], Awaitable[Any]]] = [
                lambda: browser.page(theirs, asked, after=None, limit=10, relaxed=True),
                lambda: browser.get(theirs, '"mine"', relaxed=True),
                lambda: browser.delete(theirs, '"mine"', None),
                lambda: browser.undo("bob", token, relaxed=True),
                lambda: browser.drop_collection(theirs, "notes"),
                lambda: browser.explain(theirs, asked),
                lambda: anext(browser.export(theirs, asked, Format.JSONL, plain=False)),
                lambda: browser.page(Place("bob", "main", "notes"), asked, after=None, limit=1, relaxed=True),
            ]
            for attempt in refused:
                with pytest.raises(NotFoundError):
                    await attempt()
            await browser.insert(theirs, {"_id": "theirs"}, relaxed=True)

            async def content() -> AsyncIterator[bytes]:
                yield b'{"_id":"imported"}'

            events = [e async for e in browser.load(theirs, Format.JSONL, ImportMode.REPLACE, content())]
            assert events[-1].stored == 1
            page = await browser.page(theirs, asked, after=None, limit=10, relaxed=True)
            assert [view.id for view in page.documents] == ["imported"]

    asyncio.run(try_all())
    assert [d["_id"] for d in data.notes.find()] == ["mine"]
    assert [view.id for view in platform.client.documents("notes").documents] == ["mine"]
    assert platform.client.undo_delete(token).id == "also mine"


@pytest.mark.parametrize(
    "name",
    ["system.users", "system.views", "a$cmd", "$cmd", "a\0b", ".a", "a..b", "x" * 200, "gofastapi.import.x", "\ud800"],
)
def test_names_that_are_nobodys_are_refused_everywhere(
    platform: Platform, http: httpx.Client, data: Data, name: str
) -> None:
    path = "/collections/" + quote(name.encode(errors="surrogatepass"), safe="")
    answers = [
        http.get(f"{path}/documents"),
        http.post(f"{path}/documents", json={"document": {}}),
        http.get(f"{path}/documents/1"),
        http.patch(f"{path}/documents/1", json={"set": {"a": 1}, "version": "x"}),
        http.put(f"{path}/documents/1", json={"document": {}, "version": "x"}),
        http.delete(f"{path}/documents/1"),
        http.delete(path, params={"confirm": name.encode(errors="replace").decode()}),
        http.post(f"{path}/indexes", json={"keys": {"a": 1}}),
        http.delete(f"{path}/indexes/x"),
        http.post(f"{path}/explain", json={}),
        http.post(f"{path}/import", content=b"{}"),
        http.get(f"{path}/export"),
    ]
    assert [answer.status_code for answer in answers] == [422] * len(answers)
    assert collections_of(data) == []
    made = http.post("/collections", content=json.dumps({"name": name}))
    assert made.status_code == 422


def test_documents_with_odd_names_of_fields(platform: Platform, data: Data) -> None:
    for document in (
        {"a\0b": 1},
        {"a": {"b\0": 1}},
        {"_id": [1]},
        {"_id": {"$regularExpression": {"pattern": "a", "options": ""}}},
        {"n": {"$numberLong": "99999999999999999999"}},
        {"n": 10**30},
        {"a": {"$oid": 5}},
    ):
        with pytest.raises(InvalidRequestError):
            platform.client.insert_document("odd", document)
    made = platform.client.insert_document("odd", {"a.b": 1, "$x": {"$y": 2}, "": 3, "_id": 1})
    assert data.odd.find_one() == {"_id": 1, "a.b": 1, "$x": {"$y": 2}, "": 3}
    for field in ("$x", "a..b", "", "a\0", "_id", "x.$[]", "x.$"):
        with pytest.raises(InvalidRequestError):
            platform.client.change_document("odd", made.key, DocumentChange(set={field: 1}, version=made.version))
    for key in ("~", "~%%", "{", "nonsense", '{"$oid":"x"}', "~" + "A" * 5):
        with pytest.raises((InvalidRequestError, NotFoundError)):
            platform.client.document("odd", key)
    with pytest.raises(NotFoundError):
        platform.client.delete_document("odd", '{"$gt": 0}')
    assert data.odd.count_documents({}) == 1


def test_a_document_that_is_too_large_or_too_deep_is_told(platform: Platform, http: httpx.Client, data: Data) -> None:
    with pytest.raises(GoFastAPIError, match="16 MB"):
        platform.client.insert_document("large", {"text": "x" * 17_000_000})
    for depth, status in ((150, 201), (300, 422), (5000, 400), (100_000, 400)):
        content = '{"document":' + '{"a":' * depth + "1" + "}" * depth + "}"
        answer = http.post("/collections/deep/documents", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == status, (depth, answer.text[:300])
    assert len(http.get("/collections/deep/documents").json()["documents"]) == 1
    large = platform.client.insert_document("large", {"_id": 1, "text": "x" * 9_000_000})
    with pytest.raises(GoFastAPIError, match="7 MB"):
        platform.client.change_document("large", large.key, DocumentChange(set={"a": 1}, version=large.version))
    deleted = platform.client.delete_document("large", large.key)
    assert deleted.undo is None
    assert "too large" in str(deleted.note)
    assert data.large.count_documents({}) == 0


@pytest.mark.parametrize(
    "filter",
    [
        {"$where": "while(true){}"},
        {"$expr": {"$function": {"body": "function(){while(true){}}", "args": [], "lang": "js"}}},
        {"a": {"$in": list(range(5000))}},
        {"text": {"$regex": "(a+)+$"}},
        {"$or": [{"a": {"$where": "1"}}]},
        {"$expr": {"$reduce": {"input": {"$range": [0, 10**9]}, "initialValue": 0, "in": 1}}},
    ],
)
def test_hostile_filters_never_reach_the_database(
    platform: Platform, http: httpx.Client, data: Data, filter: Any
) -> None:
    data.notes.insert_one({"text": "a" * 1000})
    text = json.dumps(filter)
    assert http.get("/collections/notes/documents", params={"filter": text}).status_code == 422
    assert http.get("/collections/notes/export", params={"filter": text}).status_code == 422
    assert http.post("/collections/notes/explain", json={"filter": filter}).status_code == 422
    partial = {"keys": {"a": 1}, "partial": filter}
    assert http.post("/collections/notes/indexes", json=partial).status_code == 422


def test_patterns_that_get_through_are_bounded(platform: Platform, data: Data) -> None:
    """No check of a pattern finds all that explode; MongoDB gives up on those by itself."""
    data.notes.insert_many({"text": "a" * 5000 + "!"} for _ in range(20))
    started = time.monotonic()
    for pattern in ("(a|aa)*$", "(a|a|a)*b", "^(a?){400}a{400}b", ".*.*.*.*.*.*x"):
        try:
            platform.client.documents("notes", {"text": {"$regex": pattern}})
        except InvalidRequestError:
            continue
    assert time.monotonic() - started < 60
    assert len(platform.client.documents("notes").documents) == 20


def test_a_query_that_takes_too_long_is_given_up() -> None:
    with running_platform(GOFASTAPI_DATABASE_OPERATION_SECONDS="1") as platform, opened(platform) as data:
        data.many.insert_many({"n": n, "text": "ab" * 500} for n in range(60_000))
        parts = [{"text": {"$regex": f"(a|b|c|{n})*x"}} for n in range(50)]
        started = time.monotonic()
        with pytest.raises(InvalidRequestError, match="took too long"):
            platform.client.documents("many", {"$or": parts})
        assert time.monotonic() - started < 10
        assert platform.client.documents("many", limit=1).next is not None


def test_a_database_that_is_away_is_not_called_slow(tmp_path: Path) -> None:
    with (
        pymongo.MongoClient[dict[str, Any]](f"mongodb://{quote(str(tmp_path / 'nobody.sock'), safe='')}") as client,
        pytest.raises(UnavailableError, match="does not answer at the moment"),
        told(0.2),
    ):
        client.db.notes.find_one()


def test_an_import_ends_where_the_database_is_full() -> None:
    settings = {"GOFASTAPI_DATABASE_LIMIT_BYTES": "3000000", "GOFASTAPI_DATABASE_CHECK_SECONDS": "0.2"}
    with running_platform(**settings) as platform, opened(platform) as data:
        platform.client.insert_document("old", {"_id": 1})

        def content() -> Iterator[bytes]:
            for start in range(0, 100_000, 1000):
                rows = ({"_id": n, "text": "x" * 100} for n in range(start, start + 1000))
                yield b"".join(json.dumps(row).encode() + b"\n" for row in rows)
                time.sleep(0.05)  # else all of it is there before the size is looked at

        result = list(platform.client.import_documents("notes", content()))[-1]
        assert result.kind == "failed"
        assert "over its limit" in str(result.message)
        count = data.notes.count_documents({})
        assert f"{count:,} documents are stored" in str(result.message)
        assert 0 < count < 100_000
        with pytest.raises(OverLimitError):
            platform.client.insert_document("old", {"_id": 2})
        assert len(platform.client.documents("notes").documents) == 20
        # Deleting goes on, and can be taken back when there is room again.
        token = platform.client.delete_document("old", "1").undo
        assert token is not None
        with pytest.raises(OverLimitError):
            platform.client.undo_delete(token)
        platform.client.drop_collection("notes", confirm="notes")
        until(lambda: not platform.client.database().over_limit, what="writes again")
        assert platform.client.undo_delete(token).id == 1


def test_an_import_ends_before_the_disk_is_full() -> None:
    with running_platform(GOFASTAPI_MIN_FREE_DISK_BYTES=str(10**18)) as platform, opened(platform) as data:
        result = list(platform.client.import_documents("notes", [b'{"n":1}\n']))[-1]
        assert result.kind == "failed"
        assert "disk is nearly full" in str(result.message)
        assert collections_of(data) == []


def test_many_of_everything_at_once_keeps_the_service_answering(
    platform: Platform, http: httpx.Client, data: Data
) -> None:
    big = "x" * 60_000
    for params in (
        {"filter": json.dumps({"a": big})},
        {"sort": json.dumps({big: 1})},
        {"after": big[:19_000]},
        {"after": "e30"},
        {"limit": "100000"},
        {"filter": "[" * 20_000},
        {"branch": "../../x"},
    ):
        answer = http.get("/collections/notes/documents", params=params)
        assert answer.status_code in (400, 404, 422), (answer.status_code, params.keys())
        assert answer.json()["message"]
    assert platform.client.me().database
