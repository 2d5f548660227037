"""`%apps`, `%logs`, `%rollback`, `%undeploy`, completion, help, and the widget of a notebook session."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.kernel import Kernel, running_kernel
from support.platform import Platform, get
from support.waiting import until

from gofastapi_ext.core.errors import NotFoundError
from gofastapi_ext.core.models import AppChange

TALKER = """
from fastapi import FastAPI

app = FastAPI()
print("started WORD")


@app.get("/")
def talk(say: str = "hi"):
    print("said", say)
    return "WORD"
"""


def talker(word: str) -> str:
    return TALKER.replace("WORD", word)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "my data").mkdir()
    (folder / "my data" / "numbers.json").write_text("[]")
    (folder / "helpers.py").write_text("")
    (folder / ".hidden").write_text("")
    return folder


@pytest.fixture(scope="module")
def kernel(platform: Platform, folder: Path) -> Iterator[Kernel]:
    """A kernel as a Jupyter server starts it: it knows its notebook and its server."""
    runtime = folder / ".jupyter" / "jupyter_runtime_dir"
    runtime.mkdir(parents=True)
    (runtime / f"jpserver-{os.getpid()}.json").write_text(json.dumps({"base_url": "/user/a%40b/"}))
    with running_kernel(
        folder,
        GOFASTAPI_HOME=str(platform.places.home),
        JPY_SESSION_NAME=str(folder / "demo.ipynb"),
        JPY_PARENT_PID=str(os.getpid()),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def url(kernel: Kernel, platform: Platform) -> str:
    """An app with two versions."""
    kernel.run("%%deploy talker" + talker("one"))
    kernel.run("%%deploy talker" + talker("two"))
    found = platform.app("talker").url
    assert found
    return found


def test_a_widget_while_it_runs_and_a_plain_output_in_the_end(kernel: Kernel) -> None:
    ran = kernel.run("%%deploy widget" + talker("x"))
    opened = [m for m in ran.messages if m["msg_type"] == "comm_open"]
    assert {m["content"]["target_name"] for m in opened} == {"jupyter.widget"}
    values = [
        m["content"]["data"]["state"]["value"]
        for m in ran.messages
        if m["msg_type"] in ("comm_open", "comm_msg") and "value" in m["content"]["data"].get("state", {})
    ]
    assert [value.count('<li class="gofastapi-done"') for value in values] == [0, 1, 2, 3, 4]
    first = next(m for m in ran.messages if m["msg_type"] == "display_data")
    assert "application/vnd.jupyter.widget-view+json" in first["content"]["data"]
    # What stays in the notebook needs no widget model, and the model is gone.
    [output] = ran.outputs
    assert set(output) == {"text/html", "text/plain", "application/vnd.gofastapi.deploy+json"}
    assert "widget v1 is live" in output["text/plain"]
    assert ran.types().count("comm_close") >= 1


def test_people_elsewhere_find_the_app_through_jupyter(kernel: Kernel) -> None:
    ran = kernel.run("%%deploy elsewhere" + talker("x"))
    assert 'href="/user/a%40b/gofastapi/apps/elsewhere/"' in ran.html


def test_findings_name_notebook_and_cell(kernel: Kernel, platform: Platform) -> None:
    ran = kernel.run("%%deploy named" + talker("x") + "\n1 / 0\n", cell_id="0b5ad5c8")
    assert "of demo.ipynb, line" in ran.plain
    [found] = platform.app("named").diagnostics
    assert found.cell
    assert (found.cell.notebook, found.cell.cell_id) == ("demo.ipynb", "0b5ad5c8")


def test_apps(kernel: Kernel, url: str) -> None:
    ran = kernel.run("%apps")
    assert re.search(rf"^talker +running +(green|-)? +v2 +{url} +\d{{4}}-\d\d-\d\d \d\d:\d\d$", ran.plain, re.MULTILINE)
    row = ran.html[ran.html.index("<td><b>talker</b></td><td>running</td>") :]
    assert row.index("<td>v2</td>") < row.index(f'<a href="{url}"') < row.index("</tr>")


def test_logs(kernel: Kernel, url: str) -> None:
    get(url, "/?say=first")
    get(url, "/?say=second")
    until(lambda: "said second" in kernel.run("%logs talker").text, what="the last line")
    lines = kernel.run("%logs talker").text.splitlines()
    assert [line.split("  ", 1)[1] for line in lines] == ["started one", "started two", "said first", "said second"]
    assert re.match(r"\d\d:\d\d:\d\d\.\d\d\d  ", lines[0])
    assert kernel.run("%logs talker --tail 1").text.splitlines() == lines[-1:]
    silent = talker("x").replace('print("started x")', "")
    kernel.run("%%deploy silent" + silent)
    assert kernel.run("%logs silent").text == "silent has printed nothing yet.\n"


def test_which_lines_of_a_log(kernel: Kernel, url: str) -> None:
    get(url, "/?say=Banana")
    until(lambda: "said Banana" in kernel.run("%logs talker --grep banana").text, what="the line")
    assert len(kernel.run("%logs talker --grep banana --since 10m --tail 1").text.splitlines()) == 1
    assert kernel.run("%logs talker --level error").text == "No line of talker is like that.\n"
    assert "A level is one of debug, info, warning, error" in kernel.run("%logs talker --level loud").error


def test_events_are_a_table_the_latest_first_and_followed_as_lines(kernel: Kernel, platform: Platform) -> None:
    platform.deploy_live("eventful", talker("<b>"), message="first")
    platform.client.change("eventful", AppChange(title="<i>Big</i>"))
    shown = kernel.run("%events eventful")
    assert shown.html.index("&lt;i&gt;Big&lt;/i&gt;") < shown.html.index("Version 1 is live.")
    assert shown.plain.splitlines()[-1].endswith("eventful  Changed: its title is <i>Big</i>.")
    assert "eventful" in kernel.run("%events --limit 1").plain
    ran = kernel.send("%events eventful -f --limit 1")
    kernel.until_text(ran, "<i>Big</i>")
    platform.client.change("eventful", AppChange(title="Small"))
    kernel.until_text(ran, "its title is Small")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(ran).status == "ok"


def test_following_logs_ends_with_an_interrupt_and_is_no_error(kernel: Kernel, url: str) -> None:
    ran = kernel.send("%logs talker -f --tail 0")
    # The first line may come before anybody listens; so go on talking until one arrives.
    kernel.until_text_while(ran, "said to a follower", lambda: get(url, "/?say=to a follower"))
    kernel.manager.interrupt_kernel()
    kernel.finish(ran)
    assert ran.status == "ok"
    assert ran.error == ""


def test_rollback(kernel: Kernel, url: str) -> None:
    assert get(url).json() == "two"
    ran = kernel.run("%rollback talker")
    assert "talker v3 is live in" in ran.plain
    assert get(url).json() == "one"
    kernel.run("%rollback talker 2")
    assert get(url).json() == "two"
    assert kernel.run("%rollback talker 99").error.startswith('"talker" has no version 99')
    assert kernel.run("%rollback widget").error == "widget has no older version to go back to."


def test_undeploy(kernel: Kernel, platform: Platform) -> None:
    kernel.run("%%deploy short-lived" + talker("x"))
    assert "short-lived is gone" in kernel.run("%undeploy short-lived").text
    with pytest.raises(NotFoundError):
        platform.app("short-lived")


def test_an_unknown_app_is_one_line(kernel: Kernel) -> None:
    for magic in ("%logs", "%rollback", "%undeploy"):
        ran = kernel.run(f"{magic} nobody")
        assert (ran.status, ran.error_name) == ("error", "CommandFailed")
        assert "nobody" in ran.error
        assert "\n" not in ran.error


def test_url_of_an_app(kernel: Kernel, url: str) -> None:
    assert kernel.run("import gofastapi_ext; print(gofastapi_ext.url('talker'))").text.strip() == url
    assert kernel.run("gofastapi_ext.url('nobody')").error_name == "NotFoundError"


def test_completion(kernel: Kernel, url: str) -> None:
    assert kernel.complete("%%depl") == ["%%deploy", "%%deployfile"]
    assert {"--env", "--file", "--run", "--message", "--open"} <= set(kernel.complete("%%deploy talker --"))
    assert kernel.complete("%%deploy talker --fi\nimport os\n", len("%%deploy talker --fi")) == ["--file"]
    assert kernel.complete("%%deploy talker --file he") == ["helpers.py"]
    assert kernel.complete("%%deploy talker --file ") == ["helpers.py", "my\\ data/"]
    assert kernel.complete("%%deploy talker --file my\\ data/") == ["my\\ data/numbers.json"]
    assert "--run" not in kernel.complete("%%deploy talker --env ")
    assert kernel.complete("%%deploy tal") == ["talker"]
    assert kernel.complete("%logs tal") == ["talker"]
    options = ["--follow", "--grep", "--instance", "--level", "--since", "--tail", "--until"]
    assert sorted(kernel.complete("%logs talker -")) == options
    assert kernel.complete("%events tal") == ["talker"]
    assert kernel.complete("%undeploy talk") == ["talker"]
    assert "1" in kernel.complete("%rollback talker ")
    # The body of a cell, and other magics, are not ours.
    assert "getcwd" in kernel.complete("%%deploy talker\nimport os\nos.getcw")[0]
    assert "%timeit" in kernel.complete("%timei")


def test_completion_waits_for_nobody(folder: Path, tmp_path: Path) -> None:
    with running_kernel(tmp_path, GOFASTAPI_HOME=str(tmp_path / "no service here")) as kernel:
        kernel.complete("%%deploy ")
        started = time.monotonic()
        assert kernel.complete("%%deploy hello --r") == ["--run"]
        assert "talker" not in kernel.complete("%%deploy ")
        assert time.monotonic() - started < 5
        assert not (tmp_path / "no service here").exists()
        ran = kernel.run("%apps")
        assert ran.text.startswith("GoFastAPI is not running.")
        assert not (tmp_path / "no service here").exists()


@pytest.mark.parametrize(
    "magic", ["%%deploy", "%%deployfile", "%apps", "%logs", "%rollback", "%versions", "%diff", "%undeploy"]
)
def test_help(kernel: Kernel, magic: str) -> None:
    shown = kernel.run(f"{magic}?").help
    assert f"Usage: {magic}" in shown
    if magic == "%%deploy":
        for option in ("--env K=V", "--file PATH", "--run", "--message TEXT", "--open", "app = FastAPI()"):
            assert option in shown


def test_unload_takes_everything_away(platform: Platform, tmp_path: Path) -> None:
    with running_kernel(tmp_path, GOFASTAPI_HOME=str(platform.places.home)) as kernel:
        kernel.run("%unload_ext gofastapi_ext")
        kernel.run("%load_ext gofastapi_ext")
        kernel.run("%load_ext gofastapi_ext")
        assert kernel.complete("%%depl") == ["%%deploy", "%%deployfile"]
        assert kernel.run("%reload_ext gofastapi_ext").status == "ok"
        kernel.run("%unload_ext gofastapi_ext")
        assert "not found" in kernel.run("%apps").text
        assert "--follow" not in kernel.complete("%logs talker --")
