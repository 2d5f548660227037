"""An app that has objects of the kernel, in several files."""

from __future__ import annotations

import textwrap

import pytest

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.convert import convert
from gofastapi_ext.core.convert.objects import with_objects_imported
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.validation import analyze
from gofastapi_ext.notebook.objects.bring import bring

APP = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/users/one")
def one():
    return model


@app.get("/users/two")
def two():
    return 2


@app.get("/items/three")
def three():
    return labels, len(model)


@app.get("/items/four")
def four():
    return 4
"""


def with_objects(text: str) -> Bundle:
    bundle = Bundle(files={"main.py": BundleFile(text=text)})
    return bring(bundle, {"model": [1], "labels": ["a"], "unused": 1}, ("model", "labels", "unused"), Limits()).bundle


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("print(model, labels)\n", "from gofastapi_objects import labels, model\nprint(model, labels)\n"),
        ('"""Doc."""\nmodel\n', '"""Doc."""\nfrom gofastapi_objects import model\nmodel\n'),
        (
            '"""Doc\n\nmore."""\nfrom __future__ import annotations\n\nmodel\n',
            '"""Doc\n\nmore."""\nfrom __future__ import annotations\nfrom gofastapi_objects import model\n\nmodel\n',
        ),
        ("\ufeffmodel\r\n", "\ufefffrom gofastapi_objects import model\r\nmodel\r\n"),
        ("model = 1\nmodel\n", "model = 1\nmodel\n"),
        ("other\n", "other\n"),
        ("def (\n", "def (\n"),
    ],
)
def test_what_the_main_file_uses_is_imported(before: str, after: str) -> None:
    assert with_objects_imported(with_objects(before)).text_of("main.py") == after


def test_an_app_without_objects_stays_as_it_is() -> None:
    bundle = Bundle(files={"main.py": BundleFile(text="model\n")})
    assert with_objects_imported(bundle) is bundle


def test_routers_import_the_objects_they_use() -> None:
    converted = convert(with_objects(textwrap.dedent(APP))).bundle
    assert "from gofastapi_objects import model\n" in (converted.text_of("routers/users.py") or "")
    assert "from gofastapi_objects import labels, model\n" in (converted.text_of("routers/items.py") or "")
    assert analyze(converted).entrypoint == "main:app"
    assert ".gofastapi/objects/model.json" in converted.files
