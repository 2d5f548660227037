"""Follow a feed over losses of the connection, and over ends and crashes of the service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from gofastapi_ext.client.discovery import ensure_running, is_listening, was_stopped
from gofastapi_ext.client.places import Places
from gofastapi_ext.core.errors import NotFoundError, ServiceUnreachableError, UnavailableError

_Item = TypeVar("_Item")

# As long as a service that was ended on purpose may take to be there again: `gofastapi up --restart`.
_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.2


def follow(places: Places, ask: Callable[[], Iterable[_Item] | None]) -> Iterator[_Item]:
    """What `ask` yields, asked again whenever that ends or the connection is lost: it has to go on where it was.

    Ends where `ask` says None, or what is followed is no longer there. A service that crashed is started; one that
    was ended on purpose is waited for, a minute long: then it raises `ServiceUnreachableError`.
    """
    while (items := ask()) is not None:
        try:
            yield from items
        except NotFoundError:
            return
        except (ServiceUnreachableError, UnavailableError):
            _wait_for_service(places)
        time.sleep(_PAUSE_SECONDS)


def _wait_for_service(places: Places) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_listening(places):
        if not was_stopped(places):
            ensure_running(places)
        elif time.monotonic() > deadline:
            raise ServiceUnreachableError("The GoFastAPI service was ended. Start it: gofastapi up")
        else:
            time.sleep(_PAUSE_SECONDS)
