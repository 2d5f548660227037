"""Ask an interpreter what an app needs of what is installed there."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.core.project.generated import Frozen

_TIMEOUT_SECONDS = 60.0


async def freeze(
    interpreter: str, modules: Iterable[str], requirements: list[str], environment: Mapping[str, str], cwd: Path
) -> Frozen:
    """The answer of `gofastapi_runner.freeze`, run by `interpreter`. Raises `UnavailableError`."""
    question = json.dumps({"modules": sorted(modules), "requirements": requirements}).encode()
    try:
        process = await asyncio.create_subprocess_exec(
            interpreter,
            "-P",  # the working directory is no place to import from
            "-m",
            "gofastapi_runner.freeze",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            cwd=cwd,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnavailableError(f"{interpreter} cannot be started: {reason}.") from error
    try:
        answer, said = await asyncio.wait_for(process.communicate(question), _TIMEOUT_SECONDS)
        return Frozen.model_validate_json(answer)
    except TimeoutError:
        raise UnavailableError(f"{interpreter} did not say what is installed there in time. Try again.") from None
    except ValidationError:
        last_line = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise UnavailableError(
            f"{interpreter} does not say what is installed there: {last_line or 'it ended without a word'}."
        ) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
