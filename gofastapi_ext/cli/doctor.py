"""Check everything GoFastAPI needs on this machine, and say in plain words what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from gofastapi_ext._version import __version__
from gofastapi_ext.cli.output import paint, say, say_json
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.discovery import is_listening, was_stopped
from gofastapi_ext.client.mongod import find_mongod
from gofastapi_ext.client.places import Places, find_places
from gofastapi_ext.client.render import printable
from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.core.limits import format_bytes

_OLDEST_PYTHON = (3, 11)
# What the `local` extra brings, by the name it is imported under.
_LOCAL_MODULES = (
    "fastapi",
    "granian",
    "jinja2",
    "packaging",
    "psutil",
    "pydantic_settings",
    "pymongo",
    "multipart",
    "uvicorn",
    "uvloop",
)
_FULL_BYTES = 100_000_000
_NEARLY_FULL_BYTES = 1_000_000_000
_READ_BACK_BYTES = 64_000


class Mark(StrEnum):
    """How a check ended; one that is broken makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


_SIGNS = {
    Mark.OK: ("\N{CHECK MARK}", "good"),
    Mark.WARNING: ("!", "warning"),
    Mark.BROKEN: ("\N{MULTIPLICATION X}", "error"),
}


@dataclass(frozen=True)
class Check:
    """One line of the doctor: what was looked at, what was found, and what to do where it is not well."""

    mark: Mark
    what: str
    found: str
    advice: str = ""


def examine(*, as_json: bool) -> None:
    """`gofastapi doctor`. Exits with status 1 where something is broken."""
    checks = []
    for check in _checks(find_places()):
        checks.append(check)
        if not as_json:
            sign, role = _SIGNS[check.mark]
            say(f"{paint(sign, role)} {check.what:<12}  {check.found}")
            if check.advice:
                say(f"{'':<16}{check.advice}")
    broken = any(check.mark is Mark.BROKEN for check in checks)
    if as_json:
        listed = [{"mark": c.mark, "what": c.what, "found": c.found, "advice": c.advice} for c in checks]
        say_json({"ok": not broken, "checks": listed})
    else:
        say("\nSomething is broken: see the lines above." if broken else "\nAll is well.")
    if broken:
        sys.exit(1)


def _checks(places: Places) -> Iterator[Check]:
    yield _python()
    yield _packages()
    yield _mongod()
    yield _home(places.home)
    yield _disk(places.home)
    yield _socket(places)
    yield from _service(places)
    yield _service_log(places.service_log)


def _python() -> Check:
    found = f"{platform.python_version()}, {sys.executable}"
    if sys.version_info[:2] < _OLDEST_PYTHON:
        return Check(Mark.BROKEN, "Python", found, "GoFastAPI needs Python 3.11 or newer.")
    return Check(Mark.OK, "Python", found)


def _packages() -> Check:
    missing = [name for name in _LOCAL_MODULES if find_spec(name) is None]
    if missing:
        advice = "pip install 'gofastapi[local]'"
        return Check(Mark.BROKEN, "packages", f"not installed: {', '.join(missing)}", advice)
    return Check(Mark.OK, "packages", f"gofastapi {__version__} and what it needs are installed")


def _mongod() -> Check:
    if os.environ.get("GOFASTAPI_MONGO_URI"):
        return Check(Mark.OK, "MongoDB", "your own, by GOFASTAPI_MONGO_URI")
    try:
        configured = os.environ.get("GOFASTAPI_MONGOD")
        program = find_mongod(Path(configured) if configured else None)
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except GoFastAPIError as error:
        return Check(Mark.BROKEN, "MongoDB", error.message)
    except (OSError, subprocess.SubprocessError) as error:
        return Check(Mark.BROKEN, "MongoDB", f"it does not run: {error}", "Install another one, on PATH as mongod.")
    version = said.stdout.partition("\n")[0].removeprefix("db version ").strip()
    return Check(Mark.OK, "MongoDB", f"{version}, {program}")


def _home(home: Path) -> Check:
    existing = _nearest_existing(home)
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"x" * 4096)
    except OSError as error:
        return Check(
            Mark.BROKEN, "home", f"{existing}: {error.strerror}", "Make it writable, or set GOFASTAPI_HOME elsewhere."
        )
    return Check(Mark.OK, "home", f"{home}" if home.exists() else f"{home} (made with the first start)")


def _disk(home: Path) -> Check:
    free = shutil.disk_usage(_nearest_existing(home)).free
    found = f"{format_bytes(free)} free"
    if free < _FULL_BYTES:
        return Check(Mark.BROKEN, "disk", found, "Make room: nothing can be deployed, and MongoDB may stop.")
    if free < _NEARLY_FULL_BYTES:
        return Check(Mark.WARNING, "disk", found, "Make room soon.")
    return Check(Mark.OK, "disk", found)


def _socket(places: Places) -> Check:
    run = places.run
    if not run.exists():
        return Check(Mark.OK, "socket", f"{places.socket} (made with the first start)")
    info = run.stat()
    if info.st_uid != os.getuid():
        return Check(Mark.BROKEN, "socket", f"{run} belongs to another user", "Set GOFASTAPI_HOME elsewhere.")
    if stat.S_IMODE(info.st_mode) & 0o077:
        return Check(Mark.WARNING, "socket", f"others may enter {run}", f"chmod 700 {run}")
    return Check(Mark.OK, "socket", str(places.socket))


def _service(places: Places) -> Iterator[Check]:
    if not is_listening(places):
        if was_stopped(places):
            yield Check(Mark.OK, "service", "not running; it starts with the next deploy")
        else:
            yield Check(Mark.BROKEN, "service", "it has crashed", "gofastapi up")
        return
    try:
        with Client(places, check_version=False, read_timeout_seconds=5) as client:
            service = client.service()
            apps = client.apps()
    except GoFastAPIError as error:
        yield Check(Mark.BROKEN, "service", error.message)
        return
    found = f"pid {service.pid}, version {service.version}"
    if service.version != __version__:
        yield Check(Mark.WARNING, "service", f"{found}, but this is {__version__}", "gofastapi up --restart")
    else:
        yield Check(Mark.OK, "service", found)
    for app in apps:
        reason = f": {printable(app.reason).splitlines()[0]}" if app.reason else ""
        if app.state is State.FAILED and app.version is None:
            yield Check(Mark.WARNING, f"app {app.id}", f"its deploy failed{reason}", "Deploy it again, or remove it.")
        elif app.state is State.FAILED:
            yield Check(Mark.BROKEN, f"app {app.id}", f"failed{reason}", f"gofastapi logs {app.id}")
        elif app.state is State.RESTARTING:
            yield Check(Mark.WARNING, f"app {app.id}", f"restarting{reason}", f"gofastapi logs {app.id}")
        else:
            yield Check(Mark.OK, f"app {app.id}", f"{app.state}{reason}")


def _service_log(log: Path) -> Check:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _READ_BACK_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return Check(Mark.OK, "log", f"{log} (nothing yet)")
    errors = [line for line in lines if " ERROR " in line or " CRITICAL " in line]
    if errors:
        return Check(Mark.WARNING, "log", f"last error: {printable(errors[-1])}", f"All of it: {log}")
    return Check(Mark.OK, "log", f"{log}, no errors")


def _nearest_existing(path: Path) -> Path:
    return next(parent for parent in [path, *path.parents] if parent.exists())
