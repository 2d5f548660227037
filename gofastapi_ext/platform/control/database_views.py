"""A user's database as its owner sees it."""

from __future__ import annotations

from gofastapi_ext.core.data import DatabaseView, UriView, writable_below
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.databases.stats import collections_of, counted_bytes
from gofastapi_ext.platform.store.database import patiently


class DatabaseViews:
    """What is read here is read with the user's own credentials."""

    def __init__(self, databases: Databases, limit_bytes: int) -> None:
        self._databases = databases
        self._limit_bytes = limit_bytes

    async def view(self, user: str, branch: str | None = None) -> DatabaseView:
        """Raises `NotFoundError` for a branch that is not there."""
        record = await self._databases.binding(user, branch)
        async with self._databases.session(user, branch) as database:
            size = await patiently(lambda: counted_bytes(database))
            collections = await patiently(lambda: collections_of(database))
        users = self._databases.users_of(record.name)
        return DatabaseView(
            name=record.name,
            branch=record.branch,
            bytes=size,
            limit_bytes=self._limit_bytes,
            over_limit=record.over_limit,
            writable_below_bytes=writable_below(self._limit_bytes),
            documents=sum(each.documents for each in collections),
            collections=collections,
            created_at=record.created_at,
            credentials_rotated_at=record.rotated_at,
            expires_at=record.expires_at,
            apps=sorted({lease.app for lease in users if lease.app}),
        )

    async def uri(self, user: str, branch: str | None, confirm: str) -> UriView:
        """The connection string, with its password. Raises `InvalidRequestError` where it is not confirmed."""
        record = await self._databases.binding(user, branch)
        if confirm != record.name:
            raise InvalidRequestError(
                f"This shows the password of your database. If that is meant, confirm its name: {record.name}"
            )
        return UriView(uri=await self._databases.uri(user, branch))
