"""List apps, and complete their names."""

from __future__ import annotations

from click.shell_completion import CompletionItem

from gofastapi_ext.cli.output import say, say_json
from gofastapi_ext.cli.service import nothing_runs, open_client
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.discovery import is_listening
from gofastapi_ext.client.places import find_places
from gofastapi_ext.client.text import apps_as_text
from gofastapi_ext.core.errors import GoFastAPIError


def list_apps(*, as_json: bool) -> None:
    """`gofastapi apps`"""
    if nothing_runs():
        say("[]" if as_json else "GoFastAPI is not running. It starts with the next deploy, or with `gofastapi up`.")
        return
    with open_client() as client:
        apps = client.apps()
    if as_json:
        say_json(apps)
    else:
        say(apps_as_text(apps) if apps else "No apps yet: gofastapi deploy FILE.py --name NAME")


def complete_app_ids(incomplete: str) -> list[CompletionItem]:
    """The names of apps for the shell's completion; none where the service does not run."""
    places = find_places()
    if not is_listening(places):
        return []
    try:
        with Client(places, check_version=False, read_timeout_seconds=2) as client:
            return [CompletionItem(app.id) for app in client.apps() if app.id.startswith(incomplete)]
    except GoFastAPIError:
        return []
