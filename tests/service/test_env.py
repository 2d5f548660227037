"""An app's variables and secrets: changed as safely as a deploy, and never to be read again."""

from __future__ import annotations

import io
import os
import signal
import threading

import httpx
import pytest
from support.platform import Platform, get
from support.waiting import until

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.errors import GoFastAPIError, InvalidRequestError, NotFoundError
from gofastapi_ext.core.lifecycle import Stage, State
from gofastapi_ext.core.models import AppChange, StageEvent
from gofastapi_ext.core.variables import EnvChange, Setting, VariableView

SHOW = (
    "import os\nfrom fastapi import FastAPI\napp = FastAPI()\n"
    "@app.get('/')\ndef root(): return {**os.environ, 'PID': os.getpid()}\n"
)
SECRET = "sk_live_51H/b+c&d é"


def change(unset: tuple[str, ...] = (), secrets: dict[str, str] | None = None, **variables: str) -> EnvChange:
    plain = {name: Setting(value=value) for name, value in variables.items()}
    hidden = {name: Setting(value=value, secret=True) for name, value in (secrets or {}).items()}
    return EnvChange(set=plain | hidden, unset=list(unset))


def changed(platform: Platform, app: str, wanted: EnvChange) -> StageEvent:
    """Change the variables of an app that runs, and of which nothing is to go wrong."""
    last = list(platform.client.change_env(app, wanted))[-1]
    assert last.stage is Stage.LIVE, last
    return last


def variables(platform: Platform, app: str) -> dict[str, VariableView]:
    return {v.name: v for v in platform.client.env(app).variables}


def test_a_batch_is_one_restart_with_the_new_values(platform: Platform) -> None:
    url = platform.deploy_live("batch", SHOW, env={"OF_VERSION": "1"})
    before = get(url).json()
    stages = list(platform.client.change_env("batch", change(A="1", B="two words", C="", secrets={"TOKEN": SECRET})))
    assert [event.stage for event in stages] == [Stage.START, Stage.READY, Stage.LIVE]
    assert stages[-1].version == 1
    seen = get(url).json()
    assert [seen[name] for name in ("A", "B", "C", "TOKEN", "OF_VERSION")] == ["1", "two words", "", SECRET, "1"]
    assert seen["PID"] != before["PID"]
    assert platform.app("batch").version == 1

    changed(platform, "batch", change(unset=("A", "TOKEN"), B="three"))
    after = get(url).json()
    assert (after["B"], after["C"]) == ("three", "")
    assert "A" not in after
    assert "TOKEN" not in after
    assert list(variables(platform, "batch")) == ["B", "C"]
    # They belong to the app: the next version has them too.
    platform.deploy_live("batch", SHOW + "# 2\n")
    assert get(url).json()["B"] == "three"


def test_what_changes_nothing_restarts_nothing(platform: Platform) -> None:
    url = platform.deploy_live("same", SHOW)
    changed(platform, "same", change(A="1"))
    pid = get(url).json()["PID"]
    assert changed(platform, "same", change(A="1")).unchanged
    assert get(url).json()["PID"] == pid


def test_a_versions_own_variables_win(platform: Platform) -> None:
    url = platform.deploy_live("layers", SHOW, env={"A": "of the version"})
    changed(platform, "layers", change(A="of the app"))
    assert get(url).json()["A"] == "of the version"
    assert variables(platform, "layers")["A"].overridden
    platform.deploy_live("layers", SHOW)
    assert get(url).json()["A"] == "of the app"
    assert not variables(platform, "layers")["A"].overridden


def test_no_request_fails_during_changes(platform: Platform) -> None:
    url = platform.deploy_live("loaded", SHOW)
    failures: list[object] = []
    answers: list[str] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(trust_env=False, timeout=15) as client:
            while not over.is_set():
                try:
                    answers.append(client.get(url).raise_for_status().json().get("N", ""))
                except httpx.HTTPError as error:
                    failures.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(8):
            changed(platform, "loaded", change(N=str(number), secrets={"S": f"secret number {number}"}))
            assert get(url).json()["N"] == str(number)
            until(lambda word=str(number): word in answers, what="one of those who ask has it")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_change_the_app_does_not_start_with_leaves_everything_as_it_was(platform: Platform) -> None:
    url = platform.deploy_live("careful", SHOW + "if os.environ.get('MODE') == 'bad': raise ValueError('bad mode')\n")
    changed(platform, "careful", change(MODE="good", secrets={"TOKEN": SECRET}))
    pid, before = get(url).json()["PID"], platform.client.env("careful")
    last = list(platform.client.change_env("careful", change(unset=("TOKEN",), MODE="bad", OTHER="1")))[-1]
    assert last.stage is Stage.FAILED
    assert "bad mode" in last.diagnostics[0].message
    assert get(url).json()["PID"] == pid
    assert platform.client.env("careful") == before
    # Also after a restart of its own.
    os.kill(pid, signal.SIGKILL)
    until(lambda: _pid(url) not in (None, pid), what="back")
    assert get(url).json()["MODE"] == "good"
    assert get(url).json()["TOKEN"] == SECRET


def test_an_app_that_does_not_run_keeps_them_for_its_start(platform: Platform) -> None:
    [saved] = platform.client.change_env("not-yet", change(A="1", secrets={"TOKEN": SECRET}))
    assert saved.stage is Stage.SAVED
    assert platform.app("not-yet").state is State.NEW
    url = platform.deploy_live("not-yet", SHOW + "assert os.environ['TOKEN']\n")
    assert get(url).json()["TOKEN"] == SECRET
    platform.client.stop("not-yet")
    [saved] = platform.client.change_env("not-yet", change(A="2"))
    assert saved.stage is Stage.SAVED
    assert platform.app("not-yet").state is State.STOPPED
    assert list(platform.client.start("not-yet"))[-1].stage is Stage.LIVE
    assert get(url).json()["A"] == "2"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (change(PORT="1"), "set by the platform"),
        (change(PLATFORM_MONGO_URI="x"), "set by the platform"),
        (change(GOFASTAPI_HOME="x"), "set by the platform"),
        (change(PATH="/x"), "os.environ"),
        (change(PYTHONPATH="/x"), "before your app does"),
        (change(LD_PRELOAD="/x.so"), "before your app does"),
        (change(**{"A-B": "1"}), "cannot be the name"),
        (change(A="x\0y"), "NUL"),
        (change(secrets={"S": "abc"}), "4 characters"),
        (change(secrets={"S": "  a  "}), "4 characters"),
        (change(BIG="x" * 70_000), "limit"),
        (change(unset=("A",), A="1"), "only one of the two"),
        (change(), "Nothing"),
        (change(URL="db://u:hunter22@h", secrets={"PASSWORD": "hunter22"}), "make URL a secret too"),
    ],
)
def test_what_cannot_be_set_is_refused_with_the_reason(platform: Platform, wanted: EnvChange, message: str) -> None:
    with pytest.raises(InvalidRequestError) as told:
        list(platform.client.change_env("refused", wanted))
    assert message in told.value.message
    assert "hunter22" not in told.value.message
    with pytest.raises(NotFoundError):
        platform.app("refused")


@pytest.mark.parametrize(
    ("more", "message"),
    [({f"V{n}": "" for n in range(200)}, "201 variables; 200 is the limit"), ({"BIG": "x" * 40_000}, "64.0 kB is the")],
)
def test_the_limits_count_what_is_there_already(platform: Platform, more: dict[str, str], message: str) -> None:
    name = f"full-{len(more)}"
    list(platform.client.change_env(name, change(A="x" * 30_000)))
    [failed] = platform.client.change_env(name, change(**more))
    assert failed.stage is Stage.FAILED
    assert message in failed.diagnostics[0].message
    assert list(variables(platform, name)) == ["A"]


def test_who_reads_while_variables_change_finds_them(platform: Platform) -> None:
    platform.deploy_live("read", SHOW)
    list(platform.client.change_env("read", change(WORD="first")))
    platform.client.stop("read")
    over = threading.Event()
    failures: list[str] = []

    def read() -> None:
        with Client(platform.places) as client:
            while not over.is_set():
                try:
                    assert [v.name for v in client.env("read").variables] == ["WORD"]
                    client.export("read", io.BytesIO())
                except GoFastAPIError as error:
                    failures.append(error.message)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(100):
        list(platform.client.change_env("read", change(WORD=str(number))))
    over.set()
    for reader in readers:
        reader.join()
    assert failures == []


def test_renames_of_the_app_stand_in_no_changes_way(platform: Platform) -> None:
    platform.deploy_live("renamed", SHOW)
    platform.client.stop("renamed")
    over = threading.Event()

    def rename() -> None:
        with Client(platform.places) as client:
            while not over.is_set():
                client.change("renamed", AppChange(title="Another"))

    renamer = threading.Thread(target=rename)
    renamer.start()
    ends = [list(platform.client.change_env("renamed", change(WORD=str(n))))[-1].stage for n in range(50)]
    over.set()
    renamer.join()
    assert set(ends) == {Stage.SAVED}
    assert platform.app("renamed").title == "Another"


def _pid(url: str) -> int | None:
    try:
        return int(get(url).json()["PID"])
    except (httpx.HTTPError, ValueError):
        return None


def test_a_variable_that_is_not_there_is_asked_for(platform: Platform) -> None:
    source = "import os\nfrom fastapi import FastAPI\napp = FastAPI()\nkey = os.environ['API_KEY']\n"
    [found] = platform.deploy_failed("asks", source).diagnostics
    assert "--secret API_KEY" in str(found.hint)
    other = platform.deploy_failed("asks", "from fastapi import FastAPI\napp = FastAPI()\nkey = {}['API_KEY']\n")
    assert other.diagnostics[0].hint is None


def test_the_text_of_a_dotenv_file_is_read_for_a_person_to_choose_from(platform: Platform) -> None:
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(base_url="http://gofastapi/api", transport=transport, trust_env=False) as client:
        text = "MODE=fast # yes\nexport API_TOKEN='abc def'\nPATH=/x\n"
        found = client.post("/dotenv", json={"text": text}).json()
        assert [(v["name"], v["value"], v["looks_secret"]) for v in found] == [
            ("MODE", "fast", False),
            ("API_TOKEN", "abc def", True),
            ("PATH", "/x", False),
        ]
        assert [bool(v["problem"]) for v in found] == [False, False, True]
        refused = client.post("/dotenv", json={"text": "A=1\nhush hush\n"})
        assert refused.status_code == 422
        assert refused.json()["message"] == "Line 2 of the file is not NAME=VALUE."
        assert "hush" not in client.post("/dotenv", json={"text": ["hush"]}).text
