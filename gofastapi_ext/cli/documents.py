"""What can be said about the documents of your database. Values are Extended JSON."""

from __future__ import annotations

import sys

import click

from gofastapi_ext.cli.database import BRANCH, db
from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import JSON

COLLECTION = click.argument("collection")
SORT = click.option("--sort", metavar="FIELDS", default="", help="name,-age: upwards by name, then downwards by age.")
FIELDS = click.option("--fields", metavar="FIELDS", default="", help="name,age: these alone; -photo: all but this.")


@db.command()
@COLLECTION
@click.argument("filter", required=False, default="{}")
@SORT
@FIELDS
@click.option("--limit", type=click.IntRange(1, 200), default=20, help="How many at most (20).")
@click.option("--after", help="Go on where the last page ended.")
@click.option("--canonical", is_flag=True, help="Show each value with its type, numbers too.")
@BRANCH
@JSON
@told_in_words
def find(
    collection: str,
    filter: str,
    sort: str,
    fields: str,
    limit: int,
    after: str | None,
    canonical: bool,
    branch: str | None,
    as_json: bool,
) -> None:
    """Show documents, one in each line. FILTER is a MongoDB query: '{"age": {"$gt": 30}}'."""
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.document_text import as_line, parse_fields, parse_object, parse_sort

    with open_client() as client:
        page = client.documents(
            collection,
            parse_object(filter, "filter"),
            sort=parse_sort(sort),
            projection=parse_fields(fields),
            limit=limit,
            after=after,
            canonical=canonical,
            branch=branch,
        )
    if as_json:
        say_json(page)
        return
    for view in page.documents:
        say(as_line(view.document))
    if page.next:
        say(paint(f"There are more: --after {page.next}", "dim"), err=True)
    elif not page.documents:
        say("No documents." if filter == "{}" else "No document matches.", err=True)


@db.command()
@COLLECTION
@click.argument("document")
@BRANCH
@JSON
@told_in_words
def insert(collection: str, document: str, branch: str | None, as_json: bool) -> None:
    """Store a new document: '{"name": "Ann"}', or - for the standard input."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.document_text import as_line, parse_object

    text = sys.stdin.read() if document == "-" else document
    with open_client() as client:
        view = client.insert_document(collection, parse_object(text, "document"), branch=branch)
    say_json(view) if as_json else say(as_line(view.document))


@db.command()
@COLLECTION
@click.argument("document_id", metavar="ID")
@click.option("--set", "changes", metavar="FIELDS", default="{}", help="""'{"age": 42, "at.home": true}'""")
@click.option("--unset", "removed", multiple=True, metavar="FIELD", help="Take a field away. Repeatable.")
@BRANCH
@JSON
@told_in_words
def edit(
    collection: str, document_id: str, changes: str, removed: tuple[str, ...], branch: str | None, as_json: bool
) -> None:
    """Change fields of a document. ID is an ObjectId, or any value in JSON; text as it stands."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.document_text import as_line, parse_id, parse_object
    from gofastapi_ext.core.documents.views import DocumentChange

    key, changed = parse_id(document_id), parse_object(changes, "change")
    with open_client() as client:
        seen = client.document(collection, key, branch=branch)
        change = DocumentChange(set=changed, unset=list(removed), version=seen.version)
        view = client.change_document(collection, seen.key, change, branch=branch)
    say_json(view) if as_json else say(as_line(view.document))


@db.command()
@COLLECTION
@click.argument("document_id", metavar="ID")
@BRANCH
@JSON
@told_in_words
def rm(collection: str, document_id: str, branch: str | None, as_json: bool) -> None:
    """Delete a document. For a minute that can be taken back."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.document_text import parse_id

    with open_client() as client:
        deleted = client.delete_document(collection, parse_id(document_id), branch=branch)
    if as_json:
        say_json(deleted)
    elif deleted.undo:
        say(f"Deleted. To take that back within a minute: gofastapi db undo {deleted.undo}")
    else:
        say(f"Deleted. {deleted.note or ''}".rstrip())


@db.command()
@click.argument("token")
@JSON
@told_in_words
def undo(token: str, as_json: bool) -> None:
    """Bring a document back that was deleted within the last minute."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.document_text import as_line

    with open_client() as client:
        view = client.undo_delete(token)
    say_json(view) if as_json else say(as_line(view.document))


@db.command()
@COLLECTION
@click.argument("filter", required=False, default="{}")
@SORT
@BRANCH
@JSON
@told_in_words
def explain(collection: str, filter: str, sort: str, branch: str | None, as_json: bool) -> None:
    """Say how MongoDB finds what a query asks for, and whether an index helps."""
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.document_text import explanation_as_text, parse_object, parse_sort
    from gofastapi_ext.core.documents.views import ExplainRequest

    request = ExplainRequest(filter=parse_object(filter, "filter"), sort=parse_sort(sort))
    with open_client() as client:
        explanation = client.explain(collection, request, branch=branch)
    say_json(explanation) if as_json else say(explanation_as_text(explanation, paint))


@db.command()
@click.option("--create", metavar="NAME", help="Make an empty one.")
@click.option("--drop", metavar="NAME", help="Drop one with everything in it. Nothing brings it back.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@BRANCH
@JSON
@told_in_words
def collections(create: str | None, drop: str | None, yes: bool, branch: str | None, as_json: bool) -> None:
    """List the collections; or make one, or drop one."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.render import printable
    from gofastapi_ext.core.errors import InvalidRequestError

    if drop and not yes:
        if as_json or not sys.stdin.isatty():
            raise InvalidRequestError(f"That drops {drop} with everything in it. If that is meant: --yes")
        click.confirm(f"Drop {drop} with everything in it?", abort=True)
    with open_client() as client:
        if create:
            client.create_collection(create, branch=branch)
        if drop:
            client.drop_collection(drop, confirm=drop, branch=branch)
        found = client.database(branch=branch).collections
    if as_json:
        say_json(found)
        return
    for collection in found:
        say(printable(collection.name))


@db.command()
@COLLECTION
@click.option("--create", metavar="KEYS", help="name,-age; text, 2dsphere or hashed as in place:2dsphere.")
@click.option("--unique", is_flag=True, help="No two documents may have the same values.")
@click.option("--expire-after", metavar="TIME", help="Documents go so long after the time in the field: 30d, 12h.")
@click.option("--drop", metavar="NAME", help="Drop one.")
@BRANCH
@JSON
@told_in_words
def indexes(
    collection: str,
    create: str | None,
    unique: bool,
    expire_after: str | None,
    drop: str | None,
    branch: str | None,
    as_json: bool,
) -> None:
    """List the indexes of a collection; or build one, or drop one."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.database_text import index_as_text
    from gofastapi_ext.client.document_text import parse_keys
    from gofastapi_ext.core.documents.views import IndexCreate
    from gofastapi_ext.core.durations import parse_duration
    from gofastapi_ext.core.errors import NotFoundError

    seconds = int(parse_duration(expire_after)) if expire_after else None
    with open_client() as client:
        if create:
            index = IndexCreate(keys=parse_keys(create), unique=unique, expire_after_seconds=seconds)
            client.create_index(collection, index, branch=branch)
        if drop:
            client.drop_index(collection, drop, branch=branch)
        views = client.database(branch=branch).collections
    view = next((view for view in views if view.name == collection), None)
    if view is None:
        raise NotFoundError(f'There is no collection "{collection}" in your database.')
    if as_json:
        say_json(view.indexes)
        return
    for each in view.indexes:
        say(index_as_text(each))
