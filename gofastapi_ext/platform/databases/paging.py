"""Pages of documents that go on where the last one ended, rather than count from the start.

A page ends at a place in the order, not at a number. So what is inserted or deleted meanwhile moves nothing, and the
hundredth page costs no more than the second. `_id` is the last word of every order, which makes it one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.platform.databases import ejson

_MAX_CURSOR_LENGTH = 16_000
_WRONG_CURSOR = "after: this is no place in this order. Take `next` of a page with the same filter and sort."

Document = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """What a person asks of a collection; everything in it was checked."""

    filter: Document
    sort: dict[str, int]
    projection: dict[str, int]

    @property
    def order(self) -> dict[str, int]:
        """The sort, with `_id` as its last word."""
        return self.sort if "_id" in self.sort else {**self.sort, "_id": 1}

    @property
    def fingerprint(self) -> str:
        """Whether a place belongs to this query."""
        asked = json.dumps([ejson.to_json(self.filter), list(self.order.items())], default=str)
        return hashlib.sha256(asked.encode()).hexdigest()[:12]


def page_pipeline(query: Query, after: str | None, limit: int) -> list[Document]:
    """The stages that find one page.

    What comes out has the document in `d`, its place in the order in `k`, and, where fields were chosen, these in `p`.
    """
    keys = {str(n): _key(path, direction) for n, (path, direction) in enumerate(query.order.items())}
    stages: list[Document] = [{"$match": query.filter}] if query.filter else []
    if after is not None:
        stages.append({"$match": _behind(query.order, list(keys.values()), _place(query, after))})
    if any("." in path for path in query.order):
        # Through arrays of documents MongoDB's own order has no expression; then the order is by what we compare.
        stages.append({"$replaceWith": {"d": "$$ROOT", "k": keys}})
        stages.append({"$sort": {f"k.{n}": direction for n, direction in enumerate(query.order.values())}})
        stages.append({"$limit": limit})
    else:
        stages += [{"$sort": query.order}, {"$limit": limit}, {"$replaceWith": {"d": "$$ROOT", "k": keys}}]
    if query.projection:
        stages.append({"$set": {"p": "$d"}})
        stages.append({"$project": _below_p(query.projection)})
    return stages


def next_after(query: Query, place: Document) -> str:
    """Where the page after this place begins. Raises `InvalidRequestError` where its values are too long for that."""
    text = f'{{"q":"{query.fingerprint}","k":{ejson.to_text(place)}}}'
    cursor = base64.urlsafe_b64encode(text.encode(errors="surrogatepass")).decode().rstrip("=")
    if len(cursor) > _MAX_CURSOR_LENGTH:
        raise InvalidRequestError("The values of the fields in the sort are too long to go on from them page by page.")
    return cursor


def _place(query: Query, after: str) -> list[Any]:
    try:
        padded = after + "=" * (-len(after) % 4)
        read = ejson.from_text(base64.urlsafe_b64decode(padded))
        values = [read["k"][str(n)] for n in range(len(query.order))]
        belongs = read["q"] == query.fingerprint
    except (binascii.Error, ValueError, KeyError, TypeError, InvalidRequestError):
        raise InvalidRequestError(_WRONG_CURSOR) from None
    if not belongs:
        raise InvalidRequestError(_WRONG_CURSOR)
    return values


def _key(path: str, direction: int) -> Any:
    """What MongoDB sorts a field by: nothing counts as null, and an array as its first element in that order.

    Ranked, for an empty array comes even before null.
    """
    field = f"${path}"
    if path == "_id":
        return field  # never an array, always there
    earlier = "$lt" if direction > 0 else "$gt"
    pick = {"$cond": [{earlier: ["$$this", "$$value"]}, "$$this", "$$value"]}
    first = {"$reduce": {"input": field, "initialValue": {"$arrayElemAt": [field, 0]}, "in": pick}}
    of_array = {"$cond": [{"$eq": [{"$size": field}, 0]}, {"r": 1}, _ranked(first)]}
    return {"$cond": [{"$isArray": [field]}, of_array, _ranked(field)]}


def _ranked(value: Any) -> Document:
    known = {"$ifNull": [value, None]}
    return {"r": {"$cond": [{"$eq": [{"$type": known}, "minKey"]}, 0, 2]}, "v": known}


def _behind(order: dict[str, int], keys: list[Any], place: list[Any]) -> Document:
    """The condition of what comes after `place`: the first field that differs decides."""
    choices = []
    for n, direction in enumerate(order.values()):
        same = [{"$eq": [keys[before], {"$literal": place[before]}]} for before in range(n)]
        further = {"$gt" if direction > 0 else "$lt": [keys[n], {"$literal": place[n]}]}
        choices.append({"$and": [*same, further]} if same else further)
    return {"$expr": {"$or": choices} if len(choices) > 1 else choices[0]}


def _below_p(projection: dict[str, int]) -> Document:
    below: Document = {f"p.{path}": shown for path, shown in projection.items()}
    if any(shown for path, shown in projection.items() if path != "_id") or projection == {"_id": 1}:
        hidden = below.get("p._id") == 0
        below.pop("p._id", None)
        below |= {"d": 1, "k": 1} | ({} if hidden else {"p._id": 1})
    return below
