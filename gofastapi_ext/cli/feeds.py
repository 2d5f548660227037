"""`gofastapi logs` and `gofastapi events`: what apps print, and what happens to them."""

from __future__ import annotations

import click

from gofastapi_ext.cli.errors import told_in_words
from gofastapi_ext.cli.options import APP, APP_OR_ALL, JSON
from gofastapi_ext.cli.output import paint, say, say_json

_FOLLOW = click.option("-f", "--follow", is_flag=True, help="Go on with each new one; Ctrl+C ends it.")
_TIME = "10m, 2h or 2026-01-31T12:00"


@click.command()
@APP
@_FOLLOW
@click.option("--tail", type=click.IntRange(0, 10_000), help="How many lines: 200, or with --since all.")
@click.option("--since", metavar="TIME", help=f"Only lines since then: {_TIME}.")
@click.option("--until", metavar="TIME", help="Only lines until then.")
@click.option("--grep", metavar="TEXT", help="Only lines with this text in them, whatever its case.")
@click.option("--level", metavar="LEVEL", help="Only debug, info, warning or error, and what is above.")
@click.option("--instance", type=click.IntRange(1), metavar="PID", help="Only what this process printed.")
@JSON
@told_in_words
def logs(
    name: str,
    follow: bool,
    tail: int | None,
    since: str | None,
    until: str | None,
    grep: str | None,
    level: str | None,
    instance: int | None,
    as_json: bool,
) -> None:
    """Show what an app printed. Following goes on over restarts and redeploys."""
    from datetime import UTC, datetime

    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.arguments import parse_level, parse_moment
    from gofastapi_ext.client.text import log_line

    now = datetime.now(UTC)
    first = parse_moment(since, now) if since else None
    last = parse_moment(until, now) if until else None
    least = parse_level(level) if level else None
    is_silent = True
    try:
        with open_client() as client:
            for entry in client.logs(
                name, tail=tail, follow=follow, since=first, until=last, grep=grep, level=least, pid=instance
            ):
                is_silent = False
                say(entry.model_dump_json() if as_json else log_line(entry, paint))
    except KeyboardInterrupt:
        if not follow:
            raise
    if is_silent and not follow and not as_json:
        asked = any(each is not None for each in (first, last, grep, least, instance))
        say(f"No line of {name} is like that." if asked else f"{name} has printed nothing yet.")


@click.command()
@APP_OR_ALL
@_FOLLOW
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many, the latest.")
@JSON
@told_in_words
def events(name: str | None, follow: bool, limit: int, as_json: bool) -> None:
    """Show what happened: deploys, crashes, sleep, changes. Without NAME: to all apps. The latest comes last."""
    from gofastapi_ext.cli.service import open_client
    from gofastapi_ext.client.events import event_line, events_as_text

    with open_client() as client:
        found = client.events(name, limit=limit)
        if not follow:
            say_json(found) if as_json else say(events_as_text(found) or "Nothing has happened yet.")
            return
        try:
            for event in reversed(found):
                say(event.model_dump_json() if as_json else event_line(event))
            for event in client.follow_events(name, after=found[0].id if found else 0):
                say(event.model_dump_json() if as_json else event_line(event))
        except KeyboardInterrupt:
            return  # the usual end
