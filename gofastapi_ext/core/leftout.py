"""What nobody means to put into an app: caches, version control, and what may hold secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate
from pathlib import PurePosixPath

from gofastapi_ext.core.bundle import BundleFile
from gofastapi_ext.core.errors import InvalidBundleError

# Nobody means these: they go without a word.
_ROUTINE = (
    "__pycache__", "*.pyc", "*.pyo", "*~", "*.swp", "*.egg-info", "node_modules",
    ".git", ".gitignore", ".hg", ".svn", ".DS_Store", ".venv", ".tox", ".nox",
    ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".ruff_cache",
    "__MACOSX", "._*", "Thumbs.db", "desktop.ini",
)  # fmt: skip
# Of those, what never goes in, whoever names it.
_NEVER = (
    "__pycache__", ".git", ".hg", ".svn", ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".ruff_cache",
)  # fmt: skip
_SECRETS = (
    ".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "*.ppk", ".ssh", ".aws",
    ".gnupg", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc", ".pypirc", ".htpasswd",
)  # fmt: skip
# Patterns for people to fill in, and the public halves of keys.
_NO_SECRETS = (
    "*.pub", *(f"{before}{word}{after}" for word in ("example", "sample", "template", "dist", "defaults")
               for before, after in ((".env.", ""), (".env-", ""), ("", ".env"), (".", ".env"))),
)  # fmt: skip
_HIDDEN_YET_MEANT = frozenset({".well-known", ".gitkeep"})

MAY_HOLD_SECRETS = "may hold secrets"
HIDDEN = "hidden"


def _one_of(patterns: Iterable[str]) -> re.Pattern[str]:
    # One expression for all of them: a zip may have ten thousands of names.
    return re.compile("|".join(map(translate, patterns)))


_IS_ROUTINE = _one_of(_ROUTINE)
_IS_NEVER = _one_of(_NEVER)
_IS_SECRET = _one_of(_SECRETS)
_IS_NO_SECRET = _one_of(_NO_SECRETS)
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")


def is_routine(name: str) -> bool:
    """Whether a file or folder called `name` is left out without a word."""
    return _IS_ROUTINE.match(name) is not None


def is_never(name: str) -> bool:
    """Whether nothing of a file or folder called `name` goes in, even where somebody asks for it by name."""
    return _IS_NEVER.match(name) is not None


def why_left_out(name: str) -> str | None:
    """Why a file or folder called `name` is left out, `MAY_HOLD_SECRETS` or `HIDDEN`; None where it is not."""
    if _IS_NO_SECRET.match(name):
        return None
    if _IS_SECRET.match(name):
        return MAY_HOLD_SECRETS
    if name.startswith(".") and name not in _HIDDEN_YET_MEANT:
        return HIDDEN
    return None


def may_be_public(name: str) -> bool:
    """Whether a file that is left out for its name comes along all the same where it holds no private key."""
    return name.endswith(".pem")


def is_private_key(name: str, content: bytes) -> bool:
    """Whether a file is a private key: it begins as one, or is a .pem that has one anywhere."""
    found = _PRIVATE_KEY.search(content) if may_be_public(name) else _PRIVATE_KEY.match(content.lstrip()[:200])
    return found is not None


def why_secret(name: str) -> str:
    """What to say of a file that may hold secrets, and where its values belong."""
    is_env = name.startswith(".env") or name.endswith(".env")
    way = f"gofastapi env import NAME {name}" if is_env else "gofastapi env set NAME --secret VARIABLE"
    return f"{MAY_HOLD_SECRETS}; they never go into an app's files, so give them to it with: {way}"


def check_goes_in(at: str, content: bytes) -> None:
    """Raise `InvalidBundleError` for a file that never goes in, by its name or as a private key."""
    path = PurePosixPath(at)
    for name in path.parts:
        check_name(at, name, is_file=name == path.name)
    if is_private_key(path.name, content):
        raise InvalidBundleError(f"{at}: {why_secret(path.name)}")


def check_name(at: str, name: str, *, is_file: bool) -> None:
    """Raise for a part `name` of the path `at` that never goes in."""
    if is_never(name):
        raise InvalidBundleError(f"{at}: {name} never goes into an app. Leave it out.")
    if why_left_out(name) == MAY_HOLD_SECRETS and not (may_be_public(name) and is_file):
        raise InvalidBundleError(f"{at}: {why_secret(name)}")


def check_all_go_in(files: Mapping[str, BundleFile]) -> None:
    """The same for every file of a bundle. What is stored apart is judged by its name."""
    for path, file in files.items():
        check_goes_in(path, b"" if file.blob is not None else file.content)
