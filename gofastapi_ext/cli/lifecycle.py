"""Rename, stop, start, clone, remove and restore apps."""

from __future__ import annotations

import sys

import click

from gofastapi_ext.cli.deploy import show_stages
from gofastapi_ext.cli.output import say, say_json
from gofastapi_ext.cli.service import open_client
from gofastapi_ext.client.render import printable
from gofastapi_ext.client.text import restorable_as_text
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.models import AppChange, CloneRequest


def rename(name: str, title: str, *, as_json: bool) -> None:
    """`gofastapi rename`"""
    with open_client() as client:
        app = client.change(name, AppChange(title=title))
    say_json(app) if as_json else say(f"{name} is called {printable(app.title)} now. Its address stays.")


def stop(name: str, *, as_json: bool) -> None:
    """`gofastapi stop`"""
    with open_client() as client:
        app = client.stop(name)
    say_json(app) if as_json else say(f"{name} is stopped. To start it: gofastapi start {name}")


def start(name: str, *, as_json: bool) -> None:
    """`gofastapi start`. Exits with status 1 where the app did not come live."""
    show_stages(lambda client: client.start(name), as_json=as_json)


def restart(name: str, *, as_json: bool) -> None:
    """`gofastapi restart`. Exits with status 1 where the app did not come live; then nothing has changed."""
    show_stages(lambda client: client.restart(name), as_json=as_json)


def clone(name: str, to: str, source: str, *, as_json: bool) -> None:
    """`gofastapi clone`"""
    with open_client() as client:
        result = client.clone(name, CloneRequest(to=to, source=source))
    if as_json:
        say_json(result)
        return
    say(f"{to} has the code of {name} as its draft. To bring it live: gofastapi draft deploy {to}")
    if result.missing_secrets:
        say("Secrets do not come along. Set them first:")
        for secret in result.missing_secrets:
            say(f"  gofastapi env set {to} --secret {secret}")


def remove(name: str, *, yes: bool, forever: bool, as_json: bool) -> None:
    """`gofastapi rm`. Asks for the app's name once more."""
    with open_client() as client:
        if not forever:
            client.app(name)
        if not yes:
            if as_json or not sys.stdin.isatty():
                raise InvalidRequestError("Nobody is here to ask: add --yes to take the app away.")
            what = "for good, with its versions, variables and files" if forever else "away"
            typed = click.prompt(f"To take {name} {what}, type its name", default="", show_default=False)
            if typed != name:
                say("Nothing was taken away.")
                sys.exit(1)
        app = client.delete(name, forever=forever)
    if as_json:
        say_json({"removed": name, "restorable_until": app.restorable_until and app.restorable_until.isoformat()})
    elif forever or app.restorable_until is None:
        say(f"{name} is gone for good. What it stored in the database stays.")
    else:
        until = f"{app.restorable_until.astimezone():%Y-%m-%d %H:%M}"
        say(f"{name} is gone. Until {until} it can be brought back: gofastapi restore {name}")


def restore(name: str | None, *, as_json: bool) -> None:
    """`gofastapi restore`. Without a name: what can be restored."""
    if name is not None:
        show_stages(lambda client: client.restore(name), as_json=as_json)
        if not as_json:
            say(f"{name} is back as it was. To see its state: gofastapi apps")
        return
    with open_client() as client:
        apps = client.apps(deleted=True)
    say_json(apps) if as_json else say(restorable_as_text(apps))
