"""How real apps are doing: red and green again, asleep, hanging, gone; and that nobody's numbers know of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from support.cli import CommandLine
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.core.errors import NotFoundError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.health import HealthColor, HealthView
from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.core.models import AppChange

SWITCH = """
from fastapi import FastAPI, Response
app = FastAPI()
status = 200
asked = 0

@app.get("/health")
def health(response: Response):
    global asked
    asked += 1
    response.status_code = status

@app.get("/set/{value}")
def set_status(value: int):
    global status
    status = value

@app.get("/asked")
def how_often():
    return asked
"""
PLAIN = "from fastapi import FastAPI\napp = FastAPI()\n"
HANGS = """
import asyncio
from fastapi import FastAPI
app = FastAPI()
asked = 0

@app.get("/health")
async def health():
    global asked
    asked += 1
    if asked > 1:  # the first is what it is proven ready by
        await asyncio.sleep(60)
"""


@pytest.fixture(scope="module")
def watched() -> Iterator[Platform]:
    """A service that asks its apps all the time."""
    with running_platform(GOFASTAPI_HEALTH_INTERVAL_SECONDS="0.2", GOFASTAPI_MAX_CRASHES="2") as platform:
        yield platform


def until_color(platform: Platform, app_id: str, color: HealthColor, timeout_seconds: float = 30) -> HealthView:
    """As the list of apps shows it, which asks nobody; then in full."""
    until(
        lambda: (health := platform.app(app_id).health) and health.color is color, timeout_seconds, f"{app_id} {color}"
    )
    return platform.client.health(app_id)


def test_an_app_turns_red_and_green_again(watched: Platform) -> None:
    url = watched.deploy_live("shop", SWITCH)
    view = watched.client.health("shop")
    assert (view.app, view.color, view.checks[0].status) == ("shop", HealthColor.GREEN, 200)
    assert view.reason.startswith("/health answered 200 in ")
    get(url, "/set/503")
    red = until_color(watched, "shop", HealthColor.RED)
    assert red.reason == "3 of the last 3 checks failed: /health answered 503"
    assert red.since is not None
    assert [check.status for check in red.checks[:3]] == [503, 503, 503]
    assert red.checks[0].at >= red.checks[1].at
    # It does answer: nothing of this takes it away from its visitors.
    assert get(url, "/asked").status_code == 200
    assert watched.app("shop").state is State.RUNNING
    get(url, "/set/401")
    assert until_color(watched, "shop", HealthColor.GREEN).checks[0].status == 401
    said = [event.message for event in watched.client.events("shop") if event.kind is EventKind.HEALTH]
    assert said[0].startswith("It is green again: /health answered 401")
    assert "It turned red: 3 of the last 3 checks failed: /health answered 503" in said
    assert said[-1].startswith("It turned yellow: ")


def test_errors_that_visitors_meet_count_until_there_is_a_new_version(watched: Platform) -> None:
    source = PLAIN + "\n@app.get('/sometimes/{number}')\ndef sometimes(number: int):\n    return 1 / (number % 5)\n"
    url = watched.deploy_live("sometimes", source)
    watched.client.health("sometimes")
    for number in range(20):
        get(url, f"/sometimes/{number}")
    assert watched.client.metrics("sometimes").server_errors == 4
    view = until_color(watched, "sometimes", HealthColor.YELLOW)
    assert view.reason == "20% of 20 requests in the last 5 minutes failed"
    watched.deploy_live("sometimes", PLAIN)
    assert until_color(watched, "sometimes", HealthColor.GREEN).checks[0].status == 200


def test_a_new_version_begins_anew(watched: Platform) -> None:
    url = watched.deploy_live("fixed", SWITCH)
    get(url, "/set/500")
    until_color(watched, "fixed", HealthColor.RED)
    watched.deploy_live("fixed", PLAIN)
    health = watched.app("fixed").health
    assert health is not None
    assert health.color is HealthColor.GREEN
    # It has no /health of its own: the runner's answers.
    assert watched.client.health("fixed").checks[0].status == 200


def test_probes_count_nowhere(watched: Platform) -> None:
    url = watched.deploy_live("quiet", SWITCH)
    get(url, "/asked")
    before = watched.client.metrics("quiet")
    assert before.requests == 1
    seen = get(url, "/asked").json()
    until(lambda: get(url, "/asked").json() > seen + 3, what="asked by the platform")
    get(url, "/set/500")
    until_color(watched, "quiet", HealthColor.RED)
    after = watched.client.metrics("quiet")
    assert [route.route for route in after.routes] == ["/asked", "/set/{value}"]
    assert after.server_errors == 0
    assert watched.client.errors("quiet") == []
    # A person's own question does count: only the platform knows the mark.
    assert get(url, "/health", headers={"x-gofastapi-probe": "guessed"}).status_code == 500
    assert watched.client.metrics("quiet").server_errors == 1


def test_a_sleeping_app_is_left_asleep_whoever_asks(watched: Platform) -> None:
    url = watched.deploy_live("sleepy", SWITCH)
    # It falls asleep though it is asked five times a second: these are no visitors.
    watched.client.change("sleepy", AppChange(sleep_after="1s"))
    watched.until_state("sleepy", State.ASLEEP)
    view = watched.client.health("sleepy")
    assert (view.color, view.reason) == (HealthColor.ASLEEP, "the next request wakes it")
    for _ in range(3):
        watched.client.health("sleepy")
    watched.deploy_live("awake", PLAIN)
    seen = len(watched.client.health("awake").checks)
    until(lambda: len(watched.client.health("awake").checks) > seen + 3, what="several cycles")
    assert watched.app("sleepy").state is State.ASLEEP
    assert watched.app("sleepy").instances == []
    assert len(watched.client.health("sleepy").checks) == len(view.checks)
    get(url)
    assert until_color(watched, "sleepy", HealthColor.GREEN).checks


def test_an_app_that_hangs_is_named_and_holds_up_nobody(watched: Platform) -> None:
    watched.deploy_live("hangs", HANGS)
    watched.deploy_live("busy", PLAIN)
    seen = len(watched.client.health("busy").checks)
    # Four of them would take 20 s if each waited for the one that hangs.
    until(lambda: len(watched.client.health("busy").checks) > seen + 3, 15, "the other is asked meanwhile")
    view = until_color(watched, "hangs", HealthColor.YELLOW)
    assert view.checks[0].problem == "/health did not answer within 5 s"
    watched.client.stop("hangs")


def test_apps_that_do_not_run(watched: Platform) -> None:
    watched.deploy_live("stopped", PLAIN)
    watched.client.stop("stopped")
    view = watched.client.health("stopped")
    assert (view.color, view.reason) == (HealthColor.GREY, "stopped by its owner")
    source = f"import os, pathlib\nif pathlib.Path('crash').exists(): os._exit(3)\n{PLAIN}" + (
        "@app.get('/crash')\ndef crash():\n    pathlib.Path('crash').touch()\n    os._exit(3)\n"
    )
    url = watched.deploy_live("crashes", source)
    with suppress(httpx.HTTPError):
        get(url, "/crash")
    view = until_color(watched, "crashes", HealthColor.RED)
    assert "crashed 2 times in a row" in view.reason
    with pytest.raises(NotFoundError):
        watched.client.health("nobody")


def test_people_see_it_as_a_column_and_in_words(watched: Platform) -> None:
    url = watched.deploy_live("seen", SWITCH)
    get(url, "/set/503")
    until_color(watched, "seen", HealthColor.RED)
    cli = CommandLine(watched.places.home, watched.places.home)
    head, *rows = cli.run("apps").splitlines()
    assert head.split() == ["App", "State", "Health", "Version", "Address", "Since"]
    assert any(row.split()[:3] == ["seen", "running", "red"] for row in rows)
    assert any(row.startswith("seen: since ") and row.endswith("/health answered 503") for row in rows)
    first, *checks = cli.run("health", "seen").splitlines()
    assert first.split()[:2] == ["seen", "red"]
    assert "3 of the last 3 checks failed: /health answered 503" in first
    assert 3 <= len(checks) <= 10
    assert all(" ms  /health answered " in line for line in checks)
    assert json.loads(cli.run("health", "seen", "--json"))["color"] == "red"
    everyone = cli.run("health")
    assert len(everyone.splitlines()) == len(watched.client.apps())
    assert cli.json("health")["seen"]["color"] == "red"
