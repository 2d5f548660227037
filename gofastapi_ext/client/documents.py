"""The part of the client that is about documents, collections and indexes. Values are Extended JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any
from urllib.parse import quote

from gofastapi_ext.client.database import branch_params
from gofastapi_ext.client.transport import WENT_AWAY, Transport
from gofastapi_ext.core.documents.views import (
    DEFAULT_PAGE,
    CollectionCreate,
    DeletedDocument,
    DocumentChange,
    DocumentInsert,
    DocumentPage,
    DocumentReplace,
    DocumentView,
    ExplainRequest,
    Explanation,
    Format,
    ImportEvent,
    ImportMode,
    IndexCreate,
    IndexName,
)
from gofastapi_ext.core.errors import ServiceUnreachableError

Fields = dict[str, Any]


class DocumentCalls(Transport):
    """`key` is a document's `key`, or its `_id` as the text of Extended JSON. `branch` is one of the database."""

    def documents(
        self,
        collection: str,
        filter: Fields | None = None,
        *,
        sort: Fields | None = None,
        projection: Fields | None = None,
        limit: int = DEFAULT_PAGE,
        after: str | None = None,
        canonical: bool = False,
        branch: str | None = None,
    ) -> DocumentPage:
        """A page of documents; `after` is `next` of the page before."""
        params = _query(filter, sort, projection) | _form(canonical, branch) | {"limit": str(limit)}
        params |= {"after": after} if after else {}
        return self._ask("GET", _path(collection, "documents"), DocumentPage, params=params)

    def document(
        self, collection: str, key: str, *, canonical: bool = False, branch: str | None = None
    ) -> DocumentView:
        return self._ask("GET", _path(collection, "documents", key), DocumentView, params=_form(canonical, branch))

    def insert_document(self, collection: str, document: Fields, *, branch: str | None = None) -> DocumentView:
        body = DocumentInsert(document=document).model_dump_json()
        params = branch_params(branch)
        return self._ask("POST", _path(collection, "documents"), DocumentView, content=body, params=params)

    def change_document(
        self, collection: str, key: str, change: DocumentChange, *, branch: str | None = None
    ) -> DocumentView:
        """Set and take away fields. Raises `DocumentConflictError` with both sides where it is another one by now."""
        path, body = _path(collection, "documents", key), change.model_dump_json()
        return self._ask("PATCH", path, DocumentView, content=body, params=branch_params(branch))

    def replace_document(
        self, collection: str, key: str, new: DocumentReplace, *, branch: str | None = None
    ) -> DocumentView:
        """Put another in its place. Raises `DocumentConflictError` with both sides where it is another one by now."""
        path, body = _path(collection, "documents", key), new.model_dump_json()
        return self._ask("PUT", path, DocumentView, content=body, params=branch_params(branch))

    def delete_document(
        self, collection: str, key: str, *, version: str | None = None, branch: str | None = None
    ) -> DeletedDocument:
        """Delete it; for a minute `undo_delete` brings it back."""
        params = branch_params(branch) | ({"version": version} if version else {})
        return self._ask("DELETE", _path(collection, "documents", key), DeletedDocument, params=params)

    def undo_delete(self, token: str) -> DocumentView:
        """Bring a deleted document back. Raises `NotFoundError` where it is too late."""
        return self._ask("POST", f"/api/database/undo/{quote(token, safe='')}", DocumentView)

    def create_collection(self, name: str, *, branch: str | None = None) -> None:
        body = CollectionCreate(name=name).model_dump_json()
        self._request("POST", "/api/database/collections", content=body, params=branch_params(branch))

    def drop_collection(self, name: str, *, confirm: str, branch: str | None = None) -> None:
        """Drop it with everything in it; `confirm` is its name once more."""
        self._request("DELETE", _path(name), params=branch_params(branch) | {"confirm": confirm})

    def create_index(self, collection: str, index: IndexCreate, *, branch: str | None = None) -> IndexName:
        path, body = _path(collection, "indexes"), index.model_dump_json()
        return self._ask("POST", path, IndexName, content=body, params=branch_params(branch))

    def drop_index(self, collection: str, name: str, *, branch: str | None = None) -> None:
        self._request("DELETE", _path(collection, "indexes", name), params=branch_params(branch))

    def explain(self, collection: str, request: ExplainRequest, *, branch: str | None = None) -> Explanation:
        """How MongoDB finds what a query asks for."""
        path, body = _path(collection, "explain"), request.model_dump_json()
        return self._ask("POST", path, Explanation, content=body, params=branch_params(branch))

    def import_documents(
        self,
        collection: str,
        content: Iterable[bytes],
        *,
        format: Format = Format.JSONL,
        mode: ImportMode = ImportMode.ADD,
        branch: str | None = None,
    ) -> Iterator[ImportEvent]:
        """Send a file piece by piece; yields how far it is, once all is sent, and in the end `done` or `failed`."""
        params = branch_params(branch) | {"format": str(format), "mode": str(mode)}
        headers = {"Content-Type": "application/octet-stream"}
        last = None
        path = _path(collection, "import")
        for event in self._stream("POST", path, ImportEvent, content=content, headers=headers, params=params):
            last = event
            yield event
        if last is None or last.kind == "progress":
            raise ServiceUnreachableError(WENT_AWAY)

    def export_documents(
        self,
        collection: str,
        target: IO[bytes],
        filter: Fields | None = None,
        *,
        sort: Fields | None = None,
        projection: Fields | None = None,
        format: Format = Format.JSONL,
        plain: bool = False,
        branch: str | None = None,
    ) -> None:
        """Write the documents to `target`. Where this raises, what is there is not all of them."""
        params = _query(filter, sort, projection) | branch_params(branch) | {"format": str(format)}
        self._download(_path(collection, "export"), target, params=params | ({"plain": "true"} if plain else {}))


def _path(*parts: str) -> str:
    return "/api/database/collections/" + "/".join(quote(part, safe="") for part in parts)


def _query(filter: Fields | None, sort: Fields | None, projection: Fields | None) -> dict[str, str]:
    asked = {"filter": filter, "sort": sort, "projection": projection}
    return {name: json.dumps(value) for name, value in asked.items() if value}


def _form(canonical: bool, branch: str | None) -> dict[str, str]:
    return branch_params(branch) | ({"canonical": "true"} if canonical else {})
