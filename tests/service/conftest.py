from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import pytest
from support.data import Data, opened
from support.instances import loop, runtime
from support.platform import Platform, drop_collections, running_platform
from support.reruns import again_from_the_beginning

from gofastapi_ext.core.errors import GoFastAPIError

__all__ = ["again_from_the_beginning", "loop", "runtime"]

# Whoever runs this in the background has SIGINT ignored, and so would all that is started here and interrupted.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_platform() -> Iterator[Platform]:
    with running_platform() as running:
        yield running


@pytest.fixture(scope="module")
def platform(shared_platform: Platform) -> Iterator[Platform]:
    """A service for the tests that do not hurt it. Each module finds it without apps and data."""
    yield shared_platform
    client = shared_platform.client
    for app in [*client.apps(), *client.apps(deleted=True)]:
        with contextlib.suppress(GoFastAPIError):
            client.delete(app.id, forever=True)
    with shared_platform.database() as database:
        drop_collections(database.client[client.me().database])


@pytest.fixture
def data(platform: Platform) -> Iterator[Data]:
    """The user's database, opened with the user's own address; empty again afterwards."""
    with opened(platform) as database:
        yield database
        drop_collections(database)
