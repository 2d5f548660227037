"""`gofastapi draft`, `versions` and `diff`, as people run them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.cli import CommandLine, command_line
from support.platform import get


@pytest.fixture(scope="module")
def cli() -> Iterator[CommandLine]:
    with command_line() as running:
        yield running


def test_a_draft_is_saved_shown_compared_deployed_and_discarded(cli: CommandLine) -> None:
    cli.write("helpers.py", "WORD = 1\n")
    cli.write(
        "main.py", "import helpers\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef a(): return 1\n"
    )
    saved = cli.run("draft", "save", "hello", "main.py")
    assert "hello: 2 files, saved 2" in saved
    assert saved.splitlines()[0].endswith(", not deployed")
    assert "To bring it live: gofastapi draft deploy hello" in saved
    shown = cli.run("draft", "show", "hello")
    assert "helpers.py" in shown
    assert "main.py" in shown
    assert cli.json("draft", "show", "hello")["code_state"] == "not_deployed"
    assert "was never deployed" in cli.run("versions", "hello")
    assert "nothing to compare" in cli.finish("diff", "hello").stderr

    live = cli.run("draft", "deploy", "hello", "--message", "the first")
    url = next(word for word in live.split() if word.startswith("http"))
    assert get(url).json() == 1
    assert "no draft, this is what is live" in cli.run("draft", "show", "hello")
    assert "has no draft: what is live is its latest code" in cli.finish("draft", "deploy", "hello").stderr

    cli.write("main.py", "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef a(): return 2\n")
    cli.run("draft", "save", "hello", "main.py")
    assert get(url).json() == 1
    diff = cli.run("diff", "hello")
    assert diff.splitlines()[0] == "v1 → draft"
    assert "helpers.py  removed  -1" in diff
    assert "-def a(): return 1\n+def a(): return 2" in diff
    cli.write("main.py", "x = 3\n")
    refused = cli.finish("draft", "save", "hello", "main.py")
    assert refused.returncode == 1
    assert "There is a draft already: hello: 1 file, saved 2" in refused.stderr
    assert "--force" in refused.stderr
    assert cli.json("draft", "save", "hello", "main.py", status=1)["error"]["code"] == "draft_conflict"
    assert "return 2" in cli.json("draft", "show", "hello")["bundle"]["files"]["main.py"]["text"]
    cli.run("draft", "save", "hello", "main.py", "--force")
    assert cli.json("draft", "show", "hello")["bundle"]["files"]["main.py"]["text"] == "x = 3\n"
    assert "is gone. What is live stays" in cli.run("draft", "discard", "hello")
    assert get(url).json() == 1

    cli.write("folder/main.py", "from fastapi import FastAPI\napp = FastAPI()\n")
    cli.write("folder/static/a.css", "p {}")
    assert "from-folder: 2 files" in cli.run("draft", "save", "from-folder", "folder")
    cli.write("main.py", "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef a(): return 4\n")
    cli.run("deploy", "main.py", "--name", "hello")
    rows = cli.run("versions", "hello").splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [["v2", "live"], ["v1", "superseded"]]
    assert rows[2].endswith("the first")
    assert cli.run("diff", "hello").splitlines()[0] == "v1 → v2"
    assert cli.run("diff", "hello", "v1").splitlines()[0] == "v1 → v2"
    assert cli.run("diff", "hello", "2", "1").splitlines()[0] == "v2 → v1"
    assert "v2 and draft are the same." in cli.run("diff", "hello", "live")
    assert cli.json("diff", "hello", "1", "live")["files"][1]["path"] == "main.py"
    assert [version["number"] for version in cli.json("versions", "hello")] == [2, 1]
    for wrong, words in (
        (["diff", "hello", "draft", "1"], "The draft comes second"),
        (["diff", "hello", "9"], "has no version 9"),
        (["diff", "hello", "x"], 'not "x"'),
        (["versions", "nobody"], 'There is no app "nobody"'),
        (["draft", "show", "nobody"], 'There is no app "nobody"'),
        (["draft", "discard", "hello"], "has no draft"),
        (["draft", "save", "hello", "nothing.py"], "nothing.py"),
    ):
        done = cli.finish(*wrong)
        assert done.returncode == 1
        assert words in done.stderr
