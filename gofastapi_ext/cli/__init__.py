"""The `gofastapi` command: what can be said. What it does is in the modules beside, imported when needed."""

from __future__ import annotations

import os

import click

from gofastapi_ext._version import __version__
from gofastapi_ext.cli import (  # noqa: F401 - some add their commands to a group of another one
    alerts,
    app_errors,
    backups,
    code,
    database,
    documents,
    feeds,
    metrics,
    one_app,
    transfers,
    upkeep,
    variables,
)
from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import APP as _APP
from gofastapi_ext.cli.options import APP_OR_ALL as _APP_OR_ALL
from gofastapi_ext.cli.options import JSON as _JSON


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="gofastapi %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Deploy FastAPI apps on this machine, and look after them.

    One service of yours runs them in the background. Whatever needs it starts it; `gofastapi down` ends it
    and everything it runs. Versions and data stay.

    \b
    Completion for your shell (bash, zsh or fish):
      eval "$(_GOFASTAPI_COMPLETE=bash_source gofastapi)"
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


@main.command()
@click.option("--restart", is_flag=True, help="End the running service first. Apps come back by themselves.")
@_JSON
@told_in_words
def up(restart: bool, as_json: bool) -> None:
    """Start the service, and with it your apps."""
    from gofastapi_ext.cli import service

    service.up(restart=restart, as_json=as_json)


@main.command()
@_JSON
@told_in_words
def down(as_json: bool) -> None:
    """End the service and everything it runs."""
    from gofastapi_ext.cli import service

    service.down(as_json=as_json)


@main.command()
@_JSON
@told_in_words
def status(as_json: bool) -> None:
    """Show the service, its MongoDB and your apps. A service that crashed is started again."""
    from gofastapi_ext.cli import service

    service.status(as_json=as_json)


@main.command()
@_JSON
@told_in_words
def doctor(as_json: bool) -> None:
    """Check everything GoFastAPI needs, and say what is wrong. Changes nothing."""
    from gofastapi_ext.cli.doctor import examine

    examine(as_json=as_json)


@main.command()
@click.argument("path", type=click.Path())
@click.option("--name", help="The app's name: lower-case letters, digits and hyphens. Of a folder: its own name.")
@click.option("--main", metavar="PATH", help="The file in the folder that holds the app, where several could.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable of the app's environment. Repeatable.")
@click.option(
    "--db-branch", metavar="NAME", help="Work on this branch of your database instead of the data themselves."
)
@click.option("--file", "extra", multiple=True, type=click.Path(), help="A file or folder to bring along. Repeatable.")
@click.option("--message", default="", help="What changed, for the list of versions.")
@click.option("--dry-run", is_flag=True, help="Show what would be deployed, and deploy nothing.")
@_JSON
@told_in_words
def deploy(
    path: str,
    name: str | None,
    main: str | None,
    env: tuple[str, ...],
    db_branch: str | None,
    extra: tuple[str, ...],
    message: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring the app in PATH live: a Python file, or a folder.

    With a file come the modules beside it that it imports, and the folders of its templates and static files.
    A folder comes whole, but for secrets, hidden files, caches and version control.
    """
    from gofastapi_ext.cli.deploy import deploy_path

    deploy_path(
        path,
        name,
        main=main,
        env=env,
        db_branch=db_branch,
        extra=extra,
        message=message,
        dry_run=dry_run,
        as_json=as_json,
    )


@main.command()
@_JSON
@told_in_words
def apps(as_json: bool) -> None:
    """List your apps."""
    from gofastapi_ext.cli.apps import list_apps

    list_apps(as_json=as_json)


@main.command()
@_APP_OR_ALL
@_JSON
@told_in_words
def health(name: str | None, as_json: bool) -> None:
    """Show whether an app is well, and why. Without a name: all apps, as last seen."""
    from gofastapi_ext.cli.health import show_health

    show_health(name, as_json=as_json)


@main.command()
@_APP
@click.argument("number", required=False, metavar="[VERSION]")
@_JSON
@told_in_words
def rollback(name: str, number: str | None, as_json: bool) -> None:
    """Bring an old version of an app live again, as a new version. Without VERSION: the one before."""
    from gofastapi_ext.cli.deploy import roll_back

    roll_back(name, number, as_json=as_json)


@main.command()
@_APP
@_JSON
@told_in_words
def start(name: str, as_json: bool) -> None:
    """Start a stopped app."""
    from gofastapi_ext.cli import lifecycle

    lifecycle.start(name, as_json=as_json)


@main.command()
@_APP
@_JSON
@told_in_words
def stop(name: str, as_json: bool) -> None:
    """Stop an app. Its address, versions, variables and files stay."""
    from gofastapi_ext.cli import lifecycle

    lifecycle.stop(name, as_json=as_json)


@main.command()
@_APP
@_JSON
@told_in_words
def restart(name: str, as_json: bool) -> None:
    """Start an app anew, without a pause: the old process goes when the new one answers."""
    from gofastapi_ext.cli import lifecycle

    lifecycle.restart(name, as_json=as_json)


@main.command()
@_APP
@click.argument("to", metavar="NEW")
@click.option("--from", "source", default="draft", show_default=True, help="What: draft, live, or a version's number.")
@_JSON
@told_in_words
def clone(name: str, to: str, source: str, as_json: bool) -> None:
    """Make a new app with the code of NAME as its draft. Variables come along, secrets do not."""
    from gofastapi_ext.cli import lifecycle

    lifecycle.clone(name, to, source.removeprefix("v"), as_json=as_json)


@main.command()
@_APP
@click.argument("title")
@_JSON
@told_in_words
def rename(name: str, title: str, as_json: bool) -> None:
    """Give an app another title. Its name and its address stay."""
    from gofastapi_ext.cli import lifecycle

    lifecycle.rename(name, title, as_json=as_json)


@main.command()
@_APP
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--forever", is_flag=True, help="Nothing of it can be restored.")
@_JSON
@told_in_words
def rm(name: str, yes: bool, forever: bool, as_json: bool) -> None:
    """Take an app away. For 7 days it can be restored. What it stored in the database stays."""
    from gofastapi_ext.cli import lifecycle

    lifecycle.remove(name, yes=yes, forever=forever, as_json=as_json)


@main.command()
@click.argument("name", required=False)
@_JSON
@told_in_words
def restore(name: str | None, as_json: bool) -> None:
    """Bring a deleted app back as it was. Without a name: list what can be restored."""
    from gofastapi_ext.cli import lifecycle

    lifecycle.restore(name, as_json=as_json)


main.add_command(alerts.alerts)
main.add_command(app_errors.errors)
main.add_command(app_errors.replay)
main.add_command(one_app.app)
main.add_command(one_app.sleep)
main.add_command(code.versions)
main.add_command(code.diff)
main.add_command(code.draft)
main.add_command(code.convert)
main.add_command(code.export)
main.add_command(code.import_)
main.add_command(database.db)
main.add_command(feeds.events)
main.add_command(feeds.logs)
main.add_command(metrics.metrics)
main.add_command(upkeep.stats)
main.add_command(upkeep.cleanup)
main.add_command(variables.env)
main.add_command(variables.keys)
