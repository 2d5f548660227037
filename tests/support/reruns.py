"""A test that is run again finds what its first run found."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest

from gofastapi_ext.client.client import Client
from gofastapi_ext.client.discovery import is_listening
from gofastapi_ext.client.places import Places
from gofastapi_ext.core.errors import GoFastAPIError

_BEGAN = pytest.StashKey[datetime]()
_homes: list[Places] = []


def remember(places: Places) -> None:
    """Where a service of the tests lives, until `forget`."""
    _homes.append(places)


def forget(places: Places) -> None:
    _homes.remove(places)


@pytest.fixture(autouse=True)
def again_from_the_beginning(request: pytest.FixtureRequest) -> None:
    """Takes away the apps that a first run of the test made, with their names and versions.

    Those of its module stay, and so does the service: fixtures of a wider scope are not set up anew.
    """
    if began := request.node.stash.get(_BEGAN, None):
        for places in _homes:
            _remove_apps_since(places, began)
    request.node.stash.setdefault(_BEGAN, datetime.now(UTC))


def _remove_apps_since(places: Places, began: datetime) -> None:
    if not is_listening(places):
        return
    with Client(places) as client, suppress(GoFastAPIError):
        for app in [*client.apps(), *client.apps(deleted=True)]:
            if app.created_at >= began:
                with suppress(GoFastAPIError):
                    client.delete(app.id, forever=True)
