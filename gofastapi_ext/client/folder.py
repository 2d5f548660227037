"""Turn a whole folder into a bundle: which file holds the app, and where its imports begin."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

from gofastapi_ext.client.collect import Collected, absolute, add_named, bring_along, bundle_of, collect_file
from gofastapi_ext.client.files import FileSet
from gofastapi_ext.core.errors import InvalidBundleError, InvalidRequestError
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.project.main_file import lay_out
from gofastapi_ext.core.project.manifest import find_manifest


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
    if main is not None:
        main = _named(found, folder, main)
    layout = lay_out(found.files, main, "Say which one: --main PATH")
    found.files = layout.files
    return Collected(bundle_of(found, layout.main, limits, layout.entrypoint), [], found.skipped, notes=layout.notes)


def _named(found: FileSet, folder: Path, main: str) -> str:
    path = posixpath.normpath(main.replace("\\", "/"))
    if path not in found.files or not path.endswith(".py"):
        raise InvalidBundleError(f"--main {main}: there is no such Python file in {folder}.")
    return path
