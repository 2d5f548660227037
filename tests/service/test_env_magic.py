"""`%env_set` in a real kernel: what is typed at its prompt stands in no cell, no output and no history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.kernel import Kernel, Ran, running_kernel
from support.platform import Platform, get
from support.secrets import SHOWS
from support.waiting import until

VALUE = "hunter22-and-more"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "shop.env").write_text("MODE=fast\nTOKEN=abcd1234\nPORT=1\n")
    (folder / ".env").write_text("A=1\n")
    return folder


@pytest.fixture(scope="module")
def kernel(platform: Platform, folder: Path) -> Iterator[Kernel]:
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


@pytest.fixture
def url(platform: Platform) -> str:
    return platform.deploy_live("from-cells", SHOWS.replace("os.environ.get('TOKEN', '')", "dict(os.environ)"))


def answering(kernel: Kernel, code: str, *answers: str) -> tuple[Ran, list[str]]:
    """Run a cell, and answer what it asks; also what it asked."""
    request = kernel.client.execute(code, allow_stdin=True)
    prompts = []
    for answer in answers:
        asked = kernel.client.get_stdin_msg(timeout=30)["content"]
        assert asked["password"] is True
        prompts.append(asked["prompt"])
        kernel.client.input(answer)
    return kernel.finish(Ran(request)), prompts


def everything(ran: Ran) -> str:
    return json.dumps([ran.messages, ran.text, ran.plain, ran.html, ran.error], default=str)


def test_set_list_and_unset(kernel: Kernel, url: str) -> None:
    ran = kernel.run("%env_set from-cells A=1 'B=two words'")
    assert ran.status == "ok", ran.error
    assert "from-cells v" in ran.plain
    assert "Environment: A, B" in ran.plain
    assert (get(url).json()["A"], get(url).json()["B"]) == ("1", "two words")
    listed = kernel.run("%env_set from-cells")
    assert [line.split()[:2] for line in listed.plain.splitlines()] == [["Name", "Value"], ["A", "1"], ["B", "two"]]
    assert "<td>two words</td>" in listed.html
    assert kernel.run("%env_set from-cells --unset A --unset B").status == "ok"
    assert "no variables" in kernel.run("%env_set from-cells").text


def test_a_secret_stands_nowhere_but_in_the_app(kernel: Kernel, platform: Platform, url: str) -> None:
    ran, prompts = answering(kernel, "%env_set from-cells --secret TOKEN --secret KEY", VALUE, VALUE[::-1])
    assert prompts == ["TOKEN: ", "KEY: "]
    assert ran.status == "ok", ran.error
    assert (get(url).json()["TOKEN"], get(url).json()["KEY"]) == (VALUE, VALUE[::-1])
    listed = kernel.run("%env_set from-cells")
    assert "(secret)" in listed.plain
    history = kernel.run("%history -g hunter22\nprint(dict(globals()))")
    for seen in (ran, listed, history):
        assert VALUE not in everything(seen)
    assert kernel.run("%env_set from-cells --unset TOKEN --unset KEY").status == "ok"


def test_a_file_is_imported(kernel: Kernel, url: str) -> None:
    ran = kernel.run("%env_set from-cells --import shop.env --secret TOKEN")
    assert ran.status == "ok", ran.error
    assert "PORT is set by the platform" in ran.plain
    assert "abcd1234" not in everything(ran)
    assert (get(url).json()["MODE"], get(url).json()["TOKEN"]) == ("fast", "abcd1234")
    assert kernel.run("%env_set from-cells --unset MODE --unset TOKEN").status == "ok"


def test_a_front_end_that_takes_no_input_is_told_another_way(kernel: Kernel, url: str) -> None:
    ran = kernel.finish(Ran(kernel.client.execute("%env_set from-cells --secret TOKEN", allow_stdin=False)))
    assert ran.error == (
        "Nobody can be asked for TOKEN here: this front end takes no input. Set it in a terminal: "
        "gofastapi env set from-cells --secret TOKEN"
    )


def test_a_secret_that_is_too_short_changes_nothing(kernel: Kernel, url: str) -> None:
    ran, _ = answering(kernel, "%env_set from-cells A=1 --secret TOKEN", "abc")
    assert "4 characters" in ran.error
    assert "A" not in get(url).json()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "Usage: %env_set NAME"),
        ("from-cells A", "is not NAME=VALUE"),
        ("from-cells PATH=x", "tells your app where programs are"),
        (f"from-cells --secret TOKEN={VALUE}", "takes the name alone: --secret TOKEN"),
        ("from-cells --unset NOTHING", "no variable NOTHING"),
        ("from-cells --import nowhere.env", "No such file"),
        ("nobody", 'no app "nobody"'),
    ],
)
def test_what_cannot_be_is_one_line(kernel: Kernel, url: str, line: str, message: str) -> None:
    ran = kernel.run(f"%env_set {line}")
    assert message in ran.error
    assert len(ran.error.splitlines()) == 1
    assert VALUE not in ran.error


def test_a_change_the_app_does_not_start_with_is_shown(kernel: Kernel, platform: Platform) -> None:
    url = platform.deploy_live("picky-cell", SHOWS + "if 'BAD' in os.environ: raise ValueError('no, not this')\n")
    ran = kernel.run("%env_set picky-cell BAD=1")
    assert ran.error_name == "DeployFailed"
    assert "no, not this" in ran.plain
    assert "is still live" in ran.plain
    assert get(url).status_code == 200
    assert platform.client.env("picky-cell").variables == []


def test_completion_and_help(kernel: Kernel, url: str) -> None:
    kernel.run("%env_set from-cells FIRST=1 SECOND=2")
    until(lambda: kernel.complete("%env_set from-c") == ["from-cells"], what="the app's name")
    assert kernel.complete("%env_se") == ["%env_set"]
    assert kernel.complete("%env_set from-cells --") == ["--secret", "--unset", "--import"]
    assert kernel.complete("%env_set from-cells --unset ") == ["FIRST", "SECOND"]
    assert {".env", "shop.env"} <= set(kernel.complete("%env_set from-cells --import "))
    shown = kernel.run("%env_set?").help
    for part in ("Usage: %env_set NAME", "--secret K", "--unset K", "--import FILE"):
        assert part in shown
