"""Latency histograms: counts of answers by how long they took, and percentiles read off them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

BOUNDS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the buckets; one more bucket holds what took longer."""

BUCKETS = len(BOUNDS_SECONDS) + 1

_STARTS = (0.0, *BOUNDS_SECONDS)
_ENDS = (*BOUNDS_SECONDS, math.inf)


def bucket_of(bound_seconds: float) -> int:
    """The bucket that answers of up to `bound_seconds` belong to."""
    return bisect_left(BOUNDS_SECONDS, bound_seconds)


def quantile_seconds(counts: Sequence[int], share: float, total_seconds: float | None = None) -> float | None:
    """What `share` (0 to 1) of the answers took at most; None without any.

    Within a bucket the answers are taken to be spread evenly. Beyond the last bound nothing is known: it is
    the bound. Where it is known how long all answers took together, nothing is said that this rules out: of a
    single answer, it is what it took.
    """
    total = sum(counts)
    if not total:
        return None
    rank = share * total
    below = 0
    for index, count in enumerate(counts[: len(BOUNDS_SECONDS)]):
        if count and below + count >= rank:
            start = _STARTS[index]
            found = start + (BOUNDS_SECONDS[index] - start) * max(rank - below, 0.0) / count
            break
        below += count
    else:
        index, found = len(BOUNDS_SECONDS), BOUNDS_SECONDS[-1]
    return found if total_seconds is None else _bounded(found, counts, index, max(math.ceil(rank), 1), total_seconds)


def _bounded(found: float, counts: Sequence[int], index: int, nth: int, total_seconds: float) -> float:
    """`found` as what the `nth` answer took, which is in the bucket `index`, within what the sum allows."""
    below = sum(counts[:index])
    longer = below + counts[index] - nth
    before = sum(count * start for count, start in zip(counts[:index], _STARTS, strict=False))
    before += (nth - 1 - below) * _STARTS[index]
    after = sum(count * end for count, end in zip(counts[index + 1 :], _ENDS[index + 1 :], strict=True) if count)
    after += longer * _ENDS[index] if longer else 0.0
    least = (total_seconds - after) / nth
    most = (total_seconds - before) / (longer + 1 + sum(counts[index + 1 :]))
    # The bucket comes last: what an app says of itself need not fit together.
    return min(max(min(max(found, least), most), _STARTS[index]), _ENDS[index])


def to_pairs(counts: Sequence[int]) -> list[int]:
    """Only the buckets that hold something: index, count, index, count, ..."""
    return [number for index, count in enumerate(counts) if count for number in (index, count)]


def add_pairs(counts: list[int], pairs: Sequence[int]) -> None:
    """Add what `to_pairs` made to a whole histogram."""
    for index, count in zip(pairs[::2], pairs[1::2], strict=False):
        counts[index] += count
