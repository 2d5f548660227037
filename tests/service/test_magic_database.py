"""`%db` in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pymongo
import pytest
from support.databases import uri_of
from support.kernel import Kernel, running_kernel
from support.platform import Platform, drop_collections

from gofastapi_ext.client.database_text import database_as_text
from gofastapi_ext.core.data import CollectionView, DatabaseView, IndexView
from gofastapi_ext.notebook.database import database_as_html


@pytest.fixture(scope="module")
def kernel(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder: Path = tmp_path_factory.mktemp("database")
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


def test_the_card_says_what_is_in_the_database(kernel: Kernel, platform: Platform) -> None:
    empty = kernel.run("%db")
    assert "Nothing is stored in it yet" in empty.plain
    assert "Nothing is stored in it yet" in empty.html
    with pymongo.MongoClient(uri_of(platform)) as client:
        data = client.get_default_database()
        data["<b>notes</b>"].insert_many({"text": "x" * 100} for _ in range(20))
        data["<b>notes</b>"].create_index("text", name="once")
        ran = kernel.run("%db")
        drop_collections(data)
    assert "of 100.0 MB, 20 documents" in ran.plain
    assert "<b>notes</b>" in ran.plain
    assert "&lt;b&gt;notes&lt;/b&gt;" in ran.html
    assert "once (text 1)" in ran.html
    assert "PLATFORM" not in ran.html
    assert "mongodb://" not in ran.html + ran.plain


def test_what_cannot_be_is_one_line(kernel: Kernel) -> None:
    assert "There is no branch" in kernel.run("%db --branch nope").error
    assert "Usage: %db" in kernel.run("%db one two three").error


def view(**more: object) -> DatabaseView:
    big = CollectionView(
        name="big",
        documents=3,
        bytes=90,
        average_bytes=30,
        indexes=[IndexView(name="_id_", keys=[("_id", 1)], bytes=9)],
    )
    fields: dict[str, object] = {
        "name": "user_ada",
        "bytes": 99,
        "limit_bytes": 1000,
        "writable_below_bytes": 950,
        "over_limit": False,
        "documents": 3,
        "collections": [big],
        "created_at": datetime.now(UTC),
    }
    return DatabaseView.model_validate(fields | more)


def test_a_database_that_is_nearly_full_or_over_its_limit_says_so() -> None:
    assert "gofastapi-notice" not in database_as_html(view()).split("</style>")[1]
    assert "It is 85 % full" in database_as_text(view(bytes=850))
    assert "gofastapi-nearly" in database_as_html(view(bytes=850)).split("</style>")[1]
    over = view(bytes=2000, over_limit=True)
    for shown in (database_as_text(over), database_as_html(over)):
        assert "takes no more writes" in shown
        assert "once it holds less than 950 B" in shown
        assert "Most of it is big, with 99 B." in shown
    assert "width:100.0%" in database_as_html(over)
