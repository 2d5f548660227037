"""Look at a bundle without running any of it."""

from __future__ import annotations

import asyncio

from gofastapi_ext.core.bundle import Bundle, Origins
from gofastapi_ext.core.diagnostics import Severity, has_errors
from gofastapi_ext.core.models import ValidateResult
from gofastapi_ext.core.validation import ImportPolicy, analyze, check_imports, locate
from gofastapi_ext.platform.runtimes.base import Runtime

# Larger sources are parsed in a thread: the event loop serves other people meanwhile.
_INLINE_BYTES = 50_000
# Nobody reads more; the first errors are among them.
_MAX_DIAGNOSTICS = 100


class Validator:
    """Static analysis, and the question of what the app's Python can import."""

    def __init__(self, runtime: Runtime, policy: ImportPolicy) -> None:
        self._runtime = runtime
        self._policy = policy

    async def validate(self, bundle: Bundle, origins: Origins, interpreter: str | None = None) -> ValidateResult:
        """All findings, at the line of the file and of the cell."""
        if bundle.size_bytes > _INLINE_BYTES:
            analysis = await asyncio.to_thread(analyze, bundle)
        else:
            analysis = analyze(bundle)
        names = frozenset(use.top for use in analysis.imports)
        missing = await self._runtime.missing_modules(interpreter, names)
        found = [*analysis.diagnostics, *check_imports(analysis.imports, missing, self._policy)]
        found = sorted(found, key=lambda each: each.severity is not Severity.ERROR)[:_MAX_DIAGNOSTICS]
        ok = not has_errors(found) and analysis.entrypoint is not None
        return ValidateResult(
            ok=ok,
            entrypoint=analysis.entrypoint if ok else None,
            diagnostics=locate(found, bundle, origins),
        )
