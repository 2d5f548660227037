"""Read files and folders for a bundle: what is taken, what is left out and why, when it is too much."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from gofastapi_ext.core.bundle import BundleFile, path_problem
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.leftout import (
    HIDDEN,
    MAY_HOLD_SECRETS,
    check_name,
    is_private_key,
    is_routine,
    may_be_public,
    why_left_out,
    why_secret,
)
from gofastapi_ext.core.limits import Limits, format_bytes

MAX_ENTRIES_LOOKED_AT = 10_000

_A_LINK_OUT = "a link that leads out of the folder; bring it with --file"


class FileSet:
    """The files of one bundle as they are found.

    Every method raises `InvalidBundleError` where a limit of `limits` is exceeded, before it reads
    what is too much.
    """

    def __init__(self, limits: Limits) -> None:
        self.files: dict[str, BundleFile] = {}
        self.skipped: list[str] = []
        self.folders: set[str] = set()
        """Where the folders stand that were added whole."""
        self._limits = limits
        self._sizes: dict[str, int] = {}
        self._entries = 0

    def add_text(self, at: str, text: str) -> None:
        """Put `text` at `at`; it wins over a file found there later."""
        self._keep(at, text.encode("utf-8", errors="surrogatepass"))

    def add_file(self, path: Path, at: str) -> None:
        """Add a file that was asked for by name: a hidden one too, but none that may hold secrets."""
        if at in self.files:
            raise InvalidBundleError(f"Two files would both be {at} in the app. Rename one of them.")
        problem = path_problem(at)
        if problem:
            raise InvalidBundleError(f"{path}: {problem}.")
        self.check_named(path, at)
        content = read_file(path, self._limits.max_file_bytes)
        if is_private_key(path.name, content):
            raise InvalidBundleError(f"{at}: {why_secret(path.name)}")
        self._keep(at, content)

    def check_named(self, path: Path, at: str) -> None:
        """Raise for a file or folder that never goes in, even where it was asked for by name."""
        for name in (*PurePosixPath(at).parts, path.resolve().name):
            check_name(at, name, is_file=is_file(path))

    def add_found(self, path: Path, at: str, boundary: Path) -> bool:
        """Add a file nobody named, unless there is a reason not to; return whether it is in the set now.

        `boundary` is the real path of the folder it must be in.
        """
        if at in self.files:
            return True
        if why := path_problem(at) or self._why_not(path, boundary):
            self._skip(at, why)
            return False
        return self._read(path, at)

    def _read(self, path: Path, at: str) -> bool:
        try:
            content = read_file(path, self._limits.max_file_bytes)
        except InvalidBundleError as error:
            self._skip(at, error.message)
            return False
        if is_private_key(path.name, content):
            self._skip(at, why_secret(path.name))
            return False
        self._keep(at, content)
        return True

    def add_folder(self, folder: Path, at: str, boundary: Path) -> int:
        """Add a folder with all in it that makes sense in an app; return how many files it has now.

        `at` is the folder's path in the bundle ("" for its root). Links that lead out of `boundary` are
        left out.
        """
        self.folders.add(at)
        listed = list(self._walk(folder, at, boundary.resolve(), set()))
        # Looked at as a whole before anything is read, so that the largest of all can be named.
        self._check_room(self._sizes | {place: _size(path) for path, place in listed if place not in self.files})
        count = sum(place in self.files or self._read(path, place) for path, place in listed)
        if at and not count:
            self.add_text(f"{at}/.gitkeep", "")  # an app that writes there expects the folder
        return count

    def add_mentioned(self, path: Path, at: str, root: Path) -> None:
        """Add a file or folder that the code may or may not need; it never is a reason to fail.

        A path that may hold secrets is left out.
        """
        for name in PurePosixPath(at).parts:
            if at in self.files or is_routine(name):
                return
            if (why := _why_not_name(name)) and not (may_be_public(name) and is_file(path)):
                self._skip(at, why)
                return
        before = dict(self.files), dict(self._sizes), set(self.folders), self._entries
        try:
            if not is_folder(path):
                self.add_found(path, at, root.resolve())
            elif why := _why_not_folder(path, root.resolve()):
                self._skip(f"{at}/", why)
            else:
                self.add_folder(path, at, root)
        except InvalidBundleError:
            self.files, self._sizes, self.folders, self._entries = before
            limits = self._limits
            most = f"{limits.max_files} files and {format_bytes(limits.max_bundle_bytes)}"
            self._skip(at, f"too much to come along; an app may have {most}")

    def _walk(self, folder: Path, at: str, boundary: Path, seen: set[Path]) -> Iterator[tuple[Path, str]]:
        """The files that make sense in an app, each with its place in it."""
        real = folder.resolve()
        if real in seen:
            return
        seen.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._skip(f"{at}/", f"cannot be read ({_reason(error)})")
            return
        for entry in entries:
            self._entries += 1
            if self._entries > MAX_ENTRIES_LOOKED_AT:
                raise InvalidBundleError(
                    f"{folder} holds more than {MAX_ENTRIES_LOOKED_AT} files, too many for an app. "
                    f"{_largest(self._sizes)}Name what the app needs with --file."
                )
            place = f"{at}/{entry.name}" if at else entry.name
            if is_routine(entry.name):
                continue
            path = folder / entry.name
            leads_on = is_folder(path)
            why = path_problem(place)
            if not why and leads_on:
                why = _why_not_name(entry.name) or _why_not_folder(path, boundary)
            elif not why and place not in self.files:
                why = self._why_not(path, boundary)
            if why:
                self._skip(f"{place}/" if leads_on else place, why)
            elif leads_on:
                yield from self._walk(path, place, boundary, seen)
            else:
                yield path, place

    def _why_not(self, path: Path, boundary: Path) -> str | None:
        why = _why_not_name(path.name)
        if why and not may_be_public(path.name):
            return why
        try:
            info = path.stat()
        except OSError as error:
            return f"cannot be read ({_reason(error)})"
        if not stat.S_ISREG(info.st_mode):
            return "not a file"
        if why := _why_not_link(path, boundary):
            return why
        if info.st_size > self._limits.max_file_bytes:
            return f"{format_bytes(info.st_size)}; a file may have {format_bytes(self._limits.max_file_bytes)}"
        return None

    def _keep(self, at: str, content: bytes) -> None:
        self.files[at] = BundleFile.from_bytes(content)
        self._sizes[at] = len(content)
        self._check_room(self._sizes)

    def _check_room(self, sizes: dict[str, int]) -> None:
        if len(sizes) > self._limits.max_files:
            raise InvalidBundleError(
                f"The app has {len(sizes)} files; {self._limits.max_files} is the limit. {_largest(sizes)}"
                "Keep data outside the app's own packages."
            )
        if sum(sizes.values()) > self._limits.max_bundle_bytes:
            limit = format_bytes(self._limits.max_bundle_bytes)
            raise InvalidBundleError(
                f"The app's files are more than {limit} together, which is the limit. {_largest(sizes)}"
                "Keep large data in the database, or download it at start."
            )

    def _skip(self, at: str, why: str) -> None:
        line = f"{at}: {why}"
        if line not in self.skipped:
            self.skipped.append(line)


def _largest(sizes: dict[str, int]) -> str:
    by_size = sorted(((size, at) for at, size in sizes.items()), reverse=True)[:3]
    names = ", ".join(f"{at} ({format_bytes(size)})" for size, at in by_size)
    return f"The largest: {names}. " if names else ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # gone meanwhile: reading it will say so


def is_file(path: Path) -> bool:
    """Whether it is one, as far as anybody lets us know."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether it is one, as far as anybody lets us know."""
    try:
        return path.is_dir()
    except OSError:
        return False


def read_file(path: Path, limit: int) -> bytes:
    """The content of a file of at most `limit` bytes. Raises `InvalidBundleError` for any other."""
    try:
        with path.open("rb") as file:
            # Bounded whatever the file system says its size is: /proc says 0.
            content = file.read(limit + 1)
            size = max(len(content), os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise InvalidBundleError(f"{path} cannot be read: {_reason(error)}.") from None
    if size > limit:
        raise InvalidBundleError(
            f"{path} is {format_bytes(size)}; a file may have {format_bytes(limit)}. "
            "Keep large data in the database, or download it at start.",
            {"file": str(path), "bytes": size, "limit": limit},
        )
    return content


def _why_not_name(name: str) -> str | None:
    match why_left_out(name):
        case None:
            return None
        case word if word == MAY_HOLD_SECRETS:
            return why_secret(name)
        case word if word == HIDDEN:
            return f"{HIDDEN}; name it with --file if the app needs it"
    return None


def _why_not_folder(path: Path, boundary: Path) -> str | None:
    try:
        if (path / "pyvenv.cfg").exists():
            return "a virtual environment"
    except OSError as error:
        return f"cannot be read ({_reason(error)})"
    return _why_not_link(path, boundary)


def _why_not_link(path: Path, boundary: Path) -> str | None:
    """Why a link's target speaks against it, where it is one."""
    real = path.resolve()
    if not real.is_relative_to(boundary):
        return _A_LINK_OUT
    for name in real.relative_to(boundary).parts if path.is_symlink() else ():
        if is_routine(name) or why_left_out(name) == MAY_HOLD_SECRETS:
            return f"a link to {name}, which never goes in"
    return None


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
