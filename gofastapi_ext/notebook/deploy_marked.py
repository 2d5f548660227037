"""`%deploy NAME`: the notebook's marked cells, as they are saved; or the app's draft."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from gofastapi_ext.client.client import Client
from gofastapi_ext.client.collect import Collected, collect_cells
from gofastapi_ext.client.tree import tree_rows
from gofastapi_ext.core.cells import cell_codes
from gofastapi_ext.core.drafts import DraftView
from gofastapi_ext.core.errors import NotFoundError
from gofastapi_ext.core.markers import read_marks
from gofastapi_ext.core.models import DeployRequest, StageEvent
from gofastapi_ext.notebook import arguments, drafts, marked, place
from gofastapi_ext.notebook.arguments import DeployArguments
from gofastapi_ext.notebook.commands import one_line, refusals, watch
from gofastapi_ext.notebook.errors import CommandFailed
from gofastapi_ext.notebook.objects.take import FromKernel
from gofastapi_ext.notebook.output import open_in_browser
from gofastapi_ext.notebook.progress import Ending, Progress
from gofastapi_ext.notebook.runs import Runs
from gofastapi_ext.notebook.surface import surface_for
from gofastapi_ext.notebook.text import first_few

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def deploy_marked(shell: InteractiveShell, line: str, runs: Runs) -> None:
    """`%deploy`. Raises `CommandFailed` for whatever keeps the app from being live."""
    with one_line():
        wanted = arguments.parse_deploy(line, is_cell=False)
        started = time.perf_counter()
        notebook = _saved_notebook(wanted.name, runs)
        gathered = marked.gather(notebook, wanted.name)
        if gathered.texts:
            collected = collect_cells(
                gathered.texts, gathered.origins, gathered.main, place.notebook_folder(), wanted.files
            )
            _deploy_cells(shell, wanted, notebook, collected, gathered.warnings, started)
        else:
            _deploy_draft(shell, wanted, notebook, gathered.warnings, started)


def _saved_notebook(app: str, runs: Runs) -> marked.SavedNotebook:
    """The notebook as it stands on disk; one without cells where there is none.

    Raises `CommandFailed` where a cell of the app is not saved.
    """
    path = place.notebook_path()
    if path is None:
        ran = [run.label for run in runs.since(0.0) if read_marks(run.source).app == app]
        if ran:
            raise CommandFailed(
                f"{ran[-1]} is marked for {app}, but nothing here tells in which file its notebook is, as Jupyter "
                f"does: its cells cannot be collected. Put %%deploy {app} on top of one cell with all of the app."
            )
        return marked.SavedNotebook("", 0.0)
    if not path.exists():
        raise CommandFailed(
            f"{path.name} is not in {path.parent} any more: it was renamed, moved or never saved. "
            "Save it, restart the kernel, and run this again."
        )
    notebook = marked.read_notebook(path)
    marked.check_saved(notebook, runs.since(notebook.saved_at), app)
    return notebook


def _deploy_cells(
    shell: InteractiveShell,
    wanted: DeployArguments,
    notebook: marked.SavedNotebook,
    collected: Collected,
    warnings: list[str],
    started: float,
) -> None:
    saved = f"From {notebook.name} as it was saved at {time.strftime('%H:%M:%S', time.localtime(notebook.saved_at))}."
    progress = Progress(
        app=wanted.name,
        title=f"Deploying {wanted.name}",
        tree=tuple(tree_rows(collected.bundle, collected.origins)),
        skipped=tuple(collected.skipped),
        env_names=tuple(wanted.env),
        notes=(saved, *warnings, *collected.notes),
        relay=place.relay_path(wanted.name),
        cells=tuple(cell_codes(collected.bundle, collected.origins)),
    )
    request = DeployRequest(
        bundle=collected.bundle,
        env=wanted.env,
        message=wanted.message,
        db_branch=wanted.db_branch,
        origins=collected.origins,
        interpreter=sys.executable,
    )
    surface = surface_for(shell)
    kernel = FromKernel(shell, wanted.objects)
    with refusals(progress, surface, started):
        kernel.check(request)
        if wanted.draft and not wanted.dry_run:
            request, progress = kernel.take(drafts.connected(), request, progress, drafts.say)
    if wanted.dry_run:
        surface.show(progress.ended(Ending.PLANNED, time.perf_counter() - started))
    elif wanted.draft:
        drafts.save_marked(shell, wanted.name, request, notebook.name, progress, force=wanted.force)
    else:

        def prepare(client: Client, shown: Progress) -> Progress:
            nonlocal request
            request, shown = kernel.take(client, request, shown, lambda words: surface.show(shown.waiting(words)))
            along = drafts.done_with(client, wanted.name, request, notebook.name)
            request = along.request
            return replace(shown, notes=(*shown.notes, *along.notes))

        def begin(client: Client) -> Iterator[StageEvent]:
            return client.deploy(wanted.name, request.sent_after(time.perf_counter() - started))

        ended = watch(progress, surface, started, begin, prepare)
        if wanted.open and ended.url:
            open_in_browser(shell, ended.url, ended.relay)


def _deploy_draft(
    shell: InteractiveShell,
    wanted: DeployArguments,
    notebook: marked.SavedNotebook,
    warnings: list[str],
    started: float,
) -> None:
    draft = _saved_draft(wanted.name)
    if draft is None or draft.info is None:
        where = f"{notebook.name} has no cell" if notebook.name else "There is no notebook on disk here with cells"
        lacks = "no draft" if draft is None else "no draft: what is live is its latest code"
        told = f" Look at {'; '.join(first_few(warnings, 3))}" if warnings else ""
        raise CommandFailed(
            f"{where} marked for {wanted.name}, and {wanted.name} has {lacks}. Put `#| deploy: {wanted.name}` on top "
            f"of the cells that belong to it, or %%deploy {wanted.name} on top of the one that holds all of it.{told}"
        )
    if wanted.draft or wanted.files or wanted.objects:
        option = "--draft" if wanted.draft else "--file" if wanted.files else "--with"
        raise CommandFailed(f"No cell is marked for {wanted.name}: {option} has no use for the draft that is saved.")
    progress = Progress(
        app=wanted.name,
        title=f"Deploying the draft of {wanted.name}",
        tree=tuple(tree_rows(draft.bundle, draft.origins)),
        env_names=tuple(wanted.env),
        notes=(f"The draft, saved {draft.info.saved_at.astimezone():%Y-%m-%d %H:%M:%S}.", *warnings),
        relay=place.relay_path(wanted.name),
    )
    if wanted.dry_run:
        surface_for(shell).show(progress.ended(Ending.PLANNED, time.perf_counter() - started))
        return
    request = DeployRequest(draft_etag=draft.etag, env=wanted.env, message=wanted.message, db_branch=wanted.db_branch)

    def begin(client: Client) -> Iterator[StageEvent]:
        return client.deploy(wanted.name, request.sent_after(time.perf_counter() - started))

    ended = watch(progress, surface_for(shell), started, begin)
    if wanted.open and ended.url:
        open_in_browser(shell, ended.url, ended.relay)


def _saved_draft(name: str) -> DraftView | None:
    try:
        return drafts.connected().draft(name)
    except NotFoundError:
        return None
