"""Find the platform service of this user, or start it. However many ask at once, one is started."""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gofastapi_ext.client.places import Places
from gofastapi_ext.core.errors import ServiceUnreachableError

START_TIMEOUT_SECONDS = 30.0
_ERROR_WITH_WORDS = re.compile(r"gofastapi_ext\.core\.errors\.\w+: (.+)")

# The service starts with this much of the caller's environment and no more: a kernel's holds tokens.
_INHERITED_ENVIRONMENT = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV",
    "XDG_DATA_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip


def is_listening(places: Places) -> bool:
    """Whether a service accepts connections right now."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(places.socket))
        except OSError:
            return False
    return True


def was_stopped(places: Places) -> bool:
    """Whether the service was never started or was stopped on purpose, rather than having crashed."""
    return not places.service_info.exists()


def ensure_running(places: Places, timeout_seconds: float = START_TIMEOUT_SECONDS) -> bool:
    """Make sure the service accepts connections; return True where this call started it.

    Raises `ServiceUnreachableError` with the end of the service's log where it does not come up.
    """
    if is_listening(places):
        return False
    places.make()
    deadline = time.monotonic() + timeout_seconds
    with _locked(places.start_lock, deadline):
        if is_listening(places):
            return False
        process = _spawn(places)
        while not is_listening(places):
            if process.poll() is not None and not is_listening(places):
                raise ServiceUnreachableError(_why_not(places, f"it ended with status {process.returncode}"))
            if time.monotonic() > deadline:
                raise ServiceUnreachableError(_why_not(places, f"it did not answer in {timeout_seconds:.0f} s"))
            time.sleep(0.01)
    return True


def service_environment() -> dict[str, str]:
    """The environment a service starts with: basics, and the settings of GoFastAPI itself."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED_ENVIRONMENT or name.startswith("GOFASTAPI_")
    }


def read_service_info(places: Places) -> dict[str, object] | None:
    """What the last service wrote about itself, or None."""
    try:
        info = json.loads(places.service_info.read_text())
    except (OSError, ValueError):
        return None
    return info if isinstance(info, dict) else None


def _spawn(places: Places) -> subprocess.Popen[bytes]:
    _trim(places.service_log)
    with places.service_log.open("ab") as log:
        # A session of its own: closing the notebook, the kernel or the terminal leaves apps running.
        return subprocess.Popen(
            [sys.executable, "-m", "gofastapi_ext.platform"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=places.home,
            env=service_environment() | {"GOFASTAPI_HOME": str(places.home)},
            start_new_session=True,
        )


def _why_not(places: Places, what: str) -> str:
    tail = _tail(places.service_log, 40)
    # An error with words for people says more than the traceback it stands in.
    if told := _ERROR_WITH_WORDS.findall(tail):
        return f"The GoFastAPI service did not start: {told[-1]} More is in {places.service_log}."
    end = "\n".join(tail.splitlines()[-12:])
    return f"The GoFastAPI service did not start: {what}. The end of {places.service_log}:\n{end}"


def _tail(path: Path, lines: int) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def _trim(log: Path, keep_bytes: int = 1_000_000) -> None:
    """The service's own log starts small again once it has grown past `keep_bytes`."""
    try:
        if log.stat().st_size > keep_bytes:
            log.replace(log.with_suffix(".log.1"))
    except FileNotFoundError:
        pass


@contextmanager
def _locked(path: Path, deadline: float) -> Iterator[None]:
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ServiceUnreachableError(
                        "Another program has been starting the GoFastAPI service for too long; "
                        "`gofastapi doctor` says more."
                    ) from None
                time.sleep(0.02)
        yield
