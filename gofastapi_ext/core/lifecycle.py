"""An app's life as a pair: what is wanted (target) and what is (status).

Requests set the target with compare-and-set; only the reconciler writes the status. What people
see is a pure table of the two.
"""

from __future__ import annotations

from enum import StrEnum


class Target(StrEnum):
    """What the owner wants."""

    RUNNING = "running"
    ASLEEP = "asleep"  # no process; the next request wakes it
    STOPPED = "stopped"
    DELETED = "deleted"


class Status(StrEnum):
    """What the reconciler last saw."""

    NEW = "new"  # no version has ever been live
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"  # an instance died; the next one comes after a back-off
    FAILED = "failed"  # a crash loop, or what it needs is gone
    ASLEEP = "asleep"
    STOPPED = "stopped"


class Stage(StrEnum):
    """The stages of one deployment, in order.

    `FAILED` ends it instead of `LIVE`; so does `SAVED` where there was something to store, and nothing that
    runs needed to know.
    """

    VALIDATE = "validate"
    RELEASE = "release"
    START = "start"
    READY = "ready"
    LIVE = "live"
    FAILED = "failed"
    SAVED = "saved"


LAST_STAGES = frozenset({Stage.LIVE, Stage.FAILED, Stage.SAVED})
STAGES = (Stage.VALIDATE, Stage.RELEASE, Stage.START, Stage.READY, Stage.LIVE)


class Outcome(StrEnum):
    """How a deployment ended, or has not yet."""

    RUNNING = "running"
    LIVE = "live"
    UNCHANGED = "unchanged"
    SAVED = "saved"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # the service went away in the middle of it


class State(StrEnum):
    """What people see."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    FAILED = "failed"
    ASLEEP = "asleep"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DELETED = "deleted"


_SHOWN_WHEN_WANTED = {
    Status.NEW: State.NEW,
    Status.STARTING: State.STARTING,
    Status.RUNNING: State.RUNNING,
    Status.RESTARTING: State.RESTARTING,
    Status.FAILED: State.FAILED,
    Status.ASLEEP: State.ASLEEP,
    Status.STOPPED: State.STARTING,
}


def shown_state(target: Target, status: Status) -> State:
    """The one word for an app's state."""
    if target is Target.DELETED:
        return State.DELETED if status is Status.STOPPED else State.STOPPING
    if target is Target.STOPPED:
        return State.STOPPED if status is Status.STOPPED else State.STOPPING
    return _SHOWN_WHEN_WANTED[status]


def restart_delay_seconds(crashes: int) -> float:
    """How long to wait before the next start, after `crashes` crashes in a row: 0.1 s doubling to 10 s."""
    return float(min(0.1 * 2 ** min(max(crashes - 1, 0), 10), 10.0))
