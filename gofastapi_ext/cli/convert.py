"""Split a single-file app: as the draft of an app, or from a file into a folder."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gofastapi_ext.cli.output import paint, say, say_json
from gofastapi_ext.cli.service import open_client
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.folder import collect_path
from gofastapi_ext.client.render import printable
from gofastapi_ext.client.tree import tree_lines, tree_rows
from gofastapi_ext.core.bundle import Bundle
from gofastapi_ext.core.convert import convert
from gofastapi_ext.core.drafts import DraftSave, DraftView
from gofastapi_ext.core.errors import InvalidRequestError


def convert_app(name: str, *, yes: bool, as_json: bool) -> None:
    """`gofastapi convert NAME`. A person is shown the files, and asked whether to keep them."""
    if Path(name).is_file():
        raise InvalidRequestError(f"Say where the files are to go: gofastapi convert {name} FOLDER")
    with open_client() as client:
        before = client.draft(name)
        conversion = client.convert_draft(name, before.etag)
        if as_json:
            say_json(conversion)
            return
        _show(conversion.draft.bundle, conversion.moved, conversion.notes)
        asks = sys.stdin.isatty() and not yes
        if asks and not click.confirm(f"Keep this as the draft of {name}?", default=True):
            _undo(client, before, conversion.draft.etag)
            say(f"Taken back: the code of {name} is what it was.")
            return
    say(f"{paint('saved', 'good')}  as the draft of {name}. To bring it live: gofastapi draft deploy {name}")
    if before.info is None:
        say(paint(f"  To take it back: gofastapi draft discard {name}", "dim"))


def convert_file(file: str, target: str, *, as_json: bool) -> None:
    """`gofastapi convert FILE FOLDER`. Nothing is overwritten."""
    folder = Path(target).expanduser()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InvalidRequestError(f"{target} is not empty. Name a new or empty folder; nothing is overwritten.")
    collected = collect_path(Path(file), [])
    conversion = convert(collected.bundle)
    for path, content in conversion.bundle.files.items():
        place = folder / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as sink:
                sink.write(content.content)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise InvalidRequestError(f"{place} cannot be written: {reason}.") from error
    if as_json:
        files = sorted(conversion.bundle.files)
        say_json({"folder": target, "files": files, "moved": conversion.moved, "notes": conversion.notes})
        return
    _show(conversion.bundle, conversion.moved, conversion.notes)
    for skipped in collected.skipped:
        say(paint(f"  Left out: {printable(skipped)}", "dim"))
    say(f"{paint('written', 'good')}  {printable(target)}")


def _show(bundle: Bundle, moved: dict[str, list[str]], notes: list[str]) -> None:
    """The tree, with what went into each new file, and what stayed."""
    say("\n".join(tree_lines(tree_rows(bundle), paint)))
    for path, names in moved.items():
        say(f"  {paint(printable(path), 'place')}  {printable(', '.join(names))}")
    for note in notes:
        say(paint(f"  {printable(note)}", "hint"))


def _undo(client: Client, before: DraftView, etag: str) -> None:
    if before.info is None:
        client.discard_draft(before.app, etag)
        return
    save = DraftSave(bundle=before.bundle, origins=before.origins, env=before.env, interpreter=before.interpreter)
    client.save_draft(before.app, save, etag)
