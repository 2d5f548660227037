"""Files into the database, and out of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from gofastapi_ext.cli.database import BRANCH, db
from gofastapi_ext.cli.documents import COLLECTION, FIELDS, SORT
from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import JSON

_CHUNK_BYTES = 256_000
_FORMAT = click.option("--format", type=click.Choice(["jsonl", "csv"]), help="By default as the file's name says.")


@db.command("import")
@COLLECTION
@click.argument("path", type=click.Path(allow_dash=True))
@_FORMAT
@click.option("--replace", is_flag=True, help="In the place of what is there, all or nothing.")
@BRANCH
@JSON
@told_in_words
def import_file(
    collection: str, path: str, format: str | None, replace: bool, branch: str | None, as_json: bool
) -> None:
    """Import a file: JSON lines, or CSV with a header; - is the standard input.

    Lines that cannot be stored are told by their number, and the others are stored; then it ends with status 1.
    With --replace everything stays as it was until all is stored.
    """
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.document_text import format_of, import_as_text
    from gofastapi_ext.core.documents.views import Format, ImportEvent, ImportMode

    source = Format(format) if format else format_of(path)
    mode = ImportMode.REPLACE if replace else ImportMode.ADD
    last: ImportEvent | None = None
    with open_client() as client, _opened(path) as file:
        content = _pieces(file, None if as_json else path)
        for event in client.import_documents(collection, content, format=source, mode=mode, branch=branch):
            last = event
            if as_json:
                say_json(event)
    if last is not None and not as_json:
        say(import_as_text(last, collection, paint))
    if last is None or last.kind == "failed" or last.refused:
        sys.exit(1)


@db.command("export")
@COLLECTION
@click.argument("path", type=click.Path(allow_dash=True), default="-")
@click.option("--filter", default="{}", metavar="FILTER", help="A MongoDB query: only what matches it.")
@SORT
@FIELDS
@_FORMAT
@click.option("--plain", is_flag=True, help="For people: without the types, so that there is no way back.")
@BRANCH
@JSON
@told_in_words
def export_file(
    collection: str,
    path: str,
    filter: str,
    sort: str,
    fields: str,
    format: str | None,
    plain: bool,
    branch: str | None,
    as_json: bool,
) -> None:
    """Write documents to a file, or to the standard output: JSON lines, or CSV with a column for each field.

    A file appears under its name when it is whole.
    """
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.document_text import format_of, parse_fields, parse_object, parse_sort
    from gofastapi_ext.core.documents.views import Format

    part = Path(f"{path}.part")
    with open_client() as client, click.open_file(path if path == "-" else str(part), "wb") as target:
        try:
            client.export_documents(
                collection,
                target,
                parse_object(filter, "filter"),
                sort=parse_sort(sort),
                projection=parse_fields(fields),
                format=Format(format) if format else format_of(path),
                plain=plain,
                branch=branch,
            )
            target.flush()
        except BaseException:
            if path != "-":
                part.unlink(missing_ok=True)
            raise
    if path != "-":
        part.replace(path)
        size = Path(path).stat().st_size
        say_json({"path": path, "bytes": size}) if as_json else say(f"Written to {path}.")


def _opened(path: str) -> IO[bytes]:
    return click.open_file(path, "rb")


def _pieces(file: IO[bytes], told: str | None) -> Iterator[bytes]:
    """The file, piece by piece; how far it is shows where somebody is there to see it."""
    size = Path(told).stat().st_size if told and told != "-" and Path(told).is_file() else 0
    shows = size > 0 and sys.stderr.isatty()
    sent = 0
    while piece := file.read(_CHUNK_BYTES):
        yield piece
        sent += len(piece)
        if shows:
            click.echo(f"\r{min(sent / size, 1):.0%}", nl=False, err=True)
    if shows:
        click.echo("\r\x1b[K", nl=False, err=True)
