"""Whole databases into files and out of them, with all rights on the server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.platform.databases.archive.manifest import MAX_NOTES, Manifest
from gofastapi_ext.platform.databases.archive.reader import Archive
from gofastapi_ext.platform.databases.archive.writer import ArchiveWriter, Spool, discarded_on_failure
from gofastapi_ext.platform.databases.consistency import ConsistentReads
from gofastapi_ext.platform.databases.dump import dump
from gofastapi_ext.platform.databases.load import load
from gofastapi_ext.platform.databases.progress import Progress


@dataclass(frozen=True)
class Source:
    """Whose database is copied."""

    user: str
    database: str
    branch: str | None = None


@dataclass(frozen=True)
class Size:
    bytes: int
    """Of documents, as they are when they are read, and of indexes."""
    documents: int


class Copies:
    """Every method raises `UnavailableError` where MongoDB goes away meanwhile: nothing is in force by then."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], installation: str, mark: Path) -> None:
        """`mark` is the file that tells the next service of a lock which this one leaves behind."""
        self._client = client
        self._reads = ConsistentReads(client, mark)
        self.installation = installation

    async def release(self) -> None:
        """Unlock what a copy that was cut short left locked, as by a crash of the service."""
        with _in_words("MongoDB could not be unlocked"):
            await self._reads.release()

    async def size(self, database: str) -> Size:
        with _in_words("The database could not be asked for its size"):
            found = await self._client[database].command("dbStats")
        return Size(int(found["dataSize"] + found["indexSize"]), int(found["objects"]))

    async def save(self, source: Source, path: Path, tell: Callable[[Progress], None]) -> tuple[Manifest, str]:
        """The database as it is at one moment, into a file that is on disk then; its contents, and its sha256."""
        with _in_words("The database could not be copied"):
            server = await self._client.server_info()
            with Spool(path.parent) as spool, discarded_on_failure(ArchiveWriter(path)) as writer:
                async with self._reads.reading() as reading:
                    created_at = datetime.now(UTC)
                    found = await dump(self._client, source.database, reading, spool, tell)
                await asyncio.to_thread(writer.pack, spool)
                manifest = Manifest(
                    created_at=created_at,
                    user=source.user,
                    database=source.database,
                    branch=source.branch,
                    installation=self.installation,
                    server_version=str(server["version"]),
                    consistency=reading.consistency,
                    collections=found.entries,
                    notes=found.notes[:MAX_NOTES],
                )
                sha256 = await asyncio.to_thread(writer.finish, manifest)
        return manifest, sha256

    async def load(self, path: Path, database: str, tell: Callable[[Progress], None]) -> None:
        """What a file holds into a database that is not there yet. Raises `DamagedBackupError`."""
        with _in_words("The copy could not be loaded"), Archive.open(path) as archive:
            await load(self._client, archive, database, tell)


@contextlib.contextmanager
def _in_words(what: str) -> Iterator[None]:
    try:
        yield
    except ConnectionFailure as error:
        raise UnavailableError(f"{what}: MongoDB went away meanwhile. Nothing was changed; run it again.") from error
    except OperationFailure as error:
        said = (error.details or {}).get("errmsg", error)
        raise UnavailableError(f"{what}: {said}. Nothing was changed.") from error
    except PyMongoError as error:
        raise UnavailableError(f"{what}: {error}. Nothing was changed.") from error
    except OSError as error:
        raise UnavailableError(f"{what}: {error.strerror or error}. Is the disk full? Nothing was changed.") from error
