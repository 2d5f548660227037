"""Estimators of scikit-learn: with skops where it is there and able, else with joblib."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from typing import Any

from gofastapi_ext.notebook.objects.live import find_live
from gofastapi_ext.notebook.objects.pickles import pickled
from gofastapi_ext.notebook.objects.same import is_same
from gofastapi_ext.notebook.objects.saved import Limited, Saved, too_large, type_name, versions

_SCHEMA = "schema.json"


def save_estimator(value: Any, max_bytes: int) -> Saved | None:
    """An estimator or pipeline. None where it is none, or has classes or functions of the notebook in it."""
    if "sklearn" not in sys.modules:
        return None
    from sklearn.base import BaseEstimator

    if not isinstance(value, BaseEstimator) or find_live(value, "") is not None:
        return None
    return _save_with_skops(value, max_bytes) or _save_with_joblib(value, max_bytes)


def _save_with_skops(value: Any, max_bytes: int) -> Saved | None:
    """skops rebuilds only what it is told to trust: the types that are in it now are written down."""
    try:
        from skops.io import dumps, get_untrusted_types, loads
    except ImportError:
        return None
    try:
        content, modules = _normalised(dumps(value))
        trusted = get_untrusted_types(data=content)
        if "__main__" in modules or any(name.startswith("__main__.") for name in trusted):
            return None
        # What it does not know it may also rebuild empty, without a word.
        if not is_same(value, loads(content, trusted=trusted)):
            return None
    except Exception:  # it does not know a type in it, in one of many ways; there are other formats
        return None
    if len(content) > max_bytes:
        raise too_large(max_bytes, len(content))
    return Saved("skops", type_name(value), content, versions(modules | {"skops"}), {"trusted": trusted})


def _save_with_joblib(value: Any, max_bytes: int) -> Saved | None:
    import joblib

    _, modules = pickled(value, max_bytes, "")
    if "__main__" in modules:  # joblib would look for it in the app
        return None
    file = Limited(max_bytes)
    joblib.dump(value, file)
    return Saved("joblib", type_name(value), file.getvalue(), versions(modules | {"joblib"}))


def _normalised(content: bytes) -> tuple[bytes, set[str]]:
    """The archive without the time, and with numbers in order for addresses in memory; and the modules in it."""
    numbers: dict[str, int] = {}
    modules: set[str] = set()

    def number(address: object) -> int:
        return numbers.setdefault(str(address), len(numbers) + 1)

    def rename(node: dict[str, Any]) -> dict[str, Any]:
        if isinstance(node.get("__id__"), int):
            node["__id__"] = number(node["__id__"])
        if isinstance(node.get("file"), str):
            node["file"] = renamed(node["file"])
        if isinstance(node.get("__module__"), str):
            modules.add(node["__module__"].partition(".")[0])
        return node

    def renamed(name: str) -> str:
        stem, dot, extension = name.partition(".")
        return f"{number(stem)}{dot}{extension}" if stem.isdigit() else name

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read(_SCHEMA), object_hook=rename)
        files = sorted((renamed(name), archive.read(name)) for name in archive.namelist() if name != _SCHEMA)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in [(_SCHEMA, json.dumps(schema).encode()), *files]:
            # An entry made by hand is of the year 1980.
            archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue(), modules
