from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.platform import Platform, running_platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """A service shared by the tests that do not hurt it."""
    with running_platform() as running:
        yield running
