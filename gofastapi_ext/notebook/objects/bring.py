"""Take objects of the kernel along in a bundle, or say why a name of the cell cannot be there."""

from __future__ import annotations

import difflib
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.limits import Limits, format_bytes
from gofastapi_ext.core.objects import MANIFEST, is_objects_file
from gofastapi_ext.notebook.errors import CommandFailed
from gofastapi_ext.notebook.objects.saved import CannotSaveError, manifest, path_of

# Smaller ones stand in the bundle itself: no request of their own, and a diff that shows what changed in them.
_INLINE_BYTES = 64_000
# From here on people want to know what takes so long.
_WORTH_TELLING_BYTES = 2_000_000
_PART_BYTES = 1 << 18


class RefusedError(Exception):
    """Something of the kernel stands in the way of a deploy; the diagnostics say what."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(diagnostics[0].message)
        self.diagnostics = diagnostics


@dataclass(frozen=True)
class Brought:
    """A bundle with objects in it."""

    bundle: Bundle
    labels: tuple[str, ...] = ()
    """Each object as people are told of it: `model (skops, 12.3 kB)`."""
    warnings: tuple[Diagnostic, ...] = ()
    _apart: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    """The name and the content of what is large, by its sha256."""

    def send(self, client: Client, tell: Callable[[str], None]) -> None:
        """Store what is large where the service has not got it yet. `tell` is given what is being done."""
        for sha256, (name, content) in self._apart.items():
            if client.has_blob(sha256):
                continue
            if len(content) >= _WORTH_TELLING_BYTES:
                tell(f"Sending {name}, {format_bytes(len(content))}")
            client.put_blob(sha256, _in_parts(content))


def check_names(namespace: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Raises `CommandFailed` for a name of `--with` that the kernel does not have."""
    for name in names:
        if name not in namespace:
            near = difflib.get_close_matches(name, [each for each in namespace if not each.startswith("_")], 1)
            hint = f" Did you mean `{near[0]}`?" if near else " Run the cell that makes it, or correct the name."
            raise CommandFailed(f"There is no `{name}` here.{hint}")
        if type(namespace[name]).__name__ == "module":
            module = namespace[name].__name__
            line = f"import {module}" if module == name else f"import {module} as {name}"
            raise CommandFailed(f"`{name}` is a module: add `{line}` to the cell instead of --with {name}.")


def bring(
    bundle: Bundle,
    namespace: Mapping[str, Any],
    names: tuple[str, ...],
    limits: Limits,
) -> Brought:
    """The bundle with the objects of these names, saved. Raises `RefusedError`, `InvalidBundleError`."""
    if not names:
        return Brought(bundle)
    # Most deploys have none, and are not to wait for this.
    from gofastapi_ext.notebook.objects.save import save, warning_about

    entries, labels, refused, warnings = [], [], [], []
    apart: dict[str, tuple[str, bytes]] = {}
    files = {path: file for path, file in bundle.files.items() if not is_objects_file(path)}
    for name in names:
        try:
            saved = save(name, namespace[name], limits.max_object_bytes)
        except CannotSaveError as error:
            refused.append(Diagnostic(code="cannot_save", message=f"`{name}` {error}", hint=error.hint))
            continue
        size = len(saved.content)
        path = _free_path(name, saved.format, files)
        if size <= _INLINE_BYTES:
            files[path] = BundleFile.from_bytes(saved.content)
        else:
            sha256 = hashlib.sha256(saved.content).hexdigest()
            files[path] = BundleFile(blob=sha256, blob_bytes=size)
            apart[sha256] = (name, saved.content)
        entries.append(saved.entry(name, path))
        labels.append(f"{name} ({saved.type.rpartition('.')[2]}, {saved.format}, {format_bytes(size)})")
        warning = warning_about(name, saved)
        if warning is not None:
            warnings.append(warning)
    if refused:
        raise RefusedError(refused)
    files[MANIFEST] = BundleFile(text=manifest(entries))
    whole = Bundle(**{**dict(bundle), "files": files})
    return Brought(whole, tuple(labels), tuple(warnings), apart)


def _free_path(name: str, form: str, taken: Mapping[str, object]) -> str:
    """Where no other file is. `X` and `x` are two names, but on some disks one file."""
    folded = {path.casefold() for path in taken}
    paths = (path_of(f"{name}-{number}" if number else name, form) for number in itertools.count())
    return next(path for path in paths if path.casefold() not in folded)


def _in_parts(content: bytes) -> Iterator[bytes]:
    view = memoryview(content)
    return (bytes(view[at : at + _PART_BYTES]) for at in range(0, len(content), _PART_BYTES))
