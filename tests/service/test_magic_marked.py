"""`%deploy` in a real kernel: the marked cells of a notebook that is saved on disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from support.kernel import Kernel, Ran, running_kernel
from support.platform import Platform, get
from support.waiting import until

MAIN = """#| deploy: NAME
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from routers import users

app = FastAPI()
app.include_router(users.router)"""
SECOND = """#| deploy: NAME
# The second of three.

def divide(by):
    return 1 // by"""
THIRD = """#| deploy: NAME

@app.get("/")
def root(by: int = 1):
    return divide(by)"""
USERS = """#| deploy: NAME
#| file: routers/users.py
from fastapi import APIRouter

router = APIRouter()

@router.get("/users")
def users():
    return {}["nobody"]"""


class Notebook:
    """A notebook on disk, and the kernel that belongs to it."""

    def __init__(self, path: Path, kernel: Kernel) -> None:
        self.path = path
        self.kernel = kernel

    def save(self, *sources: str) -> None:
        """Write its code cells; they are called `cell-1`, `cell-2` ... and have these numbers."""
        cells = [new_code_cell(source, id=f"cell-{n}", execution_count=n) for n, source in enumerate(sources, start=1)]
        nbformat.write(new_notebook(cells=[new_markdown_cell("#| deploy: hello\nWords."), *cells]), self.path)

    def run(self, code: str, cell_id: str = "scratch") -> Ran:
        return self.kernel.run(code, cell_id)


@contextmanager
def opened(folder: Path, platform: Platform) -> Iterator[Notebook]:
    path = folder / "demo.ipynb"
    home = str(platform.places.home)
    with running_kernel(folder, GOFASTAPI_HOME=home, JPY_SESSION_NAME=str(path)) as kernel:
        yield Notebook(path, kernel)


@pytest.fixture(scope="module")
def notebook(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    with opened(tmp_path_factory.mktemp("marked"), platform) as opened_notebook:
        yield opened_notebook


def named(name: str, *cells: str) -> list[str]:
    return [cell.replace("NAME", name) for cell in cells]


def live(ran: Ran) -> str:
    assert ran.status == "ok", ran.error + ran.plain
    match = re.search(r"is live in \S+ \w+: (\S+)", ran.plain)
    assert match, ran.plain
    return match[1]


def test_marked_cells_in_document_order_with_the_tree_shown_first(notebook: Notebook) -> None:
    cells = named("ordered", MAIN, SECOND, USERS, THIRD)
    notebook.save(*cells, "x = 'not of the app'")
    # They were run in another order, as people do; what counts is the order of the document.
    notebook.run("app = __import__('fastapi').FastAPI()")
    for cell in (3, 1):
        notebook.run(cells[cell], f"cell-{cell + 1}")
    notebook.save(*cells, "x = 'not of the app'")
    ran = notebook.run("%deploy ordered")
    url = live(ran)
    assert get(url).json() == 1
    tree = re.search(
        r"  main\.py +\S+ B +In\[1\], In\[2\], In\[4\]\n  routers/\n    users\.py +\S+ B +In\[3\]\n", ran.plain
    )
    assert tree, ran.plain
    assert "2 files, " in ran.plain
    assert "From demo.ipynb as it was saved at" in ran.plain
    first = next(m["content"]["data"]["text/html"] for m in ran.messages if m["msg_type"] == "display_data")
    assert "users.py" in first
    assert '<li class="gofastapi-done"' not in first


def test_an_error_in_a_request_names_the_second_of_three_cells(notebook: Notebook, platform: Platform) -> None:
    notebook.save(*named("requests", MAIN, SECOND, USERS, THIRD))
    url = live(notebook.run("%deploy requests"))
    assert get(url, "/?by=0").status_code == 500
    assert get(url, "/users").status_code == 500
    log = until(lambda: text if "nobody" in (text := platform.logs("requests")) else "", what="both in the log")
    assert "In[4] of demo.ipynb, line 5, in root\n    return divide(by)" in log
    assert "In[2] of demo.ipynb, line 5, in divide\n    return 1 // by" in log
    assert 'In[3] of demo.ipynb, line 9, in users\n    return {}["nobody"]' in log


def test_an_error_at_import_names_the_second_of_three_cells(notebook: Notebook) -> None:
    notebook.save(*named("imports", MAIN, SECOND + "\ndivide(0)", USERS, THIRD))
    ran = notebook.run("%deploy imports")
    assert ran.error == "imports: ZeroDivisionError: integer division or modulo by zero (In[2], line 5)"
    assert "In[2]:5" in ran.plain
    assert "5 |     return 1 // by" in ran.plain
    assert "In[2] of demo.ipynb, line 6, in <module>" in ran.plain
    broken = USERS.replace("router = APIRouter()", "router = APIRouter()\nimport not_there_at_all")
    notebook.save(*named("imports", MAIN, SECOND, broken, THIRD))
    ran = notebook.run("%deploy imports")
    assert "not_there_at_all is not installed (In[3], line 6)" in ran.error


def test_what_is_found_without_running_names_the_cell(notebook: Notebook) -> None:
    notebook.save(*named("static", MAIN, SECOND + "\n%pip install x", USERS, THIRD))
    ran = notebook.run("%deploy static")
    assert "%pip (a magic) works in a notebook only, not in a deployed app (In[2], line 6)" in ran.error
    notebook.save(*named("static", MAIN, SECOND + "\ndef broken(", USERS, THIRD))
    ran = notebook.run("%deploy static")
    assert "(In[2], line 6)" in ran.error
    assert "6 | def broken(" in ran.plain


def test_warnings_of_python_name_the_cell(notebook: Notebook, platform: Platform) -> None:
    warn = SECOND + "\nimport warnings\nwarnings.warn('mind the gap')"
    notebook.save(*named("warned", MAIN, warn, USERS, THIRD))
    live(notebook.run("%deploy warned"))
    assert "In[2] of demo.ipynb:7: UserWarning: mind the gap" in until(lambda: platform.logs("warned"), what="a log")


def test_a_cell_that_ran_and_is_not_saved_is_refused(notebook: Notebook, platform: Platform) -> None:
    cells = named("unsaved", MAIN, SECOND, USERS, THIRD)
    notebook.save(*cells)
    notebook.run("app = __import__('fastapi').FastAPI()")
    changed = cells[3].replace('"/"', '"/new"')
    number = int(notebook.run(changed + "\nprint(get_ipython().execution_count)", "cell-4").text)
    ran = notebook.run("%deploy unsaved")
    # From IPython 9 on the count is that of the next cell already.
    assert re.match(rf"In\[({number}|{number - 1})\] is not saved yet: save the notebook \(Ctrl\+S\)", ran.error)
    assert "\n" not in ran.error
    assert "unsaved" not in [app.id for app in platform.client.apps()]
    # Another app of the notebook is none of its business.
    notebook.run("%deploy other-app --dry-run")
    notebook.save(*cells[:3], changed)
    assert get(live(notebook.run("%deploy unsaved")), "/new").json() == 1


def test_dry_run_deploys_nothing(notebook: Notebook, platform: Platform) -> None:
    notebook.save(*named("dry", MAIN, SECOND, USERS, THIRD), "#|deploy dry\nx = 1", "x = 1\n#| deploy: dry")
    (notebook.path.parent / ".env").write_text("A=1")
    notebook.save(*named("dry", MAIN, SECOND + "\nopen('.env')", USERS, THIRD), "#|deploy dry", "x = 1\n#| deploy: dry")
    ran = notebook.run("%deploy dry --dry-run")
    assert ran.status == "ok"
    assert "dry: this is what would be deployed" in ran.plain
    assert "  main.py " in ran.plain
    assert "Left out: .env: may hold secrets" in ran.plain
    assert "In[5], line 1: `#|deploy dry` is no marker; write `#| deploy: dry`." in ran.plain
    assert "In[6], line 2: a marker counts on top of a cell only" in ran.plain
    assert "gofastapi-planned" in ran.html
    assert "dry" not in [app.id for app in platform.client.apps()]


def test_several_apps_in_one_notebook(notebook: Notebook) -> None:
    simple = (
        "#| deploy: NAME\nfrom fastapi import FastAPI\napp = FastAPI()\n\n@app.get('/')\ndef root():\n    return 'NAME'"
    )
    notebook.save(*named("first-app", simple), *named("second-app", simple))
    assert get(live(notebook.run("%deploy first-app"))).json() == "first-app"
    assert get(live(notebook.run("%deploy second-app"))).json() == "second-app"


def test_options_and_local_modules(notebook: Notebook, platform: Platform) -> None:
    folder = notebook.path.parent
    (folder / "helper.py").write_text("WORD = 'from a module'\n")
    (folder / "data.json").write_text("{}")
    source = (
        "#| deploy: options2\nimport os\nfrom fastapi import FastAPI\nfrom helper import WORD\napp = FastAPI()\n"
        "@app.get('/')\ndef root():\n    return [WORD, os.environ['A'], open('data.json').read()]"
    )
    notebook.save(source)
    ran = notebook.run("%deploy options2 --env A=1 --file data.json --message 'it is new' --open")
    assert get(live(ran)).json() == ["from a module", "1", "{}"]
    assert "helper.py" in ran.plain
    assert platform.client.versions("options2")[0].message == "it is new"
    assert any("application/javascript" in output for output in ran.outputs)


def test_a_draft_is_saved_and_deployed_where_no_cell_is_marked(notebook: Notebook, platform: Platform) -> None:
    notebook.save(*named("drafted", MAIN, SECOND, USERS, THIRD))
    ran = notebook.run("%deploy drafted --draft")
    assert "drafted: saved as draft, not deployed" in ran.plain
    assert "    users.py " in ran.plain
    assert platform.app("drafted").version is None
    notebook.save("x = 1")
    ran = notebook.run("%deploy drafted")
    assert get(live(ran)).json() == 1
    assert "The draft, saved " in ran.plain
    assert "In[2]" in ran.plain
    assert platform.client.draft("drafted").info is None
    ran = notebook.run("%deploy drafted")
    assert "demo.ipynb has no cell marked for drafted, and drafted has no draft: what is live is its" in ran.error
    assert "`#| deploy: drafted` on top" in ran.error
    assert "%%deploy drafted on top" in ran.error


def test_a_draft_of_the_notebooks_own_cells_is_done_with(notebook: Notebook, platform: Platform) -> None:
    notebook.save(*named("done", MAIN, SECOND, USERS, THIRD))
    notebook.run("%deploy done --draft")
    notebook.save(*named("done", MAIN, SECOND + "  # changed", USERS, THIRD))
    live(notebook.run("%deploy done"))
    assert platform.client.draft("done").info is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%deploy", "Usage: %deploy NAME"),
        ("%deploy x --run", "There is no option --run. Usage: %deploy NAME"),
        ("%deploy Bad_Name", 'Try "bad-name"'),
        ("%deploy nobody --file x", "no cell marked for nobody"),
    ],
)
def test_what_is_wrong_with_the_line_is_one_line(notebook: Notebook, line: str, words: str) -> None:
    notebook.save("x = 1")
    ran = notebook.run(line)
    assert words in ran.error
    assert "\n" not in ran.error


def test_a_notebook_that_is_not_there_or_is_none(notebook: Notebook) -> None:
    notebook.path.write_text("no notebook")
    assert "demo.ipynb cannot be read as a notebook" in notebook.run("%deploy hello").error
    notebook.path.unlink()
    ran = notebook.run("%deploy hello")
    assert "demo.ipynb is not in " in ran.error
    assert "renamed, moved or never saved" in ran.error


def test_a_kernel_that_does_not_know_its_notebook(platform: Platform, tmp_path: Path) -> None:
    with running_kernel(tmp_path, GOFASTAPI_HOME=str(platform.places.home)) as kernel:
        assert "There is no notebook on disk here" in kernel.run("%deploy nowhere").error
        kernel.run("#| deploy: nowhere\nx = 1", "another-cell")
        assert "In[2] is marked for nowhere, but nothing here tells" in kernel.run("%deploy nowhere").error


def test_the_line_is_completed(notebook: Notebook) -> None:
    assert "--dry-run" in notebook.kernel.complete("%deploy hello --d")
    assert "--dry-run" not in notebook.kernel.complete("%%deploy hello --d")
    assert "--run" not in notebook.kernel.complete("%deploy hello --r")
