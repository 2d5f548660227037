"""Pickles: of functions, classes and objects that no format of data holds."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from gofastapi_ext.notebook.objects.live import find_live
from gofastapi_ext.notebook.objects.saved import CannotSaveError, Limited, Saved, type_name, versions


def save_pickle(value: Any, max_bytes: int, name: str) -> Saved:
    """Anything else. Functions and classes of the notebook go by value. Raises `CannotSaveError`."""
    content, modules = pickled(value, max_bytes, name)
    return Saved("cloudpickle", type_name(value), content, versions(modules | {"cloudpickle"}))


def pickled(value: Any, max_bytes: int, name: str) -> tuple[bytes, set[str]]:
    """The pickle, and the top-level modules of all that is in it."""
    import cloudpickle

    modules: set[str] = set()

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            named = obj if isinstance(obj, ModuleType | type) or inspect.isroutine(obj) else type(obj)
            module = named.__name__ if isinstance(named, ModuleType) else getattr(named, "__module__", None)
            modules.add(str(module or "builtins").partition(".")[0])
            return super().reducer_override(obj)

    live = find_live(value, name)
    if live is not None:
        raise live
    file = Limited(max_bytes)
    try:
        Pickler(file, protocol=5).dump(value)
    except CannotSaveError:
        raise
    except Exception as error:
        if isinstance(error, RecursionError) or isinstance(error.__context__, RecursionError):
            raise CannotSaveError(
                "is nested too deeply to be saved.", "Give the app a flat list, or a table, instead of a long chain."
            ) from None
        raise CannotSaveError(
            f"cannot be saved: {(str(error) or type(error).__name__).splitlines()[0].rstrip('.')}.",
            "Make it in the cell, or give the app only the parts that are plain data.",
        ) from error
    return file.getvalue(), modules
