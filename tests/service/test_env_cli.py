"""`gofastapi env` and `gofastapi keys`, as people and scripts use them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pexpect
import pytest
from dotenv import dotenv_values
from support.cli import COMMAND, CommandLine, command_line
from support.platform import get
from support.secrets import SHOWS

VALUE = "hunter22-and-more"


@pytest.fixture(scope="module")
def cli() -> Iterator[CommandLine]:
    with command_line() as running:
        running.run("up")
        running.write("shows.py", SHOWS.replace("os.environ.get('TOKEN', '')", "dict(os.environ)"))
        yield running


def deployed(cli: CommandLine, name: str) -> str:
    return str(cli.lines("deploy", "shows.py", "--name", name)[-1]["url"])


def piped(cli: CommandLine, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with something on its standard input."""
    return subprocess.run(
        [COMMAND, *arguments], cwd=cli.folder, env=cli.environment,
        input=text, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_set_list_and_unset(cli: CommandLine) -> None:
    url = deployed(cli, "shown")
    assert "shown has no variables" in cli.run("env", "shown")
    stages = cli.lines("env", "set", "shown", "A=1", "B=two = words", "EMPTY=")
    assert [stage["stage"] for stage in stages] == ["start", "ready", "live"]
    seen = get(url).json()
    assert (seen["A"], seen["B"], seen["EMPTY"]) == ("1", "two = words", "")
    assert [line.split()[0] for line in cli.run("env", "set", "shown", "A=2").splitlines()] == [
        "start",
        "ready",
        "live",
    ]
    assert cli.run("env", "set", "shown", "A=2").startswith("unchanged")
    listed = cli.run("env", "shown").splitlines()
    assert [line.split()[:2] for line in listed] == [
        ["Name", "Value"],
        ["A", "2"],
        ["B", "two"],
        ["EMPTY", listed[3].split()[1]],
    ]
    assert [v["name"] for v in cli.json("env", "list", "shown")["variables"]] == ["A", "B", "EMPTY"]
    cli.run("env", "unset", "shown", "A", "EMPTY")
    assert [v["name"] for v in cli.json("env", "shown")["variables"]] == ["B"]
    assert "A" not in get(url).json()
    assert "no variable A" in cli.lines("env", "unset", "shown", "A", status=1)[-1]["diagnostics"][0]["message"]


def test_a_secret_is_asked_for_where_nobody_sees_it(cli: CommandLine) -> None:
    url = deployed(cli, "asked")
    asked = pexpect.spawn(
        COMMAND, ["env", "set", "asked", "A=1", "--secret", "TOKEN"], cwd=str(cli.folder),
        env=cli.environment | {"TERM": "xterm"}, encoding="utf-8", timeout=20,
    )  # fmt: skip
    with asked:
        asked.expect("TOKEN")
        asked.waitnoecho()
        asked.sendline(VALUE)
        asked.expect(pexpect.EOF)
    assert asked.exitstatus == 0
    assert VALUE not in asked.before
    assert get(url).json()["TOKEN"] == VALUE
    listed = cli.run("env", "asked")
    assert "(secret)" in listed
    assert VALUE not in listed + cli.run("env", "asked", "--json") + cli.run("env", "export", "asked")


def test_scripts_give_secrets_on_standard_input(cli: CommandLine) -> None:
    url = deployed(cli, "piped")
    key = "-----BEGIN-----\nline of the key\n-----END-----"
    assert piped(cli, key + "\n", "env", "set", "piped", "--secret", "KEY").returncode == 0
    two = piped(
        cli, "first secret\nsecond secret\n", "env", "set", "piped", "A=1", "--secret", "ONE", "--secret", "TWO"
    )
    assert two.returncode == 0
    seen = get(url).json()
    assert [seen[name] for name in ("KEY", "ONE", "TWO", "A")] == [key, "first secret", "second secret", "1"]
    assert piped(cli, "one line\n", "env", "set", "piped", "--secret", "ONE", "--secret", "TWO").returncode == 1
    assert get(url).json()["ONE"] == "first secret"
    cli.write("again.env", f"ONE={VALUE}\n")
    for opened in (("set", "piped", f"ONE={VALUE}"), ("import", "piped", "again.env")):
        refused = cli.finish("env", *opened)
        assert refused.returncode == 1
        assert "ONE is a secret, and this would put its value in the open" in refused.stderr
        assert VALUE not in refused.stderr + cli.run("env", "piped")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("set", "x", "A"), "NAME=VALUE"),
        (("set", "x"), "Nothing"),
        (("set", "x", f"1A={VALUE}"), "cannot be the name"),
        (("set", "x", f"PORT={VALUE}"), "set by the platform"),
        (("set", "x", "--secret", f"TOKEN={VALUE}"), "takes the name alone: --secret TOKEN"),
        (("set", "x", f"TOKEN={VALUE}", "--secret", "TOKEN"), "takes the name alone"),
        (("set", "x", "--secret", "TOKEN"), "4 characters"),
        (("set", "Not A Name", "A=1"), "not-a-name"),
        (("unset", "x", "A"), 'no app "x"'),
        (("list", "x"), 'no app "x"'),
        (("export", "x"), 'no app "x"'),
        (("import", "x", "nowhere.env"), "No such file"),
        (("import", "x", "bad.env"), "Line 2 "),
        (("import", "x", "good.env", "--secret", "NOT_THERE"), "no NOT_THERE"),
    ],
)
def test_what_cannot_be_is_said_without_the_value(cli: CommandLine, arguments: tuple[str, ...], message: str) -> None:
    cli.write("bad.env", f"A=1\nB='{VALUE}\n")
    cli.write("good.env", "A=1\n")
    done = cli.finish("env", *arguments)
    assert done.returncode == 1
    assert message in done.stdout + done.stderr
    assert VALUE not in done.stdout + done.stderr
    told = json.loads(cli.run("env", *arguments, "--json", status=1).splitlines()[-1])
    assert message in (told["error"] if "error" in told else told["diagnostics"][0])["message"]


def test_import_and_export(cli: CommandLine) -> None:
    url = deployed(cli, "moved")
    cli.write(
        "shop.env",
        '\ufeff# the shop\nexport MODE=\'fast lane\' # yes\nTOKEN=abcd1234\nPASSWORD="with \\"quotes\\""\nPORT=8000\n'
        'TEXT="two\nlines"\nURL=${MODE}/x\nAPI_KEY=k123\n',
    )
    text = cli.finish("env", "import", "moved", "shop.env", "--secret", "TOKEN", "--secret", "PASSWORD")
    assert text.returncode == 0
    assert "Left out: PORT is set by the platform" in text.stderr
    assert "--secret API_KEY" in text.stderr
    assert "TOKEN" not in text.stderr
    seen = get(url).json()
    expected = {"MODE": "fast lane", "TEXT": "two\nlines", "URL": "fast lane/x", "API_KEY": "k123"}
    assert {name: seen[name] for name in expected} == expected
    assert (seen["TOKEN"], seen["PASSWORD"]) == ("abcd1234", 'with "quotes"')

    assert "Not in it, but named there: PASSWORD, TOKEN" in cli.run("env", "export", "moved", "out.env")
    exported = (cli.folder / "out.env").read_text()
    assert "abcd1234" not in exported
    assert "# TOKEN is a secret" in exported
    assert dotenv_values(cli.folder / "out.env", interpolate=False) == expected
    assert cli.run("env", "export", "moved") == exported
    assert "there already" in cli.finish("env", "export", "moved", "out.env").stderr
    assert (cli.folder / "out.env").read_text() == exported
    again = piped(cli, exported, "env", "import", "moved-too", "-", "--json")
    assert json.loads(again.stdout.splitlines()[-1])["stage"] == "saved"
    values = {v["name"]: v["value"] for v in cli.json("env", "moved-too")["variables"]}
    assert values == expected
    assert "Nothing of moved-too is deployed yet" in cli.run("env", "set", "moved-too", "A=1")
    cli.run("env", "import", "moved-too", "out.env", "--all-secret")
    assert {v["name"] for v in cli.json("env", "moved-too")["variables"] if v["secret"]} == set(expected)


def test_rotating_the_key(cli: CommandLine) -> None:
    url = deployed(cli, "rotated")
    assert piped(cli, VALUE, "env", "set", "rotated", "--secret", "TOKEN").returncode == 0
    done = cli.json("keys", "rotate")
    assert done["secrets"] >= 1
    assert done["unreadable"] == []
    assert "encrypted with the key" in cli.run("keys", "rotate")
    cli.run("restart", "rotated")
    assert get(url).json()["TOKEN"] == VALUE
