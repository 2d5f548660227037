"""The keys that secrets are encrypted with: a file outside the database, so that neither opens them alone."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from gofastapi_ext.core.errors import SecretsUnreadableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_LINE = re.compile(r"(\S+)\s+([0-9a-fA-F]{64})")
_NONCE_BYTES = 12
_TAG_BYTES = 16


class Sealed(BaseModel):
    """An encrypted text, by AES-256-GCM, and the id of the key that opens it."""

    model_config = ConfigDict(frozen=True)

    key: str
    nonce: bytes
    data: bytes

    @property
    def size_bytes(self) -> int:
        """Of the plain text, in UTF-8."""
        return len(self.data) - _TAG_BYTES


class KeyRing:
    """The file: a line `id hexkey` for each key of 256 bits; new secrets are encrypted with the first.

    It is read each time, so that a key file that was brought back counts at once. Ours is made on first
    use, for this user alone. One that is `mounted` is somebody else's: it is only ever read. A file that
    cannot be understood is never written over. Every method raises `SecretsUnreadableError`.
    """

    def __init__(self, path: Path, *, mounted: bool = False) -> None:
        self.path = path
        self.sealing = asyncio.Lock()
        """Held from encrypting something until it is stored: in between no key may go."""
        self._mounted = mounted

    def seal(self, plain: str, bound_to: str) -> Sealed:
        """Encrypt; what comes out can be opened for the same `bound_to` alone."""
        keys = self._read()
        if not keys:
            keys = _new_key()
            self._write(keys)
        key_id = next(iter(keys))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return Sealed(
            key=key_id, nonce=nonce, data=_cipher(keys[key_id]).encrypt(nonce, plain.encode(), bound_to.encode())
        )

    def open(self, sealed: Sealed, bound_to: str) -> str:
        """Decrypt."""
        from cryptography.exceptions import InvalidTag

        keys = self._read()
        if sealed.key not in keys:
            where = f"is not in {self.path}" if keys else f"is gone: there is no file {self.path} any more"
            raise SecretsUnreadableError(f'The key "{sealed.key}" {where}.')
        try:
            return _cipher(keys[sealed.key]).decrypt(sealed.nonce, sealed.data, bound_to.encode()).decode()
        except InvalidTag:
            raise SecretsUnreadableError(
                f'The key "{sealed.key}" in {self.path} is another one than they were encrypted with.'
            ) from None

    def begin_rotation(self) -> str:
        """Put a new key on top, on disk when this returns; return its id. Of a mounted file, that of the first."""
        keys = self._read()
        if not self._mounted:
            keys = _new_key() | keys
            self._write(keys)
        return next(iter(keys))

    def end_rotation(self, used: Collection[str]) -> None:
        """Forget the keys that are neither the first nor `used` any more."""
        if self._mounted:
            return
        first, *older = self._read().items()
        self._write(dict([first, *(item for item in older if item[0] in used)]))

    def _read(self) -> dict[str, bytes]:
        """The keys by id, the first one first; none where our file is not made yet."""
        try:
            text = self.path.read_text("ascii")
        except FileNotFoundError:
            if self._mounted:
                raise self._unusable("is not there") from None
            return {}
        except UnicodeDecodeError:
            raise self._unusable("is no text") from None
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror}") from None
        keys: dict[str, bytes] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            match = _LINE.fullmatch(line.strip())
            if match is None or match[1] in keys:
                raise self._unusable(f"is damaged in line {number}")
            keys[match[1]] = bytes.fromhex(match[2])
        if not keys:
            raise self._unusable("holds no key")
        return keys

    def _write(self, keys: dict[str, bytes]) -> None:
        """All or nothing, and on disk when this returns."""
        temporary = self.path.with_name(f"{self.path.name}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{key_id} {key.hex()}\n" for key_id, key in keys.items())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _unusable(self, what: str) -> SecretsUnreadableError:
        return SecretsUnreadableError(
            f"The key file {self.path} {what}; a line of it is an id, a blank and 64 hexadecimal digits. "
            "It is never written over: bring it back from a backup, or move it away to begin with a new one."
        )


def _cipher(key: bytes) -> AESGCM:
    # Imported when there is a secret first, in 20 ms: it takes 7 MB of the service's memory.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _new_key() -> dict[str, bytes]:
    return {secrets.token_hex(4): secrets.token_bytes(32)}
