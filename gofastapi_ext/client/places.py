"""Where the platform of this user lives on a laptop. The service, its clients and the relay agree on it."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gofastapi_ext.core.errors import ServiceUnreachableError

# sun_path holds 108 bytes on Linux and 104 on macOS; the longest name we put in the directory has 12.
_MAX_SOCKET_DIR_LENGTH = 88


@dataclass(frozen=True)
class Places:
    """The two directories of a user: `home` (data, kept) and `run` (sockets, locks, short path)."""

    home: Path
    run: Path

    @property
    def socket(self) -> Path:
        return self.run / "api.sock"

    @property
    def start_lock(self) -> Path:
        """Held by a client while it starts the service."""
        return self.run / "start.lock"

    @property
    def service_lock(self) -> Path:
        """Held by the service as long as it lives."""
        return self.run / "service.lock"

    @property
    def service_info(self) -> Path:
        """`{"pid", "version"}` of the running service. It stays after a crash, and goes with `down`."""
        return self.run / "service.json"

    @property
    def service_log(self) -> Path:
        return self.home / "service.log"

    @property
    def mongo_socket(self) -> Path:
        return self.run / "mongod.sock"

    def make(self) -> Places:
        """Create both directories for this user alone (0700). Raises where another user could get in."""
        for directory in (self.home, self.run):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            info = directory.stat()
            if info.st_uid != os.getuid():
                raise ServiceUnreachableError(f"{directory} belongs to another user; GoFastAPI does not use it.")
            if stat.S_IMODE(info.st_mode) & 0o077:
                directory.chmod(0o700)
        return self


def find_places() -> Places:
    """The places of this user: `GOFASTAPI_HOME`, or the platform's usual data directory."""
    override = os.environ.get("GOFASTAPI_HOME")
    home = Path(override).expanduser().resolve() if override else _default_home()
    run = home / "run"
    # mongod takes a comma in its socket's path for the end of it.
    if len(os.fsencode(run)) > _MAX_SOCKET_DIR_LENGTH or "," in str(run):
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        run = Path(tempfile.gettempdir()) / f"gofastapi-{os.getuid()}-{digest}"
        if len(os.fsencode(run)) > _MAX_SOCKET_DIR_LENGTH:
            run = Path("/tmp") / run.name  # noqa: S108 - a private directory, checked by make()
    return Places(home=home, run=run)


def _default_home() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "gofastapi"
    data_home = os.environ.get("XDG_DATA_HOME")
    base = Path(data_home) if data_home else Path.home() / ".local" / "share"
    return base / "gofastapi"
