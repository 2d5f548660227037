"""Keeps the values of secrets out of what is written, shown and told."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from urllib.parse import quote, quote_plus

from gofastapi_ext.core.diagnostics import Diagnostic

MARK = "***"
"""What stands in the place of a secret."""

# Shorter pieces (a line of a secret, what base64 of it looks like inside other text) are found in ordinary text too.
_MIN_PIECE_LENGTH = 8
# More places than this, where a secret may have begun, are not looked at closely.
_MAX_CLOSE_LOOKS = 64
_LONG_BYTES = 256
_MAX_LINES = 500
# What may be left of a secret where a text was cut.
_MIN_LEFT_BYTES = 3
_MAX_LEFT_BYTES = 2000


class Redactor:
    """Replaces secrets, and the forms they are commonly printed in, by `MARK`.

    The forms: the value itself; each line of it, of 8 characters or more; both as in JSON and in Python's
    `repr`; the value percent-encoded and in base64, also where it is a part of what was encoded. Of all
    secrets together 500 lines are looked for alone: what an app prints must not wait for this.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = [secret for secret in secrets if secret]
        lines = islice((line for secret in known for line in _lines(secret)), _MAX_LINES)
        texts = chain.from_iterable([*map(_forms, known), *map(_spellings, lines)])
        forms = {text.encode(errors="surrogatepass") for text in texts}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        self._forms_of_lines = [form for form in self._forms if b"\n" in form]

    @property
    def longest_bytes(self) -> int:
        """The size of the longest form; 0 where there is no secret."""
        return len(self._forms[0]) if self._forms else 0

    def text(self, text: str) -> str:
        """`text` without secrets."""
        if not self._forms:
            return text
        data = text.encode(errors="surrogatepass")
        redacted = self.data(data)
        return text if redacted is data else redacted.decode(errors="surrogatepass")

    def data(self, data: bytes) -> bytes:
        """The same for bytes in UTF-8, as a program prints them; `data` itself where there is nothing to do."""
        spans = self._spans(data)
        if not spans:
            return data
        parts, end = [], 0
        for start, stop in spans:
            parts += [data[end:start], MARK.encode()]
            end = stop
        return b"".join([*parts, data[end:]])

    def shortened(self, text: str, gap: str) -> str:
        """The same for a text that may have been cut in its middle, at `gap`: there a part of a secret may be left."""
        head, found, tail = text.partition(gap)
        if not found or not self._forms:
            return self.text(text)
        before, after = head.encode(errors="surrogatepass"), tail.encode(errors="surrogatepass")
        before = before[: min(self._open_at(before, form) for form in self._forms)]
        after = after[max(_closed_at(after, form) for form in self._forms) :]
        return self.data(before + gap.encode() + after).decode(errors="replace")

    def diagnostic(self, diagnostic: Diagnostic) -> Diagnostic:
        """`diagnostic` without secrets in what it says."""
        if not self._forms:
            return diagnostic
        told = {name: getattr(diagnostic, name) for name in ("message", "hint", "source", "traceback")}
        return diagnostic.model_copy(update={name: self.text(text) for name, text in told.items() if text})

    def settled(self, data: bytes) -> int:
        """How much of `data` is the same whatever comes after it: its end may be the beginning of a secret."""
        # Past the end of a line only those go on that have several: it is these few that nearly all output meets.
        forms = self._forms_of_lines if data.endswith(b"\n") else self._forms
        end = min((self._open_at(data, form) for form in forms), default=len(data))
        if end == len(data):
            return end
        return next((start for start, stop in self._spans(data) if start < end < stop), end)

    @staticmethod
    def _open_at(data: bytes, form: bytes) -> int:
        """Where in `data` the longest end begins that `form` begins with; its length where there is none."""
        looks = 0
        start = data.find(form[:1], max(0, len(data) - len(form) + 1))
        while start >= 0:
            size = len(data) - start
            if data.endswith(form[max(0, size - 16) : size]):
                looks += 1
                # A secret made for it could keep us busy here. To hold too much back does no harm.
                if looks > _MAX_CLOSE_LOOKS or data.endswith(form[:size]):
                    return start
            start = data.find(form[:1], start + 1)
        return len(data)

    def _spans(self, data: bytes) -> list[tuple[int, int]]:
        """Where secrets are, in order; those that overlap are one."""
        found = []
        for form in self._forms:
            # A long secret that overlaps itself would be looked at over and over.
            step = 1 if len(form) < _LONG_BYTES else len(form)
            start = data.find(form)
            while start >= 0:
                found.append((start, start + len(form)))
                start = data.find(form, start + step)
        merged: list[tuple[int, int]] = []
        for start, stop in sorted(found):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
            else:
                merged.append((start, stop))
        return merged


def _closed_at(data: bytes, form: bytes) -> int:
    """Where in `data` the longest beginning ends that `form` ends with; 0 where there is none worth the name."""
    sizes = range(min(len(form), len(data), _MAX_LEFT_BYTES), _MIN_LEFT_BYTES - 1, -1)
    return next((size for size in sizes if data.startswith(form[-size:])), 0)


def _lines(secret: str) -> Iterator[str]:
    """Each line that is long enough to be found alone."""
    lines = [line.strip() for line in secret.splitlines()]
    return (line for line in lines if len(line) >= _MIN_PIECE_LENGTH and line != secret)


def _spellings(text: str) -> Iterator[str]:
    """As it is, and as JSON and Python show it."""
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield repr(text.encode())[2:-1]


def _forms(secret: str) -> Iterator[str]:
    """What a secret looks like where programs print it."""
    yield from _spellings(secret)
    yield from _spellings(secret.strip())
    yield html.escape(secret)
    for encoded in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield encoded
        yield re.sub("%..", lambda match: match[0].lower(), encoded)
    for base64_form in _base64_forms(secret.encode()):
        yield base64_form
        yield base64_form.replace("+", "-").replace("/", "_")


def _base64_forms(data: bytes) -> Iterator[str]:
    """Of the data alone; and the characters that follow from it where up to two other bytes come before it."""
    yield base64.b64encode(data).decode()
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode()
        piece = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        if len(piece) >= _MIN_PIECE_LENGTH:
            yield piece
