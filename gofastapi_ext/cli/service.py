"""Start the service, end it, and say how it is."""

from __future__ import annotations

import time

from gofastapi_ext._version import __version__
from gofastapi_ext.cli.output import aligned, paint, say, say_json
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.discovery import ensure_running, is_listening, was_stopped
from gofastapi_ext.client.places import Places, find_places
from gofastapi_ext.client.text import apps_as_text, format_seconds
from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.core.models import AppView, ServiceView

_SETTLE_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
_UNSETTLED = frozenset({State.STARTING, State.RESTARTING, State.STOPPING})


def open_client() -> Client:
    """A client of the service, started first where it does not run.

    Raises `VersionMismatchError` before anything is asked of a service of another version.
    """
    places = find_places()
    if not is_listening(places):
        say(paint("Starting the GoFastAPI service ...", "dim"), err=True)
        ensure_running(places)
    client = Client(places)
    client.me()
    return client


def nothing_runs() -> bool:
    """Whether there is no service, and none is wanted: it was never started, or ended on purpose."""
    places = find_places()
    return not is_listening(places) and was_stopped(places)


def up(*, restart: bool, as_json: bool) -> None:
    """`gofastapi up`"""
    places = find_places()
    began = time.perf_counter()
    if restart:
        _stop(places)
    started = ensure_running(places)
    with Client(places, read_timeout_seconds=_ANSWER_SECONDS) as client:
        service = client.service()
        apps = _settled_apps(client) if started else client.apps()
    if as_json:
        say_json({"started": started, **_as_data(service, apps)})
        return
    took = paint(f" in {format_seconds(time.perf_counter() - began)}", "dim") if started else ""
    say(f"{paint('Started', 'good')}{took}" if started else "It runs already.")
    say(_as_text(service, apps))


def down(*, as_json: bool) -> None:
    """`gofastapi down`"""
    from gofastapi_ext.cli.processes import stop_platform

    stopped = stop_platform(find_places())
    if as_json:
        ended = [{"what": what, "pid": pid} for what, pid in stopped.ended]
        say_json({"running": False, "ended": ended, "killed": stopped.killed})
    elif not stopped.ended:
        say("GoFastAPI was not running.")
    else:
        say(aligned([("ended", f"{what} (pid {pid})") for what, pid in stopped.ended]))
        if stopped.killed:
            say(paint("Something did not end by itself and was killed.", "warning"))
        say("Versions and data stay; `gofastapi up` brings your apps back.")


def status(*, as_json: bool) -> None:
    """`gofastapi status`"""
    places = find_places()
    if nothing_runs():
        if as_json:
            say_json({"running": False, "service": None, "mongo": None, "apps": []})
        else:
            say("GoFastAPI is not running. It starts with the next deploy, or with `gofastapi up`.")
        return
    crashed = ensure_running(places)
    with Client(places, check_version=False, read_timeout_seconds=_ANSWER_SECONDS) as client:
        service = client.service()
        apps = _settled_apps(client) if crashed else client.apps()
    if as_json:
        say_json({"running": True, "restarted": crashed, **_as_data(service, apps)})
        return
    if crashed:
        say(paint("The service had crashed; it was started again.", "warning"))
    if service.version != __version__:
        say(paint(f"It is version {service.version}, this is {__version__}: gofastapi up --restart", "warning"))
    say(_as_text(service, apps))


def _stop(places: Places) -> None:
    from gofastapi_ext.cli.processes import stop_platform

    stop_platform(places)


def _settled_apps(client: Client) -> list[AppView]:
    """The apps, once none is on its way to another state, or after 5 s."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        late = time.monotonic() > deadline
        try:
            apps = client.apps()
            if late or not any(app.state in _UNSETTLED for app in apps):
                return apps
        except UnavailableError:
            if late:
                raise
        time.sleep(0.02)


def _as_data(service: ServiceView, apps: list[AppView]) -> dict[str, object]:
    return {
        "service": service.model_dump(mode="json", exclude={"mongo"}),
        "mongo": service.mongo,
        "apps": [
            app.model_dump(mode="json") | {"instance_pids": [instance.pid for instance in app.instances]}
            for app in apps
        ],
    }


def _as_text(service: ServiceView, apps: list[AppView]) -> str:
    mongo = service.mongo
    rows = [
        ("service", f"pid {service.pid}, version {service.version}, {service.socket}"),
        ("MongoDB", f"pid {mongo.pid}, {mongo.address}" if mongo.pid else mongo.address),
        ("kept in", service.home),
    ]
    table = apps_as_text(apps) if apps else "No apps yet: gofastapi deploy FILE.py --name NAME"
    return f"{aligned(rows)}\n\n{table}"
