"""Write an archive, part by part. Blocking: call it from a thread."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self
from zipfile import ZIP_DEFLATED, ZipFile

from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.platform.databases.archive.manifest import MANIFEST, MAX_LIST_BYTES, Manifest, Part, comment

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_COMPRESSION_LEVEL = 1
_PIECE_BYTES = 1_000_000


class PartWriter:
    """One member while it is written."""

    def __init__(self, path: str, file: IO[bytes], close: Callable[[], None]) -> None:
        self._path = path
        self._close = close
        self._file = file
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        for at in range(0, len(view), _PIECE_BYTES):
            piece = view[at : at + _PIECE_BYTES]
            self._hash.update(piece)
            self._file.write(piece)
        self._size += len(data)

    def close(self) -> Part:
        self._close()
        return Part(path=self._path, sha256=self._hash.hexdigest(), size_bytes=self._size)


class Spool:
    """Parts as they come, in a file without a name. Writers wait meanwhile: packing it comes after."""

    def __init__(self, folder: Path) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        self.members: list[tuple[str, int, int]] = []
        """Each with its path, where it begins, and where it ends."""

    def begin(self, path: str) -> PartWriter:
        """The next part; the one before has to be closed."""
        start = self.file.tell()
        return PartWriter(path, self.file, lambda: self.members.append((path, start, self.file.tell())))

    def add(self, path: str, data: bytes) -> Part:
        part = self.begin(path)
        part.write(data)
        return part.close()

    def close(self) -> None:
        # A full disk says so once more; there is nothing to lose here.
        with contextlib.suppress(OSError):
            self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ArchiveWriter:
    """Makes a file for this user alone. It is on disk, whole, when `finish` returns; before that it is nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = _Hashed(os.fdopen(descriptor, "wb"))
        self._zip = ZipFile(self._file, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL)

    def pack(self, spool: Spool) -> None:
        """Every part of it."""
        for path, start, end in spool.members:
            spool.file.seek(start)
            with self._zip.open(path, "w", force_zip64=True) as member:
                while start < end:
                    piece = spool.file.read(min(_PIECE_BYTES, end - start))
                    member.write(piece)
                    start += len(piece)

    def finish(self, manifest: Manifest) -> str:
        """Write the manifest and close; the sha256 of the whole file.

        Raises `UnavailableError` where the manifest is longer than anybody would read.
        """
        text = manifest.model_dump_json(indent=1).encode()
        if len(text) > MAX_LIST_BYTES:
            count = len(manifest.collections)
            raise UnavailableError(f"The database has {count:,} collections, too many for a backup. Drop some of them.")
        self._zip.writestr(MANIFEST, text)
        self._zip.comment = comment(hashlib.sha256(text).hexdigest())
        self._zip.close()
        self._file.sync()
        self._file.close()
        return self._file.sha256

    def discard(self) -> None:
        """Take away what there is of it."""
        self._file.abandon()
        self._path.unlink(missing_ok=True)


@contextmanager
def discarded_on_failure(writer: ArchiveWriter) -> Iterator[ArchiveWriter]:
    try:
        yield writer
    except BaseException:
        writer.discard()
        raise


class _Hashed(io.RawIOBase):
    """A file that cannot be gone back in, so that its hash is known once it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._target = file
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        piece = memoryview(data)
        if self._target.closed:
            # The zip is closed once more when it is forgotten, whatever became of the file.
            return piece.nbytes
        self._hash.update(piece)
        return self._target.write(piece)

    def flush(self) -> None:
        if not self._target.closed:
            self._target.flush()

    def sync(self) -> None:
        self._target.flush()
        os.fsync(self._target.fileno())

    def close(self) -> None:
        self._target.close()
        super().close()

    def abandon(self) -> None:
        try:
            self._target.close()
        except OSError:
            # A full disk says so once more; what was written goes anyway.
            return
