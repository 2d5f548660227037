"""Cells of a notebook on disk become the files of an app."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from gofastapi_ext.core.bundle import cell_of
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.notebook.errors import CommandFailed
from gofastapi_ext.notebook.marked import Cell, SavedNotebook, check_saved, gather, read_notebook
from gofastapi_ext.notebook.runs import Run, Runs

ODD = b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "x", "execution_count": [1]}]}'
APP = "from fastapi import FastAPI\napp = FastAPI()"


def notebook(*sources: str) -> SavedNotebook:
    cells = [Cell(f"In[{n}]", f"id-{n}", source) for n, source in enumerate(sources, start=1)]
    return SavedNotebook("demo.ipynb", 100.0, cells)


def test_cells_of_one_file_are_joined_in_document_order() -> None:
    gathered = gather(
        notebook(
            f"#| deploy: hello\n{APP}",
            "x = 'not marked'",
            "\n#| deploy: hello\n#| file: routers/users.py\n\n\nrouter = 1\n\n",
            "#| deploy: hello\n\n@app.get('/')\ndef root(): ...",
            "#| deploy: other\napp = FastAPI()",
            "#| deploy: hello\n#| file: routers/__init__.py",
        ),
        "hello",
    )
    assert gathered.texts == {
        "main.py": f"{APP}\n\n@app.get('/')\ndef root(): ...\n",
        "routers/users.py": "router = 1\n",
        "routers/__init__.py": "",
    }
    assert gathered.warnings == []
    assert gathered.main == "main.py"
    # Each line of a file is that line of its cell.
    for path, line, label, cell_line in (
        ("main.py", 1, "In[1]", 2),
        ("main.py", 2, "In[1]", 3),
        ("main.py", 4, "In[4]", 3),
        ("main.py", 5, "In[4]", 4),
        ("routers/users.py", 1, "In[3]", 6),
    ):
        found = cell_of(gathered.origins[path], line)
        assert found is not None
        position = found.position(line)
        assert (position.label, position.line, position.notebook) == (label, cell_line, "demo.ipynb")


def test_the_main_file_may_have_another_name() -> None:
    cells = (f"#| deploy: a\n#| file: app/api.py\n{APP}", "#| deploy: a\n#| file: app/db.py\nx = 1")
    assert gather(notebook(*cells), "a").main == "app/api.py"
    with pytest.raises(InvalidBundleError, match="makes an app"):
        _ = gather(notebook(cells[1]), "a").main


def test_cells_of_deployfile_belong_to_it_unless_one_is_marked_for_their_file() -> None:
    cells = (
        f"#| deploy: a\n{APP}",
        "%%deployfile a db.py\nx = 1",
        "%%deployfile a seen.py --force\nx = 2",
        "#| deploy: a\n#| file: seen.py\nx = 3",
        "%%deployfile b db.py\nx = 4",
        "%%deployfile a 'unfinished",
    )
    gathered = gather(notebook(*cells), "a")
    assert {path: text for path, text in gathered.texts.items() if path != "main.py"} == {
        "seen.py": "x = 3\n",
        "db.py": "x = 1\n",
    }
    assert gathered.origins["db.py"][0].position(1).line == 2
    assert gather(notebook(*cells[1:3]), "a").texts == {}


def test_warnings_name_the_cell() -> None:
    told = gather(notebook(f"#| deploy: hello\n{APP}", "#|deploy hello\nx", "#| deploy: helo\nx = 1"), "hello").warnings
    assert told == [
        "In[2], line 1: `#|deploy hello` is no marker; write `#| deploy: hello`.",
        'In[3]: marked for "helo", not for "hello".',
    ]


def test_an_app_of_a_name_that_is_close_is_no_mistake() -> None:
    cells = [f"#| deploy: {name}\n{APP}" for name in ("shop-v1", "shop-v2")]
    assert gather(notebook(*cells), "shop-v1").warnings == []
    assert gather(notebook(cells[1]), "shop-v1").warnings == ['In[1]: marked for "shop-v2", not for "shop-v1".']


@pytest.mark.parametrize("path", ["../x.py", "/etc/x.py", "a\\b.py", "a//b.py", "x" * 300, ".env", "keys/id_rsa"])
def test_a_path_that_cannot_be_names_the_cell(path: str) -> None:
    with pytest.raises(InvalidBundleError, match=r"^In\[1\]: "):
        gather(notebook(f"#| deploy: hello\n#| file: {path}\nx = 1"), "hello")


def test_reading_a_notebook_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "demo.ipynb"
    cells = [
        new_markdown_cell("#| deploy: hello\ntext"),
        new_code_cell("a", execution_count=3, id="a"),
        new_code_cell("b", id="b"),
        new_code_cell("c", execution_count=4, id="c"),
        new_code_cell("d", execution_count=4, id="d"),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    read = read_notebook(path)
    assert (read.name, read.saved_at) == ("demo.ipynb", path.stat().st_mtime)
    # Two cells of one number, from before and after a restart of the kernel, go by their place.
    assert [(cell.label, cell.cell_id, cell.source) for cell in read.cells] == [
        ("In[3]", "a", "a"),
        ("cell 3", "b", "b"),
        ("cell 4", "c", "c"),
        ("cell 5", "d", "d"),
    ]


def test_an_old_notebook_has_no_ids(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = tmp_path / "old.ipynb"
    path.write_text(
        '{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [{"cell_type": "code", "metadata": {}, '
        '"source": ["#| deploy: a\\n", "x = 1"], "outputs": [], "execution_count": null}]}'
    )
    assert read_notebook(path).cells[0].source == "#| deploy: a\nx = 1"
    assert list(recwarn) == []


def test_a_notebook_of_today_is_read_without_nbformat_which_is_slow_to_import(tmp_path: Path) -> None:
    path = tmp_path / "demo.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("#| deploy: a\nx = 1", id="a", execution_count=1)]), path)
    code = (
        "import sys, pathlib; from gofastapi_ext.notebook.marked import read_notebook\n"
        f"cells = read_notebook(pathlib.Path({str(path)!r})).cells\n"
        "assert [(c.label, c.cell_id, c.source) for c in cells] == [('In[1]', 'a', '#| deploy: a\\nx = 1')]\n"
        "assert not {'nbformat', 'jsonschema'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_notebook_of_an_older_format(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "input": ["#| deploy: a\n", "x = 1"], "outputs": [], "language": "python"}
    worksheets = [{"cells": [cell | {"prompt_number": 4}], "metadata": {}}]
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": worksheets}))
    [read] = read_notebook(path).cells
    assert (read.label, read.source) == ("In[4]", "#| deploy: a\nx = 1")


@pytest.mark.parametrize("content", [b"", b"{}", b"print('hello')", b"\xff\xfe", b'{"cells": 3, "nbformat": 4}', ODD])
def test_what_is_no_notebook_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.ipynb"
    path.write_bytes(content)
    with pytest.raises(CommandFailed, match=r"no\.ipynb cannot be read"):
        read_notebook(path)


SAVED = notebook("#| deploy: hello\nx = 1", "y = 1")


@pytest.mark.parametrize(
    ("run", "is_saved"),
    [
        (Run("In[7]", "id-1", "#| deploy: hello\nx = 1", 101.0), True),
        (Run("In[7]", "id-1", "#| deploy: hello\nx = 1\n", 101.0), True),
        (Run("In[7]", "id-1", "#| deploy: hello\nx = 2", 101.0), False),
        (Run("In[7]", "id-1", "x = 1", 101.0), False),
        (Run("In[7]", "id-9", "#| deploy: hello\nz = 1", 101.0), False),
        (Run("In[7]", "id-2", "#| deploy: hello\ny = 1", 101.0), False),
        (Run("In[7]", "id-2", "y = 2", 101.0), True),
        (Run("In[7]", "id-9", "#| deploy: other\nz = 1", 101.0), True),
        (Run("In[7]", None, "#| deploy: hello\nx = 1", 101.0), True),
        (Run("In[7]", None, "#| deploy: hello\nx = 2", 101.0), False),
    ],
)
def test_a_cell_that_ran_and_is_not_saved(run: Run, is_saved: bool) -> None:
    if is_saved:
        check_saved(SAVED, [run], "hello")
    else:
        with pytest.raises(CommandFailed, match=r"^In\[7\] is not saved yet: save the notebook \(Ctrl\+S\)"):
            check_saved(SAVED, [run], "hello")


def test_only_the_last_run_of_a_cell_counts_and_only_after_the_save() -> None:
    shell: Any = SimpleNamespace(history_manager=SimpleNamespace(input_hist_raw=["", "first"]))
    runs = Runs(shell)
    for cell_id, source, store in (("a", "one", True), ("a", "two", True), (None, "three", True), ("b", "four", False)):
        runs.note(SimpleNamespace(raw_cell=source, cell_id=cell_id, store_history=store))  # type: ignore[arg-type]
        shell.history_manager.input_hist_raw.append(source)
    noted = runs.since(0.0)
    assert [(run.label, run.source) for run in noted] == [("In[3]", "two"), ("In[4]", "three")]
    assert runs.since(noted[-1].at) == []
