"""Which file of a project holds its app, and where its imports begin, where nobody says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from gofastapi_ext.core.bundle import BundleFile
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.validation.apps import APP_CLASSES, find_app, launched_app
from gofastapi_ext.core.validation.imports import local_imports
from gofastapi_ext.core.validation.modules import LocalModules, module_name, package_of
from gofastapi_ext.core.validation.parsing import parse

# In this order, in the project's root first and then in its folders.
_USUAL_NAMES = ("main.py", "app.py", "api.py", "server.py", "asgi.py")
_LAUNCHERS = ("main.py", "app.py", "run.py", "server.py", "asgi.py", "__main__.py")
_SIGNS = (*APP_CLASSES, "uvicorn")


@dataclass(frozen=True)
class Layout:
    """The files of a project where an app has them. `notes` are sentences about what was changed for that."""

    files: dict[str, BundleFile]
    main: str
    entrypoint: str | None = None
    notes: list[str] = field(default_factory=list)


def lay_out(files: Mapping[str, BundleFile], main: str | None = None, advice: str = "") -> Layout:
    """Find the file that holds the app (`main`, where somebody says so), and put at the top what imports begin in.

    Raises `InvalidBundleError` as `find_main`.
    """
    name = None
    if main is None:
        main, name = _launched(files) or (find_main(files, advice) if advice else find_main(files), None)
    begin = _import_root(files, main)
    notes = []
    if begin:
        inside = {path.removeprefix(f"{begin}/"): each for path, each in files.items() if path.startswith(f"{begin}/")}
        outside = {path: each for path, each in files.items() if not path.startswith(f"{begin}/")}
        notes.append(f"The app's imports begin in {begin}/, so what that holds is at the top.")
        notes += [f"{begin}/{path} takes the place of {path}." for path in outside if path in inside]
        files, main = outside | inside, main.removeprefix(f"{begin}/")
    return Layout(dict(files), main, f"{module_name(main)}:{name}" if name else None, notes)


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


def _launched(files: Mapping[str, BundleFile]) -> tuple[str, str] | None:
    """The file that holds the app, and the app's name in it, where another file says it to uvicorn."""
    for launcher in (launcher for launcher in _LAUNCHERS if launcher in files):
        launched = launched_app(files[launcher].text or "", launcher.removesuffix(".py"))
        if launched:
            module, _, name = launched.partition(":")
            place = module.replace(".", "/")
            for path in sorted(files, key=len):
                if f"/{path}".endswith((f"/{place}.py", f"/{place}/__init__.py")):
                    return path, name
    return None


def _import_root(files: Mapping[str, BundleFile], main: str) -> str:
    """The folder between the top and the main file's own from which the code imports: `src` of `src/app/main.py`.

    "" where the imports are found from the top, or beside the main file.
    """
    local = LocalModules(files, main)
    for folder in list(PurePosixPath(main).parent.parents)[:-1]:
        inside = {path for path in files if path.startswith(f"{folder}/") and path.endswith(".py")}
        tops = {PurePosixPath(path).relative_to(folder).parts[0].removesuffix(".py") for path in inside}
        for path in inside:
            for module in local_imports(files[path].text or "", package_of(path)):
                top = module.name.partition(".")[0]
                if top in tops and local.absolute(top) is None:
                    return str(folder)
    return ""


def _has_app(files: Mapping[str, BundleFile], path: str) -> bool:
    source = files[path].text or ""
    if not any(sign in source for sign in _SIGNS):
        return False
    parsed = parse(path, source)
    return parsed.tree is not None and find_app(parsed, parsed.tree, LocalModules(files, path)).entrypoint is not None
