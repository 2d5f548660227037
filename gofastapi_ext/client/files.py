"""Read files and folders for a bundle: what is taken, what is left out and why, when it is too much."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from gofastapi_ext.core.bundle import BundleFile, path_problem
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.leftout import HIDDEN, MAY_HOLD_SECRETS, is_routine, why_left_out
from gofastapi_ext.core.limits import Limits, format_bytes

MAX_ENTRIES_LOOKED_AT = 10_000

_ADVICE = {
    MAY_HOLD_SECRETS: "pass values with --env, or name the file with --file",
    HIDDEN: "name it with --file if the app needs it",
}


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
        """Add a file that was asked for by name, whatever it is called."""
        if at in self.files:
            raise InvalidBundleError(f"Two files would both be {at} in the app. Rename one of them.")
        problem = path_problem(at)
        if problem:
            raise InvalidBundleError(f"{path}: {problem}.")
        self._keep(at, read_file(path, self._limits.max_file_bytes))

    def add_found(self, path: Path, at: str, boundary: Path) -> bool:
        """Add a file nobody named, unless there is a reason not to; return whether it is in the set now.

        `boundary` is the real path of the folder it must be in.
        """
        if at in self.files:
            return True
        why = path_problem(at) or self._why_not(path, boundary)
        if why:
            self._skip(at, why)
            return False
        try:
            content = read_file(path, self._limits.max_file_bytes)
        except InvalidBundleError as error:
            self._skip(at, error.message)
            return False
        self._keep(at, content)
        return True

    def add_folder(self, folder: Path, at: str, boundary: Path) -> int:
        """Add a folder with all in it that makes sense in an app; return how many files it has now.

        `at` is the folder's path in the bundle ("" for its root). Links that lead out of `boundary` are
        left out.
        """
        self.folders.add(at)
        count = self._walk(folder, at, boundary.resolve(), set())
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
            if why := _why_not_name(name):
                self._skip(at, why)
                return
        before = dict(self.files), dict(self._sizes), set(self.folders), self._entries
        try:
            if not path.is_dir():
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

    def _walk(self, folder: Path, at: str, boundary: Path, seen: set[Path]) -> int:
        real = folder.resolve()
        if real in seen:
            return 0
        seen.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._skip(f"{at}/", f"cannot be read ({_reason(error)})")
            return 0
        count = 0
        for entry in entries:
            self._entries += 1
            if self._entries > MAX_ENTRIES_LOOKED_AT:
                raise InvalidBundleError(
                    f"{folder} holds more than {MAX_ENTRIES_LOOKED_AT} files, too many for an app. "
                    f"{self._largest()}Name what the app needs with --file."
                )
            place = f"{at}/{entry.name}" if at else entry.name
            if is_routine(entry.name):
                continue
            path = folder / entry.name
            if not entry.is_dir():
                count += self.add_found(path, place, boundary)
                continue
            why = _why_not_name(entry.name) or _why_not_folder(path, boundary)
            if why:
                self._skip(f"{place}/", why)
            else:
                count += self._walk(path, place, boundary, seen)
        return count

    def _why_not(self, path: Path, boundary: Path) -> str | None:
        why = _why_not_name(path.name)
        if why:
            return why
        try:
            info = path.stat()
        except OSError as error:
            return f"cannot be read ({_reason(error)})"
        if not stat.S_ISREG(info.st_mode):
            return "not a file"
        if not path.resolve().is_relative_to(boundary):
            return "a link that leads out of the folder; bring it with --file"
        if info.st_size > self._limits.max_file_bytes:
            return f"{format_bytes(info.st_size)}; a file may have {format_bytes(self._limits.max_file_bytes)}"
        return None

    def _keep(self, at: str, content: bytes) -> None:
        self.files[at] = BundleFile.from_bytes(content)
        self._sizes[at] = len(content)
        total = sum(self._sizes.values())
        if len(self.files) > self._limits.max_files:
            raise InvalidBundleError(
                f"The app has more than {self._limits.max_files} files, which is the limit. {self._largest()}"
                "Keep data outside the app's own packages."
            )
        if total > self._limits.max_bundle_bytes:
            limit = format_bytes(self._limits.max_bundle_bytes)
            raise InvalidBundleError(
                f"The app's files are more than {limit} together, which is the limit. {self._largest()}"
                "Keep large data in the database, or download it at start."
            )

    def _skip(self, at: str, why: str) -> None:
        line = f"{at}: {why}"
        if line not in self.skipped:
            self.skipped.append(line)

    def _largest(self) -> str:
        by_size = sorted(((size, at) for at, size in self._sizes.items()), reverse=True)[:3]
        names = ", ".join(f"{at} ({format_bytes(size)})" for size, at in by_size)
        return f"The largest: {names}. " if names else ""


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
    why = why_left_out(name)
    return f"{why}; {_ADVICE[why]}" if why else None


def _why_not_folder(path: Path, boundary: Path) -> str | None:
    if (path / "pyvenv.cfg").exists():
        return "a virtual environment"
    if path.is_symlink() and not path.resolve().is_relative_to(boundary):
        return "a link that leads out of the folder; bring it with --file"
    return None


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
