"""Files of documents into a database and out of it, beside what pymongo does by itself with the same credentials."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pymongo
from bson import json_util

from benchmarks.measure import Figures
from benchmarks.programs import Service
from benchmarks.web import BenchmarkError

_BATCH = 1_000
_CHUNK_BYTES = 256_000
_ROUNDS = 3


def transfers(service: Service, folder: Path, count: int) -> Figures:
    """Documents a second, in turns: through the service, by bulk operations alone, and with the JSON a file needs."""
    client = service.client
    uri = client.database_uri(confirm=client.me().database).uri
    source, target = folder / "documents.jsonl", folder / "exported.jsonl"
    source.write_text("".join(json_util.dumps(_document(n), json_options=json_util.CANONICAL_JSON_OPTIONS) + "\n"
                              for n in range(count)))  # fmt: skip
    rates: dict[str, list[float]] = {name: [] for name in ("import", "insert_many", "load", "export", "find", "dump")}
    with pymongo.MongoClient[dict[str, Any]](uri, tz_aware=True) as mongo:
        database = mongo.get_default_database()

        def timed(name: str, work: Any) -> None:
            started = time.perf_counter()
            work()
            rates[name].append(count / (time.perf_counter() - started))
            if database["bench"].estimated_document_count() != count:
                raise BenchmarkError(f"{name}: {database['bench'].estimated_document_count()} of {count} documents")

        def imported() -> None:
            last = list(client.import_documents("bench", _pieces(source)))[-1]
            if last.kind != "done":
                raise BenchmarkError(f"import: {last.message}")

        def inserted() -> None:
            for start in range(0, count, _BATCH):
                database["bench"].insert_many(ready[start : start + _BATCH], ordered=False)

        def loaded() -> None:
            with source.open() as lines:
                batch: list[Any] = []
                for line in lines:
                    batch.append(json_util.loads(line))
                    if len(batch) == _BATCH:
                        database["bench"].insert_many(batch, ordered=False)
                        batch = []
                if batch:
                    database["bench"].insert_many(batch, ordered=False)

        def exported() -> None:
            with target.open("wb") as file:
                client.export_documents("bench", file)

        def found() -> None:
            for _ in database["bench"].find(batch_size=_BATCH):
                pass

        def dumped() -> None:
            with target.open("w") as file:
                for document in database["bench"].find(batch_size=_BATCH):
                    file.write(json_util.dumps(document, json_options=json_util.CANONICAL_JSON_OPTIONS) + "\n")

        ready = [_document(n) for n in range(count)]
        for turn in range(_ROUNDS):
            writes = [("import", imported), ("insert_many", inserted), ("load", loaded)]
            for name, work in writes if turn % 2 == 0 else reversed(writes):
                database["bench"].drop()
                timed(name, work)
            reads = [("export", exported), ("find", found), ("dump", dumped)]
            for name, work in reads if turn % 2 == 0 else reversed(reads):
                timed(name, work)
        database["bench"].drop()

    def ratio(ours: str, theirs: str) -> float:
        return median(mine / other for mine, other in zip(rates[ours], rates[theirs], strict=True))

    return {
        "import_insert_many_ratio": ratio("import", "insert_many"),
        "import_load_ratio": ratio("import", "load"),
        "export_find_ratio": ratio("export", "find"),
        "export_dump_ratio": ratio("export", "dump"),
        "raw": {
            "documents_per_second": rates,
            "documents": count,
            "document": json.loads(json_util.dumps(_document(0))),
        },
    }


def _document(number: int) -> dict[str, Any]:
    """One as apps store them: 300 bytes, with a date, a list and an object in it."""
    return {
        "_id": number,
        "title": f"Note number {number}",
        "text": "The quick brown fox jumps over the lazy dog. " * 3,
        "at": json_util.loads('{"$date": "2026-01-01T00:00:00Z"}'),
        "score": number / 7,
        "done": number % 3 == 0,
        "tags": ["one", "two"],
        "author": {"name": "Ann", "karma": number},
    }


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            yield piece
