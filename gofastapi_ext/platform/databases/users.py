"""Each user's database, with credentials that open that one and no other."""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from gofastapi_ext.core.naming import database_name
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.server import MongoServer

_USER_EXISTS = 51003


class UserDatabases:
    """Makes databases on first use."""

    def __init__(self, server: MongoServer, client: AsyncMongoClient[dict[str, Any]], key: PlatformKey) -> None:
        self._server = server
        self._client = client
        self._key = key
        self._made: dict[str, str] = {}

    async def uri(self, user_id: str) -> str:
        """The connection string of the user's database, whose user is made where it is not there yet.

        Idempotent and safe to call at the same time: the password follows from the platform's key.
        """
        if user_id not in self._made:
            name = database_name(user_id)
            password = self._key.derive(f"mongo user {user_id}")
            database = self._client[name]
            roles = [{"role": "dbOwner", "db": name}]
            try:
                await database.command("createUser", name, pwd=password, roles=roles)
            except OperationFailure as error:
                if error.code != _USER_EXISTS:
                    raise
                await database.command("updateUser", name, pwd=password, roles=roles)
            self._made[user_id] = self._server.uri(name, password, name, auth_source=name)
        return self._made[user_id]
