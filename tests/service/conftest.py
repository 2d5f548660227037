from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.platform import Platform, running_platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """A service shared by the tests that do not hurt it. Its port range keeps clear of a developer's own apps."""
    with running_platform(GOFASTAPI_FIRST_PORT="21000", GOFASTAPI_LAST_PORT="21199") as running:
        yield running
