"""How far a deploy has come: the state that the card and the plain text are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from gofastapi_ext.client.tree import TreeRow
from gofastapi_ext.core.cells import CellCode
from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.lifecycle import STAGES, Stage
from gofastapi_ext.core.models import AppView, StageEvent


class Ending(StrEnum):
    """How it ended."""

    LIVE = "live"
    UNCHANGED = "unchanged"
    SAVED = "saved"  # stored; nothing that runs needed to know
    PLANNED = "planned"  # shown alone; nothing was deployed
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # the person stopped watching; the service goes on
    REFUSED = "refused"  # the service said no before anything began
    LOST = "lost"  # no answer any more: an error of the service or of the way to it


@dataclass(frozen=True)
class Progress:
    """One deploy or rollback, as known by now. Each method gives the next state."""

    app: str
    title: str
    """What is being done: `Deploying hello`."""
    stages: tuple[Stage, ...] = STAGES
    """Those it goes through."""
    tree: tuple[TreeRow, ...] = ()
    """The files, where more is to be said than what came along."""
    included: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    env_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What else people want to know, a sentence each."""
    note: str = ""
    """What is waited for, where that is not a stage."""
    at_rest: str = ""
    """What to say where it is stored and nothing of the app runs."""
    relay: str | None = None
    cells: tuple[CellCode, ...] = ()
    """The code that is deployed, by its cells."""
    done: dict[Stage, float] = field(default_factory=dict)
    """The stages that are over, with their seconds."""
    ending: Ending | None = None
    failed_stage: Stage | None = None
    url: str | None = None
    version: int | None = None
    db_branch: str | None = None
    """The branch of the database that it works on, once it is live."""
    seconds: float | None = None
    """From Shift+Enter to the end, as seen here."""
    diagnostics: tuple[Diagnostic, ...] = ()
    still_live: AppView | None = None
    """The app as it still is after a failed deploy, where a version of it is live."""

    @property
    def running_stage(self) -> Stage | None:
        """The stage that runs now."""
        if self.ending or self.note:
            return None
        return next((stage for stage in self.stages if stage not in self.done), None)

    def waiting(self, note: str) -> Progress:
        return replace(self, note=note)

    def after(self, event: StageEvent, seconds: float) -> Progress:
        """With one more event of the service, `seconds` after the beginning."""
        seen = replace(
            self,
            note="",
            url=event.url or self.url,
            version=event.version or self.version,
            db_branch=event.db_branch,
            diagnostics=(*self.diagnostics, *event.diagnostics),
        )
        if event.stage is Stage.FAILED:
            return replace(seen, ending=Ending.FAILED, failed_stage=event.failed_stage, seconds=seconds)
        if event.stage is Stage.SAVED:
            return replace(seen, ending=Ending.SAVED, seconds=seconds)
        if event.stage is not Stage.LIVE:
            return replace(seen, done=self.done | {event.stage: event.seconds})
        # `live` carries the time of the whole deployment; its own is what the others leave of it.
        own = max(event.seconds - sum(self.done.values()), 0.0)
        ending = Ending.UNCHANGED if event.unchanged else Ending.LIVE
        return replace(seen, done=self.done | {Stage.LIVE: own}, ending=ending, seconds=seconds)

    def with_still_live(self, app: AppView | None) -> Progress:
        return replace(self, still_live=app)

    def ended(self, ending: Ending, seconds: float, note: str = "") -> Progress:
        return replace(self, ending=ending, seconds=seconds, note=note)


def headline(progress: Progress) -> str:
    """The state in one sentence, without the app's address."""
    app, version = progress.app, progress.version
    match progress.ending:
        case Ending.LIVE:
            return f"{app} v{version} is live"
        case Ending.UNCHANGED:
            return f"Unchanged: {app} v{version} is live, nothing to do"
        case Ending.SAVED:
            return progress.at_rest or f"{app} is saved, and does not run"
        case Ending.PLANNED:
            return f"{app}: this is what would be deployed"
        case Ending.FAILED:
            return f"{app} was not deployed" if Stage.VALIDATE in progress.stages else f"{app} did not start"
        case Ending.INTERRUPTED:
            return f"{app} is still deploying in the background: %apps shows when it is live"
        case Ending.REFUSED:
            return f"{app}: nothing was changed"
        case Ending.LOST:
            return f"{app}: no answer"
        case _:
            return progress.title


def summary(progress: Progress) -> str:
    """Why a deploy failed, in one line, for the error that ends the cell."""
    errors = [d for d in progress.diagnostics if d.severity == "error"]
    if not errors:
        return headline(progress)
    first = errors[0]
    where = ""
    if first.cell and first.cell.line is not None:
        where = f" ({first.cell.label}, line {first.cell.line})"
    elif first.file and first.line is not None:
        where = f" ({first.file}, line {first.line})"
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    return f"{progress.app}: {first.message.splitlines()[0]}{where}{more}"


def what_still_serves(progress: Progress) -> str:
    """What a failed deploy left as it was."""
    app = progress.still_live
    if app is None or app.version is None:
        return ""
    return f"Version {app.version} is still live at {app.url}."


def what_it_works_on(progress: Progress) -> str:
    """That it is not the data themselves; empty where it is."""
    if progress.db_branch is None:
        return ""
    return f"It works on the branch {progress.db_branch} of your database, not on your data."
