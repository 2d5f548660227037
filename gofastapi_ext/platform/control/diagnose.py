"""Why an instance failed, at the line of the code and of the cell."""

from __future__ import annotations

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.validation import locate
from gofastapi_ext.platform.runtimes.base import InstanceFailedError
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.versions import VersionRecord


async def diagnose(failure: InstanceFailedError, version: VersionRecord, bundles: BundleStore) -> Diagnostic:
    """The failure as a diagnostic; without the text of its line where the code cannot be read."""
    start, end = failure.columns or (None, None)
    diagnostic = Diagnostic(
        code=failure.code,
        message=failure.message,
        hint=failure.hint,
        file=failure.file,
        line=failure.line,
        column=start,
        end_line=failure.line if end is not None else None,
        end_column=end,
        traceback=failure.traceback,
    )
    try:
        bundle = await bundles.get(version.code_hash)
    except GoFastAPIError:
        return diagnostic
    return locate([diagnostic], bundle, version.origins)[0]
