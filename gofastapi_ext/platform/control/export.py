"""An app as a project that runs without the platform, in a zip."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from gofastapi_ext.core.bundle import Bundle
from gofastapi_ext.core.errors import InvalidBundleError, InvalidRequestError, NotFoundError, UnavailableError
from gofastapi_ext.core.project.generated import Facts, Frozen, generate, needed_modules, required
from gofastapi_ext.core.validation import Analysis, analyze
from gofastapi_ext.platform.control.attempt import DeployTools
from gofastapi_ext.platform.control.deployments import Deployments
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.blobs import BlobStore

DRAFT = "draft"
LIVE = "live"
# A small project is put together in memory, a larger one in a file that has no name.
_IN_MEMORY_BYTES = 4_000_000
_READABLE = 0o100644 << 16


@dataclass(frozen=True)
class Export:
    """A zip, and what it may be called. Whoever has it closes it, and it is gone."""

    name: str
    size_bytes: int
    file: IO[bytes]


@dataclass(frozen=True)
class _Source:
    code_hash: str
    number: int | None
    entrypoint: str | None
    created_at: datetime
    env: dict[str, str]
    interpreter: str | None


class Exports:
    """Use cases on an app that is known to be its caller's."""

    def __init__(self, tools: DeployTools, deployments: Deployments, blobs: BlobStore, objects_loader: str) -> None:
        self._tools = tools
        self._deployments = deployments
        self._blobs = blobs
        self._objects_loader = objects_loader

    async def export(self, record: AppRecord, which: str | None) -> Export:
        """The `draft` (what is live, where none is saved), what is `live`, or the version of this number; by default
        what is live, else the draft.

        Raises `NotFoundError`, `InvalidBundleError` for a draft that is no app yet, and `UnavailableError` where
        what is stored is damaged, or the app's Python does not tell what is installed.
        """
        source = await self._source(record, which)
        async with self._tools.bundles.kept(source.code_hash):
            bundle = await self._tools.bundles.get(source.code_hash)
            generated = await self._generate(record, source, bundle)
            stem = f"{record.id}-{DRAFT if source.number is None else f'v{source.number}'}"
            # Not closed here: it is the answer.
            file = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
            try:
                with ZipFile(file, "w", ZIP_DEFLATED) as archive:
                    at = _Place(archive, record.id, source.created_at)
                    await asyncio.to_thread(at.write_all, bundle, generated)
                    for path, each in bundle.files.items():
                        if each.blob is not None:
                            await self._write_blob(at, path, each.blob)
                size = file.seek(0, 2)
                file.seek(0)
            except BaseException:
                file.close()
                raise
        return Export(f"{stem}.zip", size, file)

    async def _source(self, record: AppRecord, which: str | None) -> _Source:
        number = record.live_version
        if which not in (None, DRAFT, LIVE):
            number = _number(which or "")
        elif which == DRAFT or (which is None and number is None):
            draft = await self._tools.drafts.get(record.id)
            if draft is not None:
                return _Source(draft.code_hash, None, None, draft.saved_at, draft.env, draft.interpreter)
        if number is None:
            raise NotFoundError(f'"{record.id}" has no code that could be exported: no version of it is live.')
        version = await self._deployments.version(record, number)
        return _Source(
            version.code_hash, number, version.entrypoint, version.created_at, version.env, version.interpreter
        )

    async def _generate(self, record: AppRecord, source: _Source, bundle: Bundle) -> dict[str, str]:
        """The files beside the bundle's own."""
        analysis = await asyncio.to_thread(analyze, bundle)
        app = source.entrypoint or _entrypoint(analysis)
        modules = await asyncio.to_thread(needed_modules, bundle, [use.module for use in analysis.imports])
        frozen = await self._freeze(source.interpreter, modules, required(bundle))
        env = await self._tools.environments.view(record.id, record.env_revision, ())
        facts = Facts(
            name=record.id,
            title=record.title or record.id,
            version=source.number,
            created_at=source.created_at,
            app=app,
            env=source.env,
            variables={variable.name: variable.value for variable in env.variables},
            objects_loader=self._objects_loader,
        )
        return await asyncio.to_thread(generate, bundle, facts, frozen)

    async def _freeze(self, interpreter: str | None, modules: frozenset[str], requirements: list[str]) -> Frozen:
        try:
            return await self._tools.runtime.freeze(interpreter, modules, requirements)
        except UnavailableError:
            if interpreter is None:
                raise
        # The way out is not closed because an environment was removed.
        frozen = await self._tools.runtime.freeze(None, modules, requirements)
        note = "The Python it ran with is not there any more; these are the versions that GoFastAPI itself has"
        return frozen.model_copy(update={"notes": [*frozen.notes, note]})

    async def _write_blob(self, at: _Place, path: str, sha256: str) -> None:
        with at.open(path) as member:
            async for chunk in self._blobs.read(sha256):
                await asyncio.to_thread(member.write, chunk)


class _Place:
    """Where files go in the zip: into one folder, as of one time, so that an export is the same each time."""

    def __init__(self, archive: ZipFile, folder: str, time: datetime) -> None:
        self._archive = archive
        self._folder = folder
        self._time = time

    def write_all(self, bundle: Bundle, generated: dict[str, str]) -> None:
        inline = {path: file.content for path, file in bundle.files.items() if file.blob is None}
        for path, content in sorted({**inline, **{path: text.encode() for path, text in generated.items()}}.items()):
            self._archive.writestr(self._entry(path, ZIP_DEFLATED), content)

    def open(self, path: str) -> IO[bytes]:
        """Write a large file, some at a time; as it is, for it takes long to make little of what is binary."""
        return self._archive.open(self._entry(path, ZIP_STORED), "w")

    def _entry(self, path: str, compression: int) -> ZipInfo:
        entry = ZipInfo(f"{self._folder}/{path}", self._time.timetuple()[:6])
        entry.compress_type = compression
        entry.external_attr = _READABLE
        entry.create_system = 3  # Unix, which the mode is of
        return entry


def _number(which: str) -> int:
    number = which.removeprefix("v")
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 10):
        raise InvalidRequestError(f'What to export is "{DRAFT}", "{LIVE}" or the number of a version.')
    return int(number)


def _entrypoint(analysis: Analysis) -> str:
    if analysis.entrypoint is None:
        found = analysis.diagnostics[0] if analysis.diagnostics else None
        why = f"{found.file or 'it'}: {found.message}" if found else "no app was found in it"
        raise InvalidBundleError(f"The draft is no app yet: {why}. Correct it, then export it.")
    return analysis.entrypoint
