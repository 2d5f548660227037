"""The part of the client that is about a user's database."""

from __future__ import annotations

from collections.abc import Iterator

from gofastapi_ext.client.transport import Transport
from gofastapi_ext.core.data import DatabaseView, RotationEvent, UriRequest, UriView


class DatabaseCalls(Transport):
    """What is in the database, and its credentials. `branch` means a branch of it."""

    def database(self, *, branch: str | None = None) -> DatabaseView:
        return self._ask("GET", "/api/database", DatabaseView, params=branch_params(branch))

    def rotate_credentials(self, *, branch: str | None = None) -> Iterator[RotationEvent]:
        """New credentials; yields each app as it has moved over, then the end."""
        path = "/api/database/credentials/rotate"
        yield from self._stream("POST", path, RotationEvent, params=branch_params(branch))

    def database_uri(self, *, confirm: str, branch: str | None = None) -> UriView:
        """The connection string, with its password; `confirm` is the name of the database."""
        content = UriRequest(confirm=confirm).model_dump_json()
        return self._ask("POST", "/api/database/uri", UriView, content=content, params=branch_params(branch))


def branch_params(branch: str | None) -> dict[str, str]:
    """The query that every call about a database takes."""
    return {} if branch is None else {"branch": branch}
