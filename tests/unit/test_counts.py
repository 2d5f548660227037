"""What is counted of requests adds up, and percentiles are read off the sums."""

from __future__ import annotations

import random
from statistics import quantiles

import pytest
from gofastapi_runner.metrics import LATENCY_BUCKETS_SECONDS

from gofastapi_ext.core.counts import Counts, increase
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.histogram import BOUNDS_SECONDS, BUCKETS, add_pairs, bucket_of, quantile_seconds, to_pairs
from gofastapi_ext.core.windows import DAY, MOST_POINTS, check_step, check_window, step_for


def histogram(*seconds: float) -> list[int]:
    counts = [0] * BUCKETS
    for each in seconds:
        counts[bucket_of(each)] += 1
    return counts


def test_the_runner_measures_in_the_same_buckets() -> None:
    assert LATENCY_BUCKETS_SECONDS == BOUNDS_SECONDS


def test_a_bucket_holds_what_took_up_to_its_bound() -> None:
    assert [bucket_of(seconds) for seconds in (0.0, 0.001, 0.0011, 10.0, 10.1, float("inf"))] == [0, 0, 1, 12, 13, 13]


def test_nothing_has_no_percentile() -> None:
    assert quantile_seconds([0] * BUCKETS, 0.5) is None


def test_within_a_bucket_answers_are_spread_evenly() -> None:
    counts = histogram(*[0.02] * 10)  # from 10 to 25 ms
    assert quantile_seconds(counts, 0.5) == pytest.approx(0.0175)
    assert quantile_seconds(counts, 1.0) == pytest.approx(0.025)
    assert quantile_seconds(counts, 0.0) == pytest.approx(0.01)


def test_what_took_longer_than_the_last_bound_is_the_last_bound() -> None:
    assert quantile_seconds(histogram(60.0), 0.5) == 10.0


def test_what_all_took_together_bounds_a_percentile() -> None:
    for seconds in (0.0004, 1.31, 2.4, 60.0):
        for share in (0.5, 0.95, 0.99):
            assert quantile_seconds(histogram(seconds), share, seconds) == pytest.approx(seconds)
    # Of two, the slower one took what the other left.
    assert quantile_seconds(histogram(0.002, 0.06), 0.99, 0.062) == pytest.approx(0.061, abs=0.001)
    # Without any doubt left by the sum, it is as without the sum.
    counts = histogram(*[0.02] * 10)
    assert quantile_seconds(counts, 0.5, 0.2) == pytest.approx(0.0175)
    # A sum that cannot be: the bucket holds.
    assert quantile_seconds(histogram(0.02), 0.5, 1000.0) == 0.025
    assert quantile_seconds(histogram(0.02), 0.5, 0.0) == 0.01


def test_percentiles_are_as_fine_as_the_buckets() -> None:
    rng = random.Random(4)
    values = [rng.lognormvariate(-4, 1) for _ in range(5000)]
    cut = quantiles(values, n=100)
    counts = histogram(*values)
    for percent in (50, 95, 99):
        exact, found = cut[percent - 1], quantile_seconds(counts, percent / 100)
        assert bucket_of(exact) == bucket_of(found)
        assert found == pytest.approx(exact, rel=0.25)


def test_a_histogram_without_its_empty_buckets() -> None:
    counts = histogram(0.0005, 0.02, 0.02, 60.0)
    assert to_pairs(counts) == [0, 1, 4, 2, 13, 1]
    again = histogram(0.02)
    add_pairs(again, to_pairs(counts))
    assert again == histogram(0.0005, 0.02, 0.02, 0.02, 60.0)


def test_counts_of_two_add_up_and_become_numbers() -> None:
    total = Counts(3, 1, 0, 9_000, 10, 100, histogram(0.001, 0.003, 0.005))
    total.add(Counts(1, 0, 1, 91_000, 5, 50, histogram(0.091)))
    numbers = total.numbers()
    assert (numbers["requests"], numbers["client_errors"], numbers["server_errors"]) == (4, 1, 1)
    assert (numbers["bytes_in"], numbers["bytes_out"], numbers["latency_ms"]) == (15, 150, 25.0)
    assert numbers["p50_ms"] == 3.75
    assert numbers["p99_ms"] is not None
    assert 50 < numbers["p99_ms"] <= 100
    assert Counts().numbers()["latency_ms"] is None


@pytest.mark.parametrize(("before", "now", "grown"), [(0, 5, 5), (5, 5, 0), (5, 7, 2), (7, 2, 2), (7, 0, 0)])
def test_a_counter_that_went_back_began_again(before: float, now: float, grown: float) -> None:
    assert increase(before, now) == grown


@pytest.mark.parametrize(
    ("window", "step"), [(60, 60), (3600, 60), (5 * 3600, 60), (DAY, 300), (7 * DAY, 3600), (1000 * DAY, 4 * DAY)]
)
def test_a_step_that_makes_a_few_hundred_points(window: float, step: int) -> None:
    assert step_for(window) == step
    assert window / step <= MOST_POINTS


def test_a_window_is_a_day_or_what_is_kept() -> None:
    assert check_window(None, 7 * DAY) == DAY
    assert check_window(None, 3600) == 3600
    assert check_window(90.0, 3600) == 90


@pytest.mark.parametrize("window", [0, -60, 59, 3601, float("nan"), float("inf")])
def test_a_window_that_cannot_be_shown_says_what_can(window: float) -> None:
    with pytest.raises(InvalidRequestError, match=r"for 1h: ask for one between"):
        check_window(window, 3600)


def test_a_step_is_whole_minutes_and_makes_no_thousands_of_points() -> None:
    assert check_step(None, DAY) == 300
    assert check_step(60, DAY) == 60
    for step in (0, -60, 59, 90, 60, 2 * DAY):
        with pytest.raises(InvalidRequestError, match="whole minutes, from 5m to 1d"):
            check_step(step, 3 * DAY)
