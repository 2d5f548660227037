"""What can be said about the service as a whole: how well it does, and what it may clean up."""

from __future__ import annotations

import click

from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import JSON


@click.command()
@JSON
@told_in_words
def stats(as_json: bool) -> None:
    """Show how fast and how surely deploys came live in the last 7 days, against what is promised."""
    from gofastapi_ext.cli.output import paint, say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.stats import stats_as_text

    with open_client() as client:
        found = client.stats()
    if as_json:
        say_json(found)
    else:
        say(stats_as_text(found, paint))


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@JSON
@told_in_words
def cleanup(dry_run: bool, as_json: bool) -> None:
    """Take away what nobody needs any more: remains of crashes and of deleted apps. The service does so every hour."""
    from gofastapi_ext.cli.output import say, say_json
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.cleanup import cleanup_as_text

    with open_client() as client:
        report = client.cleanup(dry_run=dry_run)
    if as_json:
        say_json(report)
    else:
        say(cleanup_as_text(report))
