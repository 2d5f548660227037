"""Regular expressions that would keep a database busy for as long as it takes."""

from __future__ import annotations

from gofastapi_ext.core.errors import InvalidRequestError

MAX_PATTERN_LENGTH = 500
_OPTIONS = frozenset("imsux")


def check_pattern(pattern: str) -> str:
    """Return it, or raise `InvalidRequestError`: too long, or a repeated group that repeats something itself.

    `(a+)+` takes twice the time for each character more. What gets through is bounded by MongoDB, which gives up
    a match after so many steps, and by the time a query may take.
    """
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise InvalidRequestError(f"A regular expression is longer than {MAX_PATTERN_LENGTH} characters.")
    if "\0" in pattern:
        raise InvalidRequestError("The character NUL cannot be in a regular expression.")
    if _repeats_a_repetition(pattern):
        raise InvalidRequestError(
            f'The regular expression "{pattern[:60]}" repeats a group that repeats something itself, like (a+)+. '
            "That can take forever; write it without the outer or the inner repetition."
        )
    return pattern


def check_options(options: str) -> str:
    """Return the options of a regular expression, or raise `InvalidRequestError`."""
    if not set(options) <= _OPTIONS:
        raise InvalidRequestError(f'"{options[:20]}" are no options of a regular expression; there are i, m, s, u, x.')
    return options


def _repeats_a_repetition(pattern: str) -> bool:
    # For each open group: whether something in it is repeated.
    groups = [False]
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            if pattern[position + 1 : position + 2] == "Q":
                end = pattern.find("\\E", position)
                position = len(pattern) if end < 0 else end
            position += 2
            continue
        if character == "[":
            position = _after_class(pattern, position)
            continue
        if character == "(":
            groups.append(False)
        elif character == ")" and len(groups) > 1:
            inner = groups.pop()
            if inner and _is_repetition(pattern, position + 1):
                return True
            groups[-1] = groups[-1] or inner
        elif _is_repetition(pattern, position):
            groups[-1] = True
        position += 1
    return False


def _is_repetition(pattern: str, position: int) -> bool:
    """Whether `*`, `+` or `{2,}` stands there. A `?`, and a `{` that is no count, repeat nothing."""
    following = pattern[position : position + 2]
    return following[:1] in ("*", "+") or (following[:1] == "{" and following[1:].isdecimal())


def _after_class(pattern: str, position: int) -> int:
    """Where a class in brackets that begins here is over."""
    position += 2 if pattern[position + 1 : position + 2] == "^" else 1
    first = True
    while position < len(pattern):
        if pattern[position] == "\\":
            position += 1
        elif pattern[position] == "]" and not first:
            return position + 1
        first = False
        position += 1
    return position
