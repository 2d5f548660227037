"""The shape of a query names fields and operators, and no value."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from bson import Decimal128, Int64, ObjectId, Regex
from bson.code import Code

from gofastapi_ext.platform.databases.shapes import shape_of


@pytest.mark.parametrize(
    ("command", "shape"),
    [
        ({"find": "n", "filter": {"a": {"$gt": 3}}, "lsid": {"id": 1}}, 'find {"filter": {"a": {"$gt": "number"}}}'),
        ({"count": "notes", "query": {}}, "count"),
        (
            {"find": "n", "filter": {"$where": Code("sleep(1)")}, "sort": {"at": -1}},
            'find {"filter": {"$where": "code"}, "sort": {"at": "number"}}',
        ),
        (
            {"aggregate": "n", "pipeline": [{"$match": {"_id": ObjectId()}}, {"$match": {"_id": ObjectId()}}]},
            'aggregate {"pipeline": [{"$match": {"_id": "objectid"}}]}',
        ),
        (
            {"find": "n", "filter": {"_id": {"$in": list(range(10_000))}}},
            'find {"filter": {"_id": {"$in": ["number", "…"]}}}',
        ),
        ({"update": None, "q": {"name": "Ada"}, "u": {"$set": {"at": datetime.now(UTC)}}},
         'update {"q": {"name": "string"}, "u": {"$set": {"at": "datetime"}}}'),
        ({"$truncated": "{ find: 'secret' }"}, "operation"),
        ({}, "operation"),
    ],
)  # fmt: skip
def test_a_shape(command: dict[str, object], shape: str) -> None:
    assert shape_of(command) == shape


def test_no_value_stands_in_a_shape() -> None:
    hidden = [
        "hunter2",
        7_777_777,
        7.777,
        Int64(7777777),
        Regex("hunter2"),
        Decimal128("7.777"),
        b"hunter2",
        None,
        True,
    ]
    command = {"find": "n", "filter": {"$or": [{"a": value} for value in hidden], "b": hidden, "c": {"d": hidden}}}
    assert "hunter2" not in shape_of(command)
    assert "777" not in shape_of(command)


def test_a_shape_is_bounded() -> None:
    deep: dict[str, object] = {}
    for _ in range(80):
        deep = {"$and": [deep]}
    wide = {f"field{n}": n for n in range(5000)}
    assert len(shape_of({"find": "n", "filter": {"deep": deep, **wide}})) < 600
    assert len(shape_of({"x" * 5000: 1})) < 600
