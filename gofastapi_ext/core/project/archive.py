"""Read a project from a zip that anybody may have made: in bounded memory and time, or not at all."""

from __future__ import annotations

import hashlib
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from gofastapi_ext.core.bundle import BundleFile, check_sizes_of, path_problem
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.leftout import MAY_HOLD_SECRETS, is_private_key, is_routine, may_be_public, why_left_out
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.objects import FOLDER
from gofastapi_ext.core.project.manifest import Manifest, find_manifest
from gofastapi_ext.core.validation.imports import local_imports
from gofastapi_ext.core.validation.modules import package_of

_MAX_ENTRIES = 20_000
# The list of what is in a zip takes about ten times its size in memory.
_MAX_LIST_BYTES = 4_000_000
# Beside an app's own files: those an export adds.
MAX_OTHER_FILES = 20
MAX_MANIFEST_BYTES = 1_000_000
_MAX_ENVIRONMENTS = 10
_CHUNK_BYTES = 64_000
_IS_ENCRYPTED = 0x1 | 0x40 | 0x2000
_NAME_IS_UTF8 = 0x800
_MAKE_IT_ANEW = "Make the zip anew, with the usual program of your system."
_ADVICE = "Read large data from the database or download it when the app starts."


class Archive:
    """A zip that is looked at before anything in it is read.

    `left_out` tells what of it does not come along, and why. Whatever is wrong with it raises
    `InvalidBundleError`, with words for whoever sent it.
    """

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self.left_out: list[str] = []
        self._limits = limits
        with _in_words("The zip"):
            self._zip = ZipFile(_Bounded(file))
        self._entries = self._look_at(self._zip.infolist())
        self.manifest = self._find_manifest()
        marks = (path.removesuffix("pyvenv.cfg") for path in self._entries if path.endswith("/pyvenv.cfg"))
        self._environments = [folder for folder in marks if not _is_routine(folder)][:_MAX_ENVIRONMENTS]
        kept = [path for path in self._entries if self._is_kept(path)]
        self._entries = {path: self._entries[path] for path in kept}

    def files(self) -> dict[str, BundleFile]:
        """What comes along, by path. Things from the kernel stand by their hash; `chunks` has their content."""
        limits = self._limits
        sizes = {path: entry.file_size for path, entry in self._entries.items()}
        if len(sizes) > limits.max_files + MAX_OTHER_FILES:
            raise InvalidBundleError(
                f"The zip holds {len(sizes)} files that would come along; an app may have {limits.max_files}."
            )
        apart = {path: size for path, size in sizes.items() if path.startswith(f"{FOLDER}/")}
        inline = {path: size for path, size in sizes.items() if path not in apart}
        check_sizes_of(inline, "file", limits.max_file_bytes, limits.max_bundle_bytes, _ADVICE)
        check_sizes_of(apart, "thing from the kernel", limits.max_object_bytes, limits.max_objects_bytes, _ADVICE)
        found = {path: self._apart(path) if path in apart else self._inline(path) for path in sizes}
        for path in [path for path in inline if not self._is_known(path)]:
            if is_private_key(PurePosixPath(path).name, found[path].content):
                self._leave_out(path, MAY_HOLD_SECRETS)
                del found[path]
        top = self._top_folder()
        if top and not _is_package(found, top):
            self._entries = {path.removeprefix(top): entry for path, entry in self._entries.items()}
            found = {path.removeprefix(top): file for path, file in found.items()}
        return found

    def chunks(self, path: str) -> Iterator[bytes]:
        """The content of a file, some at a time; it is what was declared, or this raises."""
        entry = self._entries[path]
        size = 0
        with _in_words(path), self._zip.open(entry) as member:
            while chunk := member.read(_CHUNK_BYTES):
                size += len(chunk)
                yield chunk
            if size != entry.file_size:
                raise BadZipFile("it ends too early")

    def _look_at(self, entries: list[ZipInfo]) -> dict[str, ZipInfo]:
        """The files by path, where nothing is wrong with any name."""
        if len(entries) > _MAX_ENTRIES:
            raise InvalidBundleError(
                f"The zip holds {len(entries)} files and folders; {_MAX_ENTRIES} is the limit. "
                "Leave out what is not the app's own, such as .venv and node_modules."
            )
        found: dict[str, ZipInfo] = {}
        for entry in entries:
            path = _path_of(entry)
            if entry.is_dir():
                continue
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                if not _is_routine(path):
                    self._leave_out(path, "a link" if kind == stat.S_IFLNK else "not a file")
                continue
            if path in found:
                raise InvalidBundleError(f"The zip holds {path} twice. {_MAKE_IT_ANEW}")
            if entry.flag_bits & _IS_ENCRYPTED:
                raise InvalidBundleError(f"{path} in the zip is encrypted. Make it anew, without a password.")
            if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise InvalidBundleError(
                    f"{path} in the zip is compressed in an unusual way ({entry.compress_type}). {_MAKE_IT_ANEW}"
                )
            found[path] = entry
        return found

    def _find_manifest(self) -> Manifest | None:
        """What is known of an exported project. Its folder, where there is one around everything, is dropped."""
        for folder in dict.fromkeys(("", self._top_folder())):
            inside = {
                path.removeprefix(folder): each for path, each in self._entries.items() if path.startswith(folder)
            }
            small = [path for path, each in inside.items() if each.file_size <= MAX_MANIFEST_BYTES]
            candidates = {path: self._inline(folder + path) for path in small if may_be_manifest(path)}
            if found := find_manifest(candidates):
                self._entries = inside
                return found[1]
        return None

    def _top_folder(self) -> str:
        """`name/` where everything lies in one folder, else ""."""
        tops = {path.partition("/")[0] for path in self._entries if not _is_routine(path)}
        top = next(iter(tops), "")
        return f"{top}/" if len(tops) == 1 and top not in self._entries else ""

    def _is_kept(self, path: str) -> bool:
        """Not what its name speaks against, unless it was part of the app that was exported."""
        if self._is_known(path):
            return True
        if _is_routine(path):
            return False
        if environment := next((each for each in self._environments if path.startswith(each)), None):
            self._leave_out(environment, "a virtual environment")
            return False
        parts = PurePosixPath(path).parts
        for depth, name in enumerate(parts, 1):
            is_file = depth == len(parts)
            why = why_left_out(name)
            if why and not (is_file and may_be_public(name)):
                at = "/".join(parts[:depth])
                if self.manifest is None or path not in self.manifest.generated:
                    self._leave_out(at if is_file else f"{at}/", why)
                return False
        return True

    def _is_known(self, path: str) -> bool:
        return self.manifest is not None and path in self.manifest.files

    def _leave_out(self, path: str, why: str) -> None:
        line = f"{path}: {why}"
        if line not in self.left_out:
            self.left_out.append(line)

    def _inline(self, path: str) -> BundleFile:
        return BundleFile.from_bytes(b"".join(self.chunks(path)))

    def _apart(self, path: str) -> BundleFile:
        digest = hashlib.sha256()
        for chunk in self.chunks(path):
            digest.update(chunk)
        return BundleFile(blob=digest.hexdigest(), blob_bytes=self._entries[path].file_size)


class _Bounded:
    """A file of which no more than the longest list of a zip is read at once, whatever a zip says of itself."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        if size > _MAX_LIST_BYTES:
            raise InvalidBundleError(
                "The zip lists more files than an app could have. Leave out what is not the app's own, such as "
                ".venv and node_modules."
            )
        return self._file.read(size if size >= 0 else _MAX_LIST_BYTES)


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    """All that a broken zip makes Python's reader raise."""
    try:
        yield
    except (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError, struct.error, zlib.error):
        where = what if what == "The zip" else f"{what} in the zip"
        raise InvalidBundleError(f"{where} is damaged, or no zip at all. {_MAKE_IT_ANEW}") from None


def _path_of(entry: ZipInfo) -> str:
    """The path, as it is inside the zip. Raises where it could lead out of it, or means different things."""
    name = entry.orig_filename
    if not entry.flag_bits & _NAME_IS_UTF8:
        # Some programs write UTF-8 and do not say so.
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    path = name.removeprefix("./").removesuffix("/")
    problem = "a path has no drive letter" if re.match(r"[A-Za-z]:", path) else path_problem(path)
    if problem and name != "./":
        raise InvalidBundleError(f"The zip holds {name[:100]!r}: {problem}. {_MAKE_IT_ANEW}")
    return path


def _is_routine(path: str) -> bool:
    return any(map(is_routine, PurePosixPath(path).parts))


def may_be_manifest(name: str) -> bool:
    """Whether a file in a project's root, by its name, could be what an export wrote about it."""
    return name.startswith("gofastapi.") and name.endswith(".json") and "/" not in name


def _is_package(files: dict[str, BundleFile], top: str) -> bool:
    """Whether the code calls the folder `top` by its name, so that it has to stay."""
    name = top.removesuffix("/")
    if f"{top}__init__.py" in files:
        return True
    return any(
        module.name.partition(".")[0] == name
        for path, file in files.items()
        if path.endswith(".py")
        for module in local_imports(file.text or "", package_of(path))
    )
