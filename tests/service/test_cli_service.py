"""The service by the command line: up, down, status, doctor, and what they do after a crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import psutil
import pytest
from support.cli import COMMAND, CommandLine, command_line
from support.platform import get
from support.waiting import until

from gofastapi_ext._version import __version__
from gofastapi_ext.client.discovery import is_listening

OTHER_VERSION = (
    "import gofastapi_ext._version as v; v.__version__ = '0.0.1'; "
    "import runpy; runpy.run_module('gofastapi_ext.platform', run_name='__main__')"
)


@pytest.fixture
def cli() -> Iterator[CommandLine]:
    with command_line() as nothing_running:
        yield nothing_running


def everything_of(status: dict) -> list[psutil.Process]:
    """The service of this status and all it started."""
    service = psutil.Process(status["service"]["pid"])
    return [service, *service.children(recursive=True)]


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_before_the_first_start(cli: CommandLine) -> None:
    assert cli.json("status") == {"running": False, "service": None, "mongo": None, "apps": []}
    assert "not running" in cli.run("status")
    assert cli.json("apps") == []
    assert cli.json("down") == {"running": False, "ended": [], "killed": False}
    assert cli.json("doctor")["ok"]
    assert not cli.home.exists()


def test_up_status_and_down(cli: CommandLine) -> None:
    first = cli.json("up")
    assert first["started"]
    assert not cli.json("up")["started"]
    cli.write_app("up")
    url = cli.lines("deploy", "main.py", "--name", "notes")[-1]["url"]

    status = cli.json("status")
    assert status["running"]
    assert (status["service"]["pid"], status["service"]["version"]) == (first["service"]["pid"], __version__)
    assert status["service"]["socket"] == str(cli.places.socket)
    assert psutil.Process(status["mongo"]["pid"]).name() == "mongod"
    assert status["mongo"]["address"] == str(cli.places.mongo_socket)
    (app,) = status["apps"]
    assert (app["id"], app["state"], app["url"]) == ("notes", "running", url)
    assert all(psutil.pid_exists(pid) for pid in app["instance_pids"])

    processes = everything_of(status)
    assert {status["mongo"]["pid"], *app["instance_pids"]} <= {process.pid for process in processes}
    down = cli.json("down")
    assert not down["killed"]
    assert {ended["pid"] for ended in down["ended"]} == {process.pid for process in processes}
    assert down["ended"][0] == {"what": "service", "pid": status["service"]["pid"]}
    assert [process for process in processes if not is_gone(process)] == []
    assert cli.json("status")["running"] is False


def test_up_brings_the_apps_back(cli: CommandLine) -> None:
    cli.write_app("up")
    url = cli.lines("deploy", "main.py", "--name", "notes")[-1]["url"]
    before = cli.json("status")["service"]["pid"]
    again = cli.json("up", "--restart")
    assert again["service"]["pid"] != before
    assert again["apps"][0]["state"] == "running"
    assert get(url).json() == {"says": "up"}

    # A plain signal ends it on purpose as well.
    os.kill(again["service"]["pid"], signal.SIGTERM)
    until(lambda: not psutil.pid_exists(again["service"]["pid"]), what="the service ended")
    assert cli.json("status")["running"] is False


def test_after_a_crash_status_brings_everything_back(cli: CommandLine) -> None:
    cli.write_app("kept")
    url = cli.lines("deploy", "main.py", "--name", "kept")[-1]["url"]
    before = cli.json("status")
    os.kill(before["service"]["pid"], signal.SIGKILL)
    until(lambda: not is_listening(cli.places), what="the service is gone")
    broken = next(c for c in cli.json("doctor", status=1)["checks"] if c["what"] == "service")
    assert (broken["mark"], broken["found"]) == ("broken", "it has crashed")

    after = cli.json("status")
    assert after["restarted"]
    assert after["service"]["pid"] != before["service"]["pid"]
    assert [app["state"] for app in after["apps"]] == ["running"]
    assert get(url).json() == {"says": "kept"}
    assert not cli.json("status")["restarted"]

    os.kill(after["service"]["pid"], signal.SIGKILL)
    until(lambda: not is_listening(cli.places), what="the service is gone")
    assert cli.run("status").startswith("The service had crashed; it was started again.\n")


def test_down_after_a_crash_ends_what_is_left(cli: CommandLine) -> None:
    cli.write_app("left")
    cli.run("deploy", "main.py", "--name", "left")
    status = cli.json("status")
    processes = everything_of(status)
    os.kill(status["service"]["pid"], signal.SIGKILL)
    until(lambda: not is_listening(cli.places), what="the service is gone")
    down = cli.json("down")
    assert status["mongo"]["pid"] in [ended["pid"] for ended in down["ended"]]
    until(lambda: all(is_gone(process) for process in processes), what="nothing is left")
    assert cli.json("status")["running"] is False


def test_down_kills_a_service_that_hangs(cli: CommandLine) -> None:
    cli.write_app("hung")
    cli.run("deploy", "main.py", "--name", "hung")
    processes = everything_of(cli.json("status"))
    os.kill(processes[0].pid, signal.SIGSTOP)
    down = cli.json("down")
    assert down["killed"]
    assert [process for process in processes if not is_gone(process)] == []
    assert cli.json("status")["running"] is False


def test_down_never_touches_a_stranger(cli: CommandLine) -> None:
    """A file left behind may name a process that is somebody else's by now."""
    cli.places.make()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "gofastapi_ext.platform"])
    try:
        cli.places.service_info.write_text(json.dumps({"pid": stranger.pid, "version": __version__}))
        assert cli.json("down")["ended"] == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_down_leaves_the_service_of_another_home_alone(cli: CommandLine) -> None:
    with command_line() as other:
        pid = other.json("up")["service"]["pid"]
        cli.places.make()
        assert cli.json("down")["ended"] == []
        assert other.json("status")["service"]["pid"] == pid


def test_a_service_of_another_version(cli: CommandLine) -> None:
    cli.write_app("versions")
    cli.places.make()
    old = subprocess.Popen(
        [sys.executable, "-c", OTHER_VERSION, "gofastapi_ext.platform"],
        env=cli.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: is_listening(cli.places), what="the other version is up")
        said = cli.finish("apps")
        assert said.returncode == 1
        assert f"The running GoFastAPI service is version 0.0.1, this is {__version__}." in said.stderr
        assert cli.json("apps", status=1)["error"]["code"] == "version_mismatch"
        last = cli.lines("deploy", "main.py", "--name", "x", status=1)[-1]
        assert (last["stage"], last["diagnostics"][0]["code"]) == ("failed", "version_mismatch")
        assert cli.json("status")["service"]["version"] == "0.0.1"
        assert "gofastapi up --restart" in cli.run("status")
        warning = next(c for c in cli.json("doctor")["checks"] if c["what"] == "service")
        assert warning["mark"] == "warning"

        with at_terminal(cli, "apps") as declined:
            declined.expect("Restart it now")
            declined.sendline("n")
            declined.expect(pexpect.EOF)
        assert declined.exitstatus == 1
        assert old.poll() is None

        with at_terminal(cli, "apps") as accepted:
            accepted.expect("Restart it now")
            accepted.sendline("")
            accepted.expect("Started")
            accepted.expect("No apps yet")
            accepted.expect(pexpect.EOF)
        assert accepted.exitstatus == 0
        assert old.wait(30) == 0
    finally:
        # Where it is not as it should be, nobody waits for its end.
        old.kill()
        old.wait()
    assert cli.json("status")["service"]["version"] == __version__


def test_doctor_names_what_is_wrong(cli: CommandLine, tmp_path: Path) -> None:
    def broken(**environment: str) -> dict[str, str]:
        found = cli.json("doctor", status=1, **environment)
        assert not found["ok"]
        return {check["what"]: check["found"] for check in found["checks"] if check["mark"] == "broken"}

    assert "GOFASTAPI_MONGOD" in broken(GOFASTAPI_MONGOD=str(tmp_path))["MongoDB"]
    no_program = tmp_path / "mongod"
    no_program.write_text("#!/bin/sh\nexit 3\n")
    no_program.chmod(0o755)
    assert "does not run" in broken(GOFASTAPI_MONGOD=str(no_program))["MongoDB"]
    a_file = tmp_path / "file"
    a_file.write_text("")
    assert broken(GOFASTAPI_HOME=str(a_file / "home")).keys() == {"home"}


def test_doctor_looks_at_apps_and_the_log(cli: CommandLine) -> None:
    cli.write_app("fine")
    cli.run("deploy", "main.py", "--name", "fine")
    cli.write("main.py", "def f(:\n")
    cli.run("deploy", "main.py", "--name", "never-live", status=1)
    with cli.places.service_log.open("a") as log:
        log.write("2026-01-01 00:00:00 ERROR gofastapi: the sky fell\n")
    found = cli.json("doctor")
    marks = {check["what"]: (check["mark"], check["found"]) for check in found["checks"]}
    assert marks["app fine"] == ("ok", "running")
    assert marks["app never-live"][0] == "warning"
    assert marks["log"][0] == "warning"
    assert "the sky fell" in marks["log"][1]
    text = cli.run("doctor")
    assert text.endswith("All is well.\n")
    assert all(line[0] in "✓!✕ " for line in text.splitlines()[:-2])


def test_a_service_that_cannot_start_says_why(cli: CommandLine) -> None:
    said = cli.finish("up", GOFASTAPI_MONGOD="/nonexistent")
    assert said.returncode == 1
    assert "did not start" in said.stderr
    assert "GOFASTAPI_MONGOD" in said.stderr
    cli.write_app()
    failed = cli.finish("deploy", "main.py", "--name", "x", "--json", GOFASTAPI_MONGOD="/nonexistent")
    last = json.loads(failed.stdout.splitlines()[-1])
    assert (failed.returncode, last["stage"]) == (1, "failed")
    assert last["diagnostics"][0]["code"] == "service_unreachable"


def at_terminal(cli: CommandLine, *arguments: str) -> pexpect.spawn:
    return pexpect.spawn(
        COMMAND, list(arguments), cwd=str(cli.folder), env=cli.environment, encoding="utf-8", timeout=30
    )
