"""The errors of apps as their owner sees them: at the line of the code, and of the cell, that they come from."""

from __future__ import annotations

import base64
import contextlib
import re

from gofastapi_ext.core.app_errors import ErrorRequest, ErrorView, error_type, in_words
from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.errors import GoFastAPIError, NotFoundError
from gofastapi_ext.core.replay import what_lacks
from gofastapi_ext.core.validation import locate
from gofastapi_ext.platform.control.apps import Apps
from gofastapi_ext.platform.control.error_recorder import ErrorRecorder
from gofastapi_ext.platform.store.apps import AppRecord
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.errors import ErrorRecord, ErrorStore
from gofastapi_ext.platform.store.versions import VersionStore

# The words of MongoDB where credentials do not allow to write.
_REFUSED = re.compile(r"not authorized on user_\S+ to execute command \{ (insert|update|findAndModify|create)")
_WRITE_REFUSED = "A database that is over its limit takes no more writes. To see whether it is: gofastapi db"


class Errors:
    """Use cases on the errors of an owner's apps."""

    def __init__(
        self,
        apps: Apps,
        store: ErrorStore,
        recorder: ErrorRecorder,
        versions: VersionStore,
        bundles: BundleStore,
    ) -> None:
        self._apps = apps
        self._store = store
        self._recorder = recorder
        self._versions = versions
        self._bundles = bundles

    async def of_app(self, app_id: str, owner: str) -> list[ErrorView]:
        """The latest first, up to this moment."""
        app = await self._apps.find(app_id, owner)
        await self._recorder.catch_up(app.id)
        return await self._views(app.id, await self._store.of_app(app.id))

    async def get(self, error_id: str, owner: str) -> ErrorView:
        """As it is at this moment. Raises `NotFoundError`."""
        app, _ = await self.find(error_id, owner)
        await self._recorder.catch_up(app.id)
        app, record = await self.find(error_id, owner)
        return await self.view(app, record)

    async def clear(self, app_id: str, owner: str) -> None:
        """Forget every error of an app up to this moment."""
        app = await self._apps.find(app_id, owner)
        await self._recorder.remove_app(app.id)

    async def find(self, error_id: str, owner: str) -> tuple[AppRecord, ErrorRecord]:
        """An error and its app. Raises `NotFoundError`."""
        record = await self._store.get(error_id, owner)
        with contextlib.suppress(NotFoundError):
            if record is not None:
                return await self._apps.find(record.app, owner), record
        raise NotFoundError(f'There is no error "{error_id}". It may have been so long ago that it is not kept.')

    async def view(self, app: AppRecord, record: ErrorRecord) -> ErrorView:
        return (await self._views(app.id, [record]))[0]

    async def _views(self, app_id: str, records: list[ErrorRecord]) -> list[ErrorView]:
        diagnostics = {record.id: _diagnostic(record) for record in records}
        for number in sorted({record.version for record in records if record.file}):
            # One after the other: bundles may be large.
            found = {r.id: d for r in records if r.version == number and (d := diagnostics[r.id]) is not None}
            diagnostics |= dict(zip(found, await self._located(app_id, number, list(found.values())), strict=True))
        return [_view(record, diagnostics[record.id]) for record in records]

    async def _located(self, app_id: str, number: int, diagnostics: list[Diagnostic]) -> list[Diagnostic]:
        """With the text of their lines and their cells, as long as the version is kept."""
        version = await self._versions.get(app_id, number)
        if version is None:
            return diagnostics
        try:
            bundle = await self._bundles.get(version.code_hash)
        except GoFastAPIError:
            return diagnostics
        return locate(diagnostics, bundle, version.origins)


def _diagnostic(record: ErrorRecord) -> Diagnostic | None:
    if record.file is None and record.traceback is None:
        return None
    start, end = record.columns or (None, None)
    return Diagnostic(
        code=record.exception or f"http_{record.status}",
        message=in_words(record.exception, record.message),
        hint=_WRITE_REFUSED if _REFUSED.search(record.message) else None,
        file=record.file,
        line=record.line,
        column=start,
        end_line=record.line if end is not None else None,
        end_column=end,
        traceback=record.traceback,
    )


def _view(record: ErrorRecord, diagnostic: Diagnostic | None) -> ErrorView:
    hidden = {"owner", "traceback", "file", "line", "columns", "request", "route"}
    return ErrorView(
        **record.model_dump(exclude=hidden),
        route=record.route if record.route.startswith("/") else record.request.path.partition("?")[0],
        type=error_type(record.status, record.exception),
        diagnostic=diagnostic,
        request=_request(record),
    )


def _request(record: ErrorRecord) -> ErrorRequest:
    request = record.request
    lacks_body = request.whole_body is None
    try:
        body, is_base64 = request.body.decode() if request.body is not None else None, False
    except UnicodeDecodeError:
        body, is_base64 = base64.b64encode(request.body or b"").decode(), True
    return ErrorRequest(
        method=record.method,
        path=request.path,
        headers=request.headers,
        body=body,
        body_is_base64=is_base64,
        is_whole=not what_lacks(request.path, request.headers, lacks_body=lacks_body, given={}),
    )
