"""What of a request may be a credential, and how that is kept out of what is told of it."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

MARK = "***"
"""Stands in the place of a credential."""

_HARMLESS = frozenset(
    {
        b"accept", b"accept-encoding", b"accept-language", b"content-encoding", b"content-length", b"content-type",
        b"host", b"origin", b"range", b"user-agent", b"x-requested-with",
    }
)  # fmt: skip
_NAME = re.compile(
    r"token|key|secret|passw|pwd|auth|sig|session|sid$|code|credential|jwt|nonce|otp|^pin$|cookie|csrf|ticket|bearer"
    r"|assertion|^pass$|^pw$",
    re.IGNORECASE,
)
# Parts of a path make a request what it is: only what is hardly ever anything else.
_NAME_IN_PATH = re.compile(
    r"token|secret|passw|pwd|jwt|otp$|credential|api_?key|session|signature|nonce", re.IGNORECASE
)
_PART = re.compile(r"([&;])")
# Where an address that is a parameter's value has parameters itself.
_INNER_PART = re.compile(r"[?&;#\s]")
# Shorter values stand in ordinary text, too; longer ones are cut in it.
_LENGTHS = range(8, 8_000)
_MAX_VALUES = 30


class Credentials:
    """Those of one request, as far as names tell."""

    def __init__(self, headers: Iterable[tuple[bytes, bytes]], query: bytes, path_params: Any) -> None:
        """`path_params` are what the route found in the path, where it did."""
        self._headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        self._query = query.decode("latin-1")
        params = path_params.items() if isinstance(path_params, Mapping) else ()
        self._params = {str(value) for name, value in params if _NAME_IN_PATH.search(str(name)) and str(value)}
        values = dict.fromkeys(value for value in self._values() if len(value) in _LENGTHS)
        forms = {form for value in islice(values, _MAX_VALUES) for form in _forms(value)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def without(self, text: str) -> str:
        """What the app said, without what came with the request."""
        for form in self._forms:
            text = text.replace(form, MARK)
        return text

    def headers(self) -> dict[str, str]:
        """Those that are harmless; of credentials, that there were some."""
        told = {name: self.without(value) for name, value in self._headers if name.encode("latin-1") in _HARMLESS}
        return told | {name: MARK for name, _ in self._headers if name not in told and _NAME.search(name)}

    def path(self, path: bytes) -> str:
        """The path; parts of it that the route knows by the name of a credential are `***`."""
        text = path.decode("latin-1")
        if self._params:
            text = "/".join(MARK if unquote(part) in self._params else part for part in text.split("/"))
        return self.without(text)

    def query(self) -> str:
        """The query; values of parameters that sound like credentials are `***`."""
        return self.without("".join(_masked(part) for part in _PART.split(self._query)))

    def _values(self) -> Iterator[str]:
        yield from self._params
        for part in _PART.split(self._query)[:_MAX_VALUES]:
            if _masked(part) != part:
                yield unquote_plus(part.partition("=")[2])
        for name, value in self._headers[:_MAX_VALUES]:
            if name.encode("latin-1") not in _HARMLESS and _NAME.search(name):
                yield value
                yield from _inside(name, value)


def _masked(part: str) -> str:
    name, equals, value = part.partition("=")
    if not equals:
        return part
    inner = (each.partition("=") for each in _INNER_PART.split(unquote_plus(value)))
    names = [name, *(name for name, equals, _ in inner if equals)]
    return f"{name}={MARK}" if any(_NAME.search(unquote_plus(each)) for each in names) else part


def _inside(name: str, value: str) -> Iterator[str]:
    """The values that a header holds: a token after its scheme, a password, cookies."""
    if name == "cookie":
        cookies = (each.partition("=")[2].strip().strip('"') for each in value.split(";"))
        yield from islice(cookies, _MAX_VALUES)
        return
    scheme, _, rest = value.partition(" ")
    yield rest
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            yield base64.b64decode(rest).decode().partition(":")[2]


def _forms(value: str) -> set[str]:
    """As programs show it."""
    encoded = value.encode(errors="replace")
    return {value, quote(encoded), quote(encoded, safe=""), json.dumps(value)[1:-1], repr(value)[1:-1]}
