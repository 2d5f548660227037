"""Which file of a project holds its app, where nobody says so."""

from __future__ import annotations

from collections.abc import Mapping

from gofastapi_ext.core.bundle import BundleFile
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.validation.apps import APP_CLASSES, find_app
from gofastapi_ext.core.validation.modules import LocalModules
from gofastapi_ext.core.validation.parsing import parse

# In this order, in the project's root first and then in its folders.
_USUAL_NAMES = ("main.py", "app.py", "api.py", "server.py", "asgi.py")
_SIGNS = (*APP_CLASSES, "uvicorn")


def find_main(files: Mapping[str, BundleFile], advice: str = "Call the one that is meant main.py.") -> str:
    """The path of the file: one with a usual name that has an app, nearest to the root; else the only one that has.

    Raises `InvalidBundleError` where there is none, or more than one could be meant: `advice` is what to do then.
    """
    python = sorted((path for path in files if path.endswith(".py")), key=lambda path: (path.count("/"), path))
    usual = [path for name in _USUAL_NAMES for path in python if path.rpartition("/")[2] == name]
    for path in sorted(usual, key=lambda path: path.count("/")):
        if _has_app(files, path):
            return path
    found = [path for path in python if path not in usual and _has_app(files, path)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidBundleError(f"More than one file could hold the app: {', '.join(found[:5])}. {advice}")
    raise InvalidBundleError(
        "No Python file here makes an app: app = FastAPI()." if python else "There is no Python file here."
    )


def _has_app(files: Mapping[str, BundleFile], path: str) -> bool:
    source = files[path].text or ""
    if not any(sign in source for sign in _SIGNS):
        return False
    parsed = parse(path, source)
    return parsed.tree is not None and find_app(parsed, parsed.tree, LocalModules(files, path)).entrypoint is not None
