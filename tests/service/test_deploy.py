"""One deploy, from request to URL."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import httpx
import pytest
from support.platform import Platform, get
from support.waiting import held_until, until

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.errors import (
    ConflictError,
    GoFastAPIError,
    InvalidNameError,
    InvalidRequestError,
    NotFoundError,
)
from gofastapi_ext.core.lifecycle import STAGES, Stage, State
from gofastapi_ext.core.models import DeployRequest

HELLO = """
from fastapi import FastAPI
app = FastAPI()

@app.get("/")
def root():
    return {"says": "WORD"}
"""


def hello(word: str) -> str:
    return HELLO.replace("WORD", word)


def test_first_deploy_goes_through_every_stage_and_is_live(platform: Platform) -> None:
    events = platform.deploy("first", hello("one"))
    assert [event.stage for event in events] == list(STAGES)
    assert all(event.seconds >= 0 for event in events)
    live = events[-1]
    assert live.version == 1
    assert live.url is not None
    assert live.seconds >= sum(event.seconds for event in events[:-1])
    assert get(live.url).json() == {"says": "one"}
    assert platform.app("first").state is State.RUNNING


def test_the_same_again_is_unchanged_and_a_change_is_the_next_version_at_the_same_url(platform: Platform) -> None:
    url = platform.deploy_live("again", hello("one"))
    pid = platform.app("again").instances[0].pid

    unchanged = platform.deploy("again", hello("one"))[-1]
    assert (unchanged.unchanged, unchanged.version, unchanged.url) == (True, 1, url)
    assert platform.app("again").instances[0].pid == pid

    changed = platform.deploy("again", hello("two"))[-1]
    assert (changed.unchanged, changed.version, changed.url) == (False, 2, url)
    assert get(url).json() == {"says": "two"}


def test_another_environment_is_a_new_version(platform: Platform) -> None:
    source = "import os\nfrom fastapi import FastAPI\napp = FastAPI()\napp.get('/')(lambda: os.environ['WORD'])\n"
    url = platform.deploy_live("env", source, env={"WORD": "a"})
    assert get(url).json() == "a"
    assert platform.deploy("env", source, env={"WORD": "a"})[-1].unchanged
    assert platform.deploy("env", source, env={"WORD": "b"})[-1].version == 2
    assert get(url).json() == "b"
    assert platform.client.versions("env")[0].env_names == ["WORD"]


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"PLATFORM_MONGO_URI": "x"}, "set by the platform"),
        ({"PORT": "1"}, "set by the platform"),
        ({"A B": "x"}, "cannot be the name"),
        ({"A": "x\0"}, "NUL"),
        ({"A": "x" * 70_000}, "70.0 kB together; 64.0 kB is the limit"),
    ],
)
def test_variables_that_cannot_be_are_refused(platform: Platform, env: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        platform.deploy("env", HELLO, env=env)


def test_a_failed_deploy_never_touches_what_is_serving(platform: Platform) -> None:
    url = platform.deploy_live("safe", hello("good"))
    pid = platform.app("safe").instances[0].pid
    for broken in ("def broken(:\n", "raise RuntimeError('at import')\n" + HELLO, "import sys\nsys.exit(3)\n" + HELLO):
        platform.deploy_failed("safe", broken)
        assert get(url).json() == {"says": "good"}
        view = platform.app("safe")
        assert (view.state, view.version, view.instances[0].pid) == (State.RUNNING, 1, pid)


def test_a_traceback_at_start_names_cell_and_line(platform: Platform) -> None:
    source = "from fastapi import FastAPI\napp = FastAPI()\n\ndef helper():\n    return 1 / 0\n\nhelper()\n"
    failed = platform.deploy_failed("broken-start", source)
    assert failed.failed_stage is Stage.START
    [found] = failed.diagnostics
    assert found.message == "ZeroDivisionError: division by zero"
    assert (found.file, found.line) == ("main.py", 5)
    assert found.cell is not None
    # The cell's first line is the magic's own.
    assert (found.cell.label, found.cell.line) == ("In[5]", 6)
    assert found.source == "    return 1 / 0"
    assert (found.column, found.end_line, found.end_column) == (11, 5, 16)
    assert found.traceback is not None
    assert "In[5] of test.ipynb, line 8, in <module>\n    helper()" in found.traceback
    assert "gofastapi_runner" not in found.traceback


def test_a_traceback_at_request_time_names_cell_and_line_in_the_log(platform: Platform) -> None:
    source = hello("x") + "\n@app.get('/fail')\ndef fail():\n    nothing = {}\n    return nothing['missing']\n"
    url = platform.deploy_live("broken-request", source)
    assert get(url, "/fail").status_code == 500
    # The answer is sent before the exception is told.
    log = until(lambda: text if "KeyError" in (text := platform.logs("broken-request")) else "", what="traceback")
    assert "GET /fail raised" in log
    assert "In[5] of test.ipynb, line 13, in fail" in log
    assert "return nothing['missing']" in log
    assert "KeyError: 'missing'" in log


def test_rollback_makes_a_new_version_of_an_old_one(platform: Platform) -> None:
    url = platform.deploy_live("back", hello("one"))
    platform.deploy_live("back", hello("two"))
    last = list(platform.client.rollback("back", 1))[-1]
    assert (last.stage, last.version) == (Stage.LIVE, 3)
    assert get(url).json() == {"says": "one"}
    versions = platform.client.versions("back")
    assert [(v.number, v.state, v.rollback_of) for v in versions] == [
        (3, "live", 1),
        (2, "superseded", None),
        (1, "superseded", None),
    ]
    assert versions[0].code_hash == versions[2].code_hash
    with pytest.raises(NotFoundError, match=r"no version 99. It has: 3, 2, 1"):
        list(platform.client.rollback("back", 99))


def test_files_an_app_wrote_go_along_to_its_next_version(platform: Platform) -> None:
    source = (
        "import pathlib, sqlite3\nfrom fastapi import FastAPI\napp = FastAPI()\n"
        "db = sqlite3.connect('notes.db', check_same_thread=False)\n"
        "db.execute('create table if not exists notes (text)')\n"
        "@app.get('/add/{text}')\n"
        "def add(text: str):\n"
        "    with db: db.execute('insert into notes values (?)', [text])\n"
        "    folder = pathlib.Path('uploads/deep')\n"
        "    folder.mkdir(parents=True, exist_ok=True)\n"
        "    (folder / text).write_text(text)\n"
        "@app.get('/')\n"
        "def notes():\n"
        "    files = sorted(p.name for p in pathlib.Path('.').rglob('*') if p.is_file() and p.suffix != '.pyc')\n"
        "    return [row[0] for row in db.execute('select text from notes')], files\n"
    )
    url = platform.deploy_live("writes", source, files={"shipped.txt": "1"})
    get(url, "/add/one")
    platform.deploy_live("writes", source + "# changed\n")
    # What was the bundle's own goes with it; what the app wrote stays with the app.
    assert get(url).json() == [["one"], ["main.py", "notes.db", "one"]]
    get(url, "/add/two")
    list(platform.client.rollback("writes", 1))
    assert get(url).json() == [["one", "two"], ["main.py", "notes.db", "one", "shipped.txt", "two"]]


def test_only_the_last_ten_versions_are_kept(platform: Platform) -> None:
    for number in range(12):
        platform.deploy_live("many", hello(f"word {number}"))
    assert [v.number for v in platform.client.versions("many")] == list(range(12, 2, -1))
    folder = platform.places.home / "apps" / "many" / "versions"
    until(lambda: {path.name for path in folder.iterdir()} == {str(n) for n in range(3, 13)}, what="files pruned")


def test_delete_for_good_takes_everything_away_and_the_name_can_be_used_again(platform: Platform) -> None:
    url = platform.deploy_live("gone", hello("one"))
    platform.client.delete("gone", forever=True)
    with pytest.raises(NotFoundError):
        platform.app("gone")
    assert "gone" not in [app.id for app in platform.client.apps()]
    assert not (platform.places.home / "apps" / "gone").exists()
    with pytest.raises(httpx.ConnectError, match="refused"):
        get(url)
    assert platform.deploy("gone", hello("two"))[-1].version == 1


@pytest.mark.parametrize("name", ["Hello", "my_app", "-x", "x-", "1st", "a" * 41, "admin", "ä", "a.b"])
def test_wrong_names_are_refused_with_what_a_name_may_be(platform: Platform, name: str) -> None:
    with pytest.raises(InvalidNameError, match="name"):
        platform.deploy(name, HELLO)


@pytest.mark.parametrize("name", ["..", "a/b", "%2e%2e", "x?y"])
def test_names_that_are_paths_reach_nothing(platform: Platform, name: str) -> None:
    with pytest.raises(GoFastAPIError):
        platform.deploy(name, HELLO)


def test_a_second_deploy_of_the_same_app_at_once_is_refused(platform: Platform, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    slow = held_until(gate) + hello("slow")
    results = []
    first = Thread(target=lambda: results.append(platform.deploy("twice", slow)))
    first.start()
    until(lambda: (platform.places.home / "apps" / "twice" / "versions" / "1").exists(), what="first deploy started")
    with pytest.raises(ConflictError, match='Another deploy of "twice" is under way'):
        platform.deploy("twice", hello("fast"))
    gate.touch()
    first.join()
    assert results[0][-1].stage is Stage.LIVE
    assert get(results[0][-1].url).json() == {"says": "slow"}


def test_a_deploy_goes_on_when_its_caller_goes_away(platform: Platform, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    source = held_until(gate) + hello("late")
    stream = platform.client.deploy("left", DeployRequest(bundle=Bundle(files={"main.py": BundleFile(text=source)})))
    next(stream)
    stream.close()
    gate.touch()
    view = until(lambda: v if (v := platform.app("left")).state is State.RUNNING else None, what="live")
    assert view.url is not None
    assert get(view.url).json() == {"says": "late"}
