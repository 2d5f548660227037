"""Parts of a path that may hold any character, a slash too: names of collections, ids of documents."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Path
from starlette.types import ASGIApp, Receive, Scope, Send

from gofastapi_ext.core.errors import InvalidRequestError

PREFIX = "/api/database/collections/"


class RawSegments:
    """Has the paths below `PREFIX` routed as they were sent, so that an encoded slash divides nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX) and scope.get("raw_path"):
            scope["path"] = scope["raw_path"].decode("latin-1")
        await self._app(scope, receive, send)


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequestError("The path is not UTF-8.") from None


def _collection(collection: Annotated[str, Path(description="Percent-encoded, a slash too", max_length=1000)]) -> str:
    return _decoded(collection)


def _key(
    key: Annotated[str, Path(description="A document's `key`, or its `_id` as Extended JSON", max_length=20_000)],
) -> str:
    return _decoded(key)


def _index(index: Annotated[str, Path(max_length=1000)]) -> str:
    return _decoded(index)


Collection = Annotated[str, Depends(_collection)]
Key = Annotated[str, Depends(_key)]
Index = Annotated[str, Depends(_index)]
