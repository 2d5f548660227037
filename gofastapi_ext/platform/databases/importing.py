"""A file that streams into a collection, whatever its size, a batch at a time."""

from __future__ import annotations

import asyncio
import csv
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import anyio
import bson
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, PyMongoError

from gofastapi_ext.core.documents.names import STAGING_PREFIX, check_collection
from gofastapi_ext.core.documents.views import Format, ImportEvent, ImportMode, LineProblem
from gofastapi_ext.core.errors import GoFastAPIError, InvalidRequestError, UnavailableError
from gofastapi_ext.platform.databases import cells, ejson
from gofastapi_ext.platform.databases.records import MAX_RECORD_BYTES, Record, batches
from gofastapi_ext.platform.databases.refusals import is_unauthorized
from gofastapi_ext.platform.databases.trouble import duplicate_in_words, in_words, told

Document = dict[str, Any]

MAX_PROBLEMS = 20
_MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
# More than these do not fit into that: an object or a list takes 7 bytes at least, any other value 3.
_MAX_CONTAINERS = _MAX_DOCUMENT_BYTES // 7
_MAX_VALUES = _MAX_DOCUMENT_BYTES // 3
_COUNTED_FROM_BYTES = 1_000_000
_DUPLICATE = 11000
_INVALID = 121
_BATCH_SECONDS = 120.0
_CLEAN_UP_SECONDS = 30.0
# What a line, and what is in it, can raise.
_UNREADABLE = (GoFastAPIError, PyMongoError, csv.Error, OverflowError, RecursionError, ValueError)
_BOM = b"\xef\xbb\xbf"


@dataclass
class Parsed:
    """A batch on its way: documents as they are sent, each with its line, and the lines that are none."""

    documents: list[RawBSONDocument] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: list[LineProblem] = field(default_factory=list)
    last_line: int = 0

    def add(self, line: int, document: Document) -> None:
        with_id = document if "_id" in document else {"_id": bson.ObjectId(), **document}
        encoded = bson.encode(with_id)
        if len(encoded) > _MAX_DOCUMENT_BYTES:
            raise InvalidRequestError("The document is larger than the 16 MB that MongoDB allows.")
        self.documents.append(RawBSONDocument(encoded))
        self.lines.append(line)


class Import:
    """One import. With `REPLACE` it fills a collection of its own, which takes the place of the other in the end."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        collection: str,
        source: Format,
        mode: ImportMode,
        seconds: float,
        check_room: Callable[[], None],
    ) -> None:
        """`check_room` raises where the disk is nearly full; it is asked before each batch."""
        self._database = database
        self._name = check_collection(collection)
        self._source = source
        self._mode = mode
        self._seconds = seconds
        self._check_room = check_room
        self.staging = f"{STAGING_PREFIX}{secrets.token_hex(8)}" if mode is ImportMode.REPLACE else None
        """The collection of its own that it fills."""
        self._started = time.monotonic()
        self._columns: list[cells.Path] | None = None
        self._lines = self._stored = self._refused = self._bytes = 0
        self._problems: list[LineProblem] = []

    async def run(self, content: AsyncIterator[bytes]) -> AsyncGenerator[ImportEvent, None]:
        """Say now and then how far it is, and in the end how it went. What fails is said, not raised."""
        staging = self.staging
        try:
            try:
                if staging is not None:
                    await self._stage(staging)
                async for event in self._filled(self._database[staging or self._name], content):
                    yield event
                if staging is not None:
                    await self._take_place(staging)
            except GoFastAPIError as error:
                yield self._event("failed", self._how_far(error))
                return
            yield self._event("done")
        finally:
            if staging is not None:
                # After the rename it is not there, and dropping it does nothing.
                with anyio.move_on_after(_CLEAN_UP_SECONDS, shield=True):
                    await self._drop(staging)

    async def _filled(
        self, collection: AsyncCollection[Document], content: AsyncIterator[bytes]
    ) -> AsyncIterator[ImportEvent]:
        parse = self._csv if self._source is Format.CSV else _json_lines
        next_event = 1.0
        storing: asyncio.Task[None] | None = None
        try:
            async for batch in batches(self._counted(content), quoted=self._source is Format.CSV):
                parsed = await asyncio.to_thread(parse, batch)
                # One batch is stored while the next is read: two are in memory at most.
                if storing is not None:
                    await storing
                storing = asyncio.create_task(self._store(collection, parsed))
                if (elapsed := time.monotonic() - self._started) >= next_event:
                    # Ever less often: whoever sends it all before they read a line blocks nobody.
                    next_event = 1.1 * elapsed + 1
                    yield self._event("progress")
            if storing is not None:
                await storing
        finally:
            if storing is not None and not storing.done():
                storing.cancel()
                await asyncio.gather(storing, return_exceptions=True)

    async def _counted(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in content:
            yield chunk if self._bytes else chunk.removeprefix(_BOM)
            self._bytes += len(chunk)

    async def _store(self, collection: AsyncCollection[Document], parsed: Parsed) -> None:
        problems = list(parsed.problems)
        stored = 0
        try:
            if parsed.documents:
                self._check_room()
                with told(_BATCH_SECONDS):
                    await collection.insert_many(parsed.documents, ordered=False)
                stored = len(parsed.documents)
        except GoFastAPIError as error:
            cause = error.__cause__
            if (
                not isinstance(cause, BulkWriteError)
                or cause.details.get("writeConcernErrors")
                or is_unauthorized(cause)
            ):
                raise
            stored = int(cause.details["nInserted"])
            problems += [_problem(parsed.lines[e["index"]], e) for e in cause.details["writeErrors"]]
        self._stored += stored
        self._lines = parsed.last_line
        self._refused += len(problems)
        room = MAX_PROBLEMS - len(self._problems)
        self._problems += sorted(problems, key=lambda problem: problem.line)[:room]
        if self._mode is ImportMode.REPLACE and len(self._problems) >= MAX_PROBLEMS:
            raise InvalidRequestError("")  # there is no need to look for more

    def _csv(self, batch: list[Record]) -> Parsed:
        parsed = Parsed(last_line=batch[-1].line)
        for record in batch:
            if self._columns is None:
                self._columns = _csv_header(record)
            else:
                _note(parsed, record, partial(_csv_document, self._columns))
        return parsed

    async def _stage(self, staging: str) -> None:
        """Make a collection like the one that is to be replaced, its indexes included."""
        with told(self._seconds):
            found = await (await self._database.list_collections(filter={"name": self._name})).to_list()
            if found and found[0].get("type", "collection") != "collection":
                raise InvalidRequestError(f'"{self._name}" is a {found[0]["type"]}; only a collection can be replaced.')
            await self._database.create_collection(
                staging, check_exists=False, **(found[0]["options"] if found else {})
            )
            indexes = await (await self._database[self._name].list_indexes()).to_list() if found else []
            others = [dict(index) for index in indexes if index["name"] != "_id_"]
            if others:
                await self._database.command("createIndexes", staging, indexes=others)

    async def _take_place(self, staging: str) -> None:
        if self._refused:
            raise InvalidRequestError("")
        with told(_BATCH_SECONDS):
            await self._database[staging].rename(self._name, dropTarget=True)

    async def _drop(self, staging: str) -> None:
        try:
            await self._database.drop_collection(staging)
        except PyMongoError:
            return  # what is left is swept by the next import, or at the next start

    def _how_far(self, error: GoFastAPIError) -> str:
        """What is wrong, and what is stored of it now."""
        if self._mode is ImportMode.REPLACE:
            why = error.message or f"{self._refused:,} lines could not be taken."
            return f'{why} Nothing was replaced: "{self._name}" is as it was.'
        far = f"{self._stored:,} documents are stored, of the lines up to {self._lines:,}"
        if isinstance(error, UnavailableError):
            far += ", and perhaps some of the thousand after it"
        return f"{error.message} {far}."

    def _event(self, kind: Literal["progress", "done", "failed"], message: str | None = None) -> ImportEvent:
        return ImportEvent(
            kind=kind,
            lines=self._lines,
            stored=self._stored,
            refused=self._refused,
            bytes=self._bytes,
            seconds=time.monotonic() - self._started,
            problems=self._problems if kind != "progress" else [],
            message=message,
        )


async def sweep_staging(database: AsyncDatabase[Document], under_way: Collection[str]) -> None:
    """Drop what imports have left that could not do so themselves."""
    names = await database.list_collection_names(filter={"name": {"$regex": f"^{STAGING_PREFIX}".replace(".", "\\.")}})
    for name in names:
        if name not in under_way:
            await database.drop_collection(name)


def _json_lines(batch: list[Record]) -> Parsed:
    parsed = Parsed(last_line=batch[-1].line)
    for record in batch:
        _note(parsed, record, _json_document)
    return parsed


def _check_fits(content: bytes) -> None:
    """Before it is read, which takes memory for each value. Text in it counts, too, but is hardly ever that dense."""
    if len(content) > _COUNTED_FROM_BYTES and (
        content.count(b"{") + content.count(b"[") > _MAX_CONTAINERS or content.count(b",") > _MAX_VALUES
    ):
        raise InvalidRequestError("It holds more values than fit into the 16 MB that MongoDB allows.")


def _json_document(record: Record) -> Document:
    _check_fits(record.content)
    try:
        document = ejson.from_text(record.content)
    except InvalidRequestError:
        if record.line == 1 and record.content.lstrip().startswith(b"["):
            raise InvalidRequestError("It begins a list; here every line is one document.") from None
        raise
    if not isinstance(document, dict):
        raise InvalidRequestError("It is not a document, as in {…}.")
    return document


def _csv_header(record: Record) -> list[cells.Path]:
    try:
        return cells.read_header(_csv_row(record))
    except _UNREADABLE as error:
        raise InvalidRequestError(f"Line {record.line}, which names the columns: {_why_not(error)}") from None


def _csv_document(columns: list[cells.Path], record: Record) -> Document:
    return cells.read_document(_csv_row(record), columns)


def _csv_row(record: Record) -> list[str]:
    csv.field_size_limit(MAX_RECORD_BYTES)
    return next(csv.reader([record.content.decode("utf-8").rstrip("\r\n")], strict=True))


def _note(parsed: Parsed, record: Record, read: Callable[[Record], Document]) -> None:
    try:
        parsed.add(record.line, read(record))
    except _UNREADABLE as error:
        parsed.problems.append(LineProblem(line=record.line, message=_why_not(error)))


def _why_not(error: Exception) -> str:
    if isinstance(error, GoFastAPIError):
        return error.message
    if isinstance(error, UnicodeDecodeError):
        return "It is not text in UTF-8. Convert the file, or save it as UTF-8."
    if isinstance(error, csv.Error):
        return f"It is not CSV: {error}."
    return in_words(error).message


def _problem(line: int, error: Document) -> LineProblem:
    if error.get("code") == _DUPLICATE:
        return LineProblem(line=line, message=duplicate_in_words(error))
    if error.get("code") == _INVALID:
        return LineProblem(line=line, message="The document is not as the rules of the collection want it.")
    return LineProblem(line=line, message=f"MongoDB refuses it: {str(error.get('errmsg'))[:300]}.")
