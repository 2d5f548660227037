"""A browser, a JupyterLab and a service for the tests that look at what people see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from support.app_page import MENU, deploy, request
from support.data import Data, opened
from support.lab import CHROMIUM_ARGUMENTS, RUNNING, Lab, chromium, running_lab
from support.platform import Platform, running_platform
from support.reruns import again_from_the_beginning

__all__ = ["again_from_the_beginning"]

expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": chromium(), "args": CHROMIUM_ARGUMENTS}


@pytest.fixture
def browser_context_args() -> dict[str, Any]:
    return {"viewport": {"width": 1200, "height": 1000}, "permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    with running_platform() as running:
        yield running


@pytest.fixture(scope="session")
def lab(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab"), platform.places.home) as running:
        yield running


@pytest.fixture(autouse=True)
def no_kernels_stay() -> Iterator[None]:
    """No test is slowed down by what the ones before it have left."""
    yield
    for running in RUNNING:
        running.end_kernels()


@pytest.fixture
def menu(platform: Platform) -> Iterator[str]:
    """The address of an app that takes orders."""
    yield deploy(platform, "menu", request(MENU, "The first menu"))
    platform.client.delete("menu", forever=True)


@pytest.fixture
def database(platform: Platform) -> Iterator[Data]:
    """The person's database, empty before and after."""
    with opened(platform) as data:
        _empty(data)
        yield data
    # A test may have put another database, or other credentials, in force.
    with opened(platform) as data:
        _empty(data)


def _empty(data: Data) -> None:
    for name in data.list_collection_names():
        if not name.startswith("system."):
            data.drop_collection(name)
