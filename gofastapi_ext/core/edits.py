"""Edits of a bundle. Each gives a new one, and says in words why it cannot."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin, check_path
from gofastapi_ext.core.errors import ConflictError, InvalidBundleError, NotFoundError


def with_file(bundle: Bundle, path: str, file: BundleFile) -> Bundle:
    """With `file` at `path`, new or in place of what is there."""
    return _changed(bundle, files={**bundle.files, check_path(path): file})


def without_file(bundle: Bundle, path: str) -> Bundle:
    return _changed(bundle, files={other: file for other, file in bundle.files.items() if other != path})


def moved_paths(bundle: Bundle, source: str, target: str) -> dict[str, str]:
    """For each path that a rename of a file or folder changes, the new one.

    Raises `NotFoundError` where there is no `source`, `ConflictError` where `target` is there already.
    """
    check_path(source), check_path(target)
    below = f"{source}/"
    if source in bundle.files:
        moved = {source: target}
    else:
        moved = {path: f"{target}/{path.removeprefix(below)}" for path in bundle.files if path.startswith(below)}
    if not moved:
        raise NotFoundError(f"There is neither a file nor a folder {source} in the draft.")
    if target.startswith(below):
        raise InvalidBundleError(f"{source} cannot be moved into itself.")
    taken = bundle.files.keys() - moved.keys()
    if target != source and (target in taken or any(path.startswith(f"{target}/") for path in taken)):
        raise ConflictError(f"{target} is there already. Choose another name, or remove it first.")
    return moved


def with_moved(bundle: Bundle, moved: dict[str, str]) -> Bundle:
    """With other paths for some files. Where the file with the app is among them, it stays the one."""
    files = {moved.get(path, path): file for path, file in bundle.files.items()}
    main = moved.get(bundle.main, bundle.main)
    entrypoint = bundle.entrypoint
    if entrypoint and main != bundle.main:
        module, colon, name = entrypoint.partition(":")
        if module == _module(bundle.main):
            entrypoint = f"{_module(main)}{colon}{name}"
    return _changed(bundle, files=files, main=main, entrypoint=entrypoint)


def moved_origins(origins: dict[str, list[CellOrigin]], moved: dict[str, str]) -> dict[str, list[CellOrigin]]:
    return {moved.get(path, path): parts for path, parts in origins.items()}


def _changed(bundle: Bundle, **changes: Any) -> Bundle:
    fields = {"files": bundle.files, "main": bundle.main, "entrypoint": bundle.entrypoint}
    try:
        return Bundle(**{**fields, "requirements": bundle.requirements, **changes})
    except ValidationError as error:
        raise InvalidBundleError(str(error.errors()[0]["msg"]).removeprefix("Value error, ") + ".") from None


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
