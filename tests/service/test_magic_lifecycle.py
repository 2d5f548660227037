"""`%stop`, `%start`, `%restart`, `%clone`, `%undeploy` and `%restore` in a real kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.kernel import Kernel, running_kernel
from support.platform import Platform, get

from gofastapi_ext.core.lifecycle import State

APP = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def root():
    return "here"
"""


@pytest.fixture(scope="module")
def kernel(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder: Path = tmp_path_factory.mktemp("lifecycle")
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


def test_stop_and_start(kernel: Kernel, platform: Platform) -> None:
    kernel.run("%%deploy dozes" + APP)
    assert kernel.run("%stop dozes").text == "dozes is stopped. To start it: %start dozes\n"
    assert platform.app("dozes").state is State.STOPPED
    kernel.run("%start dozes")
    url = str(platform.app("dozes").url)
    assert get(url).json() == "here"
    before = platform.app("dozes").instances[0]
    kernel.run("%restart dozes")
    assert platform.app("dozes").instances[0].pid != before.pid


def test_app_shows_and_sets_how_it_is_and_sleep_lets_it_sleep(kernel: Kernel, platform: Platform) -> None:
    card = kernel.run("%%deploy naps" + APP).plain
    assert "sleeps after 30m without a request; the next one wakes it. To keep it awake: %app naps --sleep" in card
    assert "sleeps" not in kernel.run("%%deploy naps" + APP + "# changed").plain
    url = str(platform.app("naps").url)
    shown = kernel.run("%app naps").plain
    assert "after 30m without a request" in shown
    assert url in shown
    assert "never" in kernel.run("%app naps --sleep-after never --record-bodies on").plain
    view = platform.app("naps")
    assert (view.sleep_after_seconds, view.record_bodies) == (None, True)
    assert "is no duration" in str(kernel.run("%app naps --sleep-after soon").error)
    assert "Workers" not in kernel.run("%app naps").plain
    assert "2" in kernel.run("%app naps --workers 2").plain
    assert platform.app("naps").workers == 2
    assert "a number from 1 on" in str(kernel.run("%app naps --workers many").error)
    assert "8 workers at most" in str(kernel.run("%app naps --workers 9").error)
    assert kernel.complete("%app naps --workers ") == ["1", "2", "4"]
    assert "on or off" in str(kernel.run("%app naps --record-bodies maybe").error)
    assert kernel.complete("%app naps --record-bodies ") == ["on", "off"]
    assert "never" in kernel.complete("%app naps --sleep-after ")
    assert kernel.complete("%logs naps --level w") == ["warning"]
    assert kernel.run("%sleep naps").text == "naps sleeps. The next request wakes it.\n"
    listed = kernel.run("%apps")
    assert listed.plain.endswith("asleep: the next request wakes it")
    assert "asleep: the next request wakes it" in listed.html
    assert get(url).json() == "here"


def test_undeploy_and_restore(kernel: Kernel, platform: Platform) -> None:
    kernel.run("%%deploy leaves" + APP)
    assert "it can be brought back: %restore leaves" in kernel.run("%undeploy leaves").text
    assert "to bring it back: %restore leaves" in str(kernel.run("%logs leaves").error)
    assert "leaves  until " in kernel.run("%restore").text
    assert "leaves" in kernel.complete("%restore ")
    assert "leaves" not in kernel.complete("%stop ")
    kernel.run("%restore leaves")
    assert get(str(platform.app("leaves").url)).json() == "here"
    kernel.run("%stop leaves")
    kernel.run("%undeploy leaves")
    assert "does not run" in kernel.run("%restore leaves").plain
    assert platform.app("leaves").state is State.STOPPED


def test_clone(kernel: Kernel, platform: Platform) -> None:
    kernel.run("%%deploy sheep" + APP)
    assert "To bring it live: %deploy dolly" in kernel.run("%clone sheep dolly").text
    assert platform.client.draft("dolly").bundle == platform.client.draft("sheep").bundle
    assert "Usage: %clone NAME NEW" in str(kernel.run("%clone sheep").error)
    assert "already" in str(kernel.run("%clone sheep dolly").error)


def test_health(kernel: Kernel, platform: Platform) -> None:
    kernel.run("%%deploy well" + APP)
    shown = kernel.run("%health well")
    assert re.match(r"well  green   /health answered 200 in \d+ ms\n  \d\d:\d\d:\d\d ", shown.plain)
    assert '<span class="gofastapi-health gofastapi-green" title="/health answered 200' in shown.html
    table = kernel.run("%apps").html
    # A dot for the eye, the word for everybody.
    assert re.search(r'<td><b>well</b></td>.*?<span class="gofastapi-health gofastapi-green"[^>]*>green</span>', table)
    platform.client.stop("well")
    assert kernel.run("%health well").plain == "well  –       stopped by its owner\n  " + shown.plain.split("\n  ")[1]
    assert "well" in kernel.complete("%health ")


def test_rename(kernel: Kernel, platform: Platform) -> None:
    kernel.run("%%deploy plain" + APP)
    said = kernel.run("%rename plain Hello, world").text
    assert said == "plain is called Hello, world now. Its address stays.\n"
    assert platform.app("plain").title == "Hello, world"
    assert kernel.run("%rename plain ''").text == "plain is called plain now. Its address stays.\n"
    assert "Usage: %rename NAME TITLE" in str(kernel.run("%rename plain").error)
    assert "absent" in str(kernel.run("%rename absent x").error)


@pytest.mark.parametrize("magic", ["%health", "%stop", "%start", "%restart", "%undeploy", "%restore"])
def test_what_is_not_there_is_one_line(kernel: Kernel, magic: str) -> None:
    assert "absent" in str(kernel.run(f"{magic} absent").error)
    assert f"Usage: {magic} " in str(kernel.run(f"{magic} one two").error)


def test_a_name_that_is_nearly_there(kernel: Kernel) -> None:
    kernel.run("%%deploy predictor --draft" + APP)
    assert kernel.run("%versions predctor").error == 'There is no app "predctor". Did you mean "predictor"?'
    assert "predictor  new" in (shown := kernel.run("%apps").plain)
    assert "draft" in next(line for line in shown.splitlines() if line.startswith("predictor"))
    kernel.run("%deploy predictor")
    kernel.run("%%deploy predictor --draft" + APP.replace("here", "there"))
    assert "v1 + draft" in next(line for line in kernel.run("%apps").plain.splitlines() if line.startswith("predictor"))
