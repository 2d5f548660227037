"""Which requests two paths of routes both match, as far as their text tells."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable

ANYTHING = "/{anything:path}"

_PARAMETER = re.compile(r"\{[^{}]*\}")
_VERSION = re.compile(r"v\d+(\.\d+)*")
_MAX_NAME = 40


def overlap(first: str | None, second: str | None) -> bool:
    """Whether some URL may match both. None is a path nobody knows; it matches anything."""
    if first is None or second is None:
        return True
    ours, theirs = first.split("/"), second.split("/")
    for our, their in zip(ours, theirs, strict=False):
        if _takes_the_rest(our) or _takes_the_rest(their):
            return True
        if not _same_segment(our, their):
            return False
    if len(ours) == len(theirs):
        return True
    # What is left of the longer one may be all inside a parameter that takes slashes.
    rest = (ours if len(ours) > len(theirs) else theirs)[min(len(ours), len(theirs)) :]
    return _takes_the_rest(rest[0])


def group_of(path: str) -> str | None:
    """The first word of a path that says what it is about: `users` of `/api/v1/users/{id}`."""
    for segment in path.strip("/").split("/"):
        if segment.lower() == "api" or _VERSION.fullmatch(segment):
            continue
        return None if _PARAMETER.search(segment) else module_name_for(segment)
    return None


def module_name_for(word: str) -> str | None:
    """A name for a module: lower case, letters, digits and underscores; None where nothing is left of `word`."""
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:_MAX_NAME]
    if name[:1].isdigit() or keyword.iskeyword(name):
        return f"r_{name}"
    return name or None


def fresh(name: str, taken: Iterable[str]) -> str:
    """`name`, with a number where it is taken."""
    all_taken = set(taken)
    if name not in all_taken:
        return name
    return next(other for number in range(2, len(all_taken) + 3) if (other := f"{name}_{number}") not in all_taken)


def _takes_the_rest(segment: str) -> bool:
    return ":path}" in segment


def _same_segment(our: str, their: str) -> bool:
    """Whether one text can be both segments."""
    if our == their:
        return True
    if "{" in our:
        return "{" in their or _can_be(our, their)
    return "{" in their and _can_be(their, our)


def _can_be(pattern: str, text: str) -> bool:
    kinds = {":int}": "[0-9]+", ":float}": r"[0-9]+(\.[0-9]+)?"}
    parts = re.split(r"(\{[^{}]*\})", pattern)
    expression = "".join(
        next((kind for end, kind in kinds.items() if part.endswith(end)), "[^/]+") if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
    return re.fullmatch(expression, text) is not None
