"""What a query may be: harmless operators, bounded in every direction."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gofastapi_ext.core.documents.names import check_collection
from gofastapi_ext.core.documents.patterns import check_pattern
from gofastapi_ext.core.documents.query import check_change, check_filter, check_projection, check_sort, parse
from gofastapi_ext.core.errors import InvalidNameError, InvalidRequestError


def nested(depth: int, leaf: Any = 1) -> Any:
    value = leaf
    for _ in range(depth):
        value = {"$and": [value]} if isinstance(value, dict) else {"a": value}
    return value


@pytest.mark.parametrize(
    "filter",
    [
        {},
        {"a": 1, "b.c": "x", "d": None, "e": {"f": {"g": 1}}, "h": [1, {"i": 2}]},
        {"a": {"$gt": 1, "$lte": {"$date": "2026-01-01T00:00:00Z"}}, "b": {"$in": [1, "x", {"$oid": "5" * 24}]}},
        {"$or": [{"a": 1}, {"$and": [{"b": {"$not": {"$gt": 5}}}, {"$nor": [{"c": 1}]}]}]},
        {"a": {"$elemMatch": {"b": 1, "$or": [{"c": 1}]}}, "d": {"$elemMatch": {"$gt": 1}}},
        {"a": {"$all": [{"$elemMatch": {"b": 1}}, {"$elemMatch": {"b": 2}}]}},
        {"a": {"$regex": "^ab+c", "$options": "i"}, "b": {"$regularExpression": {"pattern": "x", "options": ""}}},
        {"a": {"$not": {"$regex": "x"}}, "b": {"$type": "string"}, "c": {"$mod": [4, 0]}, "d": {"$size": 2}},
        {"$text": {"$search": "coffee"}, "$comment": "mine"},
        {"$expr": {"$gt": ["$a.b", {"$add": ["$c", 1]}]}},
        {"at": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 0]]]}}}},
    ],
)
def test_what_people_ask_is_allowed(filter: dict[str, Any]) -> None:
    assert check_filter(filter) is filter


@pytest.mark.parametrize(
    "filter",
    [
        {"$where": "sleep(1e9)"},
        {"a": {"$where": "1"}},
        {"$or": [{"a": 1}, {"$where": "1"}]},
        {"a": {"$elemMatch": {"$where": "1"}}},
        {"a": {"$not": {"$where": "1"}}},
        {"$expr": {"$function": {"body": "f", "args": [], "lang": "js"}}},
        {"$expr": {"$and": [{"$eq": [1, {"$function": {}}]}]}},
        {"$expr": {"$accumulator": {}}},
        {"a": {"b": {"$where": "1"}}},
        {"a": {"$eq": {"b": {"$where": "1"}}}},
        {"a": {"$in": [{"$where": "1"}]}},
    ],
)
def test_scripts_are_refused_wherever_they_hide(filter: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="script"):
        check_filter(filter)


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ([], "object"),
        ("x", "object"),
        ({"$jsonSchema": {}}, "not an operator"),
        ({"a": {"$near": [0, 0]}}, "not an operator"),
        ({"a": {"$out": 1}}, "not an operator"),
        ({"$expr": {"$map": {"input": [], "in": 1}}}, "not an operator"),
        ({"$expr": {"$range": [0, 2_000_000_000]}}, "not an operator"),
        ({"$expr": {"$reduce": {}}}, "not an operator"),
        ({"$expr": {"$let": {"vars": {}, "in": 1}}}, "not an operator"),
        ({"$expr": {"$concat": ["$a", "$a"]}}, "not an operator"),
        ({"$expr": {"$getField": "$x"}}, "not an operator"),
        ({"a": {"$code": "f()"}}, "not an operator"),
        ({"a": {"$in": list(range(1001))}}, "1,000 are the most"),
        ({"a": {"$in": {"b": 1}}}, "takes a list"),
        ({"$or": {"a": 1}}, "takes a list"),
        ({"a": list(range(1001))}, "1,000 are the most"),
        (nested(25), "deep"),
        ({"a": json.loads("[" * 30 + "]" * 30)}, "deep"),
        ({"$or": [{f"f{n}": {"$in": list(range(900))}} for n in range(6)]}, "parts"),
        ({"a.$b": 1}, "not a field"),
        ({"a": {"$oid": "5" * 24, "$where": "1"}}, "not an operator"),
        ({"a..b": 1}, "empty part"),
        ({"": 1}, "empty part"),
        ({"a\0b": 1}, "NUL"),
        ({"a": {"$regex": "(a+)+$"}}, "repeats a group"),
        ({"a": {"$regex": "x" * 501}}, "longer"),
        ({"a": {"$regularExpression": {"pattern": "(a*)*", "options": ""}}}, "repeats a group"),
        ({"a": {"$in": [{"$regularExpression": {"pattern": "(a*)*", "options": ""}}]}}, "repeats a group"),
        ({"a": {"$regularExpression": {"pattern": 5}}}, "takes"),
        ({"a": {"$regex": "x", "$options": "e"}}, "options"),
    ],
)
def test_what_is_hostile_or_wrong_is_refused(filter: Any, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        check_filter(filter)


@pytest.mark.parametrize(
    "text", ["{", "[" * 200_000, '{"a": NaN}', "x" * 100_001, '{"a": ' * 5000, '{"a": Infinity}', ""]
)
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="filter"):
        parse(text, "filter")


@pytest.mark.parametrize(
    "pattern", ["^a+b*c{2,3}$", "(ab)+", "(a|b)*c", "[(a+)+]+", r"\(a+\)+", "(a+)?", "(?:x{2})y+", "a{b}+"]
)
def test_ordinary_patterns_are_allowed(pattern: str) -> None:
    assert check_pattern(pattern) == pattern


@pytest.mark.parametrize(
    "pattern", ["(a+)+", "(a*)*b", "((a+)b?)*", "(?:[a-z]+)*$", "(x{2,})+", "(a|b+)+", "([)]+)+", r"(\\+)+", "(a+){10}"]
)
def test_patterns_that_explode_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequestError, match="repeats"):
        check_pattern(pattern)


@pytest.mark.parametrize("name", ["notes", "shop.items", "a/b", "É", "-", "x" * 120, "systems", "a b"])
def test_names_of_collections(name: str) -> None:
    assert check_collection(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "a$b", "$cmd", "a\0b", "system.users", "system.", ".a", "a.", "a..b", "x" * 121, "é" * 61, "\ud800"),
        "gofastapi.import.x",
    ],
)
def test_names_no_collection_can_have(name: str) -> None:
    with pytest.raises(InvalidNameError):
        check_collection(name)


def test_projection_and_sort() -> None:
    assert check_projection({"a": 1, "_id": False}) == {"a": 1, "_id": 0}
    assert list(check_sort({"b": -1, "a.c": 1}).items()) == [("b", -1), ("a.c", 1)]
    for projection in ({"a": 1, "b": 0}, {"a": "$b"}, {"a": {"$slice": 1}}, {"$a": 1}, {"a": 2}, {"a": 1.0}, []):
        with pytest.raises(InvalidRequestError):
            check_projection(projection)
    for sort in (
        {"a": 2},
        {"a": True},
        {"a": {"$meta": "textScore"}},
        {"$a": 1},
        {str(n): 1 for n in range(9)},
        [["a", 1]],
    ):
        with pytest.raises(InvalidRequestError):
            check_sort(sort)


def test_a_change_names_each_field_once() -> None:
    check_change({"a.b": 1, "a.c": 2, "ab": 3}, ["d"])
    for changed, unset in (
        ({}, []),
        ({"_id": 1}, []),
        ({"_id.x": 1}, []),
        ({"a": 1, "a.b": 2}, []),
        ({"a": 1}, ["a"]),
        ({"$set": 1}, []),
        ({"a.$[]": 1}, []),
        ({"a": 1}, ["b..c"]),
        ({str(n): 1 for n in range(201)}, []),
    ):
        with pytest.raises(InvalidRequestError):
            check_change(changed, unset)
