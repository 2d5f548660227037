"""What people see of an app's target and status, and when a crashed one starts again."""

from __future__ import annotations

import pytest

from gofastapi_ext.core.lifecycle import STAGES, Stage, State, Status, Target, restart_delay_seconds, shown_state


def test_every_pair_of_target_and_status_has_a_word() -> None:
    assert {(t, s): shown_state(t, s) for t in Target for s in Status} == {
        (Target.RUNNING, Status.NEW): State.NEW,
        (Target.RUNNING, Status.STARTING): State.STARTING,
        (Target.RUNNING, Status.RUNNING): State.RUNNING,
        (Target.RUNNING, Status.RESTARTING): State.RESTARTING,
        (Target.RUNNING, Status.FAILED): State.FAILED,
        (Target.RUNNING, Status.STOPPED): State.STARTING,
        (Target.RUNNING, Status.ASLEEP): State.ASLEEP,
        (Target.ASLEEP, Status.NEW): State.NEW,
        (Target.ASLEEP, Status.STARTING): State.STARTING,
        (Target.ASLEEP, Status.RUNNING): State.RUNNING,
        (Target.ASLEEP, Status.RESTARTING): State.RESTARTING,
        (Target.ASLEEP, Status.FAILED): State.FAILED,
        (Target.ASLEEP, Status.ASLEEP): State.ASLEEP,
        (Target.ASLEEP, Status.STOPPED): State.STARTING,
        (Target.STOPPED, Status.NEW): State.STOPPING,
        (Target.STOPPED, Status.STARTING): State.STOPPING,
        (Target.STOPPED, Status.RUNNING): State.STOPPING,
        (Target.STOPPED, Status.RESTARTING): State.STOPPING,
        (Target.STOPPED, Status.FAILED): State.STOPPING,
        (Target.STOPPED, Status.ASLEEP): State.STOPPING,
        (Target.STOPPED, Status.STOPPED): State.STOPPED,
        (Target.DELETED, Status.NEW): State.STOPPING,
        (Target.DELETED, Status.STARTING): State.STOPPING,
        (Target.DELETED, Status.RUNNING): State.STOPPING,
        (Target.DELETED, Status.RESTARTING): State.STOPPING,
        (Target.DELETED, Status.FAILED): State.STOPPING,
        (Target.DELETED, Status.ASLEEP): State.STOPPING,
        (Target.DELETED, Status.STOPPED): State.DELETED,
    }


def test_every_word_is_used() -> None:
    assert {shown_state(t, s) for t in Target for s in Status} == set(State)


def test_a_deploy_ends_live_after_every_other_stage() -> None:
    assert STAGES[-1] is Stage.LIVE
    assert set(STAGES) == set(Stage) - {Stage.FAILED, Stage.SAVED}


@pytest.mark.parametrize(
    ("crashes", "seconds"), [(0, 0.1), (1, 0.1), (2, 0.2), (3, 0.4), (7, 6.4), (8, 10.0), (5000, 10.0)]
)
def test_the_delay_doubles_up_to_ten_seconds(crashes: int, seconds: float) -> None:
    assert restart_delay_seconds(crashes) == pytest.approx(seconds)
