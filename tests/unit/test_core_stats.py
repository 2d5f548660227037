"""The promise, from figures to a verdict."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gofastapi_ext.client.stats import stats_as_text
from gofastapi_ext.core.lifecycle import Outcome, Stage
from gofastapi_ext.core.stats import DeployFigures, StatsView, percentile, promise_of, stage_numbers


def deploy(outcome: Outcome = Outcome.LIVE, seconds: float = 1.0, **more: object) -> DeployFigures:
    return DeployFigures(outcome, seconds, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([3.0], 0.95, 3.0), ([4, 1, 3, 2], 0.5, 2), ([4, 1, 3, 2], 0.95, 4), (range(1, 101), 0.95, 95)],
)
def test_a_percentile_is_one_of_the_values(values: list[float], share: float, expected: float | None) -> None:
    assert percentile(values, share) == expected


def test_without_a_deploy_nothing_is_promised_or_broken() -> None:
    promise = promise_of([], 7)
    assert (promise.success_rate, promise.p50_seconds, promise.is_kept) == (None, None, None)
    assert "Nothing was deployed" in words(promise_deploys=[])


def test_only_what_came_live_has_a_time_and_all_the_rest_failed() -> None:
    ended = [
        deploy(seconds=2.0),
        deploy(Outcome.UNCHANGED, 1.0),
        deploy(Outcome.FAILED, 500.0),
        deploy(Outcome.FAILED, 0.1, was_refused=True),
        deploy(Outcome.INTERRUPTED, 500.0),
    ]
    promise = promise_of(ended, 7)
    assert (promise.deploys, promise.succeeded, promise.refused, promise.success_rate) == (5, 2, 1, 0.4)
    assert (promise.p50_seconds, promise.p95_seconds) == (1.0, 2.0)
    assert promise.is_kept is False


@pytest.mark.parametrize(
    ("good", "bad", "seconds", "is_kept"),
    [(19, 1, 60.0, True), (18, 1, 60.0, False), (19, 1, 60.1, False), (0, 1, 1.0, False)],
)
def test_the_promise_is_kept_where_both_targets_are_met(good: int, bad: int, seconds: float, is_kept: bool) -> None:
    ended = [deploy(seconds=seconds)] * good + [deploy(Outcome.FAILED)] * bad
    assert promise_of(ended, 7).is_kept is is_kept


def test_stages_come_in_their_order_each_over_those_that_went_through_it() -> None:
    found = stage_numbers(
        [
            deploy(stages={Stage.START: 2.0, Stage.VALIDATE: 1.0}),
            deploy(Outcome.FAILED, stages={Stage.VALIDATE: 3.0, Stage.FAILED: 9.0}),
        ]
    )
    assert [(each.stage, each.p50_seconds, each.p95_seconds) for each in found] == [
        ("validate", 1.0, 3.0),
        ("start", 2.0, 2.0),
    ]


def test_the_words_have_a_tick_for_what_is_kept_and_a_cross_for_what_is_not() -> None:
    lines = words([deploy(seconds=0.2), deploy(Outcome.FAILED, was_refused=True), deploy(Outcome.FAILED)]).splitlines()
    assert lines[1].startswith("✓ 95 % within 200 ms")
    assert lines[2].startswith("✗ 33.3 % came live: 1 of 3  (promised: 95 %)")
    assert "1 refused" in lines[3]
    assert "1 failed later" in lines[3]


def words(promise_deploys: list[DeployFigures]) -> str:

    view = StatsView(
        since=datetime.now(UTC),
        promise=promise_of(promise_deploys, 7),
        stages=stage_numbers(promise_deploys),
        apps=1,
        apps_running=1,
        apps_asleep=0,
        wakes=0,
        wake_p50_seconds=None,
        requests=0,
    )
    return stats_as_text(view)
