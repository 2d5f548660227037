"""Turn a whole folder into a bundle: which file holds the app, and where its imports begin."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from gofastapi_ext.client.collect import Collected, absolute, add_named, bring_along, bundle_of, collect_file
from gofastapi_ext.client.files import FileSet
from gofastapi_ext.core.bundle import BundleFile
from gofastapi_ext.core.errors import InvalidBundleError, InvalidRequestError
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.project.main_file import find_main
from gofastapi_ext.core.project.manifest import find_manifest
from gofastapi_ext.core.validation.apps import launched_app
from gofastapi_ext.core.validation.imports import local_imports
from gofastapi_ext.core.validation.modules import LocalModules, module_name, package_of

_LAUNCHERS = ("main.py", "app.py", "run.py", "server.py", "asgi.py", "__main__.py")


def collect_path(path: Path, extra: Sequence[Path], main: str | None = None, limits: Limits | None = None) -> Collected:
    """The bundle of a Python file or of a folder; `main` goes with a folder."""
    if path.expanduser().is_dir():
        return collect_folder(path, extra, main, limits)
    if main is not None:
        raise InvalidRequestError(f"--main goes with a folder; {path} is none.")
    return collect_file(path, extra, limits)


def collect_folder(
    folder: Path, extra: Sequence[Path], main: str | None = None, limits: Limits | None = None
) -> Collected:
    """The bundle of a folder with all in it that makes sense in an app.

    `main` is the file that holds the app, from the folder; without it the file is looked for. `extra` are the
    paths of `--file`; relative ones start at the working directory. Raises `InvalidBundleError`.
    """
    limits = limits or Limits()
    root = absolute(folder)
    found = FileSet(limits)
    for path in extra:
        add_named(found, path, Path.cwd(), root)
    if not found.add_folder(root, "", root):
        raise InvalidBundleError(f"{folder} holds no file for an app.")
    bring_along(found, root)
    if find_manifest(found.files):
        raise InvalidBundleError(
            f"{folder} is an app that was exported. Bring it back with all that belongs to it: "
            f"gofastapi import {folder} --deploy"
        )
    main, name = _find_app(found.files, folder, main)
    begin = _import_root(found.files, main)
    notes = []
    if begin:
        main = main.removeprefix(f"{begin}/")
        found.files = _without(f"{begin}/", found)
        notes.append(f"The app's imports begin in {begin}/, so what that holds is at the top.")
    entrypoint = f"{module_name(main)}:{name}" if name else None
    return Collected(bundle_of(found, main, limits, entrypoint), [], found.skipped, notes=notes)


def _find_app(files: Mapping[str, BundleFile], folder: Path, main: str | None) -> tuple[str, str | None]:
    """The file that holds the app, and the app's name where another file says it to uvicorn."""
    if main is not None:
        path = posixpath.normpath(main.replace("\\", "/"))
        if path not in files or not path.endswith(".py"):
            raise InvalidBundleError(f"--main {main}: there is no such Python file in {folder}.")
        return path, None
    for launcher in _LAUNCHERS:
        launched = launched_app(files[launcher].text or "", launcher.removesuffix(".py")) if launcher in files else None
        if launched:
            module, _, name = launched.partition(":")
            for root in dict.fromkeys(str(PurePosixPath(path).parent) for path in files):
                path = posixpath.normpath(f"{root}/{module.replace('.', '/')}.py")
                if path in files:
                    return path, name
    return find_main(files, "Say which one: --main PATH"), None


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


def _without(begin: str, found: FileSet) -> dict[str, BundleFile]:
    """The files with those below `begin` at the top; they win over what lies there."""
    inside = {path.removeprefix(begin): file for path, file in found.files.items() if path.startswith(begin)}
    outside = {path: file for path, file in found.files.items() if not path.startswith(begin)}
    found.skipped += [f"{path}: {begin}{path} takes its place" for path in outside if path in inside]
    return outside | inside
