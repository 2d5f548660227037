"""Latency histograms: counts of answers by how long they took, and percentiles read off them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

BOUNDS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the buckets; one more bucket holds what took longer."""

BUCKETS = len(BOUNDS_SECONDS) + 1


def bucket_of(bound_seconds: float) -> int:
    """The bucket that answers of up to `bound_seconds` belong to."""
    return bisect_left(BOUNDS_SECONDS, bound_seconds)


def quantile_seconds(counts: Sequence[int], share: float) -> float | None:
    """What `share` (0 to 1) of the answers took at most; None without any.

    Within a bucket the answers are taken to be spread evenly. Beyond the last bound nothing is known: it is
    the bound.
    """
    total = sum(counts)
    if not total:
        return None
    rank = share * total
    below = 0
    for index, count in enumerate(counts[: len(BOUNDS_SECONDS)]):
        if count and below + count >= rank:
            start = BOUNDS_SECONDS[index - 1] if index else 0.0
            return start + (BOUNDS_SECONDS[index] - start) * max(rank - below, 0.0) / count
        below += count
    return BOUNDS_SECONDS[-1]


def to_pairs(counts: Sequence[int]) -> list[int]:
    """Only the buckets that hold something: index, count, index, count, ..."""
    return [number for index, count in enumerate(counts) if count for number in (index, count)]


def add_pairs(counts: list[int], pairs: Sequence[int]) -> None:
    """Add what `to_pairs` made to a whole histogram."""
    for index, count in zip(pairs[::2], pairs[1::2], strict=False):
        counts[index] += count
