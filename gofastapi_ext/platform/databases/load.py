"""An archive into a database of a new name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, InvalidName, OperationFailure
from pymongo.write_concern import WriteConcern

from gofastapi_ext.core.errors import DamagedBackupError
from gofastapi_ext.platform.databases.archive.manifest import CollectionEntry, Kind, Metadata
from gofastapi_ext.platform.databases.archive.reader import Archive, Documents
from gofastapi_ext.platform.databases.progress import Progress

# Acknowledged, but not each batch on disk: what comes after the load is, and the journal keeps the order.
_FAST = WriteConcern(w=1, j=False)
# This is done with all rights on the server, and somebody may have written the file. So only what describes data is
# taken over: no word of the command's own, such as another database, and nothing of how the server stores files.
_OPTIONS = frozenset(
    {"capped", "size", "max", "validator", "validationLevel", "validationAction", "collation", "timeseries"}
    | {"viewOn", "pipeline", "clusteredIndex", "changeStreamPreAndPostImages", "expireAfterSeconds"}
)
_INDEX_OPTIONS = frozenset(
    {"unique", "sparse", "expireAfterSeconds", "partialFilterExpression", "collation", "hidden", "wildcardProjection"}
    | {"weights", "default_language", "language_override", "textIndexVersion", "2dsphereIndexVersion"}
    | {"bits", "min", "max", "prepareUnique"}
)


async def load(
    client: AsyncMongoClient[dict[str, Any]], archive: Archive, database: str, tell: Callable[[Progress], None]
) -> None:
    """Make every collection, fill it, count it, index it. Memory is bounded.

    `database` has to be empty, and is nobody's yet: where this raises, it is dropped by the caller. Raises
    `DamagedBackupError` where MongoDB does not take what the archive holds.
    """
    into = client.get_database(database, write_concern=_FAST)
    entries = archive.manifest.collections
    done = 0
    # Views last: what they look at is there then.
    for entry in sorted(entries, key=lambda entry: entry.kind is Kind.VIEW):
        _check_name(entry.name)
        metadata = await asyncio.to_thread(archive.metadata, entry)
        try:
            done = await _collection(into, archive, entry, metadata, done, tell)
        except (InvalidName, BSONError) as error:
            raise _refused(entry.name, str(error)) from None
        except BulkWriteError as error:
            raise _refused(entry.name, _first(error)) from error
        except OperationFailure as error:
            raise _refused(entry.name, str((error.details or {}).get("errmsg", error))) from error


async def _collection(
    into: AsyncDatabase[dict[str, Any]],
    archive: Archive,
    entry: CollectionEntry,
    metadata: Metadata,
    done: int,
    tell: Callable[[Progress], None],
) -> int:
    options = {name: value for name, value in metadata.options.items() if name in _OPTIONS}
    # What is past its time would go while it is counted: this is said last.
    expire_after = options.pop("expireAfterSeconds", None) if entry.kind is not Kind.VIEW else None
    if entry.name != "system.js":
        await into.command({"create": entry.name, **options})
    if entry.kind is Kind.VIEW:
        return done
    batches = archive.documents(entry)
    while (batch := await asyncio.to_thread(_next, batches)) is not None:
        documents = [RawBSONDocument(document) for document in batch]
        await into[entry.name].insert_many(documents, bypass_document_validation=True)
        done += len(batch)
        tell(Progress(entry.name, done))
    count = await into[entry.name].count_documents({})
    if count != entry.documents:
        raise DamagedBackupError(
            f'After the load "{entry.name}" has {count} documents, and should have {entry.documents}.'
        )
    indexes = [_index(index) for index in metadata.indexes if _is_made_by_us(index)]
    if indexes:
        await into.command({"createIndexes": entry.name, "indexes": indexes})
    if expire_after is not None:
        await into.command({"collMod": entry.name, "expireAfterSeconds": expire_after})
    return done


def _next(batches: Any) -> Documents | None:
    batch: Documents | None = next(batches, None)
    return batch


def _is_made_by_us(index: dict[str, Any]) -> bool:
    """The one on `_id` comes with the collection, as does that of a clustered one."""
    return index.get("name") != "_id_" and not index.get("clustered")


def _index(index: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in index.items() if name in _INDEX_OPTIONS}
    return {"key": index.get("key"), "name": index.get("name"), **rest}


def _check_name(name: str) -> None:
    if name.startswith("system.") and name != "system.js":
        raise _refused(name, "its name is one of MongoDB's own")


def _refused(name: str, why: str) -> DamagedBackupError:
    return DamagedBackupError(f'MongoDB does not take "{name}" as it is in this backup: {why}')


def _first(error: BulkWriteError) -> str:
    errors = (error.details or {}).get("writeErrors") or [{}]
    return str(errors[0].get("errmsg", error))
