"""Objects of a kernel, saved as the notebook does it and loaded as an app does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gofastapi_runner.objects import MANIFEST, load

from gofastapi_ext.notebook.objects.save import save
from gofastapi_ext.notebook.objects.saved import Saved, manifest, path_of

LIMIT = 20_000_000


def unpack(folder: Path, **objects: Saved) -> Path:
    """The files of an app that has these objects."""
    for name, each in objects.items():
        path = folder / path_of(name, each.format)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.content)
    (folder / MANIFEST).write_text(manifest(each.entry(name) for name, each in objects.items()))
    return folder


def there_and_back(folder: Path, value: object) -> tuple[str, Any]:
    """The format an object was saved in, and what an app gets."""
    each = save("thing", value, LIMIT)
    return each.format, load(unpack(folder, thing=each))["thing"]
