"""The comparison that keeps a format from losing a part of an object without a word."""

from __future__ import annotations

import collections
import copy
import math
import random
from typing import Any

import numpy as np
import pytest

from gofastapi_ext.notebook.objects.same import is_same


class Thing:
    def __init__(self, **parts: Any) -> None:
        self.__dict__ |= parts


ME: list[Any] = [1]
ME.append(ME)


@pytest.mark.parametrize(
    "value",
    [
        1,
        math.nan,
        [1, (2, {"a": {3}})],
        np.array([1.0, np.nan]),
        np.array([{"a": [1]}, None], dtype=object),
        np.zeros(2, dtype=[("a", "i1"), ("b", "f8")]),
        Thing(a=[Thing(b=math.nan)]),
        collections.deque([1, 2], maxlen=3),
        collections.OrderedDict(a=1),
        random.Random(3),
        np.random.default_rng(3),
        ME,
        len,
        Thing,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_copy_is_the_same(value: object) -> None:
    assert is_same(value, copy.deepcopy(value))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        ([1], (1,)),
        ([1], [1, 2]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1}, {2}),
        (np.array([1]), np.array([2])),
        (np.array([1]), np.array([1.0])),
        (np.array([[1]]), np.array([1])),
        (np.array([[1]], dtype=object), np.array([["1"]], dtype=object)),
        (Thing(a=1), Thing(a=2)),
        (Thing(a=1), Thing()),
        (collections.deque([1]), collections.deque()),
        (collections.deque([1], maxlen=2), collections.deque([1])),
        (random.Random(1), random.Random(2)),
        (np.random.default_rng(1), np.random.default_rng(2)),
        (len, print),
        (int, bool),
        ((n for n in "a"), (n for n in "a")),
        ({"a": None}, {"a": math.nan}),
    ],
    # Never by `str`: processes that share the tests tell them apart by name, and some would tell an address.
    ids=lambda value: type(value).__name__,
)
def test_a_difference_is_found(one: object, other: object) -> None:
    assert not is_same(one, other)
    assert not is_same(Thing(deep=[one]), Thing(deep=[other]))
