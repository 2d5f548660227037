"""What nobody means to do and somebody does: odd output, huge errors, daemons, floods of names, late uploads."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx
import psutil
import pytest
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.errors import ConflictError, NotFoundError
from gofastapi_ext.core.lifecycle import Stage, State
from gofastapi_ext.core.models import DeployRequest

HEAD = "from fastapi import *\nfrom fastapi.responses import *\n"

DAEMONS = f"""{HEAD}
import os, subprocess

def daemon():
    told, tell = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(tell, str(os.getpid()).encode())
            os.execvp("sleep", ["sleep", "1000"])
        os._exit(0)
    os.wait()
    return int(os.read(told, 100))

pids = [daemon(), subprocess.Popen(["sleep", "1000"], start_new_session=True).pid]
app = FastAPI()

@app.get("/")
def root():
    return pids
"""


def hello(word: str) -> str:
    return HEAD + f"app = FastAPI()\n@app.get('/')\ndef root(): return {word!r}\n"


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    with running_platform(GOFASTAPI_MAX_CRASHES="2") as platform:
        yield platform


@pytest.fixture
def hurt(own: Platform) -> Platform:
    """A service to be hurt, as those before left it, but for their apps."""
    own.mend()
    return own


def zygotes(platform: Platform) -> list[psutil.Process]:
    service = psutil.Process(platform.client.service().pid)
    return [process for process in service.children() if "gofastapi_runner.zygote" in command_of(process)]


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it is over, or as good as
        return []


def all_ended(pids: list[int]) -> bool:
    return not any(is_running(pid) for pid in pids)


def is_running(pid: int) -> bool:
    try:
        return not is_zombie(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def is_zombie(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_output_and_errors_hold_any_character(platform: Platform) -> None:
    text = "a\u2028b\u2029c\x85d\x0ce\x1cf\x00g\ud7ff"
    platform.deploy_live("odd", HEAD + f"print({text!r})\nprint('next')\napp = FastAPI()\n")
    until(lambda: "next" in platform.logs("odd"), what="printed")
    assert text in [line.text for line in platform.client.logs("odd")]
    failed = platform.deploy_failed("odd", HEAD + "raise RuntimeError('a\\u2028b')\napp = FastAPI()\n")
    assert failed.diagnostics[0].line == 3


def test_an_error_of_megabytes_is_told_at_once_and_in_short(platform: Platform) -> None:
    failed = platform.deploy_failed("huge", HEAD + "raise RuntimeError('x' * 3_000_000)\napp = FastAPI()\n")
    [found] = failed.diagnostics
    assert (found.code, found.line) == ("start_failed", 3)
    assert found.message.startswith("RuntimeError: xxx")
    assert len(found.message) < 3_000
    assert failed.seconds < 10


def test_a_cell_of_missing_imports_is_told_in_short_and_hurts_no_other_app(platform: Platform) -> None:
    url = platform.deploy_live("bystander", hello("here"))
    [before] = platform.app("bystander").instances
    names = ",".join(f"missing_{number:05d}" for number in range(20_000))
    failed = platform.deploy_failed("names", f"import {names}\n{hello('x')}")
    assert {d.code for d in failed.diagnostics} == {"missing_module"}
    assert len(failed.model_dump_json()) < 1_000_000
    assert "too much" in platform.deploy_failed("names", f"import {'a' * 2_500_000}\n").diagnostics[0].message
    assert get(url).json() == "here"
    assert platform.app("bystander").instances == [before]


def test_pages_in_any_form_arrive_whole(platform: Platform) -> None:
    source = HEAD + (
        "app = FastAPI()\nPAGE = b'<html><head></head><body>whole</body></html>'\n"
        "@app.get('/view')\ndef view(): return HTMLResponse(memoryview(PAGE))\n"
        "open('page.html', 'wb').write(PAGE)\n"
        "class Plain(FileResponse):\n"
        "    def set_stat_headers(self, info): self.headers['content-length'] = str(info.st_size)\n"
        "@app.get('/file')\ndef file(): return Plain('page.html', media_type='text/html')\n"
    )
    url = platform.deploy_live("pages", source)
    assert "whole" in get(url, "/view").text
    assert "whole" in get(url, "/file").text


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to a process of ours")
def test_daemons_end_with_the_app_that_started_them(hurt: Platform) -> None:
    url = hurt.deploy_live("daemons", DAEMONS)
    seen = get(url).json()
    assert not all_ended(seen)
    os.kill(hurt.app("daemons").instances[0].pid, signal.SIGKILL)
    until(lambda: all_ended(seen), what="gone after a crash")
    hurt.until_state("daemons", State.RUNNING)

    seen = get(url).json()
    hurt.deploy_live("daemons", hello("none"))
    until(lambda: all_ended(seen), what="gone after a redeploy")

    hurt.deploy_live("daemons", DAEMONS)
    seen = get(url).json()
    hurt.client.delete("daemons")
    until(lambda: all_ended(seen), what="gone with the app")

    seen = get(hurt.deploy_live("daemons", DAEMONS)).json()
    assert hurt.process is not None
    hurt.process.kill()
    until(lambda: all_ended(seen), what="gone after a crash of the service")


def test_zygotes_that_end_are_no_crashes_of_the_app(hurt: Platform) -> None:
    url = hurt.deploy_live("app", hello("steady"))
    for _ in range(3):
        [instance] = hurt.app("app").instances
        [zygote] = until(lambda: found if len(found := zygotes(hurt)) == 1 else [], what="one zygote")
        zygote.kill()
        until(lambda gone=instance: hurt.app("app").instances not in ([gone], []), what="another instance")
        assert get(url).json() == "steady"


def test_failed_attempts_push_no_version_out_that_was_live(platform: Platform) -> None:
    platform.deploy_live("keeps", hello("one"))
    platform.deploy_live("keeps", hello("two"))
    for number in range(12):
        platform.deploy_failed("keeps", HEAD + f"raise RuntimeError({number})\napp = FastAPI()\n")
    versions = {v.number: v.state for v in platform.client.versions("keeps")}
    assert (versions[1], versions[2]) == ("superseded", "live")
    assert len(versions) == 12
    platform.deploy_live("keeps", hello("three"))
    assert list(platform.client.rollback("keeps", 1))[-1].stage is Stage.LIVE
    assert get(platform.app("keeps").url).json() == "one"


def test_code_that_goes_with_one_app_stays_for_another(platform: Platform) -> None:
    """Bundles are shared: one is removed while a version of another app is about to use it."""
    for number in range(8):
        bundle = Bundle(files={"main.py": BundleFile(text=hello(f"shared {number}"))})
        platform.deploy_live("goes", hello(f"shared {number}"))
        removal = Thread(target=platform.client.delete, args=["goes"])
        removal.start()
        with Client(platform.places) as client:
            last = list(client.deploy("stays", DeployRequest(bundle=bundle)))[-1]
        removal.join()
        platform.deploy_live("stays", hello("between"))
        assert last.version is not None
        assert list(platform.client.rollback("stays", last.version))[-1].stage is Stage.LIVE


def test_a_parked_app_says_so_to_who_sends_a_lot(platform: Platform) -> None:
    platform.deploy_failed("parked", HEAD + "raise RuntimeError('never up')\napp = FastAPI()\n")
    url = str(platform.app("parked").url)
    for _ in range(5):
        answer = httpx.post(url, content=b"x" * 3_000_000, trust_env=False, timeout=10)
        assert answer.status_code == 503
        assert "never up" in answer.text


def test_many_redeploys_and_removals_leave_nothing_open(hurt: Platform) -> None:
    service = psutil.Process(hurt.client.service().pid)
    hurt.deploy_live("app", hello("first"))
    until(lambda: len(hurt.processes()) == 3, what="mongod, zygote, one instance")
    [zygote] = zygotes(hurt)
    before = service.num_fds(), zygote.num_fds()
    for number in range(15):
        hurt.deploy_live("app", hello(f"next {number}"))
        hurt.deploy("passing", HEAD + f"raise RuntimeError({number})\napp = FastAPI()\n")
        hurt.client.delete("passing")
    until(lambda: len(hurt.processes()) == 3, what="the old instances gone")
    # The database's pool has up to 20 connections.
    until(lambda: service.num_fds() <= before[0] + 8 and zygote.num_fds() == before[1], what="descriptors closed")
    until(lambda: not [p for p in service.children(recursive=True) if is_zombie(p)], what="all waited for")


def test_a_mongod_left_by_a_crash_is_adopted_and_replaced_when_it_dies(hurt: Platform) -> None:
    url = hurt.deploy_live("app", hello("here"))
    mongod = hurt.mongod_pid
    assert hurt.process is not None
    hurt.process.kill()
    hurt.process.wait(5)
    hurt.start()
    assert hurt.mongod_pid == mongod
    os.kill(mongod, signal.SIGKILL)
    until(lambda: hurt.mongod_pid != mongod, what="another mongod")
    hurt.deploy_live("app", hello("there"))
    assert get(url).json() == "there"


def test_a_service_started_while_another_ends_comes_up(hurt: Platform) -> None:
    hurt.deploy_live("app", hello("here"))
    ask = "from gofastapi_ext.client.client import connect; print(connect().service().pid)"
    first = hurt.client.service().pid
    os.kill(first, signal.SIGTERM)
    clients = [
        subprocess.Popen([sys.executable, "-c", ask], env=hurt.environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = {client.communicate(timeout=60)[0].strip() for client in clients}
    assert len(answers) == 1, "one service for all"
    assert answers != {str(first)}
    assert {client.returncode for client in clients} == {0}
    hurt.until_state("app", State.RUNNING)


def test_a_home_of_any_name_works(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home") / "a b, 'ü' %41"
    environment = os.environ | {"GOFASTAPI_HOME": str(home)}
    ask = "from gofastapi_ext.client.client import connect; connect().apps(); print('works')"
    run = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, timeout=60)
    subprocess.run([Path(sys.executable).with_name("gofastapi"), "down"], env=environment, check=True, timeout=60)
    assert run.stdout == "works\n", run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere this machine has one loopback address")
def test_late_requests_find_the_next_version_at_any_address() -> None:
    with running_platform(GOFASTAPI_HOST="127.0.0.2") as elsewhere:
        url = elsewhere.deploy_live("app", hello("old"))
        with httpx.Client(timeout=30, trust_env=False) as kept_alive:
            assert kept_alive.get(url).json() == "old"
            elsewhere.deploy_live("app", hello("new"))
            assert kept_alive.get(url).json() == "new"


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    environment = os.environ | {"GOFASTAPI_HOME": str(tmp_path), "GOFASTAPI_FIRST_PORT": "70000"}
    command = [Path(sys.executable).with_name("gofastapi"), "up"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "GOFASTAPI_FIRST_PORT is wrong" in run.stdout + run.stderr


def test_deploys_and_removals_of_one_app_by_many_leave_one_instance(hurt: Platform) -> None:
    failures: list[str] = []
    end = time.monotonic() + 4

    def meddle(seed: int) -> None:
        choice = random.Random(seed)
        with Client(hurt.places) as client:
            while time.monotonic() < end:
                with contextlib.suppress(ConflictError, NotFoundError):
                    if choice.random() < 0.3:
                        client.delete("contested")
                    else:
                        bundle = Bundle(files={"main.py": BundleFile(text=hello(str(choice.randint(0, 5))))})
                        last = list(client.deploy("contested", DeployRequest(bundle=bundle)))[-1]
                        failures.extend(found.message for found in last.diagnostics)

    threads = [Thread(target=meddle, args=[seed]) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    url = hurt.deploy_live("contested", hello("last"))
    assert get(url).json() == "last"
    until(lambda: len(hurt.processes()) == 3, what="mongod, zygote, one instance")
