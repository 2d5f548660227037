"""What the magics do."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from gofastapi_ext.client.arguments import version_before
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.collect import collect_cell
from gofastapi_ext.client.one_app import when_it_sleeps
from gofastapi_ext.core.cells import cell_codes
from gofastapi_ext.core.errors import GoFastAPIError, InternalError, ServiceUnreachableError, UnavailableError
from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.core.models import AppView, DeployRequest, StageEvent
from gofastapi_ext.notebook import arguments, place, session, tables
from gofastapi_ext.notebook.errors import CommandFailed, DeployFailed
from gofastapi_ext.notebook.magic_words import as_magics
from gofastapi_ext.notebook.objects.bring import RefusedError
from gofastapi_ext.notebook.objects.take import FromKernel
from gofastapi_ext.notebook.output import open_in_browser
from gofastapi_ext.notebook.progress import Ending, Progress, summary
from gofastapi_ext.notebook.surface import Surface, surface_for
from gofastapi_ext.notebook.text import first_few

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

STARTING = "Starting the GoFastAPI service, which takes a few seconds the first time."


def deploy(shell: InteractiveShell, line: str, cell: str) -> None:
    """`%%deploy`. Raises `CommandFailed` for whatever keeps the cell from being live."""
    from gofastapi_ext.notebook import drafts

    with one_line():
        wanted = arguments.parse_deploy(line)
        origin = place.cell_origin(shell)
        if wanted.run and not _ran(shell, cell, origin.line_offset):
            raise DeployFailed(f"The cell failed, so {wanted.name} was not deployed.")
        started = time.perf_counter()
        collected = collect_cell(cell, place.notebook_folder(), wanted.files, origin)
        request = DeployRequest(
            bundle=collected.bundle,
            env=wanted.env,
            message=wanted.message,
            db_branch=wanted.db_branch,
            origins=collected.origins,
            interpreter=sys.executable,
        )
        progress = Progress(
            app=wanted.name,
            title=f"Deploying {wanted.name}",
            included=tuple(collected.included),
            skipped=tuple(collected.skipped),
            env_names=tuple(wanted.env),
            relay=place.relay_path(wanted.name),
            cells=tuple(cell_codes(collected.bundle, collected.origins)),
        )
        surface = surface_for(shell)
        kernel = FromKernel(shell, wanted.objects)
        with refusals(progress, surface, started):
            kernel.check(request)
            if wanted.draft:
                request, told = kernel.take(drafts.connected(), request, progress, drafts.say)
                remarks = [f"Left out: {skipped}" for skipped in first_few(collected.skipped, 5)]
                remarks += [*told.notes, *(f"{each.message}. {each.hint}" for each in told.diagnostics)]
                drafts.save_cell(shell, wanted.name, request, origin, remarks, force=wanted.force)
                return

        def prepare(client: Client, progress: Progress) -> Progress:
            nonlocal request
            request, progress = kernel.take(
                client, request, progress, lambda words: surface.show(progress.waiting(words))
            )
            along = drafts.take_along(client, wanted.name, request, origin)
            request = along.request
            included = (*progress.included, *along.included)
            return replace(progress, included=included, notes=(*progress.notes, *along.notes))

        def begin(client: Client) -> Iterator[StageEvent]:
            return client.deploy(wanted.name, request.sent_after(time.perf_counter() - started))

        ended = watch(progress, surface, started, begin, prepare)
        if wanted.open and ended.url:
            open_in_browser(shell, ended.url, ended.relay)


def rollback(shell: InteractiveShell, line: str) -> None:
    """`%rollback`"""
    with one_line():
        wanted = arguments.parse_rollback(line)
        started = time.perf_counter()
        number = wanted.number or version_before(session.client().versions(wanted.name), wanted.name)
        progress = Progress(
            app=wanted.name,
            title=f"Rolling {wanted.name} back to v{number}",
            relay=place.relay_path(wanted.name),
        )
        watch(progress, surface_for(shell), started, lambda client: client.rollback(wanted.name, number))


def apps(shell: InteractiveShell, line: str) -> None:
    """`%apps`"""
    with one_line():
        arguments.parse_apps(line)
        if session.nothing_runs():
            sys.stdout.write("GoFastAPI is not running. The next %%deploy starts it, and so does: gofastapi up\n")
            return
        tables.show_apps(shell, session.client().apps())


def watch(
    progress: Progress,
    surface: Surface,
    started: float,
    begin: Callable[[Client], Iterator[StageEvent]],
    prepare: Callable[[Client, Progress], Progress] | None = None,
) -> Progress:
    """Show each stage as it ends; return the end. Raises `DeployFailed` where that is not a live app.

    `prepare` is asked before it begins, and may have more to show.
    """

    def elapsed() -> float:
        return time.perf_counter() - started

    surface.show(progress)
    try:
        with refusals(progress, surface, started):
            client = session.client(on_start=lambda: surface.show(progress.waiting(STARTING)))
            if prepare is not None:
                progress = prepare(client, progress)
        for event in begin(client):
            progress = progress.after(event, elapsed())
            if progress.ending is Ending.FAILED:
                progress = progress.with_still_live(_live_app(client, progress.app))
            elif _is_new(progress) and (app := _live_app(client, progress.app)):
                progress = replace(progress, notes=(*progress.notes, *map(as_magics, when_it_sleeps(app))))
            surface.show(progress)
    except KeyboardInterrupt:
        progress = progress.ended(Ending.INTERRUPTED, elapsed())
        surface.show(progress)
        raise DeployFailed(
            f"{progress.app} is still deploying in the background: %apps shows when it is live."
        ) from None
    except GoFastAPIError as error:
        has_no_answer = isinstance(error, InternalError | ServiceUnreachableError | UnavailableError)
        surface.show(progress.ended(Ending.LOST if progress.done or has_no_answer else Ending.REFUSED, elapsed()))
        raise DeployFailed(as_magics(error.message, progress.app)) from None
    if progress.ending is None:
        progress = progress.ended(Ending.LOST, elapsed())
        surface.show(progress)
        raise DeployFailed(
            f"The service stopped before {progress.app} was live. What was live still is, or comes back by itself; "
            "run the cell again."
        )
    if progress.ending is Ending.FAILED:
        raise DeployFailed(summary(progress))
    return progress


def _is_new(progress: Progress) -> bool:
    """Whether the app's first version just came live."""
    return progress.ending is Ending.LIVE and progress.version == 1 and Stage.VALIDATE in progress.stages


@contextmanager
def refusals(progress: Progress, surface: Surface, started: float) -> Iterator[None]:
    """Before anything is sent: what of the kernel stands in the way, and an interrupt, are a failed deploy."""
    try:
        yield
    except RefusedError as refused:
        seconds = time.perf_counter() - started
        failed = StageEvent(
            stage=Stage.FAILED, seconds=seconds, failed_stage=Stage.VALIDATE, diagnostics=refused.diagnostics
        )
        progress = progress.after(failed, seconds)
        if not session.nothing_listens():
            progress = progress.with_still_live(_live_app(session.client(), progress.app))
        surface.show(progress)
        raise DeployFailed(summary(progress)) from None
    except KeyboardInterrupt:
        surface.show(progress.ended(Ending.FAILED, time.perf_counter() - started))
        raise DeployFailed(f"Interrupted: {progress.app} was not deployed.") from None


def _ran(shell: InteractiveShell, code: str, line_offset: int) -> bool:
    """Run the code in the notebook itself, and show its own output and error there."""
    # Comments above, as IPython drops blank lines: so the lines of a traceback are those of the cell.
    return bool(shell.run_cell("#\n" * line_offset + code).success)  # type: ignore[no-untyped-call]


def _live_app(client: Client, name: str) -> AppView | None:
    try:
        return client.app(name)
    except GoFastAPIError:
        return None


@contextmanager
def one_line() -> Iterator[None]:
    """Every error of ours becomes one line, and so does an interrupt."""
    try:
        yield
    except GoFastAPIError as error:
        raise CommandFailed(as_magics(error.message)) from None
    except KeyboardInterrupt:
        raise CommandFailed("Interrupted.") from None
