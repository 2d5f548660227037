"""A bundle: the files of an app, immutable, named by the hash of its content."""

from __future__ import annotations

import base64
import hashlib
import json
import unicodedata
from functools import cached_property
from pathlib import PurePosixPath
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gofastapi_ext.core.diagnostics import CellPosition
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.limits import Limits, format_bytes


class BundleFile(BaseModel):
    """One file's content: `text` where it is UTF-8, else `base64`."""

    model_config = ConfigDict(frozen=True)

    text: str | None = None
    base64: str | None = None

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            return cls(base64=base64.b64encode(content).decode("ascii"))
        return cls(text=text)

    @cached_property
    def content(self) -> bytes:
        """The bytes. Raises `InvalidBundleError` where `base64` is not that."""
        if self.text is not None:
            return self.text.encode("utf-8", errors="surrogatepass")
        try:
            return base64.b64decode(self.base64 or "", validate=True)
        except ValueError as error:
            raise InvalidBundleError("A file's content is not valid base64.") from error


class CellOrigin(BaseModel):
    """The notebook cell a file was taken from.

    `line_offset` is what to add to a line of the file to get the line of the cell.
    """

    model_config = ConfigDict(frozen=True)

    label: str
    notebook: str | None = None
    cell_id: str | None = None
    line_offset: int = Field(default=0, ge=0, le=1_000_000)

    def position(self, line: int | None) -> CellPosition:
        """The cell's place for line `line` (1-based) of the file."""
        return CellPosition(
            label=self.label,
            notebook=self.notebook,
            cell_id=self.cell_id,
            line=None if line is None else line + self.line_offset,
        )


class Bundle(BaseModel):
    """Files by POSIX path, the entrypoint, and requirements.

    `entrypoint` is `module:name` of the ASGI app, or None where validation is to find it in
    `main`. It is a factory where the name is followed by `()`.
    """

    model_config = ConfigDict(frozen=True)

    files: dict[str, BundleFile]
    main: str = "main.py"
    """The file that holds the app, one of `files`."""
    entrypoint: str | None = None
    requirements: list[str] = Field(default_factory=list)

    @field_validator("files")
    @classmethod
    def _paths_stay_inside(cls, files: dict[str, BundleFile]) -> dict[str, BundleFile]:
        for path in files:
            problem = path_problem(path)
            if problem:
                raise ValueError(f"{path!r}: {problem}")
        folded: dict[str, str] = {}
        for path in files:
            other = folded.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
            if other != path:
                raise ValueError(f"{other!r} and {path!r} differ only in case or Unicode form")
        for path in files:
            for parent in PurePosixPath(path).parents:
                if str(parent) in files:
                    raise ValueError(f"{str(parent)!r} is a file and cannot hold {path!r}")
        return files

    @cached_property
    def code_hash(self) -> str:
        """sha256 (hex) over every path and content, the entrypoint and the requirements."""
        tree = {path: hashlib.sha256(f.content).hexdigest() for path, f in sorted(self.files.items())}
        parts = [tree, self.main, self.entrypoint, sorted(self.requirements)]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()

    @cached_property
    def size_bytes(self) -> int:
        """The sum of the files' sizes."""
        return sum(len(f.content) for f in self.files.values())

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
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or str(pure) != path or path == ".":
        return "a path is relative, inside the app, and in its shortest form"
    return None


def check_sizes(bundle: Bundle, limits: Limits) -> None:
    """Raise `InvalidBundleError`, naming the three largest files, where a limit is exceeded."""
    if bundle.main not in bundle.files:
        raise InvalidBundleError(f"The bundle has no file {bundle.main}.")
    if len(bundle.files) > limits.max_files:
        raise InvalidBundleError(
            f"The app has {len(bundle.files)} files; {limits.max_files} is the limit.",
            {"files": len(bundle.files), "limit": limits.max_files},
        )
    by_size = sorted(((len(f.content), path) for path, f in bundle.files.items()), reverse=True)
    largest_bytes, largest = by_size[0]
    if largest_bytes > limits.max_file_bytes:
        raise InvalidBundleError(
            f"{largest} is {format_bytes(largest_bytes)}; a file may have {format_bytes(limits.max_file_bytes)}. "
            "Read large data from the database or download it when the app starts.",
            {"file": largest, "bytes": largest_bytes, "limit": limits.max_file_bytes},
        )
    if bundle.size_bytes > limits.max_bundle_bytes:
        names = ", ".join(f"{path} ({format_bytes(size)})" for size, path in by_size[:3])
        raise InvalidBundleError(
            f"The app's files are {format_bytes(bundle.size_bytes)} together; "
            f"{format_bytes(limits.max_bundle_bytes)} is the limit. The largest: {names}.",
            {"bytes": bundle.size_bytes, "limit": limits.max_bundle_bytes},
        )
