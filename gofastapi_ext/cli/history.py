"""List an app's versions, and show how they differ."""

from __future__ import annotations

from gofastapi_ext.cli.output import paint, say, say_json
from gofastapi_ext.cli.service import open_client
from gofastapi_ext.client.history import ask_diff, render_diff, versions_as_text


def list_versions(name: str, *, as_json: bool) -> None:
    """`gofastapi versions`"""
    with open_client() as client:
        versions = client.versions(name)
    if as_json:
        say_json(versions)
    else:
        say(versions_as_text(versions) if versions else f"{name} was never deployed: gofastapi draft show {name}")


def show_diff(name: str, first: str | None, second: str | None, *, as_json: bool) -> None:
    """`gofastapi diff`"""
    with open_client() as client:
        diff = ask_diff(client, name, first, second)
    say_json(diff) if as_json else say(render_diff(diff, paint))
