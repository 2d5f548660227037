"""Projects on this machine: write what is exported, read what is imported, from folders and zips."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import ZipFile, is_zipfile

from gofastapi_ext.client.client import Client
from gofastapi_ext.client.files import FileSet, read_file
from gofastapi_ext.core.bundle import BundleFile, check_sizes, path_problem
from gofastapi_ext.core.drafts import DraftSave, DraftView
from gofastapi_ext.core.errors import InternalError, InvalidBundleError, InvalidRequestError
from gofastapi_ext.core.limits import Limits, format_bytes
from gofastapi_ext.core.objects import FOLDER
from gofastapi_ext.core.project.archive import MAX_MANIFEST_BYTES, MAX_OTHER_FILES, Archive, may_be_manifest
from gofastapi_ext.core.project.manifest import Manifest, find_manifest
from gofastapi_ext.core.project.restored import Restored, restore

_CHUNK_BYTES = 256_000


@dataclass(frozen=True)
class Project:
    """What a folder or a zip holds, as a draft."""

    restored: Restored
    left_out: list[str]
    """What does not come along, and why."""
    chunks: Callable[[str], Iterator[bytes]]
    """The content of a large file of the bundle, by its path."""


def write_project(client: Client, name: str, target: Path, version: str | None = None) -> Manifest:
    """Export an app into a new or empty folder, or into a new file that ends in `.zip`; nothing is overwritten.

    All of it is there in the end, or nothing. `version` is a number, `draft` or `live`. Returns what was exported.
    """
    target = target.expanduser()
    try:
        if target.suffix.lower() == ".zip":
            return _write_zip(client, name, target, version)
        return _write_folder(client, name, target, version)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise InvalidRequestError(f"{error.filename or target} cannot be written: {reason}.") from error


@contextmanager
def opened_project(path: Path, limits: Limits | None = None) -> Iterator[Project]:
    """The project in a folder or a zip. Raises `InvalidBundleError` that says what is wrong with it."""
    limits = limits or Limits()
    path = path.expanduser()
    if path.is_dir():
        project = _read_folder(path.resolve(), limits)
        check_sizes(project.restored.bundle, limits)
        yield project
        return
    if not path.exists():
        raise InvalidBundleError(f"There is no folder or zip {path}.")
    if not is_zipfile(path):
        raise InvalidBundleError(f"{path} is neither a folder nor a zip.")
    with path.open("rb") as file:
        archive = Archive(file, limits)
        restored = restore(archive.files())
        check_sizes(restored.bundle, limits)
        yield Project(restored, archive.left_out, archive.chunks)


def save_project(client: Client, name: str, project: Project, etag: str | None) -> DraftView:
    """Save it as the draft of an app; see `Client.save_draft`."""
    restored = project.restored
    for path, file in restored.bundle.files.items():
        if file.blob is not None and not client.has_blob(file.blob):
            client.put_blob(file.blob, project.chunks(path))
    save = DraftSave(bundle=restored.bundle, env=restored.env, interpreter=sys.executable)
    return client.save_draft(name, save, etag)


def version_of(manifest: Manifest) -> str:
    """`v3`, or `draft`"""
    return f"v{manifest.version}" if manifest.version is not None else "draft"


def readme_of(manifest: Manifest) -> str:
    """The name of the file that says how to run it."""
    return next(path for path in manifest.generated if path.startswith("README"))


def _write_zip(client: Client, name: str, target: Path, version: str | None) -> Manifest:
    if target.exists():
        raise InvalidRequestError(f"{target} is there already. Nothing is overwritten: name another.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("x+b") as file:
        try:
            client.export(name, file, version)
            file.seek(0)
            return _exported(Archive(file, Limits()).manifest)
        except BaseException:
            target.unlink()
            raise


def _write_folder(client: Client, name: str, target: Path, version: str | None) -> Manifest:
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InvalidRequestError(f"{target} is not empty. An export goes into a new or empty folder, or a new .zip.")
    with tempfile.TemporaryFile() as file:
        client.export(name, file, version)
        is_new = not target.exists()
        target.mkdir(parents=True, exist_ok=True)
        try:
            return _unpack(file, target)
        except BaseException:
            for entry in list(target.iterdir()):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            if is_new:
                target.rmdir()
            raise


def _unpack(file: IO[bytes], target: Path) -> Manifest:
    file.seek(0)
    with ZipFile(file) as archive:
        for entry in archive.infolist():
            # All of it lies in a folder of the app's name.
            path = entry.filename.partition("/")[2]
            if path_problem(path):
                raise InvalidBundleError(f"The service sent a file that cannot be written: {path[:100]!r}.")
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, place.open("xb") as sink:
                shutil.copyfileobj(source, sink, _CHUNK_BYTES)
    return _exported(_find_manifest(target))


def _exported(manifest: Manifest | None) -> Manifest:
    if manifest is None:
        raise InternalError("The service sent an export that does not say what it is.")
    return manifest


def _read_folder(root: Path, limits: Limits) -> Project:
    """By the same rules as a zip, but for what only a folder has."""
    manifest = _find_manifest(root)
    roomier = {"max_files": limits.max_files + MAX_OTHER_FILES, "max_bundle_bytes": limits.max_bundle_bytes + 1_000_000}
    found = FileSet(limits.model_copy(update=roomier))
    found.add_folder(root, "", root)
    files = dict(found.files)
    known = {*manifest.files, *manifest.generated} if manifest else set()
    for path in manifest.files if manifest else []:
        if path not in files and (file := _read_known(root, path, limits)):
            files[path] = file
    # What is left out is told without the advice of a deploy.
    left_out = [line.partition(";")[0] for line in found.skipped]
    left_out = [line for line in left_out if not any(_is_within(path, line.partition(": ")[0]) for path in known)]
    return Project(restore(files), left_out, lambda path: _chunks(root / path))


def _find_manifest(root: Path) -> Manifest | None:
    small = {
        path.name: BundleFile.from_bytes(read_file(path, MAX_MANIFEST_BYTES))
        for path in root.iterdir()
        if may_be_manifest(path.name) and path.is_file() and path.stat().st_size <= MAX_MANIFEST_BYTES
    }
    found = find_manifest(small)
    return found[1] if found else None


def _read_known(root: Path, path: str, limits: Limits) -> BundleFile | None:
    """A file that was part of the exported app, whatever its name; None where it is not there any more."""
    place = root / path
    if path_problem(path) or not place.resolve().is_relative_to(root) or not place.is_file():
        return None
    if not path.startswith(f"{FOLDER}/"):
        return BundleFile.from_bytes(read_file(place, limits.max_file_bytes))
    size = place.stat().st_size
    if size > limits.max_object_bytes:
        most = format_bytes(limits.max_object_bytes)
        raise InvalidBundleError(f"{path} is {format_bytes(size)}; a thing from the kernel may have {most}.")
    digest = hashlib.sha256()
    for chunk in _chunks(place):
        digest.update(chunk)
    return BundleFile(blob=digest.hexdigest(), blob_bytes=size)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _is_within(path: str, told: str) -> bool:
    """Whether a line about `told`, a file or a folder with `/` at its end, is about `path`."""
    return path == told or (told.endswith("/") and path.startswith(told))
