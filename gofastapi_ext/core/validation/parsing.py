"""From source text to a syntax tree: nothing is executed, and hostile text gives a diagnostic."""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# `warnings.catch_warnings` changes the whole process: one thread at a time.
_WARNINGS = threading.Lock()


def read_tree(source: str) -> ast.Module | None:
    """The tree of `source`, or None where it does not parse, without a word about why."""
    with _caught_warnings():
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


@contextmanager
def _caught_warnings() -> Iterator[list[warnings.WarningMessage]]:
    with _WARNINGS, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
