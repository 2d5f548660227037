"""A bundle: the files of an app, immutable, named by the hash of its content."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import unicodedata
from functools import cached_property
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from gofastapi_ext.core.diagnostics import CellPosition
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.limits import Limits, format_bytes

# What file systems hold.
_MAX_NAME_BYTES = 255


def _storable(text: str) -> str:
    # A JSON escape may stand for half a character, which nothing can store.
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("it is not valid Unicode") from None
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Text that can be stored."""
Line = Annotated[str, Field(max_length=400), AfterValidator(_storable)]
"""The same, and short."""
MAX_ORIGINS = 5_000
"""Parts of all files of a bundle together."""
_MAX_ORIGINS_LENGTH = 1_000_000
_MAX_REQUIREMENTS = 1000


class BundleFile(BaseModel):
    """One file's content: `text` where it is UTF-8, else `base64`.

    Large binary content stands elsewhere: `blob` is then its sha256 (hex), under which it was uploaded
    before, and `blob_bytes` its size.
    """

    model_config = ConfigDict(frozen=True)

    text: Text | None = None
    base64: str | None = None
    blob: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    blob_bytes: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _is_one_content(self) -> Self:
        # The hash is of what is stored apart, where there is such a thing: nothing else may pass under it.
        if sum(part is not None for part in (self.text, self.base64, self.blob)) > 1:
            raise ValueError("a file has either text, base64 or a blob")
        return self

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        # A NUL is in no text, though UTF-8 has one; in JSON it would take six bytes.
        if b"\0" not in content:
            with contextlib.suppress(UnicodeDecodeError):
                return cls(text=content.decode("utf-8"))
        return cls(base64=base64.b64encode(content).decode("ascii"))

    @cached_property
    def content(self) -> bytes:
        """The bytes. Raises `InvalidBundleError` where `base64` is not that, or they stand elsewhere."""
        if self.text is not None:
            return self.text.encode()
        if self.blob is not None:
            raise InvalidBundleError(f"The content of blob {self.blob[:12]} is stored apart.")
        try:
            return base64.b64decode(self.base64 or "", validate=True)
        except ValueError as error:
            raise InvalidBundleError("A file's content is not valid base64.") from error

    @cached_property
    def sha256(self) -> str:
        """The hash of the content, in hex."""
        return self.blob or hashlib.sha256(self.content).hexdigest()

    @property
    def size_bytes(self) -> int:
        return self.blob_bytes if self.blob is not None else len(self.content)


class CellOrigin(BaseModel):
    """The notebook cell that a file, or a part of it, was taken from.

    The part begins at `first_line` of the file; `line_offset` is what to add to a line of the file to
    get the line of the cell.
    """

    model_config = ConfigDict(frozen=True)

    label: Line
    notebook: Line | None = None
    cell_id: Line | None = None
    line_offset: int = Field(default=0, ge=-1_000_000, le=1_000_000)
    first_line: int = Field(default=1, ge=1, le=1_000_000)

    def position(self, line: int | None) -> CellPosition:
        """The cell's place for line `line` (1-based) of the file."""
        return CellPosition(
            label=self.label,
            notebook=self.notebook,
            cell_id=self.cell_id,
            line=None if line is None else line + self.line_offset,
        )


def _each_a_list(origins: Any) -> Any:
    if not isinstance(origins, dict):
        return origins
    return {path: parts if isinstance(parts, list | tuple) else [parts] for path, parts in origins.items()}


def _not_too_many(origins: dict[str, list[CellOrigin]]) -> dict[str, list[CellOrigin]]:
    if sum(map(len, origins.values())) + len(origins) > MAX_ORIGINS:
        raise ValueError(f"the files come from more than {MAX_ORIGINS} cells")
    names = [(path, part.label, part.notebook or "", part.cell_id or "") for path in origins for part in origins[path]]
    if sum(len(name) for each in names for name in each) > _MAX_ORIGINS_LENGTH:
        raise ValueError("the names of the cells are too long together")
    return origins


Origins = Annotated[dict[Line, list[CellOrigin]], BeforeValidator(_each_a_list), AfterValidator(_not_too_many)]
"""Where the files of a bundle came from: for each path the cells its parts were taken from, by `first_line`.

A file of one cell may be given without a list.
"""


def cell_of(parts: list[CellOrigin], line: int | None) -> CellOrigin | None:
    """The cell that line `line` (1-based) of a file came from."""
    behind = [part for part in parts if line is not None and part.first_line <= line]
    return next(iter(behind[-1:] or parts[:1]), None)


class Bundle(BaseModel):
    """Files by POSIX path, the entrypoint, and requirements.

    `entrypoint` is `module:name` of the ASGI app, or None where validation is to find it in
    `main`. It is a factory where the name is followed by `()`.
    """

    model_config = ConfigDict(frozen=True)

    files: dict[str, BundleFile]
    main: Line = "main.py"
    """The file that holds the app, one of `files`."""
    entrypoint: Line | None = None
    requirements: list[Line] = Field(default_factory=list, max_length=_MAX_REQUIREMENTS)

    @field_validator("files")
    @classmethod
    def _paths_stay_inside(cls, files: dict[str, BundleFile]) -> dict[str, BundleFile]:
        for path in files:
            problem = path_problem(path)
            if problem:
                shown = path if len(path) <= 100 else f"{path[:100]}…"
                raise ValueError(f"{shown!r}: {problem}")
        # A folder too: where case does not count, A/x.py and a/y.py lie in one.
        spellings: dict[str, str] = {}
        for path in files:
            for place in (path, *map(str, PurePosixPath(path).parents[:-1])):
                other = spellings.setdefault(unicodedata.normalize("NFC", place).casefold(), place)
                if other != place:
                    look_alike = unicodedata.normalize("NFC", place) == unicodedata.normalize("NFC", other)
                    show = ascii if look_alike else repr
                    raise ValueError(f"{show(other)} and {show(place)} differ only in case or Unicode form")
        for path in files:
            for parent in PurePosixPath(path).parents:
                if str(parent) in files:
                    raise ValueError(f"{str(parent)!r} is a file and cannot hold {path!r}")
        return files

    @cached_property
    def code_hash(self) -> str:
        """sha256 (hex) over every path and content, the entrypoint and the requirements."""
        tree = {path: file.sha256 for path, file in sorted(self.files.items())}
        parts = [tree, self.main, self.entrypoint, sorted(self.requirements)]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()

    @cached_property
    def size_bytes(self) -> int:
        """The sum of the files' sizes."""
        return sum(file.size_bytes for file in self.files.values())

    @property
    def blobs(self) -> set[str]:
        """The hashes of what is stored apart."""
        return {file.blob for file in self.files.values() if file.blob is not None}

    def with_files(self, files: dict[str, BundleFile]) -> Bundle:
        """The same with other files. `model_copy` would keep the hash of these."""
        return Bundle(files=files, main=self.main, entrypoint=self.entrypoint, requirements=self.requirements)

    def text_of(self, path: str) -> str | None:
        """The text of a file, or None where it is binary or missing."""
        file = self.files.get(path)
        return file.text if file else None


def path_problem(path: str) -> str | None:
    """Why `path` cannot be a path inside a bundle, or None where it can."""
    if not path or len(path) > 400:
        return "a path has between 1 and 400 characters"
    if "\\" in path or any(unicodedata.category(c).startswith("C") for c in path):
        return "a path has no backslashes and no control characters"
    if "\N{REPLACEMENT CHARACTER}" in path:
        return "a path is text in UTF-8"  # it stands where that could not be read
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or str(pure) != path or path == ".":
        return "a path is relative, inside the app, and in its shortest form"
    if max(len(name.encode()) for name in pure.parts) > _MAX_NAME_BYTES:
        return f"a file or folder has a name of at most {_MAX_NAME_BYTES} bytes"
    return None


def check_path(path: str) -> str:
    """Return `path`, or raise `InvalidBundleError` that says why it cannot be one inside a bundle."""
    problem = path_problem(path)
    if problem:
        raise InvalidBundleError(f"{path!r} cannot be a file of the app: {problem}.")
    return path


def check_sizes(bundle: Bundle, limits: Limits, *, needs_main: bool = True) -> None:
    """Raise `InvalidBundleError`, naming the three largest files, where a limit is exceeded.

    With `needs_main` (a draft may still lack it), also where the file with the app is not there.
    """
    if needs_main and bundle.main not in bundle.files:
        raise InvalidBundleError(f"The bundle has no file {bundle.main}.")
    if len(bundle.files) > limits.max_files:
        raise InvalidBundleError(
            f"The app has {len(bundle.files)} files; {limits.max_files} is the limit.",
            {"files": len(bundle.files), "limit": limits.max_files},
        )
    inline = {path: file.size_bytes for path, file in bundle.files.items() if file.blob is None}
    apart = {path: file.size_bytes for path, file in bundle.files.items() if file.blob is not None}
    advice = "Read large data from the database or download it when the app starts."
    check_sizes_of(inline, "file", limits.max_file_bytes, limits.max_bundle_bytes, advice)
    advice = "Store large data in the database, or give the app less of it."
    check_sizes_of(apart, "thing from the kernel", limits.max_object_bytes, limits.max_objects_bytes, advice)


def check_sizes_of(sizes: dict[str, int], what: str, max_each: int, max_together: int, advice: str) -> None:
    """Raise `InvalidBundleError` where a file, by its path, or all of them together are too large, in bytes."""
    by_size = sorted(((size, path) for path, size in sizes.items()), reverse=True)
    if by_size and by_size[0][0] > max_each:
        size, largest = by_size[0]
        raise InvalidBundleError(
            f"{largest} is {format_bytes(size)}; a {what} may have {format_bytes(max_each)}. {advice}",
            {"file": largest, "bytes": size, "limit": max_each},
        )
    total = sum(sizes.values())
    if total > max_together:
        names = ", ".join(f"{path} ({format_bytes(size)})" for size, path in by_size[:3])
        raise InvalidBundleError(
            f"The app's {what}s are {format_bytes(total)} together; "
            f"{format_bytes(max_together)} is the limit. The largest: {names}.",
            {"bytes": total, "limit": max_together},
        )
