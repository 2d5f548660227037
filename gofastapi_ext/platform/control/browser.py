"""People look into their database and change what is in it, with their own rights and no others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from gofastapi_ext.core.documents import query as rules
from gofastapi_ext.core.documents.names import check_collection
from gofastapi_ext.core.documents.views import (
    DeletedDocument,
    DocumentChange,
    DocumentConflict,
    DocumentPage,
    DocumentReplace,
    DocumentView,
    Explanation,
    Format,
    ImportEvent,
    ImportMode,
    IndexCreate,
)
from gofastapi_ext.core.errors import DocumentConflictError, GoFastAPIError, InvalidRequestError
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.control.undo import Undo
from gofastapi_ext.platform.databases import ejson
from gofastapi_ext.platform.databases.collections import Collections
from gofastapi_ext.platform.databases.documents import (
    MAX_COMPARED_BYTES,
    Documents,
    as_view,
    read_key,
    version_of,
)
from gofastapi_ext.platform.databases.exporting import Export
from gofastapi_ext.platform.databases.importing import Import, sweep_staging
from gofastapi_ext.platform.databases.paging import Query
from gofastapi_ext.platform.databases.trouble import told
from gofastapi_ext.platform.databases.users import UserDatabase

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
_REPLACED = (
    "The whole database was replaced by another one, a backup or a branch, while the import was under way. What was "
    "imported went into the one before: import it again."
)


@dataclass(frozen=True)
class Place:
    """A collection of somebody's database, or of a branch of it."""

    user: str
    branch: str | None
    collection: str


class Asked(BaseModel):
    """A query as it came, as JSON texts."""

    model_config = ConfigDict(frozen=True)

    filter: str | None = None
    sort: str | None = None
    projection: str | None = None


class Browser:
    """The use cases. Every method raises `GoFastAPIError`s, `NotFoundError` for a branch that is not there."""

    def __init__(
        self,
        databases: Databases,
        undo: Undo,
        timeout_seconds: float,
        check_room: Callable[[], None],
        on_change: Callable[[Place], None],
    ) -> None:
        """`check_room` raises where the disk is nearly full; `on_change` is told where something was changed."""
        self._databases = databases
        self._check_room = check_room
        self._on_change = on_change
        self._undo = undo
        self._seconds = timeout_seconds
        self._swept: set[str] = set()
        self._sweeping = asyncio.Lock()
        self._staging: set[str] = set()

    async def page(self, place: Place, asked: Asked, *, after: str | None, limit: int, relaxed: bool) -> DocumentPage:
        query = _query(asked)
        async with self._documents(place) as documents:
            return await documents.page(query, after=after, limit=limit, relaxed=relaxed)

    async def get(self, place: Place, key: str, *, relaxed: bool) -> DocumentView:
        async with self._documents(place) as documents:
            return await documents.get(read_key(key), relaxed=relaxed)

    async def insert(self, place: Place, document: dict[str, Any], *, relaxed: bool) -> DocumentView:
        read = _document(document)
        async with self._documents(place, changes=True) as documents:
            return await documents.insert(read, relaxed=relaxed)

    async def change(self, place: Place, key: str, change: DocumentChange, *, relaxed: bool) -> DocumentView:
        """Raises `DocumentConflictError` where the document is not as it was seen."""
        rules.check_change(change.set, change.unset)
        changed = _document(change.set)
        async with self._documents(place, changes=True) as documents:
            return await documents.change(read_key(key), changed, change.unset, change.version, relaxed=relaxed)

    async def replace(self, place: Place, key: str, new: DocumentReplace, *, relaxed: bool) -> DocumentView:
        """Raises `DocumentConflictError` where the document is not as it was seen."""
        document = _document(new.document)
        async with self._documents(place, changes=True) as documents:
            return await documents.replace(read_key(key), document, new.version, relaxed=relaxed)

    async def delete(self, place: Place, key: str, version: str | None) -> DeletedDocument:
        """Delete a document, if a `version` is given only as it was seen, and keep it for a while."""
        document_id = read_key(key)
        async with self._documents(place, changes=True) as documents:
            for _ in range(_ATTEMPTS):
                seen = await documents.raw(document_id)
                if version is not None and version_of(seen) != version:
                    break
                if len(seen.raw) > MAX_COMPARED_BYTES:
                    await documents.delete_same(document_id, seen)
                    return DeletedDocument(undo=None, expires_at=None, note="It is too large to be kept for an undo.")
                token, expires_at = await self._undo.keep(place.user, place.branch, place.collection, bytes(seen.raw))
                if await documents.delete_same(document_id, seen):
                    return DeletedDocument(undo=token, expires_at=expires_at)
                await self._undo.forget(token)
        conflict = DocumentConflict(yours=None, theirs=as_view(seen, relaxed=True))
        raise DocumentConflictError(
            "The document was changed by somebody else since you saw it; it was not deleted.",
            conflict.model_dump(mode="json"),
        )

    async def undo(self, user: str, token: str, *, relaxed: bool) -> DocumentView:
        """Bring a deleted document back. Raises `ConflictError` where another has its `_id` now."""
        deleted = await self._undo.find(user, token)
        place = Place(user, deleted.branch, deleted.collection)
        async with self._documents(place, changes=True) as documents:
            view = await documents.bring_back(deleted.raw, relaxed=relaxed)
        await self._undo.forget(token)
        return view

    async def create_collection(self, place: Place) -> None:
        async with self._collections(place, changes=True) as collections:
            await collections.create(place.collection)

    async def drop_collection(self, place: Place, confirm: str) -> None:
        """Raises `InvalidRequestError` where it is not confirmed by its name."""
        check_collection(place.collection)
        if confirm != place.collection:
            raise InvalidRequestError(
                f'To drop the collection "{place.collection}" with everything in it, confirm it by its name.'
            )
        async with self._collections(place, changes=True) as collections:
            await collections.drop(place.collection)

    async def create_index(self, place: Place, index: IndexCreate) -> str:
        async with self._collections(place, changes=True) as collections:
            return await collections.create_index(place.collection, index)

    async def drop_index(self, place: Place, name: str) -> None:
        async with self._collections(place, changes=True) as collections:
            await collections.drop_index(place.collection, name)

    async def explain(self, place: Place, asked: Asked) -> Explanation:
        query = _query(asked)
        async with self._collections(place) as collections:
            return await collections.explain(place.collection, query)

    async def load(
        self, place: Place, source: Format, mode: ImportMode, content: AsyncIterator[bytes]
    ) -> AsyncGenerator[ImportEvent, None]:
        """Import `content` as it comes."""
        check_collection(place.collection)
        async with self._session(place.user, place.branch) as database:
            work = Import(database, place.collection, source, mode, self._seconds, self._check_room)
            try:
                with self._noted(work.staging):
                    async with aclosing(work.run(content)) as events:
                        async for event in events:
                            in_force = await self._databases.binding(place.user, place.branch)
                            if event.kind == "done" and in_force.name != database.name:
                                event = event.model_copy(update={"kind": "failed", "message": _REPLACED})
                            yield event
            finally:
                # Also where it broke off: what was added by then stays.
                self._on_change(place)

    async def export(self, place: Place, asked: Asked, target: Format, *, plain: bool) -> AsyncGenerator[bytes, None]:
        """The documents of the query, in order where it has a sort. `plain`: for people, and no way back."""
        query = _query(asked)
        async with self._session(place.user, place.branch) as database:
            work = Export(database, place.collection, query, self._seconds)
            chunks = work.csv(plain=plain) if target is Format.CSV else work.json_lines(relaxed=plain)
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk

    @asynccontextmanager
    async def _documents(self, place: Place, *, changes: bool = False) -> AsyncIterator[Documents]:
        check_collection(place.collection)
        async with self._session(place.user, place.branch) as database:
            yield Documents(database, place.collection, self._seconds)
        if changes:
            self._on_change(place)

    @asynccontextmanager
    async def _collections(self, place: Place, *, changes: bool = False) -> AsyncIterator[Collections]:
        check_collection(place.collection)
        async with self._session(place.user, place.branch) as database:
            yield Collections(database, self._seconds)
        if changes:
            self._on_change(place)

    @asynccontextmanager
    async def _session(self, user: str, branch: str | None) -> AsyncIterator[UserDatabase]:
        async with self._databases.session(user, branch) as database:
            await self._sweep(database)
            yield database

    @contextmanager
    def _noted(self, staging: str | None) -> Iterator[None]:
        names = {staging} if staging else set()
        self._staging |= names
        try:
            yield
        finally:
            self._staging -= names
            # It may not have been able to drop what it made.
            self._swept.clear()

    async def _sweep(self, database: UserDatabase) -> None:
        """At the first look at a database, and the first after an import: drop what imports could not drop."""
        if database.name in self._swept:
            return
        async with self._sweeping:
            if database.name in self._swept:
                return
            try:
                with told(self._seconds):
                    await sweep_staging(database, self._staging)
            except GoFastAPIError as error:
                logger.info("what imports have left in %s is still there: %s", database.name, error.message)
                return
            self._swept.add(database.name)


def _query(asked: Asked) -> Query:
    """Check what was asked, as JSON; only then is it read as what MongoDB gets."""
    found = rules.check_filter(rules.parse(asked.filter, "filter") if asked.filter else {})
    sort = rules.check_sort(rules.parse(asked.sort, "sort") if asked.sort else {})
    projection = rules.check_projection(rules.parse(asked.projection, "projection") if asked.projection else {})
    return Query(filter=ejson.from_json(found), sort=sort, projection=projection)


def _document(value: dict[str, Any]) -> dict[str, Any]:
    # Name by name: `{"$oid": …}` as a whole would be a value, and is none of a document's fields.
    return {name: ejson.from_json(each) for name, each in value.items()}
