"""Names of collections, and paths of fields."""

from __future__ import annotations

from gofastapi_ext.core.errors import InvalidNameError, InvalidRequestError

MAX_COLLECTION_BYTES = 120
MAX_PATH_LENGTH = 500

# Collections of ours in a user's database, while an import fills them. Nobody else's begin like this.
STAGING_PREFIX = "gofastapi.import."


def check_collection(name: str) -> str:
    """Return `name`, or raise `InvalidNameError` that says what a collection may be called."""
    if not name:
        raise _bad_collection(name, "it has to have a name")
    if "\0" in name:
        raise _bad_collection(name, "the character NUL may not be in it")
    if "$" in name:
        raise _bad_collection(name, "$ may not be in it")
    if name.startswith("system."):
        raise _bad_collection(name, "names that begin with system. are MongoDB's own")
    if name.startswith(STAGING_PREFIX):
        raise _bad_collection(name, f"names that begin with {STAGING_PREFIX} are for imports that are under way")
    if name.startswith(".") or name.endswith(".") or ".." in name:
        raise _bad_collection(name, "a dot stands between two parts, so none may be missing")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise _bad_collection(name, "it is no valid text") from None
    if size > MAX_COLLECTION_BYTES:
        raise _bad_collection(name, f"it is longer than {MAX_COLLECTION_BYTES} bytes")
    return name


def check_path(path: str, where: str) -> str:
    """Return the dotted path of a field, or raise `InvalidRequestError` that names `where` it stands."""
    shown = path[:60]
    if "\0" in path:
        raise InvalidRequestError(f"{where}: the character NUL cannot be in the name of a field.")
    if len(path) > MAX_PATH_LENGTH:
        raise InvalidRequestError(f'{where}: "{shown}…" is longer than {MAX_PATH_LENGTH} characters.')
    parts = path.split(".")
    if not all(parts):
        raise InvalidRequestError(f'{where}: "{shown}" has an empty part; parts of a field are joined by one dot.')
    if any(part.startswith("$") for part in parts):
        raise InvalidRequestError(f'{where}: "{shown}" is not a field; names of fields do not begin with $.')
    return path


def _bad_collection(name: str, why: str) -> InvalidNameError:
    shown = name[:60].replace("\0", "\\0")
    return InvalidNameError(f'"{shown}" cannot be the name of a collection: {why}.')
