"""`%export` in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ejected import served
from support.kernel import Kernel, running_kernel
from support.platform import Platform, get

from gofastapi_ext.client.project import opened_project, save_project

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


MODEL = """
import pandas as pd
from sklearn.linear_model import LinearRegression
table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]})
model = LinearRegression().fit(table[["x"]], table["y"])
limits = {"most": 10}
"""
WITH = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/{x}")
def predict(x: float):
    return [round(float(model.predict(table[["x"]] * 0 + x)[0]), 6), len(table), limits]
"""


def test_things_of_the_kernel_leave_with_the_app_and_come_back(
    kernel: Kernel, folder: Path, platform: Platform
) -> None:
    kernel.run(MODEL)
    done = kernel.run("%%deploy model-out --with model,table,limits" + WITH)
    assert not done.error
    live = str(platform.app("model-out").url)
    kernel.run("%export model-out model-out")
    pins = (folder / "model-out" / "requirements.txt").read_text()
    for package in ("scikit-learn", "pandas", "numpy", "skops", "pyarrow"):
        assert f"\n{package}==" in pins, package
    with served(folder / "model-out") as plain:
        assert get(plain, "/5").json() == get(live, "/5").json() == [10.0, 3, {"most": 10}]
    with opened_project(folder / "model-out") as project:
        draft = save_project(platform.client, "model-back", project, None)
    assert draft.code_hash == platform.app("model-out").code_hash


def test_what_is_wrong_is_one_line(kernel: Kernel, folder: Path) -> None:
    (folder / "full").mkdir()
    (folder / "full" / "mine.txt").write_text("mine")
    (folder / "file").write_text("mine")
    assert "Usage: %export NAME FOLDER" in str(kernel.run("%export leaver").error)
    assert "There is no app" in str(kernel.run("%export nobody new").error)
    assert "is not empty" in str(kernel.run("%export leaver full").error)
    assert "cannot be written: not a directory" in str(kernel.run("%export leaver file/inside").error)
    assert sorted(path.name for path in folder.iterdir() if "full" in path.name) == ["full"]
