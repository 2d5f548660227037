"""Show, save, discard and deploy an app's draft."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from gofastapi_ext.cli.deploy import show_stages
from gofastapi_ext.cli.output import aligned, paint, say, say_json
from gofastapi_ext.cli.service import open_client
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.folder import collect_path
from gofastapi_ext.client.render import printable
from gofastapi_ext.core.drafts import CodeState, DraftSave, DraftView
from gofastapi_ext.core.errors import DraftConflictError, GoFastAPIError, NotFoundError
from gofastapi_ext.core.limits import format_bytes
from gofastapi_ext.core.models import DeployRequest, StageEvent
from gofastapi_ext.core.naming import check_app_id


def show(name: str, *, as_json: bool) -> None:
    """`gofastapi draft show`"""
    with open_client() as client:
        draft = client.draft(name)
    if as_json:
        say_json(draft)
        return
    say(paint(_summary(draft), "place"))
    say(aligned((format_bytes(file.size_bytes), printable(path)) for path, file in sorted(draft.bundle.files.items())))


def save(name: str, path: str, *, force: bool, as_json: bool) -> None:
    """`gofastapi draft save`"""
    check_app_id(name)
    collected = collect_path(Path(path), [])
    with open_client() as client:
        try:
            draft = client.save_draft(
                name, DraftSave(bundle=collected.bundle, interpreter=sys.executable), "*" if force else None
            )
        except DraftConflictError as error:
            raise DraftConflictError(f"{_who_saved(client, name)} Overwrite it with --force.", error.details) from None
    if as_json:
        say_json(draft)
        return
    say(f"{_summary(draft)}\nTo bring it live: gofastapi draft deploy {name}")
    for skipped in collected.skipped:
        say(paint(f"  Left out: {printable(skipped)}", "dim"))


def discard(name: str, *, as_json: bool) -> None:
    """`gofastapi draft discard`"""
    with open_client() as client:
        client.discard_draft(name, "*")
    say_json({"discarded": name}) if as_json else say(f"The draft of {name} is gone. What is live stays as it is.")


def deploy(name: str, message: str, *, as_json: bool) -> None:
    """`gofastapi draft deploy`. Exits with status 1 where the app did not come live."""
    began = time.perf_counter()

    def begin(client: Client) -> Iterator[StageEvent]:
        request = _saved(client, name, message)
        return client.deploy(name, request.sent_after(time.perf_counter() - began))

    show_stages(begin, as_json=as_json)


def _saved(client: Client, name: str, message: str) -> DeployRequest:
    """The saved draft, and not another one that comes in between."""
    draft = client.draft(name)
    if draft.info is None:
        raise NotFoundError(
            f"{name} has no draft: what is live is its latest code. Save one: gofastapi draft save {name} PATH"
        )
    return DeployRequest(draft_etag=draft.etag, message=message)


def _who_saved(client: Client, name: str) -> str:
    try:
        return f"There is a draft already: {_summary(client.draft(name))}."
    except GoFastAPIError:
        return f"There is a draft of {name} already."


def _summary(draft: DraftView) -> str:
    """`hello: 3 files, saved 2026-05-01 10:00 by anna, not deployed`"""
    count = len(draft.bundle.files)
    parts = ["1 file" if count == 1 else f"{count} files"]
    if draft.info is None:
        parts.append("no draft, this is what is live")
    else:
        parts.append(f"saved {draft.info.saved_at.astimezone():%Y-%m-%d %H:%M} by {printable(draft.info.saved_by)}")
        parts.append("deployed" if draft.code_state is CodeState.UP_TO_DATE else "not deployed")
    return f"{draft.app}: {', '.join(parts)}"
