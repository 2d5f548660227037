"""What the magics do with an app's draft: save a cell as it, add one file to it, take its files along."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from gofastapi_ext.client.client import Client
from gofastapi_ext.client.collect import collect_cells
from gofastapi_ext.client.render import printable
from gofastapi_ext.client.tree import TreeRow, tree_lines
from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.diff import compare
from gofastapi_ext.core.drafts import CodeState, DraftFileSave, DraftSave, DraftView
from gofastapi_ext.core.errors import NotFoundError, UnavailableError
from gofastapi_ext.core.leftout import check_goes_in
from gofastapi_ext.core.models import DeployRequest
from gofastapi_ext.core.objects import MANIFEST as OBJECTS_MANIFEST
from gofastapi_ext.core.objects import is_objects_file
from gofastapi_ext.notebook import arguments, place, session
from gofastapi_ext.notebook.card import html_tree
from gofastapi_ext.notebook.commands import STARTING, one_line
from gofastapi_ext.notebook.errors import CommandFailed
from gofastapi_ext.notebook.history import show_diff
from gofastapi_ext.notebook.output import publish
from gofastapi_ext.notebook.progress import Progress
from gofastapi_ext.notebook.style import STYLE
from gofastapi_ext.notebook.text import first_few, remarks

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_SHORT_DIFF_LINES = 20

# What this kernel saved last, by app: nobody else has touched a draft that still has this etag.
_ours: dict[str, str] = {}


@dataclass(frozen=True)
class Along:
    """A request to deploy, with what comes along from the draft, and what people want to know of it."""

    request: DeployRequest
    included: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def take_along(client: Client, name: str, request: DeployRequest, origin: CellOrigin) -> Along:
    """Add the files that `%%deployfile` cells put into the draft; `origin` is the cell that is deployed.

    The draft is named in the request, and so done with, where it holds nothing beyond what is deployed.
    """
    try:
        draft = client.draft(name)
    except NotFoundError:
        return Along(request)
    except UnavailableError as error:
        return Along(request, notes=(f"Nothing came along from the draft: {error.message}",))
    bundle, more, needed = _with_cells(_bundle_of(request), draft)
    origins = {**request.origins, **{path: draft.origins[path] for path in more}}
    request = request.model_copy(update={"bundle": bundle, "origins": origins})
    included = (*(f"{path} (from %%deployfile)" for path in sorted(more)), *needed)
    if draft.info is None:
        return Along(request, included)
    beyond = [
        path for path in _differing(draft, bundle) if not (_of_main(path, bundle) and _is_from(draft, path, origin))
    ]
    if not beyond:
        return Along(request.model_copy(update={"draft_etag": draft.etag}), included)
    return Along(request, included, (_stays(name, beyond),))


def save_cell(
    shell: InteractiveShell,
    name: str,
    request: DeployRequest,
    origin: CellOrigin,
    more_to_say: list[str],
    *,
    force: bool,
) -> None:
    """`%%deploy --draft`. Raises `CommandFailed` where the draft holds what somebody saved elsewhere."""
    client = connected()
    draft = _read(client, name)
    bundle, origins, etag = _bundle_of(request), dict(request.origins), None
    if draft is not None:
        mine = bundle
        bundle, more, _ = _with_cells(bundle, draft)
        if draft.info is not None:
            etag = "*" if force else draft.etag
            if not force and _was_saved_elsewhere(draft, mine, origin, name):
                _refuse(shell, draft, mine)
            if not force:
                bundle = _with_the_rest(bundle, draft)
        kept = {path: parts for path, parts in draft.origins.items() if path in bundle.files}
        origins = {**{path: kept[path] for path in kept if path not in mine.files or path in more}, **origins}
    save = DraftSave(bundle=bundle, origins=origins, env=request.env, interpreter=request.interpreter)
    along = sorted(bundle.files.keys() - {bundle.main})
    notes = [f"With it: {', '.join(first_few(along, 12))}"] if along else []
    _saved(shell, name, client.save_draft(name, save, etag), [*notes, *more_to_say])


def done_with(client: Client, name: str, request: DeployRequest, notebook: str) -> Along:
    """The request with the draft named in it, so that it is done with, where it holds nothing but older cells."""
    try:
        draft = client.draft(name)
    except (NotFoundError, UnavailableError):
        return Along(request)
    if draft.info is None:
        return Along(request)
    beyond = _beyond(draft, _bundle_of(request), notebook)
    if not beyond:
        return Along(request.model_copy(update={"draft_etag": draft.etag}))
    return Along(request, notes=(_stays(name, beyond),))


def save_marked(
    shell: InteractiveShell, name: str, request: DeployRequest, notebook: str, shown: Progress, *, force: bool
) -> None:
    """`%deploy --draft`; `shown` has the tree and what is to be said.

    Raises `CommandFailed` where the draft holds what did not come from this notebook.
    """
    client = connected()
    draft = _read(client, name)
    mine, etag = _bundle_of(request), None
    if draft is not None and draft.info is not None:
        etag = "*" if force else draft.etag
        if not force and draft.etag != _ours.get(name) and _beyond(draft, mine, notebook):
            _refuse(shell, draft, mine)
    save = DraftSave(bundle=mine, origins=request.origins, env=request.env, interpreter=request.interpreter)
    _saved(shell, name, client.save_draft(name, save, etag), remarks(shown), shown.tree)


def deploy_file(shell: InteractiveShell, line: str, cell: str | None) -> None:
    """`%%deployfile`, and `%deployfile --remove`"""
    with one_line():
        name, path, force, remove = arguments.parse_deployfile(line, is_cell=cell is not None)
        client = connected()
        draft = _read(client, name)
        current = draft.bundle.files.get(path) if draft else None
        if cell is None or remove:
            if draft is None or current is None:
                raise CommandFailed(f"There is no file {path} in the draft of {name}.")
            client.delete_draft_file(name, path, current.sha256)
            sys.stdout.write(f"{path} is no longer in the draft of {name}. What is live stays as it is.\n")
            return
        origin = place.cell_origin(shell)
        file = BundleFile.from_bytes(cell.encode("utf-8", errors="surrogatepass"))
        check_goes_in(path, file.content)
        if draft and draft.info and current and not force and _is_foreign(draft, path, file, origin, name):
            _refuse(shell, draft, Bundle(files={path: file}))
        etag = "*" if force else current.sha256 if current else None
        saved = client.save_draft_file(name, path, DraftFileSave(file=file, origin=origin), etag)
        _ours[name] = saved.draft_etag
        sys.stdout.write(f"{path} is in the draft of {name}, not deployed. It comes along with %%deploy {name}.\n")


def _saved(
    shell: InteractiveShell, name: str, saved: DraftView, notes: list[str], tree: Sequence[TreeRow] = ()
) -> None:
    _ours[name] = saved.etag
    if saved.code_state is CodeState.UP_TO_DATE:
        words = f"{name}: saved as draft, and it is what is live"
    else:
        words = f"{name}: saved as draft, not deployed"
    _show(shell, words, [*notes, f"To bring it live: %deploy {name}"], tree)


def _stays(name: str, beyond: list[str]) -> str:
    files = ", ".join(first_few(beyond, 3))
    return f"The draft stays, for what it has of its own: {files}. See it: %diff {name} live draft"


def _beyond(draft: DraftView, mine: Bundle, notebook: str) -> list[str]:
    """The files of the draft that `mine` lacks as they are, and that are no older state of this notebook's cells."""
    return [
        path
        for path in _differing(draft, mine)
        if not (parts := draft.origins.get(path)) or any(part.notebook != notebook for part in parts)
    ]


def connected() -> Client:
    """The client; where the service has to be started first, a line says so."""
    return session.client(on_start=lambda: say(STARTING))


def say(words: str) -> None:
    """What is being done, where no card shows it."""
    sys.stdout.write(f"{words}\n")


def _read(client: Client, name: str) -> DraftView | None:
    try:
        return client.draft(name)
    except NotFoundError:
        return None


def _bundle_of(request: DeployRequest) -> Bundle:
    return request.bundle or Bundle(files={})


def _with_cells(bundle: Bundle, draft: DraftView) -> tuple[Bundle, set[str], list[str]]:
    """The bundle with the files of the draft that came from other cells, their paths, and what they need themselves."""
    more = {path for path in draft.origins if path != bundle.main and path in draft.bundle.files}
    if not more:
        return bundle, more, []
    files = {**bundle.files, **{path: draft.bundle.files[path] for path in more}}
    texts = {path: text for path in (bundle.main, *more) if (text := files[path].text) is not None}
    found = collect_cells(texts, {}, bundle.main, place.notebook_folder(), ())
    new = found.bundle.files.keys() - files.keys()
    needed = [each for each in found.included if any(path == each or path.startswith(each) for path in new)]
    return bundle.model_validate({**dict(bundle), "files": {**found.bundle.files, **files}}), more, needed


def _with_the_rest(bundle: Bundle, draft: DraftView) -> Bundle:
    """With the other files of the draft too: nothing that somebody put there is lost by a save."""
    theirs = {path: file for path, file in draft.bundle.files.items() if not _of_main(path, bundle)}
    return bundle.model_validate({**dict(bundle), "files": {**theirs, **bundle.files}})


def _of_main(path: str, bundle: Bundle) -> bool:
    """Whether a file is the cell with the app, or one of the objects that it brought along."""
    return path == bundle.main or is_objects_file(path)


def _differing(draft: DraftView, bundle: Bundle) -> list[str]:
    """The files of the draft that are not in the bundle as they are, nor replaced by its own objects."""
    return [
        path
        for path, file in sorted(draft.bundle.files.items())
        if path not in bundle.files or bundle.files[path].sha256 != file.sha256
        if not (is_objects_file(path) and OBJECTS_MANIFEST in bundle.files)
    ]


def _was_saved_elsewhere(draft: DraftView, mine: Bundle, origin: CellOrigin, name: str) -> bool:
    """Whether a save of `mine` would overwrite what did not come from here."""
    return any(
        _is_foreign(draft, path, file, origin, name)
        for path, file in mine.files.items()
        if path in draft.bundle.files and (path == mine.main or path not in draft.origins)
        if not is_objects_file(path)  # they come from the kernel, as the cell does that uses them
    )


def _is_foreign(draft: DraftView, path: str, file: BundleFile, origin: CellOrigin, name: str) -> bool:
    differs = draft.bundle.files[path].sha256 != file.sha256
    return differs and draft.etag != _ours.get(name) and not _is_from(draft, path, origin)


def _is_from(draft: DraftView, path: str, origin: CellOrigin) -> bool:
    """Whether a file of the draft came from the cell of `origin`. Its label is another one each time it runs."""
    here = (origin.notebook, origin.cell_id)
    if here == (None, None):
        # A terminal names neither, and there may be two of them.
        return draft.etag == _ours.get(draft.app)
    parts = draft.origins.get(draft.bundle.main if _of_main(path, draft.bundle) else path, [])
    return any((part.notebook, part.cell_id) == here for part in parts)


def _refuse(shell: InteractiveShell, draft: DraftView, mine: Bundle) -> None:
    """Show what differs, and raise."""
    theirs = draft.bundle.with_files({path: f for path, f in draft.bundle.files.items() if path in mine.files})
    show_diff(shell, compare(theirs, mine, "draft", "this cell"), _SHORT_DIFF_LINES)
    who = f", by {draft.info.saved_by}, {draft.info.saved_at.astimezone():%Y-%m-%d %H:%M}" if draft.info else ""
    raise CommandFailed(
        f"The draft of {draft.app} was saved elsewhere{who}, and is not what this cell has. "
        "Nothing was overwritten: --force does that."
    )


def _show(shell: InteractiveShell, words: str, notes: list[str], tree: Sequence[TreeRow]) -> None:
    files = [f"  {line}" for line in tree_lines(list(tree))] if tree else []
    text = "\n".join([words, *files, *map(printable, notes)])
    if not place.is_kernel(shell):
        sys.stdout.write(f"{text}\n")
        return
    html = "".join(f'<p class="gofastapi-note">{escape(printable(note))}</p>' for note in notes)
    head = f'<p class="gofastapi-head"><span class="gofastapi-dot"></span><span>{escape(words)}</span></p>'
    body = f"<style>{STYLE}</style>{head}{html_tree(tree)}{html}"
    publish(
        {
            "text/html": f'<div class="gofastapi gofastapi-saved">{body}</div>',
            "text/plain": text,
        }
    )
