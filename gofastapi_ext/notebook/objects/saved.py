"""What an object of the kernel becomes: bytes in a format, and what has to be known to load them again."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.core.objects import FOLDER

MANIFEST_FORMAT = 1
EXTENSIONS = {
    "npy": "npy",
    "arrow": "arrow",
    "polars": "arrow",
    "skops": "skops",
    "joblib": "joblib",
    "torch": "pt",
    "json": "json",
    "bytes": "bin",
    "cloudpickle": "pkl",
}
# Where what is installed goes by another name than what is imported.
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow", "cv2": "opencv-python", "bson": "pymongo"}


class CannotSaveError(Exception):
    """The object cannot come along; the message goes on after its name, `hint` says what to do instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Saved:
    """An object as a file. `details` are what its format needs beside the bytes."""

    format: str
    type: str
    content: bytes
    libraries: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def entry(self, name: str, path: str | None = None) -> dict[str, Any]:
        """What the manifest says of it."""
        return {
            "name": name,
            "path": path or path_of(name, self.format),
            "format": self.format,
            "type": self.type,
            "bytes": len(self.content),
            "libraries": self.libraries,
            **self.details,
        }


class Limited(io.BytesIO):
    """A file in memory that refuses to grow beyond a size, rather than to fill the kernel's memory."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_bytes

    def write(self, data: Any) -> int:
        written = super().write(data)
        if self.tell() > self._max_bytes:
            raise too_large(self._max_bytes)
        return written


def too_large(max_bytes: int, size: int | None = None) -> CannotSaveError:
    """Why a thing is too large; `size` in bytes, where it is known."""
    is_size = f"is {format_bytes(size)}" if size is not None else f"is more than {format_bytes(max_bytes)}"
    return CannotSaveError(
        f"{is_size}; {format_bytes(max_bytes)} is the limit for one thing.",
        "Give the app less of it, or store it in the database and read it there.",
    )


def path_of(name: str, form: str) -> str:
    return f"{FOLDER}/{name}.{EXTENSIONS[form]}"


def manifest(entries: Iterable[dict[str, Any]]) -> str:
    """The text of the manifest."""
    python = ".".join(map(str, sys.version_info[:3]))
    found = {"format": MANIFEST_FORMAT, "python": python, "objects": list(entries)}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def versions(modules: Iterable[str]) -> dict[str, str]:
    """What is installed for top-level modules, by its distribution's name. The standard library has none."""
    from importlib.metadata import PackageNotFoundError, packages_distributions, version

    found: dict[str, str] = {}
    unknown = []
    for module in sorted(set(modules) - sys.stdlib_module_names - {"__main__"}):
        distribution = _DISTRIBUTIONS.get(module, module)
        try:
            found[distribution] = version(distribution)
        except PackageNotFoundError:
            unknown.append(module)
    if unknown:
        installed = packages_distributions()
        for module in unknown:
            found |= {name: version(name) for name in installed.get(module, [])[:1]}
    return dict(sorted(found.items()))


def type_name(value: object) -> str:
    """`pandas.DataFrame`, `sklearn.pipeline.Pipeline`, `dict`."""
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"
