from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.conversion import Comparer


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparer]:
    """Converts an app, and fails where it is not the same one afterwards."""
    with Comparer(tmp_path_factory.mktemp("apps")) as comparer:
        yield comparer
