"""A mongod of a test's own, and the same databases in every test of backups."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database

from gofastapi_ext.client.mongod import find_mongod
from support.waiting import until

EVERY_TYPE: dict[str, Any] = {
    "double": 1.5,
    "minus_zero": -0.0,
    "nan": float("nan"),
    "text": "Grüße\u2028\x00end",
    "object": {"b": 1, "a": {"": None}},
    "array": [1, [2, []], {}],
    "binary": Binary(b"\x00\xff", 0),
    "user_binary": Binary(b"x", 128),
    "uuid": Binary(b"\x01" * 16, 4),
    "id": ObjectId("0123456789abcdef01234567"),
    "bool": True,
    "date": datetime(1, 1, 1, tzinfo=UTC),
    "null": None,
    "regex": Regex("a.*b", "im"),
    "code": Code("function () {}"),
    "scoped": Code("x", {"x": 1}),
    "ref": DBRef("other", 1, "db"),
    "int32": 7,
    "int64": Int64(7),
    "timestamp": Timestamp(5, 6),
    "decimal": Decimal128("0.10"),
    "decimal_nan": Decimal128("NaN"),
    "min": MinKey(),
    "max": MaxKey(),
}
# What no driver writes, but is BSON all the same: a name twice, and one with a dot.
_ODD = (
    b"\x10_id\x00\x09\x00\x00\x00\x10a.b\x00\x01\x00\x00\x00\x10twice\x00\x01\x00\x00\x00\x10twice\x00\x02\x00\x00\x00"
)
ODD = (len(_ODD) + 5).to_bytes(4, "little") + _ODD + b"\x00"


def fill(database: Database[dict[str, Any]]) -> None:
    """Everything that a database can hold and a backup promises to keep."""
    database.types.insert_one({"_id": 1, **EVERY_TYPE})
    database.types.insert_one(RawBSONDocument(ODD))  # type: ignore[arg-type]
    database["weird  näme/with.%2F"].insert_one({"_id": "x"})
    database.notes.insert_many([{"_id": n, "n": n, "text": f"note {n}", "pad": "x" * 200} for n in range(2500)])
    notes = database.notes
    notes.create_index("n", unique=True)
    notes.create_index([("n", 1), ("text", -1)], name="both", partialFilterExpression={"n": {"$gt": 5}})
    notes.create_index([("text", "text")], default_language="german", weights={"text": 3})
    notes.create_index([("place", "2dsphere")], sparse=True)
    notes.create_index([("pad", "hashed")])
    notes.create_index([("$**", 1)], wildcardProjection={"pad": 0}, name="wild")
    notes.create_index("text", collation={"locale": "de", "strength": 2}, name="collated")
    notes.create_index("hidden", hidden=True)
    database.create_collection("capped", capped=True, size=4096, max=5)
    database.capped.insert_many([{"_id": n} for n in (5, 3, 1, 2, 4, 9, 8)])
    database.create_collection("empty", collation={"locale": "de"})
    database.create_collection("checked", validator={"n": {"$gt": 0}}, validationAction="error")
    database.get_collection("checked").insert_one({"_id": 1, "n": -1}, bypass_document_validation=True)
    database.sessions.insert_one({"_id": 1, "at": datetime.now(UTC) + timedelta(days=1)})
    database.sessions.create_index("at", expireAfterSeconds=3600)
    database.create_collection("clustered", clusteredIndex={"key": {"_id": 1}, "unique": True}, expireAfterSeconds=9**8)
    database.clustered.insert_many([{"_id": n} for n in (2, 1)])
    database.create_collection("even", viewOn="notes", pipeline=[{"$match": {"n": {"$mod": [2, 0]}}}])
    database.create_collection("view_on_view", viewOn="even", pipeline=[{"$limit": 3}])
    series = {"timeField": "at", "metaField": "sensor", "granularity": "minutes"}
    database.create_collection("weather", timeseries=series, expireAfterSeconds=10**8)
    now = datetime.now(UTC).replace(microsecond=0)
    points = [{"at": now - timedelta(minutes=n), "sensor": {"id": n % 3}, "t": n / 7} for n in range(500)]
    database.weather.insert_many(points)
    database.weather.create_index([("sensor.id", 1), ("at", -1)])


def content(database: Database[dict[str, Any]]) -> dict[str, Any]:
    """All of it, to be compared: documents to the byte, options, indexes."""
    found: dict[str, Any] = {}
    for info in database.list_collections():
        name = info["name"]
        if name.startswith("system."):
            continue
        if info["type"] == "timeseries":
            # MongoDB itself does not keep the order of a measurement's fields.
            documents: object = list(database[name].find({}, sort=[("_id", 1)]))
        elif info["options"].get("capped"):
            documents = b"".join(database[name].find_raw_batches())
        else:
            documents = b"".join(database[name].find_raw_batches(sort=[("_id", 1)]))
        indexes = {} if info["type"] == "view" else {each["name"]: dict(each) for each in database[name].list_indexes()}
        found[name] = (info["type"], info["options"], indexes, documents)
    return found


@contextmanager
def mongod(*options: str) -> Iterator[str]:
    """A server without authentication on a socket of its own; its URI."""
    home = Path(tempfile.mkdtemp(prefix="gfam-"))
    socket = home / "m.sock"
    command = [
        str(find_mongod(None)),
        "--dbpath",
        str(home),
        "--bind_ip",
        str(socket),
        "--wiredTigerCacheSizeGB",
        "0.25",
    ]
    command += ["--logpath", str(home / "log"), "--setParameter", "diagnosticDataCollectionEnabled=false", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    uri = f"mongodb://{quote(str(socket), safe='')}/?directConnection=true"
    try:
        with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=20_000) as client:
            client.admin.command("ping")
            if "--replSet" in options:
                members = [{"_id": 0, "host": str(socket)}]
                client.admin.command("replSetInitiate", {"_id": "rs", "members": members})
                until(lambda: client.admin.command("hello")["isWritablePrimary"], 30, "a primary")
        yield uri
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)
