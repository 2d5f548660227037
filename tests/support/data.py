"""A person's database, opened as mongosh would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pymongo
from bson.datetime_ms import DatetimeMS
from pymongo.database import Database

from support.platform import Platform

Data = Database[dict[str, Any]]

WHOLE = bson.CodecOptions[dict[str, Any]](
    tz_aware=True, datetime_conversion=bson.codec_options.DatetimeConversion.DATETIME_AUTO
)


def uri_of(platform: Platform) -> str:
    return platform.client.database_uri(confirm=platform.client.me().database).uri


@contextmanager
def opened(platform: Platform) -> Iterator[Data]:
    with pymongo.MongoClient[dict[str, Any]](uri_of(platform), tz_aware=True) as client:
        yield client.get_default_database()


def one_of_each_type() -> dict[str, Any]:
    """A document with every type of BSON that is in use, and with values at the edges of some."""
    now = datetime(2026, 11, 26, 12, 30, 1, 234000, UTC)
    return {
        "_id": bson.ObjectId(),
        "small": 5,
        "long": bson.Int64(5),
        "longest": bson.Int64(2**63 - 1),
        "double": 1.0,
        "negative zero": -0.0,
        "nothing": float("inf"),
        "date": now,
        "first date": datetime.min.replace(tzinfo=UTC),
        "before 1970": now - timedelta(days=36_500),
        "far date": DatetimeMS(10**15),
        "decimal": bson.Decimal128("1.50"),
        "binary": bson.Binary(bytes(range(256))),
        "uuid": bson.Binary(bytes(16), 4),
        "own binary": bson.Binary(b"mine", 128),
        "pattern": bson.Regex("^a+$", "im"),
        "timestamp": bson.Timestamp(1, 2),
        "least": bson.MinKey(),
        "most": bson.MaxKey(),
        "code": bson.Code("f()"),
        "scoped code": bson.Code("f()", {"x": bson.Int64(1)}),
        "reference": bson.DBRef("other", bson.ObjectId()),
        "null": None,
        "yes": True,
        "text": 'ünïcödé \u2028 "quoted", \r\n and more\x00',
        "looks like": ["5", "true", "null", "", " 5", "007", "1e5", "=1+1", "+49 30", "-x", "@me", '"', "[x", "{}"],
        "array": [1, [2, {}], [], bson.Int64(3)],
        "object": {"deep": {"er": bson.Int64(1), "none": {}}, "x.y": 1},
        "": "no name",
        "a.b": 2,
        "[odd": 3,
        "=formula": "=HYPERLINK(1)",
        "number as text": "12345",
        "empty": "",
    }


def as_bytes(document: dict[str, Any]) -> dict[str, bytes]:
    """Its fields, each byte for byte, whatever their order."""
    return {name: bson.encode({"": value}) for name, value in document.items()}
