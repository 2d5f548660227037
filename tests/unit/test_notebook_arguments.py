"""What stands behind a magic."""

from __future__ import annotations

from pathlib import Path

import pytest

from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.notebook.arguments import (
    DeployArguments,
    LogsArguments,
    RollbackArguments,
    parse_apps,
    parse_deploy,
    parse_logs,
    parse_name,
    parse_rollback,
)
from gofastapi_ext.notebook.errors import CommandFailed


def test_a_name_is_enough() -> None:
    assert parse_deploy(" hello ") == DeployArguments(name="hello")


def test_every_option_in_any_order() -> None:
    line = "--env A=1 --file data.json hello --run --env 'B=two words' --file='my dir/x' --message \"It's new\" --open"
    assert parse_deploy(line) == DeployArguments(
        name="hello",
        env={"A": "1", "B": "two words"},
        files=(Path("data.json"), Path("my dir/x")),
        run=True,
        message="It's new",
        open=True,
    )


def test_values_may_hold_equals_signs_and_be_empty() -> None:
    assert parse_deploy("x --env URL=a=b=c --env EMPTY= --env=C=d").env == {"URL": "a=b=c", "EMPTY": "", "C": "d"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", r"^Usage: %%deploy NAME .*%%deploy\? says more"),
        ("--run", "^Usage: %%deploy NAME"),
        ("hello world", '"world" is one word too many'),
        ("hello --evn A=1", "no option --evn"),
        ("hello --hard=1", "no option --hard"),
        ("hello -x", "no option -x"),
        ("hello --env", "--env needs a value"),
        ("hello --run=yes", "--run takes no value"),
        ("hello --message 'half", "quotation mark"),
        ("hello --env A", "NAME=VALUE"),
        ("hello --env 1A=x", '"1A" cannot be the name'),
        ("hello --env A-B=x", "cannot be the name"),
        ("hello --env =x", "cannot be the name"),
        ("hello --env PORT=1", "PORT is set by the platform"),
        ("hello --env PLATFORM_MONGO_URI=x", "set by the platform"),
        ("hello --env GOFASTAPI_HOME=x", "set by the platform"),
        ("hello --env A=\0", "NUL"),
        ("Hello", 'Try "hello"'),
        ("my_app", 'Try "my-app"'),
        ("admin", "reserved"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(line: str, words: str) -> None:
    with pytest.raises((CommandFailed, GoFastAPIError), match=words) as error:
        parse_deploy(line)
    assert "\n" not in str(error.value)


def test_a_secret_value_is_never_repeated() -> None:
    with pytest.raises(GoFastAPIError) as error:
        parse_deploy("hello --env 1TOKEN=hunter2")
    assert "hunter2" not in str(error.value)


def test_logs() -> None:
    assert parse_logs("hello") == LogsArguments("hello", follow=False, tail=200)
    assert parse_logs("hello -f") == parse_logs("--follow hello") == LogsArguments("hello", follow=True)
    assert parse_logs("hello --tail 20").tail == parse_logs("hello --tail=20").tail == 20
    for line in ("hello --tail x", "hello --tail -1", "hello --tail 1e3", f"hello --tail {'9' * 5000}"):
        with pytest.raises(CommandFailed, match="is a number from 0 to"):
            parse_logs(line)


def test_rollback() -> None:
    assert parse_rollback("hello") == RollbackArguments("hello", None)
    assert parse_rollback("hello 3") == parse_rollback("hello v3") == RollbackArguments("hello", 3)
    for line in ("hello 0", "hello x", "hello v"):
        with pytest.raises(CommandFailed, match="The version is a number"):
            parse_rollback(line)
    with pytest.raises(CommandFailed, match="Usage: %rollback NAME"):
        parse_rollback("")


def test_undeploy_and_apps() -> None:
    assert parse_name("undeploy", "hello") == "hello"
    with pytest.raises(CommandFailed, match="Usage: %undeploy NAME"):
        parse_name("undeploy", "")
    parse_apps("")
    with pytest.raises(CommandFailed, match="Usage: %apps"):
        parse_apps("hello")
