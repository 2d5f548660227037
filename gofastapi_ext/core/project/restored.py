"""The way back: a bundle of the files of a project, exported by us or anybody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, ValidationError

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.project.main_file import lay_out
from gofastapi_ext.core.project.manifest import Manifest, find_manifest


class ImportResult(BaseModel):
    """A project that was saved as the draft of an app. Nothing of it is deployed."""

    model_config = ConfigDict(frozen=True)

    app: str
    etag: str
    """Of the draft."""
    code_hash: str
    main: str
    files: list[str]
    left_out: list[str]
    """What did not come along, and why: `.env: may hold secrets`."""
    notes: list[str]


@dataclass(frozen=True)
class Restored:
    """What a project is as a draft. `notes` are sentences for whoever brought it."""

    bundle: Bundle
    env: dict[str, str] = field(default_factory=dict)
    manifest: Manifest | None = None
    notes: list[str] = field(default_factory=list)


def restore(files: Mapping[str, BundleFile]) -> Restored:
    """The draft that a project's files make. Raises `InvalidBundleError`.

    Of an exported project the files that the export added are left out, unless somebody changed them since.
    """
    found = find_manifest(files)
    if found is None:
        layout = lay_out(files)
        return Restored(_bundle(layout.files, layout.main, layout.entrypoint), notes=layout.notes)
    at, manifest = found
    added = {path for path, sha256 in manifest.generated.items() if path in files and path not in manifest.files}
    # People fill the example of a `.env` in, and what they write there is not for the app's code.
    changed = sorted(
        path for path in added if files[path].sha256 != manifest.generated[path] and not path.startswith(".env")
    )
    left = {path: file for path, file in files.items() if path != at and (path not in added or path in changed)}
    bundle = _bundle(left, manifest.main, manifest.entrypoint, manifest.requirements)
    notes = [f"{path} was changed since the export, so it comes along as a file of the app." for path in changed]
    missing = [path for path in manifest.files if path not in files]
    if missing:
        notes.append(f"Not there any more: {_listed(missing)}.")
    wanted = [*manifest.variables, *manifest.secrets]
    if wanted:
        notes.append(f"It had variables of its own, which do not come along: {_listed(wanted)}.")
    return Restored(bundle, dict(manifest.env), manifest, notes)


def _bundle(
    files: Mapping[str, BundleFile], main: str, entrypoint: str | None = None, requirements: Sequence[str] = ()
) -> Bundle:
    try:
        return Bundle(files=dict(files), main=main, entrypoint=entrypoint, requirements=list(requirements))
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise InvalidBundleError(f"The files cannot be an app: {reason}.") from None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
