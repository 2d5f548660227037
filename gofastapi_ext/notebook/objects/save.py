"""Save an object in the best format there is for it."""

from __future__ import annotations

import sys

from gofastapi_ext.core.diagnostics import Diagnostic, Severity
from gofastapi_ext.notebook.objects.data import (
    save_array,
    save_arrow,
    save_pandas,
    save_plain,
    save_polars,
    save_torch,
)
from gofastapi_ext.notebook.objects.estimators import save_estimator
from gofastapi_ext.notebook.objects.pickles import save_pickle
from gofastapi_ext.notebook.objects.saved import Saved

_FORMATS = (save_plain, save_array, save_pandas, save_arrow, save_polars, save_torch, save_estimator)


def save(name: str, value: object, max_bytes: int) -> Saved:
    """The object as bytes: as data where it is some, as a pickle where nothing else holds it.

    Raises `CannotSaveError`.
    """
    for attempt in _FORMATS:
        saved = attempt(value, max_bytes)
        if saved is not None:
            return saved
    return save_pickle(value, max_bytes, name)


def warning_about(name: str, saved: Saved) -> Diagnostic | None:
    """What people should know of an object that goes as a pickle."""
    if saved.format not in ("cloudpickle", "joblib"):
        return None
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    libraries = ", ".join(f"{library} {version}" for library, version in saved.libraries.items())
    return Diagnostic(
        severity=Severity.WARNING,
        code="pickled_object",
        message=f"`{name}` ({saved.type}) goes along as a pickle, which runs code when the app loads it",
        hint=f"It loads with Python {python} only, and with {libraries}. {_advice(saved)}",
    )


def _advice(saved: Saved) -> str:
    if saved.type in ("function", "type", "ABCMeta", "ModelMetaclass", "EnumType"):
        return "A function or class is better off in the cell itself."
    if saved.type.startswith(("pandas.", "polars.")):
        return "A table whose columns hold one type each goes as Arrow, which is plain data (pip install pyarrow)."
    if saved.format == "joblib":
        return "With skops it is data rather than code (pip install skops), if it knows all types in the model."
    if "torch" in saved.libraries:
        return "Take its state along instead, weights = model.state_dict(), and build the model in the cell."
    return "Plain data needs no pickle: lists, dicts with string keys, numbers, strings, arrays, tables."
