"""The MongoDB server the platform stands on: the embedded one, or one of the operator's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit, urlunsplit


class MongoServer(Protocol):
    """What the platform needs to know of a server."""

    @property
    def pid(self) -> int | None:
        """The process, where it is ours."""

    @property
    def address(self) -> str:
        """Where it listens, without credentials."""

    @property
    def root_uri(self) -> str:
        """A connection that may create users."""

    def uri(
        self,
        user: str,
        password: str,
        database: str = "",
        auth_source: str = "admin",
        options: Mapping[str, str] | None = None,
    ) -> str:
        """A connection string for these credentials; `options` are of its query."""

    @property
    def unclean_start(self) -> str | None:
        """Names the last start after a crash, where sizes and counts were not made right again since."""

    def made_right(self, unclean_start: str) -> None:
        """They are right again after that start."""

    async def start(self) -> None: ...

    async def ready(self) -> None:
        """Return when it runs, at once or after its restart. Raises `UnavailableError` with words where it cannot."""

    async def stop(self) -> None: ...


class ExternalMongo:
    """A server named by `GOFASTAPI_MONGO_URI`; it is neither started nor stopped."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._parts = urlsplit(uri)

    @property
    def pid(self) -> int | None:
        return None

    @property
    def address(self) -> str:
        return self._parts.netloc.rpartition("@")[2]

    @property
    def root_uri(self) -> str:
        return self._uri

    def uri(
        self,
        user: str,
        password: str,
        database: str = "",
        auth_source: str = "admin",
        options: Mapping[str, str] | None = None,
    ) -> str:
        netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{self.address}"
        ours = {"authSource": auth_source, **(options or {})}
        taken = {name.lower() for name in ours}
        theirs = [o for o in self._parts.query.split("&") if o and o.partition("=")[0].lower() not in taken]
        query = "&".join([urlencode(ours), *theirs])
        return urlunsplit((self._parts.scheme, netloc, f"/{database}", query, ""))

    @property
    def unclean_start(self) -> str | None:
        return None

    def made_right(self, unclean_start: str) -> None:
        """Its operator sees to that."""

    async def start(self) -> None:
        """Nothing to start."""

    async def ready(self) -> None:
        """Whoever asks it finds out."""

    async def stop(self) -> None:
        """Nothing to stop."""
