"""Data, in formats that hold nothing else: JSON, bytes, NumPy arrays, tables and tensors.

Each function gives None where the object is not of its kind, or would not come back exactly as it is. A library
is looked at only where the kernel has imported it: no object of it exists otherwise.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import sys
from typing import Any

from gofastapi_ext.notebook.objects.saved import Limited, Saved, too_large, versions

_PLAIN = (type(None), bool, str)
# What a column of objects may hold to be the same after Arrow.
_TRUSTED_CELLS = frozenset({"str", "bytes", "bool", "NoneType", "Decimal", "date", "time"})


def save_plain(value: Any, max_bytes: int) -> Saved | None:
    """JSON where nothing of it changes on the way, and bytes as they are."""
    if type(value) is bytes:
        if len(value) > max_bytes:
            raise too_large(max_bytes, len(value))
        return Saved("bytes", "bytes", value)
    try:
        if not _is_plain(value, frozenset()):
            return None
        content = json.dumps(value, ensure_ascii=False).encode()
    except (RecursionError, ValueError):  # too deep; a lone surrogate, or an int of thousands of digits
        return None
    if len(content) > max_bytes:
        raise too_large(max_bytes, len(content))
    return Saved("json", type(value).__name__, content)


def _is_plain(value: Any, around: frozenset[int]) -> bool:
    """Whether JSON gives back exactly this: no tuples, no keys but strings, no NaN, nothing inside itself."""
    kind = type(value)
    if kind in _PLAIN or kind is int:
        return True
    if kind is float:
        return math.isfinite(value)
    if kind not in (list, dict) or id(value) in around:
        return False
    around |= {id(value)}
    if kind is dict:
        return all(type(key) is str for key in value) and all(_is_plain(each, around) for each in value.values())
    return all(_is_plain(each, around) for each in value)


def save_array(value: Any, max_bytes: int) -> Saved | None:
    """NumPy arrays and numbers, as .npy without pickles."""
    if "numpy" not in sys.modules:
        return None
    import numpy as np

    is_array = type(value) in (np.ndarray, np.memmap)
    if not (is_array or isinstance(value, np.generic)) or value.dtype.hasobject:
        return None
    if value.nbytes > max_bytes:
        raise too_large(max_bytes, value.nbytes)
    file = Limited(max_bytes)
    try:
        np.save(file, np.asarray(value), allow_pickle=False)
        file.seek(0)
        same = np.load(file, allow_pickle=False).dtype == value.dtype
    except ValueError:  # a dtype that .npy does not know
        return None
    kind = "numpy.ndarray" if is_array else f"numpy.{type(value).__name__}"
    return Saved("npy", kind, file.getvalue(), versions(["numpy"])) if same else None


def save_pandas(value: Any, max_bytes: int) -> Saved | None:
    """DataFrames and Series as Arrow, which keeps index, dtypes, categories and time zones."""
    if "pandas" not in sys.modules or not _has_arrow():
        return None
    import pandas as pd
    import pyarrow as pa

    if type(value) not in (pd.DataFrame, pd.Series):
        return None
    is_series = type(value) is pd.Series
    unnamed = is_series and value.name is None
    frame = (value.to_frame("value") if unnamed else value.to_frame()) if is_series else value
    details: dict[str, Any] = {"unnamed": True} if unnamed else {}
    frequency = getattr(frame.index, "freq", None) if isinstance(frame.index, pd.DatetimeIndex) else None
    if frequency is not None:
        details["index_frequency"] = frame.index.freqstr
    # Arrow does not know that text was a column of objects, nor what stood where some is missing.
    if texts := {str(at): kind for at in range(frame.shape[1]) if (kind := _text_in_objects(frame.iloc[:, at]))}:
        details["text_in_objects"] = texts
    try:
        content = _write_arrow(pa.Table.from_pandas(frame), max_bytes)
        back = pa.ipc.open_file(io.BytesIO(content)).read_all().to_pandas()
        if frequency is not None:
            back.index.freq = details["index_frequency"]
        for at, kind in texts.items():
            values = back.iloc[:, int(at)].to_numpy(dtype=object, copy=True)
            values[pd.isna(values)] = math.nan if kind == "nan" else None
            back.isetitem(int(at), pd.Series(values, index=back.index, dtype=object))
        if not _is_same_frame(frame, back):
            return None
    except (pa.ArrowException, ValueError, TypeError, KeyError, NotImplementedError, OverflowError):
        return None  # mixed types in a column, columns of one name, and the like
    kind = "pandas.Series" if is_series else "pandas.DataFrame"
    return Saved("arrow", kind, content, versions(["pandas", "pyarrow"]), details)


def save_arrow(value: Any, max_bytes: int) -> Saved | None:
    """Tables of pyarrow."""
    if "pyarrow" not in sys.modules:
        return None
    import pyarrow as pa

    if type(value) is not pa.Table:
        return None
    return Saved("arrow", "pyarrow.Table", _write_arrow(value, max_bytes), versions(["pyarrow"]))


def save_polars(value: Any, max_bytes: int) -> Saved | None:
    """DataFrames and Series of polars, in its own Arrow file."""
    if "polars" not in sys.modules:
        return None
    import polars as pl

    if type(value) not in (pl.DataFrame, pl.Series):
        return None
    is_series = type(value) is pl.Series
    frame = value.to_frame() if is_series else value
    if any(dtype == pl.Object for dtype in frame.dtypes):
        return None
    file = Limited(max_bytes)
    frame.write_ipc(file, compression="lz4")
    return Saved("polars", "polars.Series" if is_series else "polars.DataFrame", file.getvalue(), versions(["polars"]))


def save_torch(value: Any, max_bytes: int) -> Saved | None:
    """Tensors and state dicts of torch, as it loads them without running code."""
    if "torch" not in sys.modules:
        return None
    import torch

    tensors = list(value.values()) if isinstance(value, dict) and value else [value]
    if not all(isinstance(each, torch.Tensor) for each in tensors):
        return None
    size = sum(each.nbytes for each in tensors)
    if size > max_bytes:
        raise too_large(max_bytes, size)
    file = Limited(max_bytes)
    try:
        torch.save(value, file)
        torch.load(io.BytesIO(file.getvalue()), map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, TypeError, AttributeError, pickle.PickleError):
        return None
    kind = "torch.Tensor" if tensors[0] is value else "torch state"
    return Saved("torch", kind, file.getvalue(), versions(["torch"]))


def _has_arrow() -> bool:
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


def _write_arrow(table: Any, max_bytes: int) -> bytes:
    import pyarrow as pa

    file = Limited(max_bytes)
    codec = "lz4" if pa.Codec.is_available("lz4") else None
    with pa.ipc.new_file(file, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table)
    return file.getvalue()


def _is_same_frame(frame: Any, back: Any) -> bool:
    from pandas.testing import assert_frame_equal

    try:
        assert_frame_equal(frame, back, check_exact=True)
    except AssertionError:
        return False
    if frame.attrs != back.attrs:
        return False
    labels = [frame.index.get_level_values(level) for level in range(frame.index.nlevels)]
    pairs = zip(labels, [back.index.get_level_values(level) for level in range(back.index.nlevels)], strict=True)
    columns = ((frame.iloc[:, at], back.iloc[:, at]) for at in range(frame.shape[1]))
    return all(_are_same_cells(one, other) for one, other in [*pairs, *columns])


def _are_same_cells(one: Any, other: Any) -> bool:
    """Of objects in particular: None stays None, and a list does not become an array."""
    if one.dtype != object:
        return True
    return all(
        type(a) is type(b) and (type(a).__name__ in _TRUSTED_CELLS or _is_nan(a))
        for a, b in zip(one, other, strict=True)
    )


def _text_in_objects(column: Any) -> str | None:
    """`nan` or `none` for a column of objects that are all text, or missing in this way."""
    if column.dtype != object:
        return None
    kinds = {"nan" if _is_nan(cell) else type(cell).__name__ for cell in column}
    return {frozenset(["str"]): "none", frozenset(["str", "NoneType"]): "none", frozenset(["str", "nan"]): "nan"}.get(
        frozenset(kinds)
    )


def _is_nan(value: Any) -> bool:
    return type(value) is float and math.isnan(value)
