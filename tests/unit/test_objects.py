"""Objects of the kernel, saved as the notebook does it and loaded as an app does it."""

from __future__ import annotations

import collections
import datetime
import decimal
import json
import math
import pickle
import socket
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from gofastapi_runner.objects import MANIFEST, ObjectError, load
from support.objects import LIMIT, there_and_back, unpack

from gofastapi_ext.notebook.objects import saved as saved_module
from gofastapi_ext.notebook.objects.save import save, warning_about
from gofastapi_ext.notebook.objects.saved import CannotSaveError, path_of


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(10**40),
        0.1,
        -0.0,
        "",
        "größe \u2028 \N{SNOWMAN}",
        [],
        {},
        {"a": [1, 2.5, None, {"b": ["x", False]}]},
        [[[[]]]],
    ],
    ids=repr,
)
def test_plain_values_go_as_json(tmp_path: Path, value: object) -> None:
    form, back = there_and_back(tmp_path, value)
    assert form == "json"
    assert back == value
    assert repr(back) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        (1, 2),
        {1: "a"},
        {("a", "b"): 1},
        [1, (2,)],
        {1, 2},
        math.nan,
        [math.inf],
        {"deep": {"deeper": [math.nan]}},
        collections.OrderedDict(a=1),
        collections.defaultdict(int, a=1),
        collections.Counter("aab"),
        datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        decimal.Decimal("1.10"),
        "a lone \udc80",
        10**5000,
        bytearray(b"x"),
        1j,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_would_change_goes_as_a_pickle_with_a_warning(tmp_path: Path, value: object) -> None:
    each = save("thing", value, LIMIT)
    assert each.format == "cloudpickle"
    back = load(unpack(tmp_path, thing=each))["thing"]
    assert type(back) is type(value)
    assert pickle.dumps(back) == pickle.dumps(value)
    warning = warning_about("thing", each)
    assert warning is not None
    assert warning.severity == "warning"
    assert "`thing`" in warning.message
    assert "runs code" in warning.message
    assert "Python 3." in (warning.hint or "")


def test_a_list_inside_itself(tmp_path: Path) -> None:
    value: list[Any] = [1]
    value.append(value)
    form, back = there_and_back(tmp_path, value)
    assert form == "cloudpickle"
    assert back[1] is back


def test_a_list_that_stands_in_two_places_is_plain(tmp_path: Path) -> None:
    once = ["x"]
    assert there_and_back(tmp_path, [once, once]) == ("json", [["x"], ["x"]])


def test_nested_too_deeply(tmp_path: Path) -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(CannotSaveError, match="nested too deeply"):
        save("thing", value, LIMIT)


def test_bytes_go_as_they_are(tmp_path: Path) -> None:
    assert there_and_back(tmp_path, b"\x00\xff") == ("bytes", b"\x00\xff")
    assert save("thing", b"\x00\xff", LIMIT).content == b"\x00\xff"


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([1.5, np.nan, np.inf], dtype="<f4"),
        np.array("2026-01-01", dtype="M8[ns]"),
        np.array([1, 2], dtype="m8[s]"),
        np.array(["a", "bcd"]),
        np.array([b"a", b"bcd"]),
        np.zeros((0, 3)),
        np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
        np.array([True, False]),
        np.array([1 + 2j]),
    ],
    ids=lambda array: f"{array.dtype}-{array.shape}",
)
def test_arrays(tmp_path: Path, array: np.ndarray[Any, Any]) -> None:
    form, back = there_and_back(tmp_path, array)
    assert form == "npy"
    assert type(back) is np.ndarray
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.flags.f_contiguous == array.flags.f_contiguous
    np.testing.assert_array_equal(back, array)


def test_a_number_of_numpy_stays_one(tmp_path: Path) -> None:
    form, back = there_and_back(tmp_path, np.float32(1.5))
    assert form == "npy"
    assert type(back) is np.float32
    assert back == 1.5


@pytest.mark.parametrize(
    "array",
    [
        np.array([{"a": 1}, None], dtype=object),
        np.array([(1, "x")], dtype=[("a", "i4"), ("b", "O")]),
        np.ma.array([1, 2], mask=[0, 1]),
        np.rec.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
    ],
    ids=["object", "object field", "masked", "recarray"],
)
def test_arrays_that_npy_does_not_hold_without_pickles(tmp_path: Path, array: Any) -> None:
    form, back = there_and_back(tmp_path, array)
    assert form == "cloudpickle"
    assert type(back) is type(array)
    assert repr(back) == repr(array)


def test_an_array_of_a_file_becomes_one_of_its_own(tmp_path: Path) -> None:
    array = np.memmap(tmp_path / "file", dtype="u1", mode="w+", shape=(3,))
    array[:] = [1, 2, 3]
    form, back = there_and_back(tmp_path, array)
    assert (form, type(back), back.tolist()) == ("npy", np.ndarray, [1, 2, 3])


FRAME = pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None]))


def test_the_same_object_gives_the_same_bytes_later() -> None:
    values = [{"a": [1]}, np.arange(3), FRAME, pl.DataFrame({"a": [1]}), (1, 2)]
    before = [save("thing", value, LIMIT).content for value in values]
    # Archives note the time in steps of two seconds.
    time.sleep(2.1)
    assert [save("thing", value, LIMIT).content for value in values] == before


@pytest.mark.parametrize(
    ("make", "what", "hint"),
    [
        (lambda: open(__file__), "an open file", "--file"),  # noqa: SIM115
        (lambda: socket.socket(), "an open socket", "Make it in the cell"),
        (lambda: (n for n in "ab"), "a generator", "list(...)"),
        (lambda: threading.Lock(), "a lock", "Make it in the cell"),
        (lambda: threading.Thread(), "a thread", "Start it in the cell"),
        (lambda: sqlite3.connect(":memory:"), "a connection (sqlite3 Connection)", "Make it in the cell"),
    ],
    ids=["file", "socket", "generator", "lock", "thread", "database"],
)
def test_what_cannot_leave_the_kernel_is_named_wherever_it_is(make: Any, what: str, hint: str) -> None:
    live = make()
    with pytest.raises(CannotSaveError) as alone:
        save("thing", live, LIMIT)
    assert str(alone.value).startswith(f"cannot leave the kernel: it is {what}")
    assert hint in alone.value.hint

    class Service:
        def __init__(self) -> None:
            self.parts = {"live": [live]}

    with pytest.raises(CannotSaveError) as inside:
        save("thing", Service(), LIMIT)
    assert f"it holds `thing.parts['live'][0]`, which is {what}" in str(inside.value)
    if hasattr(live, "close"):
        live.close()


def test_what_nobody_can_pickle_says_why() -> None:
    class Stubborn:
        def __reduce__(self) -> Any:
            raise TypeError("I stay here\nfor good")

    with pytest.raises(CannotSaveError, match=r"cannot be saved: I stay here\."):
        save("thing", Stubborn(), LIMIT)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"x" * 2000, "is 2.0 kB"),
        (["x" * 2000], "is 2.0 kB"),
        (np.zeros(250), "is 2.0 kB"),
        (pd.DataFrame({"a": np.random.default_rng(0).random(1000)}), "is more than 1.0 kB"),
        ((b"x" * 2000,), "is more than 1.0 kB"),
    ],
    ids=["bytes", "list", "array", "frame", "pickle"],
)
def test_what_is_too_large_says_how_large(value: object, words: str) -> None:
    with pytest.raises(CannotSaveError) as failed:
        save("thing", value, 1000)
    assert words in str(failed.value)
    assert "1.0 kB is the limit for one thing" in str(failed.value)


def test_a_failure_to_find_the_version_of_a_library_is_none() -> None:
    assert saved_module.versions(["json", "numpy", "not_a_library", "__main__"]) == {"numpy": np.__version__}


def tampered(folder: Path, **changes: Any) -> Path:
    """An app with one object, whose manifest says something else of it."""
    unpack(folder, thing=save("thing", {1, 2}, LIMIT))
    found = json.loads((folder / MANIFEST).read_text())
    found["python"] = changes.pop("python", found["python"])
    found["format"] = changes.pop("manifest_format", found["format"])
    found["objects"][0] |= changes
    (folder / MANIFEST).write_text(json.dumps(found))
    return folder


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"python": "3.9.1"}, "saved with Python 3.9 and cannot be loaded with Python 3.", "Deploy the app again"),
        (
            {"libraries": {"numpy": "1.26.4"}},
            f"saved with numpy 1.26.4 and cannot be loaded with numpy {np.__version__}",
            "Deploy the app again from the notebook, where numpy is",
        ),
        ({"libraries": {"not-there": "1.0"}}, "needs not-there, which is not installed", "pip install not-there==1.0"),
        ({"path": ".gofastapi/objects/other.pkl"}, "FileNotFoundError", "Deploy the app again"),
        ({"format": "of tomorrow"}, "newer GoFastAPI", "Update it"),
        ({"manifest_format": 2}, "newer GoFastAPI", "Update it"),
    ],
    ids=["python", "library", "missing library", "missing file", "format", "manifest"],
)
def test_what_cannot_be_loaded_says_why(tmp_path: Path, changes: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(ObjectError) as failed:
        load(tampered(tmp_path, **changes))
    assert message in str(failed.value)
    assert hint in failed.value.hint


def test_a_small_difference_is_a_line_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    major = np.__version__.partition(".")[0]
    load(tampered(tmp_path, libraries={"numpy": f"{major}.0.0.1"}))
    assert capsys.readouterr().err == f"thing was saved with numpy {major}.0.0.1; this is numpy {np.__version__}.\n"


def test_data_is_bound_to_no_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = {"python": "3.9.1", "libraries": {"numpy": "0.1"}, "format": "bytes"}
    load(tampered(tmp_path, **changes))
    assert capsys.readouterr().err == ""


def test_a_damaged_file_is_no_crash(tmp_path: Path) -> None:
    folder = unpack(tmp_path, thing=save("thing", np.arange(5), LIMIT))
    (folder / path_of("thing", "npy")).write_bytes(b"\x93NUMPY")
    with pytest.raises(ObjectError, match=r"`thing` cannot be loaded from .gofastapi/objects/thing.npy: "):
        load(folder)


def test_an_app_without_objects_loads_nothing(tmp_path: Path) -> None:
    assert load(tmp_path) == {}
