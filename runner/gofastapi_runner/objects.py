"""The objects that came from a notebook's kernel: read from the app's folder, and given to its main module.

This file stands alone: an exported project has a copy of it, as `gofastapi_objects.py`. It imports nothing but the
standard library until there is an object that needs more.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

MANIFEST = ".gofastapi/objects.json"
MODULE = "gofastapi_objects"
"""Modules of the app other than the main one say `from gofastapi_objects import model`."""

_FORMAT_VERSION = 1
# What they hold is not data but instructions to rebuild an object, with the libraries it was made with.
_BOUND_TO_LIBRARIES = frozenset({"skops", "joblib", "cloudpickle"})
_BOUND_TO_PYTHON = frozenset({"joblib", "cloudpickle"})
_AGAIN = "Deploy the app again from the notebook"


class ObjectError(Exception):
    """An object could not be loaded; the message names it, `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def provide(folder: str | Path, main: str) -> dict[str, Any]:
    """Load the objects, and have them stand in the namespace of the module `main` when its code begins to run.

    Other modules import them from `gofastapi_objects`. Call it before `main` is imported. Raises `ObjectError`.
    """
    objects = load(folder)
    if objects:
        sys.meta_path.insert(0, _Giver(main, objects))
        sys.modules.setdefault(MODULE, ModuleType(MODULE)).__dict__.update(objects)
    return objects


def load(folder: str | Path) -> dict[str, Any]:
    """The objects of the app in `folder`, by name; {} where it has none. Raises `ObjectError`."""
    path = Path(folder, MANIFEST)
    if not path.exists():
        return {}
    try:
        manifest = json.loads(path.read_text("utf-8"))
        entries, python = manifest["objects"], str(manifest["python"])
        is_known = manifest["format"] == _FORMAT_VERSION and all(entry["format"] in _READERS for entry in entries)
    except (ValueError, KeyError, TypeError) as error:
        raise ObjectError(f"{MANIFEST} cannot be read: {error}.", f"{_AGAIN}.") from error
    if not is_known:
        raise ObjectError(f"{MANIFEST} is of a newer GoFastAPI than the one that reads it.", "Update it.")
    return {entry["name"]: _load_one(Path(folder, entry["path"]), entry, python) for entry in entries}


class _Giver(MetaPathFinder):
    """Puts the objects into a module between its making and its running."""

    def __init__(self, module: str, objects: dict[str, Any]) -> None:
        self._module = module
        self._objects = objects
        self._finders = sys.meta_path

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        # No global names here: in an exported project an object of the same name hides them by now.
        spec = None
        for finder in self._finders:
            if finder is not self and spec is None:
                spec = finder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        objects, run = self._objects, spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            module.__dict__.update(objects)
            run(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _load_one(path: Path, entry: dict[str, Any], python: str) -> Any:
    name, form = entry["name"], entry["format"]
    _check_versions(name, form, entry.get("libraries", {}), python)
    try:
        return _READERS[form](path, entry)
    except ModuleNotFoundError as error:
        missing = error.name or str(error)
        raise ObjectError(
            f"`{name}` cannot be loaded: there is no module {missing} here.",
            f"Add `import {missing.partition('.')[0]}` to the cell where it is a file of yours; else install it.",
        ) from error
    except Exception as error:
        raise ObjectError(
            f"`{name}` cannot be loaded from {entry['path']}: {type(error).__name__}: {str(error)[:500]}", f"{_AGAIN}."
        ) from error


def _check_versions(name: str, form: str, libraries: dict[str, str], python: str) -> None:
    """Say what differs from where the object was saved; raise `ObjectError` where it differs too much."""
    from importlib.metadata import PackageNotFoundError, version

    here = ".".join(map(str, sys.version_info[:3]))
    if form in _BOUND_TO_PYTHON and _first(python, 2) != _first(here, 2):
        raise ObjectError(
            f"`{name}` was saved with Python {_first(python, 2)} and cannot be loaded with Python {_first(here, 2)}.",
            f"{_AGAIN}, from a kernel with the Python that the app runs with.",
        )
    for library, saved in libraries.items():
        try:
            present = version(library)
        except PackageNotFoundError:
            raise ObjectError(
                f"`{name}` needs {library}, which is not installed here.", f"Install it: pip install {library}=={saved}"
            ) from None
        if form not in _BOUND_TO_LIBRARIES or present == saved:
            continue
        if _first(present, 1) != _first(saved, 1):
            raise ObjectError(
                f"`{name}` was saved with {library} {saved} and cannot be loaded with {library} {present}.",
                f"{_AGAIN}, where {library} is {present}; or install {library} {saved}.",
            )
        print(f"{name} was saved with {library} {saved}; this is {library} {present}.", file=sys.stderr)


def _first(version: str, parts: int) -> str:
    return ".".join(version.split(".")[:parts])


def _read_npy(path: Path, entry: dict[str, Any]) -> Any:
    import numpy as np

    array = np.load(path, allow_pickle=False)
    return array if entry["type"] == "numpy.ndarray" else array[()]


def _read_arrow(path: Path, entry: dict[str, Any]) -> Any:
    import pyarrow as pa

    with path.open("rb") as file:
        table = pa.ipc.open_file(file).read_all()
    if entry["type"] == "pyarrow.Table":
        return table
    frame = table.to_pandas()
    if "index_frequency" in entry:
        frame.index.freq = entry["index_frequency"]
    for at, kind in entry.get("text_in_objects", {}).items():
        import pandas as pd

        values = frame.iloc[:, int(at)].to_numpy(dtype=object, copy=True)
        values[pd.isna(values)] = float("nan") if kind == "nan" else None
        frame.isetitem(int(at), pd.Series(values, index=frame.index, dtype=object))
    if entry["type"] != "pandas.Series":
        return frame
    series = frame.iloc[:, 0]
    return series.rename(None) if entry.get("unnamed") else series


def _read_polars(path: Path, entry: dict[str, Any]) -> Any:
    import polars as pl

    with path.open("rb") as file:
        frame = pl.read_ipc(file)
    return frame.to_series() if entry["type"] == "polars.Series" else frame


def _read_skops(path: Path, entry: dict[str, Any]) -> Any:
    from skops.io import load as skops_load

    return skops_load(path, trusted=entry["trusted"])


def _read_joblib(path: Path, entry: dict[str, Any]) -> Any:
    import joblib

    return joblib.load(path)


def _read_torch(path: Path, entry: dict[str, Any]) -> Any:
    import torch

    return torch.load(path, map_location="cpu", weights_only=True)


def _read_json(path: Path, entry: dict[str, Any]) -> Any:
    return json.loads(path.read_bytes())


def _read_bytes(path: Path, entry: dict[str, Any]) -> bytes:
    return path.read_bytes()


def _read_pickle(path: Path, entry: dict[str, Any]) -> Any:
    import pickle

    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301 - whoever deployed it also wrote the code of the app


_READERS: dict[str, Callable[[Path, dict[str, Any]], Any]] = {
    "npy": _read_npy,
    "arrow": _read_arrow,
    "polars": _read_polars,
    "skops": _read_skops,
    "joblib": _read_joblib,
    "torch": _read_torch,
    "json": _read_json,
    "bytes": _read_bytes,
    "cloudpickle": _read_pickle,
}
