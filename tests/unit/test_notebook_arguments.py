"""What stands behind a magic."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.notebook.arguments import (
    DeployArguments,
    LogsArguments,
    RollbackArguments,
    parse_apps,
    parse_deploy,
    parse_events,
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


NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_logs() -> None:
    assert parse_logs("hello", NOW) == LogsArguments("hello", follow=False, tail=None)
    assert parse_logs("hello -f", NOW) == parse_logs("--follow hello", NOW) == LogsArguments("hello", follow=True)
    assert parse_logs("hello --tail 20", NOW).tail == parse_logs("hello --tail=20", NOW).tail == 20
    for line in ("hello --tail x", "hello --tail -1", "hello --tail 1e3", f"hello --tail {'9' * 5000}"):
        with pytest.raises(CommandFailed, match="is a number from 0 to"):
            parse_logs(line, NOW)


def test_which_lines_of_a_log() -> None:
    line = "hello --since 10m --until 2026-01-31T11:59:30Z --grep 'two words' --level WARNING --instance 77"
    assert parse_logs(line, NOW) == LogsArguments(
        "hello",
        since=datetime(2026, 1, 31, 11, 50, tzinfo=UTC),
        until=datetime(2026, 1, 31, 11, 59, 30, tzinfo=UTC),
        grep="two words",
        level="warning",
        pid=77,
    )
    with pytest.raises(GoFastAPIError, match='"soon" is no time'):
        parse_logs("hello --since soon", NOW)
    with pytest.raises(GoFastAPIError, match="A level is one of debug, info, warning, error"):
        parse_logs("hello --level loud", NOW)


def test_a_time_without_a_zone_is_of_this_machine() -> None:
    since = parse_logs("hello --since 2026-01-31T11:50", NOW).since
    assert since == datetime(2026, 1, 31, 11, 50).astimezone()
    assert since.tzinfo is not None


def test_events() -> None:
    assert parse_events("") == (None, 50, False)
    assert parse_events("hello -f --limit 3") == ("hello", 3, True)
    with pytest.raises(CommandFailed, match="--limit is a number from 1 to 500"):
        parse_events("--limit 0")


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
