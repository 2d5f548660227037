"""Tables of the kernel: pandas, Arrow and polars."""

from __future__ import annotations

import datetime
import decimal
import math
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from gofastapi_runner.objects import load
from pandas.testing import assert_frame_equal, assert_series_equal
from support.objects import LIMIT, there_and_back, unpack

from gofastapi_ext.notebook.objects.save import save, warning_about

_DAYS = pd.date_range("2026-01-01", periods=3, tz="Europe/Berlin")
FRAMES = {
    "plain": pd.DataFrame({"a": [1, 2], "b": [0.5, math.nan], "c": ["x", None]}),
    "empty": pd.DataFrame(),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int8")}),
    "index": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key")),
    "range": pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(10, 14, 2)),
    "multi": pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None])),
    "multi columns": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("x", "a"), ("x", "b")])),
    "number columns": pd.DataFrame([[1, 2]], columns=[0, 1]),
    "category": pd.DataFrame({"a": pd.Categorical(["s", "m"], categories=["s", "m", "l"], ordered=True)}),
    "number category": pd.DataFrame({"a": pd.Categorical([3, 1, 3])}),
    "zone": pd.DataFrame({"a": _DAYS}, index=_DAYS),
    "delta": pd.DataFrame({"a": pd.to_timedelta([1, 2], unit="h")}),
    "nullable": pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": pd.array([True, None], dtype="boolean")}),
    "string": pd.DataFrame({"a": pd.array(["x", None], dtype="string")}),
    "period": pd.DataFrame({"a": pd.period_range("2026-01", periods=2, freq="M")}),
    "interval": pd.DataFrame({"a": pd.interval_range(0, 2)}),
    "small types": pd.DataFrame({"a": np.array([1], "i1"), "b": np.array([1], "f4"), "c": [True]}),
    "arrow types": pd.DataFrame({"a": pd.array([1, None], dtype=pd.ArrowDtype(pa.int64()))}),
    "decimal": pd.DataFrame({"a": [decimal.Decimal("1.10"), None]}),
    "date": pd.DataFrame({"a": [datetime.date(2026, 1, 1), None]}),
    "bytes": pd.DataFrame({"a": [b"x", None]}),
    "objects of text": pd.DataFrame({"a": pd.Series(["x", None], dtype=object)}),
    "objects missing by NaN": pd.DataFrame({"a": pd.Series(["x", math.nan], dtype=object), "b": [1, 2]}),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_frames(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.attrs["source"] = "a test"
    form, back = there_and_back(tmp_path, frame)
    assert form == "arrow"
    assert_frame_equal(back, frame, check_exact=True, check_freq=True)
    assert [type(cell) for cell in back.to_numpy().ravel()] == [type(cell) for cell in frame.to_numpy().ravel()]
    assert back.attrs == {"source": "a test"}
    back.iloc[:0] = back.iloc[:0]  # it may be written to


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [[1, 2], None]}),
        pd.DataFrame({"a": [{"x": 1}, {"y": 2}]}),
        pd.DataFrame({"a": [1, "x"]}),
        pd.DataFrame({"a": [(1, 2)]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}),
        pd.DataFrame({"a": pd.Series([None, math.nan, "x"], dtype=object)}),
    ],
    ids=["lists", "dicts", "mixed", "tuples", "same names", "sparse", "None and NaN"],
)
def test_frames_that_arrow_would_change_go_as_a_pickle(tmp_path: Path, frame: pd.DataFrame) -> None:
    each = save("thing", frame, LIMIT)
    assert each.format == "cloudpickle"
    assert_frame_equal(load(unpack(tmp_path, thing=each))["thing"], frame)
    warning = warning_about("thing", each)
    assert warning
    assert "Arrow" in (warning.hint or "")
    assert "pandas" in each.libraries


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([1, 2]),
        pd.Series([1, 2], name="n", index=["x", "y"]),
        pd.Series([1, 2], name=0),
        pd.Series([0.5], name="value"),
        pd.Series(["a"], dtype="category"),
        pd.Series([1, 2, 3], index=_DAYS, name="daily"),
    ],
    ids=["unnamed", "named", "number", "value", "category", "daily"],
)
def test_series(tmp_path: Path, series: pd.Series) -> None:
    form, back = there_and_back(tmp_path, series)
    assert form == "arrow"
    assert type(back) is pd.Series
    assert_series_equal(back, series, check_freq=True)


def test_a_table_of_arrow(tmp_path: Path) -> None:
    table = pa.table({"a": pa.chunked_array([[1], [2, None]]), "b": [[1], None, []]}).replace_schema_metadata(
        {"k": "v"}
    )
    form, back = there_and_back(tmp_path, table)
    assert form == "arrow"
    assert back.equals(table, check_metadata=True)


def test_polars(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"], "c": [[1], []]}).with_columns(
        pl.col("b").cast(pl.Categorical)
    )
    form, back = there_and_back(tmp_path, frame)
    assert form == "polars"
    assert back.equals(frame)
    assert back.schema == frame.schema
    form, series = there_and_back(tmp_path, frame["a"])
    assert form == "polars"
    assert type(series) is pl.Series
    assert series.equals(frame["a"], check_names=True)
