"""Notebooks run by programs, and IPython in a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support.kernel import own_environment
from support.platform import Platform, get

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
QUICKSTART = NOTEBOOKS / "quickstart.ipynb"
MODEL = NOTEBOOKS / "model.ipynb"
WATCH = NOTEBOOKS / "watch.ipynb"
HELLO = """from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def hello():
    return "hello"
"""


@pytest.fixture
def environment(platform: Platform, tmp_path: Path) -> dict[str, str]:
    return own_environment(tmp_path / "own", GOFASTAPI_HOME=str(platform.places.home))


def jupyter(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jupyter", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
    )


def write_notebook(path: Path, *cells: str) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


def texts(path: Path) -> str:
    """All that the outputs of a notebook say in plain text."""
    found = []
    for cell in nbformat.read(path, 4).cells:
        for output in cell.get("outputs", []):
            found.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(found)


@pytest.mark.parametrize("path", [QUICKSTART, MODEL], ids=lambda path: path.stem)
def test_notebooks_are_clean(path: Path) -> None:
    """No outputs, no counts, nothing of the machine it was written on."""
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None and cell.metadata == {} for cell in code)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_quickstart_runs_and_reads_well_afterwards(
    platform: Platform, environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "quickstart.ipynb"
    path.write_bytes(QUICKSTART.read_bytes())
    done = jupyter(environment, tmp_path, "execute", "--inplace", str(path))
    assert done.returncode == 0, done.stderr

    said = texts(path)
    assert re.search(r"hello v1 is live in \S+ m?s: http://", said)
    assert re.search(r"notes v1 is live in \S+ m?s: http://", said)
    assert "POST /api/notes -> 201" in said
    assert "* Written from a notebook" in said
    assert "new note: Written from a notebook" in said
    saved = json.loads(path.read_text())
    assert "widgets" not in saved["metadata"]
    assert "widget-view" not in path.read_text()

    url = platform.app("notes").url or ""
    page = get(url)
    assert "<title>Notes</title>" in page.text
    # The page works behind a path prefix: nothing in it starts at the root of a server.
    assert not re.search(r"""["'(]/[a-z]""", page.text)
    [note] = get(url, "/api/notes").json()
    import httpx

    assert httpx.delete(f"{url}/api/notes/{note['id']}").status_code == 204
    assert get(url, "/api/notes").json() == []


def test_the_model_notebook_walks_through_an_apps_life(
    platform: Platform, environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "model.ipynb"
    path.write_bytes(MODEL.read_bytes())
    done = jupyter(environment, tmp_path, "execute", "--inplace", str(path))
    assert done.returncode == 0, done.stderr

    said = texts(path)
    assert re.search(
        r"iris v1 is live in \S+ m?s: http://.*\nFrom the kernel: model \(DecisionTreeClassifier, skops", said
    )
    answers = re.findall(r"4\.3 x 1\.3 cm -> .*'species': '(\w+)'", said)
    assert answers == ["virginica", "versicolor", "virginica"], "the first model, the better one, and the first again"
    assert "5.0 x 1.7 cm -> {'species': 'not sure', 'chance': 0.63}" in said
    assert ".gofastapi/objects/model.skops  changed" in said
    assert re.search(r"^v1 +superseded .*A first tree$", said, re.MULTILINE)
    assert "iris: saved as draft, not deployed" in said
    assert "warning" not in said
    versions = {version.number: version for version in platform.client.versions("iris")}
    assert versions[3].rollback_of == 1
    assert versions[4].state == "live"

    url = platform.app("iris").url or ""
    assert "<title>Which iris?</title>" in get(url).text
    chances = get(url, "/predict?length=1.4&width=0.2").json()
    assert max(chances, key=chances.get) == "setosa"


def test_the_watch_notebook_finds_an_error_mends_it_and_lets_the_app_sleep(
    platform: Platform, environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "watch.ipynb"
    path.write_bytes(WATCH.read_bytes())
    done = jupyter(environment, tmp_path, "execute", "--inplace", str(path))
    assert done.returncode == 0, done.stderr

    said = texts(path)
    assert re.search(r"GET /items/\{name\} +70 +10 +20 ", said)
    assert "20 times" in said
    assert "round(prices[name], 2)" in said
    assert re.search(r"before +v1 +500.*now +v2 +200", said, re.DOTALL)
    assert "green" in said
    assert "A request woke it" in said
    assert platform.app("shop").sleep_after_seconds == 7200


def test_nbconvert_shows_the_card(environment: dict[str, str], tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "one.ipynb", "%%deploy converted\n" + HELLO)
    done = jupyter(environment, tmp_path, "nbconvert", "--to", "html", "--execute", str(path))
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "one.html").read_text()
    assert '<div class="gofastapi gofastapi-live">' in html
    assert "<b>converted</b> v1 is live" in html


def test_a_failed_deploy_stops_the_program_and_says_why(environment: dict[str, str], tmp_path: Path) -> None:
    path = write_notebook(
        tmp_path / "broken.ipynb", "print('first')", "%%deploy program\n" + HELLO + "1 / 0\n", "print('never')"
    )
    done = jupyter(environment, tmp_path, "execute", "--inplace", str(path))
    assert done.returncode != 0
    assert "program: ZeroDivisionError: division by zero (In[2], line 10)" in done.stderr
    assert "gofastapi_ext/" not in done.stderr


def in_terminal(environment: dict[str, str], folder: Path, code: str) -> str:
    """What `ipython` prints on a terminal while it runs `code`."""
    (folder / "session.ipy").write_text(code)
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "IPython", "--no-banner", "session.ipy"],
        cwd=folder,
        env=environment | {"TERM": "xterm-256color"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    printed = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        printed += part
    os.close(leader)
    process.wait(60)
    return printed.decode().replace("\r\n", "\n")


def test_lines_in_a_terminal(platform: Platform, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "cell.txt").write_text("%%deploy terminal\n" + HELLO)
    (tmp_path / "broken.txt").write_text("%%deploy terminal\n" + HELLO + "1 / 0\n")
    printed = in_terminal(
        environment,
        tmp_path,
        "get_ipython().run_cell(open('cell.txt').read(), store_history=True)\n"
        "get_ipython().run_cell(open('cell.txt').read(), store_history=True)\n"
        "get_ipython().run_cell(open('broken.txt').read(), store_history=True)\n"
        "%apps\n",
    )
    url = platform.app("terminal").url or ""
    assert get(url).json() == "hello"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    first = plain[: plain.index(url)].splitlines()
    assert first[0].endswith("Deploying terminal")
    assert [line.split()[0] for line in first[1:6]] == ["validate", "release", "start", "ready", "live"]
    assert re.match(r"terminal v1 is live in \S+ m?s: ", first[6])
    assert f"Unchanged: version 1 is live at {url}, nothing to do" in plain
    assert "     10 | 1 / 0" in plain
    assert "terminal: ZeroDivisionError: division by zero (In[3], line 10)" in plain
    assert re.search(rf"^terminal +running +green +v1 +{url}", plain, re.MULTILINE)
    assert "<div" not in plain
    assert "\x1b[32mterminal v1 is live\x1b[0m" in printed


def test_no_colours_where_there_is_no_terminal(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "cell.txt").write_text("%%deploy piped\n" + HELLO)
    (tmp_path / "session.ipy").write_text("get_ipython().run_cell(open('cell.txt').read())\n")
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "session.ipy"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "piped v1 is live in" in done.stdout
    assert "\x1b" not in done.stdout
