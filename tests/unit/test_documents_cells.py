"""Cells of CSV: whatever is written is read again, and nothing a spreadsheet would run is written."""

from __future__ import annotations

import asyncio
import csv
import random
from collections.abc import AsyncIterator
from typing import Any

import bson
import pytest

from gofastapi_ext.core.errors import InvalidRequestError, TooLargeError
from gofastapi_ext.platform.databases import cells, records
from gofastapi_ext.platform.databases.records import Record, batches

TEXTS = (
    *("", " ", "a", "007", "7", "-7", "+7", "1e5", "1E400", "Infinity", "NaN", "nan", "true", "True", "null", " null "),
    *("=1+1", "@x", "\tx", "\rx", "-", "--", "[", "[1]", "[x]", "{", "{}", '{"$oid":"x"}', '"', '"x"', "'=1", "a,b"),
    *("12345678901234567890123", "é\u2028", "line\nbreak", "tab\there", "\x00", "\ufeffx", "0x10", "1_000", "٣"),
)


@pytest.mark.parametrize("text", TEXTS)
def test_text_stays_text(text: str) -> None:
    cell = cells.exact_cell(text)
    assert cells.read_cell(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_any_text_stays_text() -> None:
    chance = random.Random(1)
    alphabet = '=+-@"{}[]:,0123456789.eEtrufalsn \t\r\n$oidNIé'
    for _ in range(20_000):
        text = "".join(chance.choices(alphabet, k=chance.randrange(8)))
        assert cells.read_cell(cells.exact_cell(text)) == text


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 5, -5, 2**40, bson.Int64(5), bson.Int64(2**40), bson.Int64(-(2**63)), 1.0, -0.5, float("inf")),
        *(1e300, bson.ObjectId(), bson.Decimal128("1.10"), bson.Binary(b"x", 5), [1, {"a": bson.Int64(1)}], {}, []),
    ],
)
def test_types_come_back(value: Any) -> None:
    again = cells.read_cell(cells.exact_cell(value))
    assert bson.encode({"": again}) == bson.encode({"": value})


def test_columns_of_any_name_come_back() -> None:
    paths = [("a",), ("a", "b"), ("a.b",), ("",), ("x", "", "y"), ("[1]",), ("=x",), ("-",), ("a", "b.c"), ('"',)]
    header = cells.header_row(paths, plain=False)
    row = records_of(header.encode())
    assert cells.read_header(row) == paths


def records_of(content: bytes) -> list[str]:
    return next(csv.reader([content.decode().rstrip("\r\n")], strict=True))


def cut(content: bytes, size: int, *, quoted: bool) -> list[Record]:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), size):
            yield content[start : start + size]

    async def all_of() -> list[Record]:
        return [record async for batch in batches(chunks(), quoted=quoted) for record in batch]

    return asyncio.run(all_of())


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_records_are_cut_wherever_pieces_end(size: int) -> None:
    content = b'a,"b\n\nc"\r\n\r\nd,"e ""f"" g"\n\n"h\ni",j'
    assert cut(content, size, quoted=True) == [
        Record(1, b'a,"b\n\nc"\r\n'),
        Record(5, b'd,"e ""f"" g"\n'),
        Record(7, b'"h\ni",j'),
    ]
    assert [record.line for record in cut(content, size, quoted=False)] == [1, 3, 5, 7, 8]


def test_a_line_without_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 1000)
    with pytest.raises(TooLargeError, match="Line 2"):
        cut(b"x\n" + b"y" * 5000, 100, quoted=False)
    with pytest.raises(InvalidRequestError, match="line 2 is never closed"):
        cut(b'x\n"' + b"y\n" * 5000, 100, quoted=True)


def test_a_row_that_contradicts_itself_is_told() -> None:
    for row, columns in (
        (["1", "2"], [("a",), ("a", "b")]),
        (["1", "2"], [("a", "b"), ("a",)]),
        (["1", "2", "3"], [("a",), ("b",)]),
        (['{"$oid":"x"}'], [("a",)]),
    ):
        with pytest.raises(InvalidRequestError):
            cells.read_document(row, columns)
    assert cells.read_document(["", "2"], [("a",), ("a", "b")]) == {"a": {"b": 2}}
