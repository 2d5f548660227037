"""The everyday of the command line: deploy, look, go back, take away."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pexpect
import pytest
from support.cli import COMMAND, CommandLine, command_line
from support.platform import get
from support.waiting import until


@pytest.fixture(scope="module")
def cli() -> Iterator[CommandLine]:
    with command_line() as running:
        running.run("up")
        yield running


def test_help_is_quick_and_names_every_command(cli: CommandLine) -> None:
    text = cli.run("--help")
    for command in (
        *("up", "down", "status", "doctor", "deploy", "apps", "logs", "rollback"),
        *("start", "stop", "restart", "clone", "rename", "rm", "restore", "health", "alerts", "app", "sleep"),
    ):
        assert f"\n  {command} " in text
        assert "--json" in cli.run(command, "--help")
    assert "_GOFASTAPI_COMPLETE=bash_source" in text
    heavy = "{'httpx', 'pydantic', 'IPython', 'psutil', 'pymongo', 'fastapi'} & set(sys.modules)"
    code = f"import sys, gofastapi_ext.cli; assert not {heavy}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_deploy_says_every_stage_as_json(cli: CommandLine) -> None:
    cli.write_app("one")
    stages = cli.lines("deploy", "main.py", "--name", "first")
    assert [stage["stage"] for stage in stages] == ["validate", "release", "start", "ready", "live"]
    assert all(stage["seconds"] >= 0 for stage in stages)
    assert stages[-1]["version"] == 1
    assert get(stages[-1]["url"]).json() == {"says": "one"}

    again = cli.lines("deploy", "main.py", "--name", "first")[-1]
    assert (again["stage"], again["unchanged"], again["url"]) == ("live", True, stages[-1]["url"])


def test_deploy_in_words(cli: CommandLine) -> None:
    cli.write_app("words", "words.py")
    text = cli.run("deploy", "words.py", "--name", "words")
    lines = text.splitlines()
    assert lines[0] == "Deploying words: words.py"
    assert [line.split()[0] for line in lines[1:]] == ["validate", "release", "start", "ready", "It", "live"]
    assert lines[-2].startswith("It sleeps after 30m without a request; the next one wakes it.")
    assert "http://127.0.0.1:2" in lines[-1]
    assert "  v1  " in lines[-1]
    assert "\x1b" not in text
    assert cli.run("deploy", "words.py", "--name", "words").splitlines()[-1].startswith("unchanged  http://")


def test_deploy_takes_environment_files_and_a_message(cli: CommandLine) -> None:
    cli.write("data/note.txt", "from a file")
    cli.write("helper.py", "from pathlib import Path\nNOTE = Path('data/note.txt').read_text()\n")
    cli.write(
        "full.py",
        "import os\nfrom fastapi import FastAPI\nfrom helper import NOTE\napp = FastAPI()\n"
        "@app.get('/')\ndef root():\n    return [NOTE, os.environ['GREETING'], os.environ['B']]\n",
    )
    text = cli.run(
        *("deploy", "full.py", "--name", "full", "--env", "GREETING=hi=there", "--env", "B=", "--file", "data"),
        *("--message", "with everything"),
    )
    assert "full.py and 2 more" in text
    assert "Came along: helper.py" in text
    url = cli.json("status")["apps"]
    address = next(app["url"] for app in url if app["id"] == "full")
    assert get(address).json() == ["from a file", "hi=there", ""]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("main.py", "--name", "Not A Name"), "invalid_name", "not-a-name"),
        (("main.py", "--name", "admin"), "invalid_name", "reserved"),
        (("absent.py", "--name", "x"), "invalid_bundle", "There is no file"),
        (("main.py", "--name", "x", "--file", "absent.txt"), "invalid_bundle", "absent.txt"),
        (("main.py", "--name", "x", "--env", "NOVALUE"), "invalid_request", "NAME=VALUE"),
        (("main.py", "--name", "x", "--env", "PORT=1"), "invalid_request", "set by the platform"),
        (("binary.py", "--name", "x"), "invalid_bundle", "not Python source"),
        (("broken.py", "--name", "x"), "syntax_error", "invalid syntax"),
        (("empty.py", "--name", "x"), "empty", "no code"),
    ],
)
def test_a_deploy_that_cannot_be_ends_with_a_failed_line(
    cli: CommandLine, arguments: tuple[str, ...], code: str, message: str
) -> None:
    cli.write_app()
    cli.write("broken.py", "def f(:\n")
    cli.write("empty.py", "")
    (cli.folder / "binary.py").write_bytes(b"\x80\x00")
    last = cli.lines("deploy", *arguments, status=1)[-1]
    assert last["stage"] == "failed"
    assert last["diagnostics"][0]["code"] == code
    assert message in last["diagnostics"][0]["message"]
    said = cli.finish("deploy", *arguments)
    assert said.returncode == 1
    assert message in said.stdout + said.stderr


def test_an_app_that_fails_to_start_shows_its_traceback_and_what_served_still_does(cli: CommandLine) -> None:
    cli.write_app("good", "careful.py")
    url = cli.lines("deploy", "careful.py", "--name", "careful")[-1]["url"]
    cli.write("careful.py", "from fastapi import FastAPI\napp = FastAPI()\n\n1 / 0\n")
    text = cli.run("deploy", "careful.py", "--name", "careful", status=1)
    assert "failed  in start" in text
    assert "careful.py:4" in text
    assert "ZeroDivisionError" in text
    assert get(url).json() == {"says": "good"}


def test_apps_and_status_list_the_same_apps(cli: CommandLine) -> None:
    cli.write_app("listed")
    live = cli.lines("deploy", "main.py", "--name", "listed")[-1]
    listed = {app["id"]: app for app in cli.json("apps")}
    assert (listed["listed"]["state"], listed["listed"]["url"]) == ("running", live["url"])
    status = cli.json("status")
    seen = {app["id"]: app for app in status["apps"]}
    assert seen.keys() == listed.keys()
    assert seen["listed"]["instance_pids"] == [i["pid"] for i in listed["listed"]["instances"]]
    assert status["service"]["version"] == cli.run("--version").split()[1]
    row = next(line for line in cli.run("apps").splitlines() if line.startswith("listed "))
    assert row.split()[1:5] == ["running", "green", "v1", live["url"]]


def test_logs(cli: CommandLine) -> None:
    cli.write_app("logged")
    url = cli.lines("deploy", "main.py", "--name", "logged")[-1]["url"]
    assert "nothing yet" in cli.run("logs", "logged")
    get(url)
    until(lambda: "somebody asked" in cli.run("logs", "logged"), what="the log has the line")
    (entry,) = cli.lines("logs", "logged", "--tail", "1")
    assert (entry["text"], entry["version"]) == ("somebody asked", 1)


def test_following_logs_until_interrupted(cli: CommandLine) -> None:
    cli.write_app("followed")
    url = cli.lines("deploy", "main.py", "--name", "followed")[-1]["url"]
    get(url)
    until(lambda: cli.lines("logs", "followed"), what="the log has a line")
    following = cli.start("logs", "followed", "-f", "--json")
    try:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["text"] == "somebody asked"
        get(url)
        assert json.loads(following.stdout.readline())["text"] == "somebody asked"
        following.send_signal(signal.SIGINT)
        out, err = following.communicate(timeout=10)
    finally:
        following.kill()
    assert (following.returncode, out, err) == (0, "", "")


def test_rollback(cli: CommandLine) -> None:
    for word in ("one", "two", "three"):
        cli.write_app(word)
        url = cli.lines("deploy", "main.py", "--name", "back")[-1]["url"]
    assert cli.run("rollback", "back").splitlines()[0] == "Rolling back back to v2"
    assert get(url).json() == {"says": "two"}
    assert cli.lines("rollback", "back", "v1")[-1]["version"] == 5
    assert get(url).json() == {"says": "one"}
    assert cli.lines("rollback", "back", "77", status=1)[-1]["diagnostics"][0]["code"] == "not_found"
    assert cli.lines("rollback", "back", "x", status=1)[-1]["diagnostics"][0]["code"] == "invalid_request"
    assert cli.lines("rollback", "absent", status=1)[-1]["diagnostics"][0]["code"] == "not_found"


def test_app_shows_and_sets_and_sleep_lets_it_sleep(cli: CommandLine) -> None:
    cli.write_app("here")
    url = cli.lines("deploy", "main.py", "--name", "naps")[-1]["url"]
    assert "after 2h without a request" in cli.run("app", "naps", "--sleep-after", "2h", "--title", "My naps")
    assert "My naps" in cli.run("app", "naps")
    assert cli.lines("app", "naps", "--record-bodies", "on")[-1]["record_bodies"] is True
    assert "Workers" in cli.run("app", "naps", "--workers", "2")
    until(lambda: len(cli.lines("app", "naps")[-1]["instances"]) == 2, what="2 workers")
    [refused] = cli.lines("app", "naps", "--workers", "0", status=1)
    assert "from 1 on" in refused["error"]["message"]
    assert cli.run("sleep", "naps") == "naps sleeps. The next request wakes it.\n"
    assert cli.lines("app", "naps")[-1]["state"] == "asleep"
    assert get(url).json() == {"says": "here"}
    [refused] = cli.lines("app", "naps", "--sleep-after", "soon", status=1)
    assert refused["error"]["code"] == "invalid_request"


def test_rm_asks_for_the_name_and_restore_brings_back(cli: CommandLine) -> None:
    cli.write_app("doomed")
    cli.run("deploy", "main.py", "--name", "doomed")
    assert "--yes" in cli.finish("rm", "doomed").stderr
    with terminal(cli, "rm", "doomed") as asked:
        asked.expect("type its name")
        asked.sendline("y")
        asked.expect("Nothing was taken away")
        asked.expect(pexpect.EOF)
    assert asked.exitstatus == 1
    with terminal(cli, "rm", "doomed") as asked:
        asked.expect("type its name")
        asked.sendline("doomed")
        asked.expect("gofastapi restore doomed")
        asked.expect(pexpect.EOF)
    assert "doomed" not in [app["id"] for app in cli.json("apps")]
    assert "gofastapi restore doomed" in cli.finish("logs", "doomed").stderr
    assert "doomed  until 20" in cli.run("restore")
    assert [app["id"] for app in cli.json("restore")] == ["doomed"]
    assert cli.lines("restore", "doomed")[-1]["stage"] == "live"

    assert set(cli.json("rm", "doomed", "--yes")) == {"removed", "restorable_until"}
    assert cli.json("rm", "doomed", "--yes", status=1)["error"]["code"] == "not_found"
    assert cli.json("rm", "doomed", "--yes", "--forever") == {"removed": "doomed", "restorable_until": None}
    assert cli.lines("restore", "doomed", status=1)[-1]["diagnostics"][0]["code"] == "not_found"
    assert cli.run("restore") == "No deleted app can be restored.\n"


def test_stop_start_restart_and_rename(cli: CommandLine) -> None:
    cli.write_app("tired")
    url = cli.lines("deploy", "main.py", "--name", "tired")[-1]["url"]
    assert "gofastapi start tired" in cli.run("stop", "tired")
    assert get(url).status_code == 503
    assert cli.json("stop", "tired")["state"] == "stopped"
    assert "stopped" in cli.run("apps")
    assert [stage["stage"] for stage in cli.lines("start", "tired")] == ["start", "ready", "live"]
    assert cli.run("restart", "tired").splitlines()[-1].startswith("live  http://")
    assert get(url).json() == {"says": "tired"}
    assert "is called Wide awake now" in cli.run("rename", "tired", "Wide awake")
    assert cli.json("rename", "tired", "")["title"] == "tired"


def test_clone(cli: CommandLine) -> None:
    cli.write_app("original")
    cli.run("deploy", "main.py", "--name", "original")
    assert "gofastapi draft deploy twin" in cli.run("clone", "original", "twin")
    assert cli.json("clone", "original", "twin", status=1)["error"]["code"] == "conflict"
    last = cli.lines("draft", "deploy", "twin")[-1]
    assert get(last["url"]).json() == {"says": "original"}
    assert cli.json("clone", "original", "third", "--from", "v1")["missing_secrets"] == []


@pytest.mark.parametrize("command", ["logs", "rm"])
def test_what_does_not_exist_is_said(cli: CommandLine, command: str) -> None:
    error = cli.json(command, "absent", status=1)["error"]
    assert error["code"] == "not_found"
    assert error["message"] == 'There is no app "absent".'
    assert 'There is no app "absent".' in cli.finish(command, "absent").stderr


def test_colours_are_for_terminals_that_want_them(cli: CommandLine) -> None:
    cli.write_app("colour")
    with terminal(cli, "deploy", "main.py", "--name", "colour") as coloured:
        coloured.expect(pexpect.EOF)
    assert "\x1b[32mlive" in coloured.before
    with terminal(cli, "deploy", "main.py", "--name", "colour", NO_COLOR="1") as plain:
        plain.expect(pexpect.EOF)
    assert "\x1b" not in plain.before


def test_the_shell_completes_names_of_apps(cli: CommandLine) -> None:
    cli.write_app("completed")
    cli.run("deploy", "main.py", "--name", "completed")
    completion = {"_GOFASTAPI_COMPLETE": "bash_complete", "COMP_WORDS": "gofastapi logs compl", "COMP_CWORD": "2"}
    assert cli.run(**completion).split() == ["plain,completed"]
    elsewhere = completion | {"GOFASTAPI_HOME": str(cli.home / "nowhere")}
    assert cli.run(**elsewhere).strip() == ""
    assert not (cli.home / "nowhere").exists()


def terminal(cli: CommandLine, *arguments: str, **environment: str) -> pexpect.spawn:
    """The command at a terminal."""
    return pexpect.spawn(
        COMMAND,
        list(arguments),
        cwd=str(cli.folder),
        env=cli.environment | {"TERM": "xterm"} | environment,
        encoding="utf-8",
        timeout=20,
    )
