"""Files of documents in and out: types that survive, lines that are told, and memory that does not grow."""

from __future__ import annotations

import csv
import io
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise

import bson
import psutil
import pytest
from support.data import WHOLE, Data, as_bytes, one_of_each_type
from support.platform import Platform, collections_of
from support.transfers import export, lines, load

from gofastapi_ext.core.documents.views import Format, ImportMode
from gofastapi_ext.core.errors import InvalidNameError, InvalidRequestError, NotFoundError

MB = 1_000_000


@contextmanager
def grown(platform: Platform) -> Iterator[list[int]]:
    """By how many bytes the service's memory grows meanwhile, at most; known at the end."""
    service = psutil.Process(platform.client.service().pid)
    before, most, over = service.memory_info().rss, [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            most[0] = max(most[0], service.memory_info().rss - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()


def test_json_lines_bring_every_type_back(platform: Platform, data: Data) -> None:
    documents = [one_of_each_type() for _ in range(3)]
    data.types.insert_many(documents)
    exported = export(platform, "types", sort={"_id": 1})
    data.types.drop()
    assert load(platform, "types", exported).stored == 3
    raw = data.get_collection("types", bson.CodecOptions(bson.raw_bson.RawBSONDocument))
    assert [found.raw for found in raw.find().sort("_id", 1)] == [bson.encode(d) for d in documents]
    assert export(platform, "types", sort={"_id": 1}) == exported
    plain = json.loads(export(platform, "types", plain=True).splitlines()[0])
    assert plain["long"] == 5


def test_csv_brings_every_type_back(platform: Platform, data: Data) -> None:
    documents = [one_of_each_type(), {"_id": 1, "text": "only this"}, {"_id": "two", "object": 5, "array": {}}]
    data.types.insert_many(documents)
    exported = export(platform, "types", format=Format.CSV, sort={"_id": 1})
    for row in csv.reader(io.StringIO(exported.decode(), newline="")):
        for cell in row:
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), "a spreadsheet would run it"
            assert not cell.startswith("-") or float(cell) <= 0
    data.types.drop()
    result = load(platform, "types", exported, format=Format.CSV)
    assert (result.kind, result.stored, result.problems) == ("done", 3, [])
    found = {str(d["_id"]): as_bytes(d) for d in data.get_collection("types", WHOLE).find()}
    expected = {str(d["_id"]): as_bytes(d) for d in documents}
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name].keys() == expected[name].keys()
        for field, value in expected[name].items():
            if field != "object":  # the order of its fields is that of the columns
                assert found[name][field] == value, field
    whole = data.get_collection("types", WHOLE).find_one({"_id": documents[0]["_id"]})
    assert whole is not None
    assert whole["object"] == documents[0]["object"]


def test_csv_for_people(platform: Platform, data: Data) -> None:
    data.notes.insert_one({"_id": 1, "at": datetime(2026, 1, 2, tzinfo=UTC), "who": {"name": "=cmd()"}, "tags": ["a"]})
    text = export(platform, "notes", format=Format.CSV, plain=True).decode()
    assert text == '_id,at,who.name,tags\r\n1,2026-01-02T00:00:00+00:00,\'=cmd(),"[""a""]"\r\n'


def test_a_csv_of_a_spreadsheet_is_read(platform: Platform, data: Data) -> None:
    text = (
        "\ufeffname,age,zip,address.city,tags,note,born\r\n"
        'Ann,41,01234,Rome,"[""a"",""b""]","two\r\nlines, and a comma",2001-01-01\r\n'
        "\r\n"
        "Bob,,12,,,x,\r\n"
        "Eve,1,2,3,4,5,6,7\r\n"
        'Odd,"{""$oid"":""no""}"\r\n'
    )
    result = load(platform, "people", [text.encode()[n : n + 7] for n in range(0, len(text), 7)], format=Format.CSV)
    assert (result.kind, result.stored, result.refused) == ("done", 2, 2)
    assert [problem.line for problem in result.problems] == [6, 7]
    assert "8 cells" in result.problems[0].message
    assert list(data.people.find({}, {"_id": 0})) == [
        {"name": "Ann", "age": 41, "zip": "01234", "address": {"city": "Rome"}, "tags": ["a", "b"],
         "note": "two\r\nlines, and a comma", "born": "2001-01-01"},
        {"name": "Bob", "zip": 12, "note": "x"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,a\n1,2\n", "same name"),
        (b"a,,b\n1,2,3\n", "no name"),
        (b'a\n"never closed\nand so on\n', "opened in line 2 is never closed"),
        ("größe,b\n1,2\n".encode("latin-1"), "Line 1, which names the columns: It is not text in UTF-8. Convert"),
        ("a,b\n1,2\n".encode("utf-16"), "not text in UTF-8"),
        (b'"a"b,c\n1,2\n', "It is not CSV"),
        (b".".join([b"a"] * 1_000) + b"\n1\n", "nested deeper than the 100 levels"),
        (b".".join([b"a"] * 10_000_000) + b"\n1\n", "is too long"),
        (b",".join(b"%d" % n for n in range(20_001)) + b"\n1\n", "20,001 columns; 20,000 are allowed"),
        (b"a,a.b\n1,2\n", ""),
    ],
)
def test_a_csv_that_makes_no_sense_is_told(platform: Platform, data: Data, content: bytes, said: str) -> None:
    result = load(platform, "bad", content, format=Format.CSV)
    if said:
        assert result.kind == "failed"
        assert said in str(result.message)
    else:
        assert result.problems[0].line == 2
    assert data.bad.count_documents({}) == 0


def test_lines_that_cannot_be_stored_are_told_by_number(platform: Platform, data: Data) -> None:
    data.create_collection("notes", validator={"n": {"$not": {"$type": "string"}}})
    data.notes.create_index("sku", unique=True, sparse=True)
    data.notes.insert_one({"_id": 1})
    content = b"\n".join(
        [b'{"_id":1}', b'{"_id":2,"sku":"x"}', b"nonsense", b"", b"[1]", b'{"_id":{"$oid":"x"}}',
         b'{"_id":3,"sku":"x"}',
         b'{"_id":4,"n":"text"}', b'{"_id":5,"n":99999999999999999999}', b"\xff\xfe", b'{"_id":6}', b'{"a":' * 5000]
    )  # fmt: skip
    result = load(platform, "notes", content)
    assert (result.kind, result.lines, result.stored, result.refused) == ("done", 12, 2, 9)
    told = {problem.line: problem.message for problem in result.problems}
    assert list(told) == [1, 3, 5, 6, 7, 8, 9, 10, 12]
    assert "_id 1 already" in told[1]
    assert "sku x already" in told[7]
    assert "rules of the collection" in told[8]
    assert "deeply" in told[12]
    assert sorted(d["_id"] for d in data.notes.find()) == [1, 2, 6]
    many = load(platform, "notes", b"x\n" * 5000)
    assert (many.refused, len(many.problems), many.problems[-1].line) == (5000, 20, 20)
    assert "begins a list" in load(platform, "notes", b'[{"a":1},\n{"a":2}]').problems[0].message


@pytest.mark.parametrize(("value", "count"), [(b"{}", 7_900_000), (b"[]", 7_900_000), (b"0", 11_900_000)])
def test_a_line_of_very_many_values_is_refused_unread(platform: Platform, value: bytes, count: int) -> None:
    """Each of them would take a hundred bytes of memory."""
    with grown(platform) as most:
        result = load(platform, "dense", b'{"a":[' + b",".join([value] * count) + b"]}\n")
    assert [problem.message for problem in result.problems] == [
        "It holds more values than fit into the 16 MB that MongoDB allows."
    ]
    assert most[0] < 150 * MB, f"{most[0] / MB:.1f} MB more"


def test_a_replacement_is_all_or_nothing(platform: Platform, data: Data) -> None:
    data.create_collection("notes", validator={"n": {"$exists": True}})
    data.notes.create_index("n", unique=True)
    data.notes.insert_one({"_id": "old", "n": 1})
    how = {"mode": ImportMode.REPLACE}
    failed = load(platform, "notes", lines([{"n": 5}, {"n": 5}, {"m": 1}]), **how)
    assert failed.kind == "failed"
    assert "as it was" in str(failed.message)
    assert [problem.line for problem in failed.problems] == [2, 3]
    assert data.notes.find_one() == {"_id": "old", "n": 1}
    early = load(platform, "notes", b"x\n" * 1_000_000, **how)
    assert early.lines < 100_000, "it need not be read to the end to know"
    assert collections_of(data) == ["notes"]

    done = load(platform, "notes", lines({"n": n} for n in range(2500)), **how)
    assert (done.kind, done.stored) == ("done", 2500)
    assert data.notes.count_documents({}) == 2500
    assert data.notes.index_information()["n_1"]["unique"]
    assert data.notes.options()["validator"] == {"n": {"$exists": True}}
    assert load(platform, "new", lines([{"n": 1}]), **how).stored == 1
    assert sorted(collections_of(data)) == ["new", "notes"]


def test_many_documents_in_little_memory(platform: Platform, data: Data) -> None:
    count = 60_000
    row = {"name": "x" * 300, "tags": ["a", "b"], "at": {"$date": "2026-01-01T00:00:00Z"}, "of": {"x": 1.5}}

    def content() -> Iterator[bytes]:
        for start in range(0, count, 1000):
            yield lines({"_id": n} | row for n in range(start, start + 1000))

    load(platform, "warm", lines({"_id": n} | row for n in range(3000)))
    with grown(platform) as most:
        assert load(platform, "many", content()).stored == count
        with open(os.devnull, "wb") as nothing:
            for format in Format:
                platform.client.export_documents("many", nothing, format=format)
        page = platform.client.documents("many", sort={"of.x": 1}, limit=200)
        assert page.next is not None
    # The file alone has 27 MB.
    assert most[0] < 25 * MB, f"{most[0] / MB:.1f} MB more"
    assert data.many.count_documents({}) == count


def test_an_import_says_how_far_it_is(platform: Platform, data: Data) -> None:
    """Whoever reads while sending sees it grow."""

    def content() -> Iterator[bytes]:
        for n in range(14):
            yield lines({"n": n, "m": m} for m in range(1000))
            time.sleep(0.2)  # as over a slow line: progress is told once in a while, not for each piece

    events = list(platform.client.import_documents("notes", content()))
    assert [event.kind for event in events[:-1]] == ["progress"] * (len(events) - 1)
    assert events[:-1]
    assert all(a.stored <= b.stored and a.bytes <= b.bytes for a, b in pairwise(events))
    assert events[-1].stored == 14_000


def test_what_cannot_be_asked_is_said_before_anything_is_sent(platform: Platform, data: Data) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        export(platform, "nowhere")
    data.notes.insert_one({"n": 1})
    with pytest.raises(InvalidRequestError, match="script"):
        platform.client.export_documents("notes", io.BytesIO(), {"$where": "1"})
    with pytest.raises(InvalidNameError):
        load(platform, "system.users", b"{}")
    with pytest.raises(InvalidRequestError):
        list(platform.client.import_documents("notes", [b"{}"], format="xml"))
    assert export(platform, "notes", projection={"_id": 0}) == b'{"n":{"$numberInt":"1"}}\n'
