"""Credentials for users' databases, each of which opens that one and no other, and what may be done with them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.server import MongoServer

Document = dict[str, Any]
UserDatabase = AsyncDatabase[Document]

_USER_NOT_FOUND = 11
_ROLE_EXISTS = 51002
_USER_EXISTS = 51003
_APP_POOL_SIZE = 20
_OWN_POOL_SIZE = 5
APP_PREFIX = "gofastapi:"
"""What an app's client calls itself is this and the app's id."""
BROWSER = "gofastapi-browser"
"""By this name the server knows what a person does here."""
# Beside readWrite, what an owner does with collections and indexes. Not dbAdmin: whoever may switch the profiler sets
# for the whole server from when on an operation is slow, and so has it log what everybody does.
_OWNER_ROLE = "owner"
_OWNER_ACTIONS = (
    "bypassDocumentValidation",
    "collMod",
    "compact",
    "dropDatabase",
    "indexStats",
    "planCacheIndexFilter",
    "planCacheRead",
    "planCacheWrite",
    "reIndex",
    "validate",
)
_OVER_LIMIT_ROLE = "overLimit"
# What is left where a database is full: to look at it, to delete, and to drop.
_OVER_LIMIT_ACTIONS = (
    "find",
    "listCollections",
    "listIndexes",
    "collStats",
    "dbStats",
    "dbHash",
    "indexStats",
    "planCacheRead",
    "changeStream",
    "killCursors",
    "validate",
    "compact",
    "remove",
    "dropCollection",
    "dropIndex",
    "dropDatabase",
)


@dataclass(frozen=True)
class Credentials:
    """A MongoDB user of a database. Generation 0 is what databases had before there were generations."""

    database: str
    generation: int

    @property
    def user(self) -> str:
        return f"{self.database}.{self.generation}" if self.generation else self.database


class DatabaseUsers:
    """Acts with all rights on the server. Every verb may be repeated, and comes to the same.

    No password is stored: each follows from the platform's key, the database and the generation.
    """

    def __init__(self, server: MongoServer, client: AsyncMongoClient[Document], key: PlatformKey) -> None:
        self._server = server
        self._client = client
        self._key = key
        self._clients: dict[Credentials, AsyncMongoClient[Document]] = {}

    async def make(self, credentials: Credentials, *, over_limit: bool = False) -> None:
        """Make them, with the rights that go with `over_limit`; where they are there, give them these rights."""
        name, database = credentials.user, self._client[credentials.database]
        roles = await self._roles(credentials.database, over_limit)
        password = self._password(credentials)
        try:
            await database.command("createUser", name, pwd=password, roles=roles)
        except OperationFailure as error:
            if error.code != _USER_EXISTS:
                raise
            await database.command("updateUser", name, pwd=password, roles=roles)

    async def limit(self, credentials: Credentials, *, over_limit: bool) -> None:
        """Take the right to write away, or give it back. The connections that are open heed it at once."""
        roles = await self._roles(credentials.database, over_limit)
        with _ignoring(_USER_NOT_FOUND):
            await self._client[credentials.database].command("updateUser", credentials.user, roles=roles)

    async def drop(self, credentials: Credentials) -> None:
        """Take the credentials away; what is connected with them can do nothing any more."""
        with _ignoring(_USER_NOT_FOUND):
            await self._client[credentials.database].command("dropUser", credentials.user)

    async def drop_database(self, name: str) -> None:
        """Take a database away, and with it every credential of it."""
        database = self._client[name]
        await database.command("dropAllUsersFromDatabase")
        await database.command("dropDatabase")
        await database.command("dropAllRolesFromDatabase")

    def uri(self, credentials: Credentials, app_id: str | None = None) -> str:
        """The connection string for an app, by whose name its connections and operations are known; or for a person."""
        options = {"appName": f"{APP_PREFIX}{app_id}", "maxPoolSize": str(_APP_POOL_SIZE)} if app_id else {}
        return self._uri(credentials, options)

    def client(self, credentials: Credentials) -> AsyncMongoClient[Document]:
        """One that acts with these credentials and no others, for what a person does here. Kept until it is closed."""
        if credentials not in self._clients:
            uri = self._uri(credentials, {"appName": BROWSER, "maxPoolSize": str(_OWN_POOL_SIZE)})
            self._clients[credentials] = AsyncMongoClient(uri, tz_aware=True, serverSelectionTimeoutMS=2000)
        return self._clients[credentials]

    async def close(self, credentials: Credentials) -> None:
        """Close the client of these credentials, where there is one."""
        if client := self._clients.pop(credentials, None):
            await client.close()

    async def close_all(self) -> None:
        for credentials in list(self._clients):
            await self.close(credentials)

    def _uri(self, credentials: Credentials, options: Mapping[str, str]) -> str:
        database = credentials.database
        return self._server.uri(
            credentials.user, self._password(credentials), database, auth_source=database, options=options
        )

    def _password(self, credentials: Credentials) -> str:
        return self._key.derive(f"mongo database {credentials.database} credentials {credentials.generation}")

    async def _roles(self, database: str, over_limit: bool) -> list[Document]:
        """Never dbOwner: it could give itself anything back."""
        if over_limit:
            return [await self._role(database, _OVER_LIMIT_ROLE, _OVER_LIMIT_ACTIONS)]
        return [{"role": "readWrite", "db": database}, await self._role(database, _OWNER_ROLE, _OWNER_ACTIONS)]

    async def _role(self, database: str, name: str, actions: tuple[str, ...]) -> Document:
        """A role of ours, made or made anew."""
        privileges = [{"resource": {"db": database, "collection": ""}, "actions": list(actions)}]
        for verb in ("createRole", "updateRole"):
            with _ignoring(_ROLE_EXISTS):
                await self._client[database].command(verb, name, privileges=privileges, roles=[])
                break
        return {"role": name, "db": database}


@contextlib.contextmanager
def _ignoring(code: int) -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code != code:
            raise
