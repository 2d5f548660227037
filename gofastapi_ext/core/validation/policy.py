"""Which modules an app may import, and what to say where one is missing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Set
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from gofastapi_ext.core.diagnostics import Diagnostic, Severity
from gofastapi_ext.core.validation.modules import ImportUse

# Calls any C function, past everything Python and the platform check.
# Modules that are reported, each with the others in its hint.
_MAX_REPORTED = 50
_STDLIB_NOT_ALLOWED = frozenset({"ctypes", "_ctypes"})

_PYPI_NAMES = {
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "bson": "pymongo",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "decouple": "python-decouple",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "email_validator": "email-validator",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "github": "pygithub",
    "google.generativeai": "google-generativeai",
    "gridfs": "pymongo",
    "jose": "python-jose[cryptography]",
    "jwt": "pyjwt",
    "kafka": "kafka-python",
    "magic": "python-magic",
    "markdown_it": "markdown-it-py",
    "multipart": "python-multipart",
    "nacl": "pynacl",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pydantic_settings": "pydantic-settings",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socketio": "python-socketio",
    "sse_starlette": "sse-starlette",
    "telegram": "python-telegram-bot",
    "usb": "pyusb",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}


class ImportMode(StrEnum):
    """`installed`: whatever the app's Python has. `allow-list`: the standard library and what is listed."""

    INSTALLED = "installed"
    ALLOW_LIST = "allow-list"


class ImportPolicy(BaseModel):
    """Which modules an app may import.

    `allowed` holds top-level names, used by `allow-list`, where the standard library without `ctypes` is
    always allowed. The policy is a guard-rail that tells people early; what holds an app in is its sandbox.
    """

    model_config = ConfigDict(frozen=True)

    mode: ImportMode = ImportMode.INSTALLED
    allowed: frozenset[str] = frozenset()

    def allows(self, top: str) -> bool:
        """Whether a module with this top-level name may be imported."""
        if self.mode is ImportMode.INSTALLED or top in self.allowed:
            return True
        return top in sys.stdlib_module_names and top not in _STDLIB_NOT_ALLOWED


def check_imports(uses: Iterable[ImportUse], missing: Set[str], policy: ImportPolicy) -> list[Diagnostic]:
    """One diagnostic for each module that is forbidden or, by its top-level name, in `missing`.

    A missing module is an error where the app cannot start without it, and else a warning; nothing is
    said about files the app does not import.
    """
    forbidden: dict[str, ImportUse] = {}
    absent: dict[str, ImportUse] = {}
    for use in sorted(uses, key=lambda use: use.optional):
        if not policy.allows(use.top):
            forbidden.setdefault(use.top, use)
        elif use.top in missing and use.reached:
            absent.setdefault(use.top, use)
    needed = [use for use in absent.values() if not use.optional][:_MAX_REPORTED]
    return [
        *(_forbidden(use) for use in [*forbidden.values()][:_MAX_REPORTED]),
        *(_missing(use, [use] if use.optional else needed) for use in [*absent.values()][:_MAX_REPORTED]),
    ]


def _forbidden(use: ImportUse) -> Diagnostic:
    return _diagnostic(
        use,
        Severity.ERROR,
        "forbidden_module",
        f"{use.module} may not be imported here",
        "Your administrator decides which modules apps may import; ask for it, or do without.",
    )


def _missing(use: ImportUse, together: list[ImportUse]) -> Diagnostic:
    """`together` is what to install in one go."""
    packages = " ".join(_PYPI_NAMES.get(other.module) or _PYPI_NAMES.get(other.top, other.top) for other in together)
    message = f"{use.top} is not installed"
    if use.optional:
        message += "; the app starts without it, but the code that needs it may fail"
    hint = f"Run `%pip install {packages}` in the notebook, then deploy again."
    return _diagnostic(use, Severity.WARNING if use.optional else Severity.ERROR, "missing_module", message, hint)


def _diagnostic(use: ImportUse, severity: Severity, code: str, message: str, hint: str) -> Diagnostic:
    return Diagnostic(
        severity=severity,
        code=code,
        message=message,
        hint=hint,
        file=use.file,
        line=use.line,
        column=use.column,
        end_line=use.end_line,
        end_column=use.end_column,
    )
