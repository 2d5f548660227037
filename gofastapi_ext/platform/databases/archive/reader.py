"""Read an archive, and believe nothing of it that its hashes do not answer for. Blocking: call it from a thread."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from bson import json_util
from pydantic import ValidationError

from gofastapi_ext.core.errors import DamagedBackupError
from gofastapi_ext.platform.databases.archive.manifest import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    MAX_LIST_BYTES,
    CollectionEntry,
    Manifest,
    Metadata,
    Part,
)

_COMMENT = re.compile(rb"gofastapi-backup (\d{1,6}) sha256=([0-9a-f]{64})")
_MAX_METADATA_BYTES = 32_000_000
_PIECE_BYTES = 1_000_000
_BATCH_DOCUMENTS = 1000
_BATCH_BYTES = 4_000_000
# MongoDB's own limit, and what it allows itself beyond.
_MAX_DOCUMENT_BYTES = 16 * 1024 * 1024 + 16 * 1024
_MIN_DOCUMENT_BYTES = 5

Documents = list[bytes]


class Archive:
    """An archive that says what it is. Every method raises `DamagedBackupError`."""

    def __init__(self, file: IO[bytes]) -> None:
        """`file` is closed with the archive."""
        self._file = file
        try:
            self._zip = ZipFile(cast(IO[bytes], _Wary(file)))
        except (BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise DamagedBackupError(f"This is no backup of GoFastAPI, or only a piece of one: {error}.") from None
        self.manifest = _manifest_of(self._zip)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the manifest, which has to be the one that was written. Raises `FileNotFoundError`, too."""
        file = path.open("rb")
        try:
            return cls(file)
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        # The zip's own `close` waits for members that somebody began to read.
        self._zip.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def verify(self, max_bytes: int | None = None) -> None:
        """Read everything once: each part is there, has its hash, and holds as many documents as is said.

        More than `max_bytes` unpacked are refused before anything is unpacked.
        """
        manifest = self.manifest
        if max_bytes is not None and manifest.size_bytes > max_bytes:
            raise DamagedBackupError(f"This backup holds {manifest.size_bytes} bytes; {max_bytes} are allowed.")
        self._check_members()
        for entry in manifest.collections:
            self._check_part(entry.metadata)
            if entry.data is not None:
                self._check_part(entry.data)
                count = sum(len(batch) for batch in self.documents(entry))
                if count != entry.documents:
                    raise DamagedBackupError(f'"{entry.name}" holds {count} documents, and should {entry.documents}.')

    def metadata(self, entry: CollectionEntry) -> Metadata:
        """The collection's options and indexes."""
        if entry.metadata.size_bytes > _MAX_METADATA_BYTES:
            raise DamagedBackupError(f'The description of "{entry.name}" is too long.')
        text = b"".join(self._pieces(entry.metadata))
        try:
            return Metadata.model_validate(json_util.loads(text, json_options=json_util.CANONICAL_JSON_OPTIONS))
        except Exception:
            # There are many ways in which Extended JSON can be none.
            raise DamagedBackupError(f'The description of "{entry.name}" cannot be understood.') from None

    def documents(self, entry: CollectionEntry) -> Iterator[Documents]:
        """The documents of a collection as BSON, some at a time."""
        if entry.data is None:
            return
        batch: Documents = []
        size = 0
        for document in _split(self._pieces(entry.data), entry.name):
            batch.append(document)
            size += len(document)
            if size >= _BATCH_BYTES or len(batch) >= _BATCH_DOCUMENTS:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _check_members(self) -> None:
        names = [info.filename for info in self._zip.infolist()]
        expected = [part.path for part in self.manifest.parts] + [MANIFEST]
        if sorted(names) != sorted(expected) or len(set(names)) != len(names):
            raise DamagedBackupError("This backup does not hold the parts that it says it does.")

    def _check_part(self, part: Part) -> None:
        found = hashlib.sha256()
        for piece in self._pieces(part):
            found.update(piece)
        if found.hexdigest() != part.sha256:
            raise DamagedBackupError(f"{part.path} in this backup is damaged: its hash is another one.")

    def _pieces(self, part: Part) -> Iterator[bytes]:
        """The part's content, never more of it than the manifest says."""
        left = part.size_bytes
        try:
            with self._opened(part) as file:
                while piece := file.read(_PIECE_BYTES):
                    left -= len(piece)
                    if left < 0:
                        break
                    yield piece
        except (BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError, struct.error) as error:
            raise DamagedBackupError(f"{part.path} in this backup is damaged: {error}.") from None
        if left:
            raise DamagedBackupError(f"{part.path} in this backup is damaged: it does not have the length it should.")

    def _opened(self, part: Part) -> IO[bytes]:
        try:
            info = self._zip.getinfo(part.path)
        except KeyError:
            raise DamagedBackupError(f"{part.path} is missing in this backup.") from None
        if info.compress_type not in (ZIP_DEFLATED, ZIP_STORED):
            raise DamagedBackupError(f"{part.path} in this backup is packed in a way that backups are not.")
        return self._zip.open(info)


class _Wary:
    """A file that is not read at once: a zip's list of members is as long as whoever made it likes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        if size > MAX_LIST_BYTES:
            raise BadZipFile("its list of members is too long")
        return self._file.read(size)


def _manifest_of(opened: ZipFile) -> Manifest:
    said = _COMMENT.fullmatch(opened.comment)
    if said is None:
        raise DamagedBackupError("This is a zip, but no backup of GoFastAPI.")
    if int(said[1]) > FORMAT_VERSION:
        raise DamagedBackupError("This backup was made by a later version of GoFastAPI. Update, and try again.")
    try:
        info = opened.getinfo(MANIFEST)
        if info.file_size > MAX_LIST_BYTES:
            raise DamagedBackupError("This backup's list of contents is too long.")
        with opened.open(info) as file:
            text = file.read(MAX_LIST_BYTES)
    except (KeyError, BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError, struct.error):
        raise DamagedBackupError("This backup is damaged: its list of contents cannot be read.") from None
    if hashlib.sha256(text).hexdigest() != said[2].decode():
        raise DamagedBackupError("This backup is damaged: the hash of its list of contents is another one.")
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError:
        raise DamagedBackupError("This backup's list of contents cannot be understood.") from None
    names = [entry.name for entry in manifest.collections]
    if manifest.format != FORMAT or len(set(names)) != len(names):
        raise DamagedBackupError("This backup's list of contents cannot be understood.")
    return manifest


def _split(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The documents in a stream of BSON: each begins with its length."""
    pending = bytearray()
    for piece in pieces:
        pending += piece
        at = 0
        while len(pending) - at >= 4:
            length = int.from_bytes(pending[at : at + 4], "little", signed=True)
            if not _MIN_DOCUMENT_BYTES <= length <= _MAX_DOCUMENT_BYTES:
                raise DamagedBackupError(f'The documents of "{name}" in this backup are damaged.')
            if len(pending) - at < length:
                break
            yield bytes(pending[at : at + length])
            at += length
        del pending[:at]
    if pending:
        raise DamagedBackupError(f'The documents of "{name}" in this backup end in the middle of one.')
