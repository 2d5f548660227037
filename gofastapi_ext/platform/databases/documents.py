"""The documents of one collection, seen and changed with the rights of the user they belong to."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.results import UpdateResult

from gofastapi_ext.core.documents.names import check_collection
from gofastapi_ext.core.documents.views import DocumentConflict, DocumentPage, DocumentView
from gofastapi_ext.core.errors import DocumentConflictError, InvalidRequestError, NotFoundError, TooLargeError
from gofastapi_ext.platform.databases import ejson
from gofastapi_ext.platform.databases.paging import Query, next_after, page_pipeline
from gofastapi_ext.platform.databases.trouble import told

Document = dict[str, Any]
Database = AsyncDatabase[Document]
_Raw = AsyncCollection[RawBSONDocument]

# A page of large documents is shorter: this much of them is held in memory at once.
_MAX_PAGE_BYTES = 4_000_000
MAX_COMPARED_BYTES = 7_000_000
"""A document is compared with what was seen of it within one command, which holds 16 MB, and both may be in it."""
_ATTEMPTS = 5


class Documents:
    """One collection of a database. Every method raises a `GoFastAPIError`; each ends within `seconds`."""

    def __init__(self, database: Database, collection: str, seconds: float) -> None:
        self._database = database
        self._name = check_collection(collection)
        self._seconds = seconds
        self._raw: _Raw = database[collection].with_options(codec_options=bson.CodecOptions(RawBSONDocument))

    async def page(self, query: Query, *, after: str | None, limit: int, relaxed: bool) -> DocumentPage:
        """At most `limit` documents, fewer where they are large."""
        views: list[DocumentView] = []
        place, size = None, 0
        has_more = False
        with told(self._seconds):
            pipeline = page_pipeline(query, after, limit + 1)
            async with await self._raw.aggregate(pipeline, batchSize=limit + 1, allowDiskUse=True) as found:
                async for each in found:
                    if len(views) == limit or size > _MAX_PAGE_BYTES:
                        has_more = True
                        break
                    whole: RawBSONDocument = each["d"]
                    read = bson.decode(each.raw, ejson.READING)
                    place, size = read["k"], size + len(whole.raw)
                    shown = read.get("p", {}) if query.projection else read["d"]
                    views.append(_view(read["d"].get("_id"), whole, shown, relaxed))
            count = None if query.filter else await self._raw.estimated_document_count()
        if not views and after is None:
            await self._check_exists()
        following = next_after(query, place) if has_more and place is not None else None
        return DocumentPage(documents=views, next=following, count_estimate=count)

    async def get(self, document_id: Any, *, relaxed: bool) -> DocumentView:
        return as_view(await self.raw(document_id), relaxed)

    async def raw(self, document_id: Any) -> RawBSONDocument:
        """The document as it is stored. Raises `NotFoundError`."""
        found = await self._find(document_id)
        if found is None:
            raise NotFoundError(f"There is no such document in {self._name}.")
        return found

    async def insert(self, document: Mapping[str, Any], *, relaxed: bool) -> DocumentView:
        """Store a new document, with a new ObjectId where it has no `_id`."""
        with told(self._seconds):
            encoded = _encoded(document)
            await self._raw.insert_one(encoded)
        return as_view(encoded, relaxed)

    async def change(
        self, document_id: Any, changed: Document, unset: list[str], version: str, *, relaxed: bool
    ) -> DocumentView:
        """Set and take away fields of the document as it was seen. Raises `DocumentConflictError`."""
        update: Document = {"$set": changed} if changed else {}
        if unset:
            update["$unset"] = dict.fromkeys(unset, "")
        yours = {"set": ejson.to_json(changed, relaxed=relaxed), "unset": unset}
        return await self._write(
            document_id, version, yours, relaxed, lambda condition: self._raw.update_one(condition, update)
        )

    async def replace(self, document_id: Any, document: Document, version: str, *, relaxed: bool) -> DocumentView:
        """Put another in the place of the document as it was seen. Raises `DocumentConflictError`."""
        if "_id" in document and bson.encode({"": document["_id"]}) != bson.encode({"": document_id}):
            raise InvalidRequestError("_id says which document it is; it cannot be changed.")
        yours = ejson.to_json(document, relaxed=relaxed)
        with told(self._seconds):
            new = _encoded({"_id": document_id} | document)
        return await self._write(
            document_id, version, yours, relaxed, lambda condition: self._raw.replace_one(condition, new)
        )

    async def delete_same(self, document_id: Any, seen: RawBSONDocument) -> bool:
        """Delete the document if it is still as it was seen; whether it was."""
        with told(self._seconds):
            if len(seen.raw) > MAX_COMPARED_BYTES:
                done = await self._raw.delete_one({"_id": {"$eq": document_id}})
            else:
                done = await self._raw.delete_one(_same(document_id, seen))
        return done.deleted_count == 1

    async def bring_back(self, raw: bytes, *, relaxed: bool) -> DocumentView:
        """Store a document that was deleted. Raises `ConflictError` where another has its `_id` now."""
        document = RawBSONDocument(raw)
        with told(self._seconds):
            await self._raw.insert_one(document)
        return as_view(document, relaxed)

    async def _write(
        self,
        document_id: Any,
        version: str,
        yours: Any,
        relaxed: bool,
        write: Callable[[Document], Awaitable[UpdateResult]],
    ) -> DocumentView:
        for _ in range(_ATTEMPTS):
            seen = await self._seen(document_id, version, yours, relaxed)
            with told(self._seconds):
                done = await write(_same(document_id, seen))
            if done.matched_count:
                return await self.get(document_id, relaxed=relaxed)
        raise _refusal(yours, as_view(await self.raw(document_id), relaxed))

    async def _seen(self, document_id: Any, version: str, yours: Any, relaxed: bool) -> RawBSONDocument:
        """The document, which has to have this version."""
        found = await self._find(document_id)
        if found is None:
            raise _refusal(yours, None)
        if version_of(found) != version:
            raise _refusal(yours, as_view(found, relaxed))
        if len(found.raw) > MAX_COMPARED_BYTES:
            raise TooLargeError(
                f"Documents of more than {MAX_COMPARED_BYTES // 1_000_000} MB cannot be edited here: nobody could tell "
                " whether somebody else changes them at the same time."
            )
        return found

    async def _find(self, document_id: Any) -> RawBSONDocument | None:
        with told(self._seconds):
            return await self._raw.find_one({"_id": {"$eq": document_id}})

    async def _check_exists(self) -> None:
        with told(self._seconds):
            if not await self._database.list_collection_names(filter={"name": self._name}):
                raise NotFoundError(f'There is no collection "{self._name}" in your database.')


def version_of(document: RawBSONDocument) -> str:
    """The version of a document: a hash of it, byte for byte as it is stored."""
    return hashlib.sha256(document.raw).hexdigest()[:32]


def as_view(document: RawBSONDocument, relaxed: bool) -> DocumentView:
    read = bson.decode(document.raw, ejson.READING)
    return _view(read.get("_id"), document, read, relaxed)


def key_of(document_id: Any) -> str:
    """The `_id` as a name that any URL, and whatever stands in between, leaves as it is."""
    text = ejson.to_text({"": document_id})[4:-1]
    return "~" + base64.urlsafe_b64encode(text.encode(errors="surrogatepass")).decode().rstrip("=")


def read_key(key: str) -> Any:
    """The `_id` that a key, or an `_id` in Extended JSON, stands for. Raises `InvalidRequestError`."""
    if not key.startswith("~"):
        return ejson.from_text(key)
    try:
        text = base64.urlsafe_b64decode(key[1:] + "=" * (-len(key[1:]) % 4))
    except (binascii.Error, ValueError):
        raise InvalidRequestError("This is not the key of a document.") from None
    return ejson.from_text(text)


def _view(document_id: Any, whole: RawBSONDocument, shown: Document, relaxed: bool) -> DocumentView:
    return DocumentView(
        key=key_of(document_id),
        id=ejson.to_json(document_id, relaxed=relaxed),
        version=version_of(whole),
        document=ejson.to_json(shown, relaxed=relaxed),
    )


def _same(document_id: Any, seen: RawBSONDocument) -> Document:
    """The condition that the document is as it was seen. Checked and changed by MongoDB in one step."""
    return {"_id": {"$eq": document_id}, "$expr": {"$eq": ["$$ROOT", {"$literal": seen}]}}


def _encoded(document: Mapping[str, Any]) -> RawBSONDocument:
    """The document in the bytes it is sent in: what cannot be stored is found before anything is sent."""
    with_id = document if "_id" in document else {"_id": bson.ObjectId(), **document}
    return RawBSONDocument(bson.encode(with_id))


def _refusal(yours: Any, theirs: DocumentView | None) -> DocumentConflictError:
    what = "was deleted" if theirs is None else "was changed"
    return DocumentConflictError(
        f"The document {what} by somebody else since you saw it; nothing was changed.",
        DocumentConflict(yours=yours, theirs=theirs).model_dump(mode="json"),
    )
