"""Documents of a person's database: seen page by page, changed without losing what others change, taken back."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from bson import json_util
from support.data import Data, one_of_each_type
from support.platform import Platform, collections_of, running_platform

from gofastapi_ext.core.documents.views import (
    DocumentChange,
    DocumentReplace,
    ExplainRequest,
    IndexCreate,
)
from gofastapi_ext.core.errors import (
    ConflictError,
    DocumentConflictError,
    GoFastAPIError,
    InvalidRequestError,
    NotFoundError,
)


def all_pages(platform: Platform, collection: str, limit: int, **asked: Any) -> list[Any]:
    """The ids of every document, fetched page by page."""
    ids, after = [], None
    while True:
        page = platform.client.documents(collection, limit=limit, after=after, canonical=True, **asked)
        ids += [json_util.loads(json.dumps(view.id)) for view in page.documents]
        assert len(page.documents) <= limit
        after = page.next
        if after is None:
            return ids


def test_a_document_is_inserted_seen_and_changed(platform: Platform, data: Data) -> None:
    client = platform.client
    made = client.insert_document("notes", {"text": "hello", "at": {"$date": "2026-01-01T00:00:00Z"}, "n": 1})
    stored = data.notes.find_one()
    assert stored == {
        "_id": bson.ObjectId(made.id["$oid"]),
        "text": "hello",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "n": 1,
    }
    assert client.document("notes", made.key) == made
    assert client.document("notes", json.dumps(made.id)) == made

    changed = client.change_document(
        "notes",
        made.key,
        DocumentChange(set={"n": {"$numberLong": "2"}, "tags.first": "x"}, unset=["text"], version=made.version),
    )
    assert data.notes.find_one() == {"_id": stored["_id"], "at": stored["at"], "n": 2, "tags": {"first": "x"}}
    assert changed.version != made.version
    assert changed.document["tags"] == {"first": "x"}
    assert client.documents("notes").documents == [changed]
    assert client.documents("notes").count_estimate == 1

    new = DocumentReplace(document={"text": "another"}, version=changed.version)
    client.replace_document("notes", made.key, new)
    assert data.notes.find_one() == {"_id": stored["_id"], "text": "another"}


def test_every_type_can_be_told_again(platform: Platform, data: Data) -> None:
    document = one_of_each_type()
    data.types.insert_one(document)
    view = platform.client.documents("types", canonical=True).documents[0]
    assert view.document["long"] == {"$numberLong": "5"}
    data.types.delete_one({})
    platform.client.insert_document("types", view.document)
    raw = data.get_collection("types", bson.CodecOptions(bson.raw_bson.RawBSONDocument)).find_one()
    assert raw is not None
    assert raw.raw == bson.encode(document)

    relaxed = platform.client.document("types", view.key).document
    assert relaxed["long"] == 5
    assert relaxed["longest"] == {"$numberLong": str(2**63 - 1)}, "JavaScript would round it"
    assert relaxed["date"] == {"$date": "2026-11-26T12:30:01.234Z"}
    assert platform.client.document("types", view.key).version == view.version


def test_a_lost_update_shows_both_sides(platform: Platform, data: Data) -> None:
    made = platform.client.insert_document("notes", {"_id": "a", "n": 1})
    data.notes.update_one({"_id": "a"}, {"$set": {"m": 2}})
    change = DocumentChange(set={"n": 5}, version=made.version)
    with pytest.raises(DocumentConflictError, match="changed by somebody else") as caught:
        platform.client.change_document("notes", made.key, change)
    assert caught.value.details["yours"] == {"set": {"n": 5}, "unset": []}
    assert caught.value.details["theirs"]["document"] == {"_id": "a", "n": 1, "m": 2}
    assert data.notes.find_one() == {"_id": "a", "n": 1, "m": 2}
    newest = caught.value.details["theirs"]["version"]
    with pytest.raises(DocumentConflictError):
        platform.client.delete_document("notes", made.key, version=made.version)
    platform.client.change_document("notes", made.key, DocumentChange(set={"n": 5}, version=newest))
    assert data.notes.find_one() == {"_id": "a", "n": 5, "m": 2}
    data.notes.delete_one({})
    with pytest.raises(DocumentConflictError, match="deleted") as gone:
        platform.client.change_document("notes", made.key, change)
    assert gone.value.details["theirs"] is None
    assert data.notes.count_documents({}) == 0


def test_of_many_who_change_at_once_each_sees_the_others(platform: Platform, data: Data) -> None:
    """Each adds its own field to what it saw, again where it was late: nothing is lost."""
    made = platform.client.insert_document("notes", {"_id": 1, "n": 0})
    conflicts: list[int] = []

    def add(number: int) -> None:
        while True:
            seen = platform.client.document("notes", made.key)
            try:
                total = DocumentChange(set={"n": seen.document["n"] + 1, f"by {number}": True}, version=seen.version)
                platform.client.change_document("notes", made.key, total)
                return
            except DocumentConflictError:
                conflicts.append(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    document = data.notes.find_one()
    assert document is not None
    assert document["n"] == 24
    assert len(document) == 26
    assert conflicts, "nobody was ever late: this has shown nothing"


def test_a_deletion_is_taken_back(platform: Platform, data: Data) -> None:
    document = one_of_each_type()
    data.types.insert_one(document)
    view = platform.client.documents("types").documents[0]
    deleted = platform.client.delete_document("types", view.key, version=view.version)
    assert deleted.undo is not None
    assert data.types.count_documents({}) == 0
    with platform.database() as database:
        kept = bson.encode(database["undo"].find_one({}))
        assert deleted.undo.encode() not in kept
        assert b"HYPERLINK" not in kept, "it is somebody's data"
    assert platform.client.undo_delete(deleted.undo).version == view.version
    assert platform.client.document("types", view.key).version == view.version
    with pytest.raises(NotFoundError, match="once"):
        platform.client.undo_delete(deleted.undo)
    with pytest.raises(NotFoundError):
        platform.client.undo_delete("../../me")


def test_a_new_key_does_not_keep_a_deletion_from_being_taken_back(platform: Platform, data: Data) -> None:
    made = platform.client.insert_document("notes", {"n": 1})
    token = platform.client.delete_document("notes", made.key).undo
    assert token is not None
    platform.client.rotate_key()
    platform.client.rotate_key()
    assert platform.client.undo_delete(token).document == made.document


def test_a_deletion_is_not_taken_back_over_another_document(platform: Platform, data: Data) -> None:
    made = platform.client.insert_document("notes", {"_id": 1, "n": 1})
    token = platform.client.delete_document("notes", made.key).undo
    assert token is not None
    platform.client.insert_document("notes", {"_id": 1, "n": 2})
    with pytest.raises(ConflictError, match="_id 1 already"):
        platform.client.undo_delete(token)
    assert data.notes.find_one() == {"_id": 1, "n": 2}
    data.notes.delete_one({})
    assert platform.client.undo_delete(token).document == {"_id": 1, "n": 1}


def test_undo_survives_a_crash_and_ends_after_a_minute() -> None:
    with running_platform() as platform:
        made = platform.client.insert_document("notes", {"n": 1})
        token = platform.client.delete_document("notes", made.key).undo
        assert token is not None
        assert platform.process is not None
        platform.process.kill()
        platform.process.wait()
        platform.start()
        assert platform.client.undo_delete(token).document == made.document
        token = platform.client.delete_document("notes", made.key).undo
        assert token is not None
        with platform.database() as database:
            kept = database["undo"].find_one({})
            assert kept is not None
            left = kept["expires_at"].replace(tzinfo=UTC) - datetime.now(UTC)
            assert timedelta(seconds=30) < left <= timedelta(seconds=60)
            database["undo"].update_many({}, {"$set": {"expires_at": datetime.now(UTC)}})
            assert database["undo"].index_information()["expires_at_1"]["expireAfterSeconds"] == 1
        with pytest.raises(NotFoundError):
            platform.client.undo_delete(token)


def mixed_values() -> list[Any]:
    """Values of a field: every type there is, several of each, arrays, and nothing."""
    return [
        *(None, True, False, 1, 2, 2.5, bson.Int64(2), bson.Decimal128("2.1"), -1, float("nan"), float("inf")),
        *("", "a", "b", "a", "é", bson.ObjectId("5" * 24), bson.ObjectId("6" * 24), bson.MinKey(), bson.MaxKey()),
        *(datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC), bson.Timestamp(1, 1), bson.Regex("a")),
        *({}, {"a": 1}, {"a": "x"}, {"b": 1}, bson.Binary(b"x"), bson.Binary(b"xx"), bson.Binary(bytes(16), 4)),
        *([], [1], [5, 0], [None], [[1]], ["a", 1], [[], 1], [{"a": 1}], [bson.MinKey()], [bson.MaxKey(), 2]),
    ]


@pytest.mark.parametrize("direction", [1, -1])
def test_pages_follow_each_other_whatever_the_types(platform: Platform, data: Data, direction: int) -> None:
    documents = [{"_id": n, "x": value} for n, value in enumerate(mixed_values() * 2)]
    documents += [{"_id": 1000 + n} for n in range(3)]
    random.Random(1).shuffle(documents)
    data.mixed.insert_many(documents)
    expected = [d["_id"] for d in data.mixed.find().sort([("x", direction), ("_id", 1)])]
    for limit in (1, 7):
        assert all_pages(platform, "mixed", limit, sort={"x": direction}) == expected
    data.mixed.create_index([("x", direction)])
    assert all_pages(platform, "mixed", 5, sort={"x": direction}) == expected
    assert all_pages(platform, "mixed", 5, sort={"x": direction, "_id": -1}) == [
        d["_id"] for d in data.mixed.find().sort([("x", direction), ("_id", -1)])
    ]


def test_ids_of_every_type_are_paged_and_found(platform: Platform, data: Data) -> None:
    values = [value for value in mixed_values() if not isinstance(value, list | bson.Regex)]
    ids = list({str(value): value for value in values}.values())
    ids += ["a/b", "..", "a/../b", "a/documents/b", "%2F", "é\u2028", '"', "~x", {"a": {"b": "/"}}]
    random.Random(2).shuffle(ids)
    data.ids.insert_many({"_id": value} for value in ids)
    expected = [bson.encode({"": d["_id"]}) for d in data.ids.find().sort("_id", 1)]
    page = all_pages(platform, "ids", 3)
    assert len(page) == len(expected)
    after, views = None, []
    while True:
        found = platform.client.documents("ids", limit=4, after=after, canonical=True)
        views += found.documents
        after = found.next
        if after is None:
            break
    for view in views:
        assert platform.client.document("ids", view.key, canonical=True) == view
        assert platform.client.document("ids", json.dumps(view.id), canonical=True) == view
        platform.client.delete_document("ids", view.key, version=view.version)
    assert data.ids.count_documents({}) == 0


def test_several_fields_and_fields_of_arrays_are_paged(platform: Platform, data: Data) -> None:
    chance = random.Random(3)
    data.many.insert_many(
        {"_id": n, "a": chance.choice([1, 2, "x", None]), "b": chance.choice([True, 3.5, [1, 9], []]),
         "list": [{"n": chance.randrange(5)} for _ in range(chance.randrange(3))] or chance.choice([{"n": 2}, 7, []])}
        for n in range(150)
    )  # fmt: skip
    for sort in ({"a": 1, "b": -1}, {"b": 1, "a": -1, "_id": -1}):
        expected = [d["_id"] for d in data.many.find().sort([*sort.items(), *([] if "_id" in sort else [("_id", 1)])])]
        assert all_pages(platform, "many", 9, sort=sort) == expected
    for direction in (1, -1):
        ids = all_pages(platform, "many", 7, sort={"list.n": direction})
        assert sorted(ids) == list(range(150)), "every document once"


def test_pages_stay_right_while_documents_come_and_go(platform: Platform, data: Data) -> None:
    data.notes.insert_many({"_id": n, "n": n} for n in range(0, 100, 2))
    first = platform.client.documents("notes", limit=10, sort={"n": 1})
    data.notes.insert_many({"_id": n, "n": n} for n in range(1, 18, 2))
    data.notes.delete_many({"n": {"$lt": 10}})
    following = platform.client.documents("notes", limit=10, sort={"n": 1}, after=first.next)
    assert [view.id for view in following.documents] == list(range(20, 40, 2))


def test_a_page_is_bounded_in_bytes(platform: Platform, data: Data) -> None:
    data.large.insert_many({"_id": n, "text": "x" * 3_000_000} for n in range(6))
    page = platform.client.documents("large", limit=6)
    assert len(page.documents) < 6
    assert page.next is not None
    assert all_pages(platform, "large", 6) == list(range(6))


def test_filter_and_projection(platform: Platform, data: Data) -> None:
    data.notes.insert_many({"n": n, "text": f"note {n}", "at": {"x": n, "y": 1}} for n in range(20))
    page = platform.client.documents("notes", {"n": {"$gte": 18}}, projection={"text": 1, "at.x": 1})
    assert [view.document.keys() for view in page.documents] == [{"_id", "text", "at"}] * 2
    assert page.documents[0].document["at"] == {"x": 18}
    assert page.count_estimate is None
    hidden = platform.client.documents("notes", {"n": 1}, projection={"at": 0, "_id": 0}).documents[0]
    assert hidden.document == {"n": 1, "text": "note 1"}
    assert hidden.version == platform.client.document("notes", hidden.key).version
    assert platform.client.documents("notes", {"n": 1}, projection={"_id": 1}).documents[0].document.keys() == {"_id"}
    assert len(platform.client.documents("notes", {"text": {"$regex": "^NOTE 1$", "$options": "i"}}).documents) == 1
    oid = hidden.id["$oid"]
    assert len(platform.client.documents("notes", {"_id": {"$oid": oid}}).documents) == 1
    assert len(platform.client.documents("notes", {"$expr": {"$eq": ["$at.x", "$n"]}}, limit=200).documents) == 20
    with pytest.raises(NotFoundError, match='no collection "nowhere"'):
        platform.client.documents("nowhere")


def test_collections_and_indexes_come_and_go(platform: Platform, data: Data) -> None:
    client = platform.client
    client.create_collection("shop/items.new é")
    with pytest.raises(ConflictError, match="already"):
        client.create_collection("shop/items.new é")
    made = client.insert_document("shop/items.new é", {"sku": 1})
    assert client.document("shop/items.new é", made.key) == made
    index = IndexCreate(keys={"sku": 1, "at": -1}, unique=True, partial={"sku": {"$gt": 0}})
    assert client.create_index("shop/items.new é", index).name == "sku_1_at_-1"
    assert client.create_index("shop/items.new é", index).name == "sku_1_at_-1"
    client.create_index("shop/items.new é", IndexCreate(keys={"at": 1}, expire_after_seconds=60, name="old/ones"))
    indexes = data["shop/items.new é"].index_information()
    assert indexes["sku_1_at_-1"]["partialFilterExpression"] == {"sku": {"$gt": 0}}
    assert indexes["old/ones"]["expireAfterSeconds"] == 60
    with pytest.raises(ConflictError, match=r"sku 1.* already"):
        client.insert_document("shop/items.new é", {"sku": 1})
    client.drop_index("shop/items.new é", "old/ones")
    for name in ("old/ones", "*", "_id_"):
        with pytest.raises(GoFastAPIError):
            client.drop_index("shop/items.new é", name)
    assert set(data["shop/items.new é"].index_information()) == {"_id_", "sku_1_at_-1"}
    with pytest.raises(InvalidRequestError, match="confirm"):
        client.drop_collection("shop/items.new é", confirm="shop")
    client.drop_collection("shop/items.new é", confirm="shop/items.new é")
    assert collections_of(data) == []
    with pytest.raises(NotFoundError):
        client.drop_collection("shop/items.new é", confirm="shop/items.new é")


def test_explain_says_whether_an_index_helps(platform: Platform, data: Data) -> None:
    data.notes.insert_many({"n": n} for n in range(2000))
    slow = platform.client.explain("notes", ExplainRequest(filter={"n": 7}))
    assert (slow.uses_index, slow.documents_examined, slow.returned) == (False, 2000, 1)
    assert slow.advice is not None
    assert "index" in slow.advice
    platform.client.create_index("notes", IndexCreate(keys={"n": 1}))
    fast = platform.client.explain("notes", ExplainRequest(filter={"n": 7}, sort={"n": 1}))
    assert (fast.uses_index, fast.indexes, fast.documents_examined, fast.advice) == (True, ["n_1"], 1, None)
    assert platform.client.explain("notes", ExplainRequest(filter={"m": 1}, sort={"m": 1})).sorts_in_memory


def test_views_are_read_and_not_written(platform: Platform, data: Data) -> None:
    data.notes.insert_many({"_id": n} for n in range(5))
    data.create_collection("short", viewOn="notes", pipeline=[{"$limit": 3}])
    assert [view.id for view in platform.client.documents("short").documents] == [0, 1, 2]
    with pytest.raises(InvalidRequestError, match="view"):
        platform.client.insert_document("short", {"n": 1})
