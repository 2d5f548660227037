"""`%export` in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ejected import served
from support.kernel import Kernel, running_kernel
from support.platform import Platform, get

APP = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def root():
    return "out of a notebook"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("export")


@pytest.fixture(scope="module")
def kernel(platform: Platform, folder: Path) -> Iterator[Kernel]:
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


def test_an_app_leaves_the_notebook(kernel: Kernel, folder: Path) -> None:
    kernel.run("%%deploy leaver" + APP)
    told = kernel.run('%export leaver "my project"').text
    assert told == "leaver v1 is in my project. How to run it is in its README.md.\n"
    with served(folder / "my project") as plain:
        assert get(plain).json() == "out of a notebook"


def test_what_is_wrong_is_one_line(kernel: Kernel, folder: Path) -> None:
    (folder / "full").mkdir()
    (folder / "full" / "mine.txt").write_text("mine")
    (folder / "file").write_text("mine")
    assert "Usage: %export NAME FOLDER" in str(kernel.run("%export leaver").error)
    assert "There is no app" in str(kernel.run("%export nobody new").error)
    assert "is not empty" in str(kernel.run("%export leaver full").error)
    assert "cannot be written: not a directory" in str(kernel.run("%export leaver file/inside").error)
    assert sorted(path.name for path in folder.iterdir() if "full" in path.name) == ["full"]
