"""Bring a file or an old version live, and show the stages as they end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from gofastapi_ext.cli.errors import in_words
from gofastapi_ext.cli.output import paint, say, say_json
from gofastapi_ext.cli.service import open_client
from gofastapi_ext.client.arguments import parse_env, version_before
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.collect import Collected
from gofastapi_ext.client.folder import collect_path
from gofastapi_ext.client.history import version_number
from gofastapi_ext.client.one_app import when_it_sleeps
from gofastapi_ext.client.render import printable, render_diagnostics
from gofastapi_ext.client.text import format_seconds
from gofastapi_ext.client.tree import tree_lines, tree_rows
from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.errors import GoFastAPIError, InvalidNameError, InvalidRequestError, ServiceUnreachableError
from gofastapi_ext.core.lifecycle import LAST_STAGES, Stage
from gofastapi_ext.core.models import DeployRequest, StageEvent
from gofastapi_ext.core.naming import check_app_id, suggest_app_id


def deploy_path(
    path: str,
    name: str | None,
    *,
    main: str | None,
    env: tuple[str, ...],
    db_branch: str | None,
    extra: tuple[str, ...],
    message: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """`gofastapi deploy`. Exits with status 1 where the app did not come live."""

    began = time.perf_counter()

    def stages() -> Iterator[StageEvent]:
        app_id = _name_of(Path(path), name)
        collected = collect_path(Path(path), [Path(each) for each in extra], main)
        request = DeployRequest(
            bundle=collected.bundle,
            env=parse_env(env),
            message=message,
            interpreter=sys.executable,
            db_branch=db_branch,
        )
        if not as_json:
            word = "Would deploy" if dry_run else "Deploying"
            _say_what_is_deployed(f"{word} {app_id}", collected, as_tree=dry_run or Path(path).is_dir())
        elif dry_run:
            files = [{"path": at, "bytes": file.size_bytes} for at, file in sorted(collected.bundle.files.items())]
            told = {"name": app_id, "main": collected.bundle.main, "files": files}
            say_json(told | {"left_out": collected.skipped, "notes": collected.notes})
        if dry_run:
            return
        with open_client() as client:
            for event in client.deploy(app_id, request.sent_after(time.perf_counter() - began)):
                # The address comes last: that is where people, and their scripts, look.
                if event.stage is Stage.LIVE and event.version == 1 and not event.unchanged and not as_json:
                    _say_when_it_sleeps(client, app_id)
                yield event

    if dry_run:
        list(stages())
    else:
        _show(stages, as_json)


def show_stages(begin: Callable[[Client], Iterator[StageEvent]], *, as_json: bool) -> None:
    """Show what a call of the client answers, stage by stage. Exits with status 1 where it failed."""

    def stages() -> Iterator[StageEvent]:
        with open_client() as client:
            yield from begin(client)

    _show(stages, as_json)


def roll_back(name: str, number: str | None, *, as_json: bool) -> None:
    """`gofastapi rollback`. Exits with status 1 where the version did not come live."""

    def stages() -> Iterator[StageEvent]:
        with open_client() as client:
            wanted = version_number(number) if number else version_before(client.versions(name), name)
            if not as_json:
                say(f"Rolling {name} back to v{wanted}")
            yield from client.rollback(name, wanted)

    _show(stages, as_json)


def _show(stages: Callable[[], Iterator[StageEvent]], as_json: bool) -> None:
    show = _say_json_line if as_json else _say_stage
    began = time.perf_counter()
    last: StageEvent | None = None
    try:
        for last in stages():
            show(last)
        if last is None or last.stage not in LAST_STAGES:
            raise ServiceUnreachableError(
                "The service stopped before the app was live. What was live still is, or comes back by itself; "
                "run it again."
            )
    except (GoFastAPIError, OSError) as error:
        if not as_json:
            raise
        told = in_words(error)
        found = Diagnostic(code=told.code, message=told.message)
        last = StageEvent(stage=Stage.FAILED, seconds=time.perf_counter() - began, diagnostics=[found])
        _say_json_line(last)
    except KeyboardInterrupt:
        say("It is still deploying in the background: gofastapi apps shows it.", err=True)
        sys.exit(130)
    if last.stage is Stage.FAILED:
        sys.exit(1)


def _say_when_it_sleeps(client: Client, app_id: str) -> None:
    # It is live, whatever becomes of this.
    with suppress(GoFastAPIError):
        for line in when_it_sleeps(client.app(app_id)):
            say(paint(line, "dim"))


def _say_json_line(event: StageEvent) -> None:
    say(event.model_dump_json(exclude_none=True))


def _say_stage(event: StageEvent) -> None:
    match event.stage:
        case Stage.LIVE:
            word = "unchanged" if event.unchanged else "live"
            took = paint(format_seconds(event.seconds), "dim")
            branch = f"  on the branch {event.db_branch}" if event.db_branch else ""
            say(f"{paint(word, 'good')}  {event.url}  v{event.version}{branch}  {took}")
        case Stage.SAVED:
            say(f"{paint('saved', 'good')}  {paint(format_seconds(event.seconds), 'dim')}")
        case Stage.FAILED:
            stage = f"  in {event.failed_stage}" if event.failed_stage else ""
            say(f"{paint('failed', 'error')}{stage}  {paint(format_seconds(event.seconds), 'dim')}")
        case _:
            say(f"  {event.stage:<10}{paint(f'{format_seconds(event.seconds):>8}', 'dim')}")
    if event.diagnostics:
        say(f"\n{render_diagnostics(event.diagnostics, paint)}\n")


def _name_of(path: Path, name: str | None) -> str:
    """The app's name: the one that was given, else that of the folder."""
    if name is not None:
        return check_app_id(name)
    if not path.expanduser().exists():
        raise InvalidRequestError(f"There is no file or folder {path}.")
    path = path.expanduser().resolve()
    suggested = suggest_app_id(path.name) if path.is_dir() else ""
    if not suggested:
        raise InvalidNameError("Say what the app is to be called: --name NAME")
    return suggested


def _say_what_is_deployed(what: str, collected: Collected, *, as_tree: bool) -> None:
    count = len(collected.bundle.files)
    say(f"{what}: {collected.bundle.main}" + (f" and {count - 1} more" if count > 1 else ""))
    if as_tree:
        for line in tree_lines(tree_rows(collected.bundle, collected.origins), paint):
            say(f"  {line}")
    elif collected.included:
        say(paint(f"  Came along: {printable(', '.join(collected.included))}", "dim"))
    for line in [*(f"Left out: {skipped}" for skipped in collected.skipped), *collected.notes]:
        say(paint(f"  {printable(line)}", "dim"))
