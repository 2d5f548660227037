"""What the feed says of an attempt that has ended, and of errors."""

from __future__ import annotations

from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import Outcome
from gofastapi_ext.platform.control.events import EventFeed
from gofastapi_ext.platform.store.errors import ErrorRecord
from gofastapi_ext.platform.store.versions import Kind

_FAILED = {
    Kind.DEPLOY: "The deploy failed",
    Kind.ROLLBACK: "The rollback failed",
    Kind.START: "It could not be started",
    Kind.RESTART: "The restart failed",
    Kind.ENVIRONMENT: "The change of variables failed",
    Kind.RESTORE: "It could not be restored",
    Kind.DATABASE: "It could not be started with its database's new address, and goes on with the former one",
}


def success(kind: Kind, outcome: Outcome, version: int | None, what: str) -> tuple[EventKind, str] | None:
    """The event's kind and words; None where nothing happened. `what` is more of it, as names of variables."""
    if outcome is Outcome.UNCHANGED:
        return None
    match kind:
        case Kind.DEPLOY:
            return EventKind.DEPLOYED, f"Version {version} is live."
        case Kind.ROLLBACK:
            return EventKind.ROLLED_BACK, f"Version {version} is live{what}."
        case Kind.START:
            return EventKind.STARTED, "It was started."
        case Kind.RESTART:
            return EventKind.RESTARTED, "It was restarted."
        case Kind.ENVIRONMENT:
            return EventKind.ENV_CHANGED, f"Variables changed{what}."
        case Kind.RESTORE:
            return EventKind.RESTORED, "It was restored."
        case Kind.DATABASE:
            return EventKind.RESTARTED, "It was restarted without a pause: its database has a new address."


def failure(kind: Kind, diagnostics: list[Diagnostic]) -> tuple[EventKind, str]:
    """A failed attempt, in one sentence with its reason."""
    reason = diagnostics[0].message.partition("\n")[0] if diagnostics else "nobody knows why"
    return EventKind.DEPLOY_FAILED, f"{_FAILED[kind]}: {reason}"


def tell_of_error(events: EventFeed, error: ErrorRecord) -> None:
    """Tell who looks at the app now of an error that was not known. The list of its errors is what is kept."""
    message = f"Something new went wrong: {error.exception or error.status} at {error.method} {error.route}."
    events.publish(EventKind.NEW_ERROR, message, owner=error.owner, app=error.app, version=error.version, is_kept=False)
