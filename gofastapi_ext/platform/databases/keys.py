"""The platform's key: one 0600 file from which every password of ours is derived, so none is stored."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path


class PlatformKey:
    """32 random bytes. Losing them locks the embedded MongoDB; nothing else holds a copy."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def load(cls, path: Path) -> PlatformKey:
        """Read the key, or make it. Two services never do this at once: one holds the lock."""
        try:
            key = bytes.fromhex(path.read_text().strip())
        except FileNotFoundError:
            key = secrets.token_bytes(32)
            temporary = path.with_suffix(".new")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(key.hex())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        return cls(key)

    def derive(self, purpose: str) -> str:
        """The password for `purpose`: HMAC-SHA256, in hex."""
        return hmac.new(self._key, purpose.encode(), hashlib.sha256).hexdigest()
