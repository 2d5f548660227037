"""Whether an object that was saved and loaded is the one it was, all the way down."""

from __future__ import annotations

import types
from typing import Any

_BY_IDENTITY = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)
_BY_VALUE = (str, bytes, bool, int, complex, type(None))


def is_same(one: Any, other: Any) -> bool:
    """Compares types and whatever `pickle` would write of each. Objects that cannot be taken apart differ."""
    seen: set[tuple[int, int]] = set()
    stack = [(one, other)]
    # What was made for a comparison lives until the end, so that no other object gets its id.
    kept: list[Any] = []
    while stack:
        a, b = stack.pop()
        if (id(a), id(b)) in seen or a is b:
            continue
        seen.add((id(a), id(b)))
        if type(a) is not type(b) or isinstance(a, _BY_IDENTITY):
            return False
        if isinstance(a, _BY_VALUE):
            if a != b:
                return False
        elif isinstance(a, float):
            if a != b and not (a != a and b != b):
                return False
        else:
            pairs = _parts(a, b)
            if pairs is None:
                return False
            kept.append(pairs)
            stack.extend(pairs)
    return True


def _parts(a: Any, b: Any) -> list[tuple[Any, Any]] | None:
    """What has to be the same in turn; None where the two differ already."""
    if isinstance(a, set | frozenset):
        return [] if a == b else None
    if type(a) is dict:
        return _paired(list(a.items()), list(b.items()))
    if type(a) in (list, tuple):
        return _paired(a, b)
    if hasattr(a, "__array_interface__") and hasattr(a, "tobytes"):
        return _of_arrays(a, b)
    if type(a).__module__.startswith("numpy.random"):
        # Not where its seed came from: that is lost on the way, and matters only to who seeds others with it.
        return [tuple(getattr(each, "_bit_generator", each).state for each in (a, b))]
    try:
        ways = [each.__reduce_ex__(4) for each in (a, b)]
    except Exception:  # it cannot be pickled, for a reason of its own
        return None
    if any(isinstance(way, str) for way in ways):
        return [] if ways[0] == ways[1] else None
    # Of a list or dict of its own kind the items come as iterators.
    return _paired(*([list(part) if hasattr(part, "__next__") else part for part in way] for way in ways))


def _of_arrays(a: Any, b: Any) -> list[tuple[Any, Any]] | None:
    if a.dtype != b.dtype or a.shape != b.shape:
        return None
    if a.dtype.names:  # between the fields there may be anything
        return [(a[name], b[name]) for name in a.dtype.names]
    if a.dtype.hasobject:
        return _paired(a.ravel().tolist(), b.ravel().tolist())
    return [] if a.tobytes() == b.tobytes() else None


def _paired(a: Any, b: Any) -> list[tuple[Any, Any]] | None:
    return list(zip(a, b, strict=True)) if len(a) == len(b) else None
