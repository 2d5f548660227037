"""Show how apps are doing."""

from __future__ import annotations

from gofastapi_ext.cli.output import paint, say, say_json
from gofastapi_ext.cli.service import open_client
from gofastapi_ext.client.health import apps_health_as_text, health_as_text


def show_health(name: str | None, *, as_json: bool) -> None:
    """`gofastapi health`. Of one app, which is asked now; or of all, as last seen."""
    with open_client() as client:
        if name is not None:
            view = client.health(name)
            say_json(view) if as_json else say(health_as_text(view, paint))
            return
        apps = client.apps()
    if as_json:
        say_json({app.id: app.health for app in apps})
    else:
        say(apps_health_as_text(apps, paint) or "No apps yet: gofastapi deploy FILE.py --name NAME")
