"""What nobody means to put into an app: caches, version control, and what may hold secrets. By name alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate

# Nobody means these: they go without a word.
_ROUTINE = (
    "__pycache__", "*.pyc", "*.pyo", "*~", "*.swp", "*.egg-info", "node_modules",
    ".git", ".gitignore", ".hg", ".svn", ".DS_Store", ".venv", ".tox", ".nox",
    ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".ruff_cache",
    "__MACOSX", "._*", "Thumbs.db", "desktop.ini",
)  # fmt: skip
_SECRETS = (
    ".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", ".ssh", ".aws",
    ".gnupg", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc", ".pypirc", ".htpasswd",
)  # fmt: skip
_HIDDEN_YET_MEANT = frozenset({".well-known", ".gitkeep"})

MAY_HOLD_SECRETS = "may hold secrets"
HIDDEN = "hidden"


def _one_of(patterns: Iterable[str]) -> re.Pattern[str]:
    # One expression for all of them: a zip may have ten thousands of names.
    return re.compile("|".join(map(translate, patterns)))


_IS_ROUTINE = _one_of(_ROUTINE)
_IS_SECRET = _one_of(_SECRETS)


def is_routine(name: str) -> bool:
    """Whether a file or folder called `name` is left out without a word."""
    return _IS_ROUTINE.match(name) is not None


def why_left_out(name: str) -> str | None:
    """Why a file or folder called `name` is left out, `MAY_HOLD_SECRETS` or `HIDDEN`; None where it is not."""
    if _IS_SECRET.match(name):
        return MAY_HOLD_SECRETS
    if name.startswith(".") and name not in _HIDDEN_YET_MEANT:
        return HIDDEN
    return None
