"""A mongod that cannot run: whoever asks hears it at once, in its own words, and what can be mended mends itself."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from support.cli import CommandLine, command_line
from support.platform import get, running_platform
from support.waiting import until

from gofastapi_ext.client.mongod import find_mongod
from gofastapi_ext.core.errors import UnavailableError

# Far from the patience that requests have with a database that is being restarted, on a busy machine too.
AT_ONCE_SECONDS = 8.0


def said_at_once(cli: CommandLine, *arguments: str, **environment: str) -> str:
    """What the command says on its way to a failure, which it may not take long for."""
    began = time.monotonic()
    done = cli.finish(*arguments, **environment)
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert done.returncode == 1, done
    return " ".join(done.stderr.split())


def test_a_program_that_is_none_is_told(tmp_path: Path) -> None:
    mute, wordy = tmp_path / "mute", tmp_path / "wordy"
    for program, script in ((mute, "exit 1"), (wordy, 'echo "cannot open libcrypto.so.1.1" >&2; exit 127')):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    with command_line() as cli:
        said = said_at_once(cli, "up", GOFASTAPI_MONGOD=str(mute))
        assert "mongod ended while it was starting with status 1: it said nothing." in said
        said = said_at_once(cli, "up", GOFASTAPI_MONGOD=str(wordy))
        assert "with status 127: cannot open libcrypto.so.1.1. Its log is" in said


def test_data_that_mongod_does_not_take_are_told() -> None:
    with command_line() as cli:
        assert cli.json("up")["started"]
        cli.run("down")
        turtle = cli.home / "mongo" / "WiredTiger.turtle"
        turtle.write_bytes(os.urandom(1000))
        said = said_at_once(cli, "up")
        assert "mongod ended while it was starting" in said
        assert "WiredTiger.turtle" in said
        assert str(cli.home / "mongod.log") in said


@pytest.mark.parametrize(("in_the_way", "words"), [("mongo", "File exists"), ("mongo/mongod.lock/x", "lock file")])
def test_a_directory_that_cannot_be_used_is_told(in_the_way: str, words: str) -> None:
    with command_line() as cli:
        obstacle = cli.home / in_the_way
        obstacle.parent.mkdir(parents=True)
        obstacle.touch()
        said = said_at_once(cli, "up")
        assert words in said
        assert str(cli.home / "mongo") in said


def test_a_mongod_that_cannot_be_started_again_is_told_by_whoever_looks(tmp_path: Path) -> None:
    program = tmp_path / "mongod"

    def program_is(script: str) -> None:
        new = tmp_path / "new"
        new.write_text(f"#!/bin/sh\n{script}\n")
        new.chmod(0o755)
        new.replace(program)

    program_is(f'exec {find_mongod(None)} "$@"')
    with running_platform(GOFASTAPI_MONGOD=str(program)) as platform:
        cli = CommandLine(platform.places.home, tmp_path)
        url = platform.deploy_live("up", "from fastapi import FastAPI\napp = FastAPI()\n")
        program_is('echo "no room is left" >&2; exit 14')
        os.kill(platform.mongod_pid, signal.SIGKILL)

        said = said_at_once(cli, "status")
        assert "mongod ended while it was starting with status 14: no room is left" in said
        with pytest.raises(UnavailableError, match="no room is left"):
            platform.deploy("x", "")
        # What needs no database is there.
        assert platform.client.service().mongo.address == str(platform.places.mongo_socket)
        assert get(url, "/docs").status_code == 200

        program_is(f'exec {find_mongod(None)} "$@"')
        until(lambda: cli.finish("status").returncode == 0, what="mongod was tried again by itself")
        assert [app["state"] for app in cli.json("status")["apps"]] == ["running"]
