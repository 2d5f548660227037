"""Documents, collections and indexes of a user's database. Values are Extended JSON; `?branch=` means a branch."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from gofastapi_ext.core.documents.views import (
    DEFAULT_PAGE,
    MAX_PAGE,
    CollectionCreate,
    CollectionName,
    DeletedDocument,
    DocumentChange,
    DocumentInsert,
    DocumentPage,
    DocumentReplace,
    DocumentView,
    ExplainRequest,
    Explanation,
    IndexCreate,
    IndexName,
)
from gofastapi_ext.platform.api.database import Branch
from gofastapi_ext.platform.api.segments import Collection, Index, Key
from gofastapi_ext.platform.api.state import Caller, UsesServices
from gofastapi_ext.platform.control.browser import Asked, Place

router = APIRouter(prefix="/api/database", tags=["documents"])

_ONE = "/collections/{collection}/documents/{key}"
_JSON_TEXT = 100_000


def _place(collection: Collection, caller: Caller, branch: Branch = None) -> Place:
    return Place(caller.user, branch, collection)


def _asked(
    filter: Annotated[str | None, Query(description="A MongoDB query, as JSON", max_length=_JSON_TEXT)] = None,
    sort: Annotated[str | None, Query(description='`{"field": 1}`, or -1 downwards', max_length=_JSON_TEXT)] = None,
    projection: Annotated[str | None, Query(description='`{"field": 1}`, or 0', max_length=_JSON_TEXT)] = None,
) -> Asked:
    return Asked(filter=filter, sort=sort, projection=projection)


def _relaxed(
    canonical: Annotated[bool, Query(description="Each value with its type, numbers too")] = False,
) -> bool:
    return not canonical


InPlace = Annotated[Place, Depends(_place)]
AsAsked = Annotated[Asked, Depends(_asked)]
Relaxed = Annotated[bool, Depends(_relaxed)]


@router.get("/collections/{collection}/documents")
async def list_documents(
    place: InPlace,
    asked: AsAsked,
    services: UsesServices,
    relaxed: Relaxed,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    after: Annotated[str | None, Query(description="`next` of the page before", max_length=20_000)] = None,
) -> DocumentPage:
    """A page of documents, ordered by `_id` where no sort is given; shorter than `limit` where they are large.

    It begins after a place in the order, not after a number of documents, so nothing is shown twice or left out
    because others are inserted or deleted meanwhile.
    """
    return await services.browser.page(place, asked, after=after, limit=limit, relaxed=relaxed)


@router.post("/collections/{collection}/documents", status_code=201)
async def insert_document(
    body: DocumentInsert, place: InPlace, services: UsesServices, relaxed: Relaxed
) -> DocumentView:
    """Store a new document, with a new ObjectId where it has no `_id`."""
    return await services.browser.insert(place, body.document, relaxed=relaxed)


@router.get(_ONE)
async def get_document(key: Key, place: InPlace, services: UsesServices, relaxed: Relaxed) -> DocumentView:
    """One document, whole."""
    return await services.browser.get(place, key, relaxed=relaxed)


@router.patch(_ONE)
async def change_document(
    change: DocumentChange, key: Key, place: InPlace, services: UsesServices, relaxed: Relaxed
) -> DocumentView:
    """Set and take away fields of the document as it was seen; 409 with both sides where it is another one by now."""
    return await services.browser.change(place, key, change, relaxed=relaxed)


@router.put(_ONE)
async def replace_document(
    body: DocumentReplace, key: Key, place: InPlace, services: UsesServices, relaxed: Relaxed
) -> DocumentView:
    """Put another document in the place of the one that was seen; 409 with both sides, as with PATCH."""
    return await services.browser.replace(place, key, body, relaxed=relaxed)


@router.delete(_ONE)
async def delete_document(
    key: Key,
    place: InPlace,
    services: UsesServices,
    version: Annotated[str | None, Query(max_length=64)] = None,
) -> DeletedDocument:
    """Delete it, with a `version` only as it was seen. For a minute `undo` brings it back."""
    return await services.browser.delete(place, key, version)


@router.post("/undo/{token}")
async def undo_delete(token: str, services: UsesServices, caller: Caller, relaxed: Relaxed) -> DocumentView:
    """Bring a deleted document back, as it was. Once; 409 where another has its `_id` by now."""
    return await services.browser.undo(caller.user, token, relaxed=relaxed)


@router.post("/collections", status_code=201)
async def create_collection(
    body: CollectionCreate, services: UsesServices, caller: Caller, branch: Branch = None
) -> CollectionName:
    """Make an empty collection. Inserting into one that is not there makes it, too."""
    await services.browser.create_collection(Place(caller.user, branch, body.name))
    return CollectionName(name=body.name)


@router.delete("/collections/{collection}", status_code=204)
async def drop_collection(place: InPlace, services: UsesServices, confirm: str = "") -> None:
    """Drop a collection with everything in it, which nothing brings back. `confirm` is its name once more."""
    await services.browser.drop_collection(place, confirm)


@router.post("/collections/{collection}/indexes", status_code=201)
async def create_index(body: IndexCreate, place: InPlace, services: UsesServices) -> IndexName:
    """Build an index. The same again changes nothing."""
    return IndexName(name=await services.browser.create_index(place, body))


@router.delete("/collections/{collection}/indexes/{index}", status_code=204)
async def drop_index(index: Index, place: InPlace, services: UsesServices) -> None:
    """Drop an index by its name."""
    await services.browser.drop_index(place, index)


@router.post("/collections/{collection}/explain")
async def explain(body: ExplainRequest, place: InPlace, services: UsesServices) -> Explanation:
    """How MongoDB finds what a query asks for: through which indexes, and how much it looks at."""
    asked = Asked.model_validate({name: _text(value) for name, value in body.model_dump().items()})
    return await services.browser.explain(place, asked)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value)
