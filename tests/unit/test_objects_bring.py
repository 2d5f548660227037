"""Objects in a bundle, and names that only the kernel has."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.objects import MANIFEST, object_names
from gofastapi_ext.core.validation import analyze
from gofastapi_ext.notebook.errors import CommandFailed
from gofastapi_ext.notebook.objects.bring import RefusedError, bring, check_names
from gofastapi_ext.notebook.objects.names import find_undefined

CELL = CellOrigin(label="In[3]", line_offset=1)


def bundle_of(**files: str) -> Bundle:
    return Bundle(files={f"{name}.py": BundleFile(text=text) for name, text in files.items()})


def test_small_objects_stand_in_the_bundle_and_large_ones_apart() -> None:
    namespace = {"small": [1], "large": np.arange(50_000), "raw": b"\xff"}
    brought = bring(bundle_of(main="app = 1\n"), namespace, ("small", "large", "raw"), Limits())
    files = brought.bundle.files
    assert files[".gofastapi/objects/small.json"].text == "[1]"
    assert files[".gofastapi/objects/raw.bin"].content == b"\xff"
    large = files[".gofastapi/objects/large.npy"]
    assert large.blob is not None
    assert large.blob_bytes == 50_000 * 8 + 128
    assert brought.bundle.blobs == {large.blob}
    assert object_names(brought.bundle) == ["small", "large", "raw"]
    assert brought.labels == ("small (list, json, 3 B)", "large (ndarray, npy, 400.1 kB)", "raw (bytes, bytes, 1 B)")
    assert brought.warnings == ()


def test_the_same_objects_give_the_same_code_hash() -> None:
    namespace = {"a": {"x": 1}, "b": np.arange(3)}
    first = bring(bundle_of(main="app = 1\n"), namespace, ("a", "b"), Limits()).bundle
    assert bring(bundle_of(main="app = 1\n"), namespace, ("a", "b"), Limits()).bundle.code_hash == first.code_hash
    namespace["a"]["x"] = 2
    assert bring(bundle_of(main="app = 1\n"), namespace, ("a", "b"), Limits()).bundle.code_hash != first.code_hash


def test_objects_of_before_are_replaced_as_a_whole() -> None:
    first = bring(bundle_of(main="app = 1\n"), {"old": 1}, ("old",), Limits()).bundle
    second = bring(first, {"new": 2}, ("new",), Limits()).bundle
    assert sorted(second.files) == [MANIFEST, ".gofastapi/objects/new.json", "main.py"]


def test_all_that_cannot_be_saved_is_told_at_once() -> None:
    with pytest.raises(RefusedError) as refused:
        bring(bundle_of(main=""), {"a": (n for n in ""), "b": 1, "c": sys._getframe()}, ("a", "b", "c"), Limits())
    assert [each.message[:4] for each in refused.value.diagnostics] == ["`a` ", "`c` "]
    assert all(each.hint for each in refused.value.diagnostics)


def test_names_that_are_not_there() -> None:
    namespace = {"model": 1, "_model2": 1, "np": np}
    check_names(namespace, ("model",))
    for name, words in (("modle", "Did you mean `model`"), ("zzz", "Run the cell"), ("np", "`import numpy as np`")):
        with pytest.raises(CommandFailed, match=words):
            check_names(namespace, (name,))


def undefined(names: tuple[str, ...] = (), namespace: dict[str, Any] | None = None, **files: str) -> list[str]:
    """What is said of each, after its place in the cell."""
    origins = {f"{path}.py": [CELL] for path in files if not path.startswith("disk")}
    ipython = {"Out": {}}
    known = {"model": [1], "Out": ipython["Out"], **(namespace or {})}
    found = find_undefined(bundle_of(**files), origins, known, names, ipython)
    return [f"{each.cell.line if each.cell else None}: {each.message}. {each.hint}" for each in found]


def test_a_name_of_the_kernel_is_found_unless_it_comes_along() -> None:
    told = "3: `model` is defined in the notebook, not in this cell. Take it along: --with model"
    assert undefined(main="x = 1\nprint(model)\n") == [told]
    assert undefined(("model",), main="x = 1\nprint(model)\n") == []
    assert undefined(main="model = 1\nprint(model)\n") == []
    assert undefined(main="nobody\n") == []
    both = undefined(("df",), {"df": 1, "scaler": 2}, main="model, scaler, df\n")
    assert [each.rpartition(": ")[2] for each in both] == ["--with df,model,scaler"] * 2


def test_files_of_disk_are_not_the_notebooks_business() -> None:
    assert undefined(main="x = 1\n", disk="print(model)\n") == []


def test_other_files_of_cells_import_what_comes_along() -> None:
    assert undefined(("model",), main="x = 1\n", routes="print(model)\n") == [
        "2: `model` stands in main.py only. Add: from gofastapi_objects import model"
    ]
    assert undefined(main="x = 1\n", routes="print(model)\n") == [
        "2: `model` is defined in the notebook, not in this cell. "
        "Take it along: --with model, and add: from gofastapi_objects import model"
    ]


def test_what_was_imported_is_imported_again() -> None:
    from fastapi import APIRouter, FastAPI
    from fastapi.responses import HTMLResponse

    namespace = {"np": np, "json": json, "HTMLResponse": HTMLResponse, "APIRouter": APIRouter, "sqrt": np.sqrt}
    said = undefined((), namespace, main="np, json, HTMLResponse, APIRouter\n")
    assert [each.rpartition("Add: ")[2] for each in said] == [
        "import numpy as np",
        "import json",
        "from starlette.responses import HTMLResponse",
        "from fastapi import APIRouter",
    ]
    # The app itself is the platform's business: it says which line to move.
    assert undefined((), {"app": FastAPI()}, main="@app.get('/')\ndef f(): ...\n") == []


def test_what_is_ipythons_own() -> None:
    said = undefined(main="display(1)\nOut\n")
    assert ["`display` is there in a notebook only" in said[0], "`Out` is there in a notebook only" in said[1]] == [
        True
    ] * 2
    # A name of IPython's that somebody uses for something else is theirs.
    assert "--with Out" in undefined((), {"Out": 1}, main="Out\n")[0]


def test_validation_knows_the_module_of_objects_where_there_are_some() -> None:
    source = "from fastapi import FastAPI\nfrom gofastapi_objects import model\napp = FastAPI()\n"
    brought = bring(bundle_of(main=source), {"model": 1}, ("model",), Limits()).bundle
    assert [use.top for use in analyze(brought).imports] == ["fastapi"]
    assert [use.top for use in analyze(bundle_of(main=source)).imports] == ["fastapi", "gofastapi_objects"]


def test_validation_looks_past_what_is_stored_apart() -> None:
    files = {
        "main.py": BundleFile(text="from fastapi import FastAPI\napp = FastAPI()\n"),
        "big.py": BundleFile(blob="0" * 64, blob_bytes=5),
        ".gofastapi/objects/x.npy": BundleFile(blob="1" * 64, blob_bytes=5),
    }
    assert analyze(Bundle(files=files)).entrypoint == "main:app"
    files["main.py"] = files["big.py"]
    assert [d.code for d in analyze(Bundle(files=files)).diagnostics] == ["binary_main"]


def test_a_manifest_that_is_none_names_nothing() -> None:
    for text in ("", "[]", "{}", '{"objects": [1]}', "{", '{"objects": null}'):
        assert object_names(Bundle(files={"main.py": BundleFile(text=""), MANIFEST: BundleFile(text=text)})) == []
