"""Names that a cell uses, and that only the kernel has: found before anything is sent."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from gofastapi_ext.core.bundle import Bundle, Origins
from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.objects import MODULE
from gofastapi_ext.core.validation import locate
from gofastapi_ext.core.validation.apps import APP_CLASSES
from gofastapi_ext.core.validation.undefined import NOTEBOOK_BUILTINS, undefined_names
from gofastapi_ext.notebook.objects.live import find_live


def find_undefined(
    bundle: Bundle, origins: Origins, namespace: Mapping[str, Any], names: tuple[str, ...], ipython: Mapping[str, Any]
) -> list[Diagnostic]:
    """The errors of the files that came from cells.

    `namespace` is the kernel's, `names` of it come along, and `ipython` is what the shell itself put there.
    """
    found = []
    missing = dict.fromkeys(names)
    for path in origins:
        source = bundle.text_of(path) if path.endswith(".py") else None
        for each in undefined_names(source or ""):
            name = each.name
            if name in names and path == bundle.main:
                continue
            if name in names:
                said = f"`{name}` stands in {bundle.main} only", f"Add: from {MODULE} import {name}"
            elif name in NOTEBOOK_BUILTINS or (name in ipython and namespace.get(name) is ipython[name]):
                said = (
                    f"`{name}` is there in a notebook only, not in a deployed app",
                    "Leave it out: an app shows what it answers, and print() writes to its log.",
                )
            elif name in namespace and type(namespace[name]).__name__ not in APP_CLASSES:
                said = _about(name, namespace[name])
                if f"--with {name}" in said[1]:
                    missing[name] = None
                if said[1].endswith(f"--with {name}") and path != bundle.main:
                    said = said[0], f"{said[1]}, and add: from {MODULE} import {name}"
            else:
                continue
            found.append(Diagnostic(code="only_in_notebook", message=said[0], hint=said[1], file=path, **each.place))
    # One line that can be typed as it is, with all that is needed.
    found = [
        each.model_copy(update={"hint": re.sub(r"--with \w+", f"--with {','.join(missing)}", each.hint)})
        if each.hint
        else each
        for each in found
    ]
    return locate(found, bundle, origins)


def _about(name: str, value: Any) -> tuple[str, str]:
    """What is wrong, and what to do."""
    if isinstance(value, ModuleType):
        line = f"import {value.__name__}" if value.__name__ == name else f"import {value.__name__} as {name}"
        return f"`{name}` is imported in the notebook, not in this cell", f"Add: {line}"
    if home := _home(value, name):
        return f"`{name}` is imported in the notebook, not in this cell", f"Add: from {home} import {name}"
    live = find_live(value, name)
    if live is not None:
        return f"`{name}` is made in the notebook, not in this cell, and {live}", live.hint
    message = f"`{name}` is defined in the notebook, not in this cell"
    if callable(value) and hasattr(value, "__qualname__"):
        return message, f"Move its definition into this cell, or take it along: --with {name}"
    return message, f"Take it along: --with {name}"


def _home(value: Any, name: str) -> str | None:
    """The module that a class or function was imported from, the shortest that has it."""
    module = getattr(value, "__module__", None)
    if not isinstance(module, str) or module == "__main__" or not hasattr(value, "__qualname__"):
        return None
    parts = module.split(".")
    candidates = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return next((each for each in candidates if getattr(sys.modules.get(each), name, None) is value), None)
