"""The client of this process: made once and kept."""

from __future__ import annotations

from collections.abc import Callable

from gofastapi_ext.client.client import Client
from gofastapi_ext.client.discovery import ensure_running, is_listening, was_stopped
from gofastapi_ext.client.places import Places, find_places

# Keyed by where the service lives, which the user may change through the environment.
_clients: dict[Places, Client] = {}


def client(on_start: Callable[[], None] | None = None) -> Client:
    """The client of this user's service, which is started first where it does not run.

    `on_start` is called before such a start, which takes seconds. Raises `ServiceUnreachableError`.
    """
    places = find_places()
    if not is_listening(places):
        if on_start:
            on_start()
        ensure_running(places)
    if places not in _clients:
        _clients[places] = Client(places)
    return _clients[places]


def nothing_listens() -> bool:
    """Whether no service answers now; asking starts none."""
    return not is_listening(find_places())


def nothing_runs() -> bool:
    """Whether there is no service, and none is wanted: it was never started, or stopped on purpose."""
    places = find_places()
    return not is_listening(places) and was_stopped(places)
