"""Which installed packages an app needs, in which versions: `python -m gofastapi_runner.freeze`.

Reads one JSON object from stdin, `{"modules": [...], "requirements": [...]}`, and writes one to stdout, what
`freeze` returns. It reads what installers wrote down, and imports none of it.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import defaultdict, deque
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


def freeze(modules: list[str], requirements: list[str]) -> dict[str, Any]:
    """What to install for the modules of these dotted names, and for these requirements, with all that needs.

    `python` is the interpreter's version, `3.12`. `pins` holds lines for pip, by name: what is installed here.
    `kept` are requirements as they were given, of what is not installed here. `notes` tells people, a line each,
    what cannot be had by its name and version, and which requirement what is installed does not meet.
    """
    walk = _Walk()
    for text in requirements:
        walk.require(text)
    by_module = _packages_by_module()
    for module in sorted(set(modules)):
        walk.import_module(module, by_module)
    walk.finish()
    return {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "pins": [walk.pins[name] for name in sorted(walk.pins)],
        "kept": walk.kept,
        "notes": walk.notes,
    }


class _Walk:
    """From what is wanted to what that depends on, and so on, with the markers that hold here."""

    def __init__(self) -> None:
        self.pins: dict[str, str] = {}
        self.kept: list[str] = []
        self.notes: list[str] = []
        self._queue: deque[tuple[str, frozenset[str]]] = deque()
        self._seen: set[tuple[str, str]] = set()

    def require(self, text: str) -> None:
        """Want what a requirement names, in the version that is here; as it stands where none is."""
        if "\n" in text or "\r" in text:
            self.notes.append(f"{text.split()[0]} ...: a requirement is one line")
            return
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            self.notes.append(f"{text}: not a requirement pip understands")
            return
        if not _holds(requirement.marker, frozenset()):
            return
        found = _installed(requirement.name)
        if found is None:
            self.kept.append(text)
            return
        # What it ran with is what is known to work together, whatever was asked for.
        if not requirement.specifier.contains(found.version, prereleases=True):
            self.notes.append(f"{text}: it ran with {found.version}")
        self._queue.append((requirement.name, frozenset(requirement.extras)))

    def import_module(self, module: str, by_module: Mapping[str, set[str]]) -> None:
        """Want the packages that bring a module; nothing where it is not there, or Python's own."""
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names:
            return
        names = sorted(by_module.get(top, ()))
        if len(names) > 1:
            names = _who_brings(module, names)
        if not names and _is_importable(top):
            self.notes.append(f"{top}: imported here, but no installer put it there")
        self._queue.extend((name, frozenset()) for name in names)

    def finish(self) -> None:
        """Pin what is wanted, and what that needs."""
        while self._queue:
            name, extras = self._queue.popleft()
            key = canonicalize_name(name)
            new = {(key, extra) for extra in (extras or {""})} - self._seen
            if not new:
                continue
            self._seen |= new
            found = _installed(name)
            if found is None:
                continue
            if key not in self.pins:
                self._pin(key, found)
            for text in found.requires or ():
                requirement = Requirement(text)
                if _holds(requirement.marker, extras):
                    self._queue.append((requirement.name, frozenset(requirement.extras)))

    def _pin(self, key: str, found: Distribution) -> None:
        origin = json.loads(found.read_text("direct_url.json") or "{}")
        url = _without_password(origin.get("url", ""))
        if "vcs_info" in origin:
            vcs = origin["vcs_info"]
            self.pins[key] = f"{key} @ {vcs['vcs']}+{url}@{vcs['commit_id']}"
        elif "dir_info" in origin:
            self.notes.append(f"{key} {found.version}: installed from a folder of the machine it ran on")
        elif url and not url.startswith("file:"):
            self.pins[key] = f"{key} @ {url}"
        else:
            self.pins[key] = f"{key}=={_public(found.version)}"


def _packages_by_module() -> dict[str, set[str]]:
    """The packages that bring each top-level module; `importlib.metadata` knows no compiled ones."""
    found: dict[str, set[str]] = defaultdict(set)
    for package in distributions():
        if not (package.read_text("METADATA") or package.read_text("PKG-INFO")):
            continue  # what is left of one that was not removed whole
        tops = set((package.read_text("top_level.txt") or "").split())
        for file in package.files or ():
            first, *rest = file.parts
            if rest and first != ".." and not first.endswith((".dist-info", ".data")):
                tops.add(first)
            elif not rest and file.suffix in (".py", ".so", ".pyd"):
                tops.add(first.partition(".")[0])
        for top in tops:
            found[top].add(package.metadata["Name"])
    return found


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):
        return None


def _holds(marker: Marker | None, extras: frozenset[str]) -> bool:
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""})


def _who_brings(module: str, names: list[str]) -> list[str]:
    """Of several packages that share a top folder, those with the deepest part of `module`; else all."""
    parts = module.split(".")
    for depth in range(len(parts), 1, -1):
        stem = "/".join(parts[:depth])
        found = [name for name in names if _has_file(name, stem)]
        if found:
            return found
    return names


def _has_file(name: str, stem: str) -> bool:
    """Whether a package installed `stem.py`, `stem.so` or something in the folder `stem`."""
    found = _installed(name)
    for file in (found.files or ()) if found else ():
        path = PurePosixPath(file).as_posix()
        if path.startswith((f"{stem}/", f"{stem}.")):
            return True
    return False


def _is_importable(top: str) -> bool:
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _public(version: str) -> str:
    """Without what names a build: `2.3.0+cpu` is not to be had from the index, and `2.3.0` includes it."""
    try:
        return Version(version).public
    except InvalidVersion:
        return version


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def main() -> None:
    wanted = json.load(sys.stdin)
    json.dump(freeze(wanted["modules"], wanted["requirements"]), sys.stdout)


if __name__ == "__main__":
    main()
