"""`gofastapi.json`: what an exported project was, so that the way back is exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gofastapi_ext.core.bundle import BundleFile
from gofastapi_ext.core.errors import InvalidBundleError

FORMAT = 1
MANIFEST_NAME = "gofastapi.json"


class Manifest(BaseModel):
    """What stands in `gofastapi.json`."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    name: str
    title: str
    version: int | None
    """None where it was the draft."""
    created_at: datetime
    """When the version was deployed, or the draft saved."""
    code_hash: str
    main: str
    entrypoint: str | None
    """As the bundle has it: None where it is to be found in `main`."""
    requirements: list[str] = Field(default_factory=list)
    env: dict[str, str] = Field(default_factory=dict)
    """The variables that belong to the version."""
    variables: list[str] = Field(default_factory=list)
    """The names of the app's own variables; their values are in the example of a `.env`."""
    secrets: list[str] = Field(default_factory=list)
    files: list[str]
    """Every path of the bundle."""
    generated: dict[str, str]
    """The files we added, with the sha256 of each; the manifest itself is not among them."""
    notes: list[str] = Field(default_factory=list)
    """What people should know, a sentence each."""


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or where that is taken (in whatever case) `README.gofastapi.md`, `README.gofastapi2.md`, ...

    A module's name stays one that can be imported: `asgi_gofastapi.py`.
    """
    folded = {name.casefold() for name in taken}
    head, dot, tail = wanted.rpartition(".")
    if not head:
        head, dot, tail = wanted, "", ""
    joint = "_" if tail == "py" else "."
    name, number = wanted, 1
    while name.casefold() in folded:
        name = f"{head}{joint}gofastapi{number if number > 1 else ''}{dot}{tail}"
        number += 1
    return name


def find_manifest(files: Mapping[str, BundleFile]) -> tuple[str, Manifest] | None:
    """The manifest among a project's files, and its path; None where there is none.

    A file of this name that an app brought itself, before or after, is not taken for ours. Raises
    `InvalidBundleError` where a newer GoFastAPI wrote it.
    """
    name = MANIFEST_NAME
    seen: list[str] = []
    found = None
    while name in files:
        manifest = _parse(files[name].text)
        if manifest is not None:
            found = name, manifest
        seen.append(name)
        name = free_name(MANIFEST_NAME, seen)
    return found


class _Head(BaseModel):
    format: int
    code_hash: str


def _parse(text: str | None) -> Manifest | None:
    try:
        head = _Head.model_validate_json(text or "")
        if head.format > FORMAT:
            raise InvalidBundleError(
                f"{MANIFEST_NAME} was written by a newer GoFastAPI than this one. Update it, then import again."
            )
        return Manifest.model_validate_json(text or "")
    except ValidationError:
        return None
