"""What goes into a bundle: the cell or file itself, what it imports, what it was told to bring."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.trees import closed_to_us, names, write

from gofastapi_ext.client import files
from gofastapi_ext.client.collect import Collected, collect_cell
from gofastapi_ext.core.bundle import CellOrigin
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.limits import Limits

ORIGIN = CellOrigin(label="In[5]", notebook="demo.ipynb", line_offset=1)


def cell(source: str, directory: Path, *extra: str, limits: Limits | None = None) -> Collected:
    return collect_cell(source, directory, [Path(e) for e in extra], ORIGIN, limits)


def test_a_cell_is_main_and_knows_where_it_came_from(tmp_path: Path) -> None:
    collected = cell("app = 1\n", tmp_path)
    assert names(collected) == ["main.py"]
    assert collected.bundle.main == "main.py"
    assert collected.bundle.text_of("main.py") == "app = 1\n"
    assert collected.origins == {"main.py": [ORIGIN]}
    assert collected.included == collected.skipped == []


def test_a_cell_in_no_folder_at_all(tmp_path: Path) -> None:
    assert names(cell("import helpers", tmp_path / "gone")) == ["main.py"]


def test_modules_beside_the_notebook_come_along_with_what_they_import(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "helpers.py": "from more import thing",
            "more.py": "import json, helpers",
            "unrelated.py": "",
            "data.csv": "1,2",
        },
    )
    collected = cell("import helpers\nfrom fastapi import FastAPI", tmp_path)
    assert names(collected) == ["helpers.py", "main.py", "more.py"]
    assert collected.included == ["helpers.py", "more.py"]


def test_packages_come_whole_with_their_data(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "shop/__init__.py": "",
            "shop/items.py": "import beside",
            "shop/schema.sql": "create table t",
            "shop/templates/list.html": "<p>",
            "shop/logo.png": b"\x89PNG\xff",
            "shop/__pycache__/items.pyc": b"\0",
            "beside.py": "",
        },
    )
    collected = cell("from shop.items import Item", tmp_path)
    assert names(collected) == [
        "beside.py",
        "main.py",
        "shop/__init__.py",
        "shop/items.py",
        "shop/logo.png",
        "shop/schema.sql",
        "shop/templates/list.html",
    ]
    assert collected.included == ["shop/", "beside.py"]
    assert collected.skipped == []


def test_a_folder_without_init_is_a_package_only_where_a_module_of_it_is_imported(tmp_path: Path) -> None:
    write(tmp_path, {"lib/tools.py": "", "data/numbers.json": "[]"})
    assert names(cell("from lib.tools import x\nimport data", tmp_path)) == ["lib/tools.py", "main.py"]
    assert names(cell("from lib import tools", tmp_path)) == ["lib/tools.py", "main.py"]


def test_static_and_template_folders_come_along(tmp_path: Path) -> None:
    write(tmp_path, {"static/app.css": "a{}", "templates/home.html": "<p>", "other/x.txt": "x"})
    source = 'app.mount("/s", StaticFiles(directory="static"))\nt = Jinja2Templates(directory="templates")\n'
    collected = cell(source + 'StaticFiles(directory="missing")', tmp_path)
    assert names(collected) == ["main.py", "static/app.css", "templates/home.html"]
    assert collected.included == ["static/", "templates/"]


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pkg/__init__.py": "",
            "pkg/.env": "SECRET=1",
            "pkg/server.key": "k",
            "pkg/.hidden": "",
            "pkg/.git/config": "",
            "pkg/.ipynb_checkpoints/a.py": "",
            "pkg/env/pyvenv.cfg": "",
            "pkg/big.bin": b"x" * 2001,
        },
    )
    collected = cell("import pkg", tmp_path, limits=Limits(max_file_bytes=2000))
    assert names(collected) == ["main.py", "pkg/__init__.py"]
    told = {line.split(": ")[0]: line.split(": ", 1)[1] for line in collected.skipped}
    assert set(told) == {"pkg/.env", "pkg/server.key", "pkg/.hidden", "pkg/env/", "pkg/big.bin"}
    assert "gofastapi env import NAME .env" in told["pkg/.env"]
    assert "gofastapi env set" in told["pkg/server.key"]
    assert "2.0 kB" in told["pkg/big.bin"]


def test_links_inside_the_folder_are_read_and_links_out_of_it_are_not(tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere", {"secret.py": "password = 1"})
    root = write(tmp_path / "nb", {"pkg/__init__.py": "", "pkg/real.txt": "text"})
    (root / "pkg/inside.txt").symlink_to(root / "pkg/real.txt")
    (root / "pkg/outside.py").symlink_to(secret / "secret.py")
    (root / "pkg/folder").symlink_to(secret)
    (root / "pkg/loop").symlink_to(root / "pkg")
    (root / "stolen.py").symlink_to(secret / "secret.py")
    (root / "broken.py").symlink_to(root / "nowhere")
    os.mkfifo(root / "pkg/pipe.py")
    collected = cell("import pkg, stolen, broken", root)
    assert names(collected) == ["main.py", "pkg/__init__.py", "pkg/inside.txt", "pkg/real.txt"]
    assert {line.split(":")[0] for line in collected.skipped} == {
        "pkg/outside.py",
        "pkg/folder/",
        "pkg/pipe.py",
        "stolen.py",
    }


def test_a_module_called_main_cannot_come_beside_the_cell(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": "x = 1", "helpers.py": "import main"})
    collected = cell("import helpers", tmp_path)
    assert collected.bundle.text_of("main.py") == "import helpers"
    assert any(line.startswith("main.py: the cell itself") for line in collected.skipped)


def test_file_brings_files_and_folders_at_their_place(tmp_path: Path) -> None:
    root = write(tmp_path / "nb", {"data/a.json": "1", "data/deep/b.json": "2", ".hidden": "A=1", "config/x.ini": ""})
    write(tmp_path / "far", {"c.txt": "c", "lib/util.py": ""})
    far = str(tmp_path / "far")
    collected = cell("x", root, "data", ".hidden", "./config/x.ini", f"{far}/c.txt", "../far/lib")
    assert names(collected) == [
        ".hidden",
        "c.txt",
        "config/x.ini",
        "data/a.json",
        "data/deep/b.json",
        "lib/util.py",
        "main.py",
    ]
    assert collected.included == []


def test_a_python_file_that_was_named_brings_its_own_imports(tmp_path: Path) -> None:
    root = write(tmp_path / "nb", {"plugins/one.py": "import helpers", "helpers.py": ""})
    assert names(cell("x", root, "plugins")) == ["helpers.py", "main.py", "plugins/one.py"]


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("missing.txt", "there is no such file"),
        ("empty", "holds no file"),
        ("pipe", "neither a file nor a folder"),
        ("main.py", "would both be main.py"),
    ],
)
def test_file_that_cannot_come_is_an_error(tmp_path: Path, extra: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path, {"main.py": ""})
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidBundleError, match=words):
        cell("x", tmp_path, extra)


def test_a_file_that_cannot_be_read() -> None:
    tree: dict[str, str | bytes] = {"secret.txt": "x", "pkg/__init__.py": "", "pkg/closed.txt": "x", "shut/a.txt": ""}
    with closed_to_us(tree, {"secret.txt": 0, "pkg/closed.txt": 0, "shut": 0}) as root:
        for path in ("secret.txt", "shut/a.txt"):
            with pytest.raises(InvalidBundleError, match=r"cannot be read.*permission denied"):
                cell("x", root, path)
        assert cell("import pkg", root).skipped[0].startswith("pkg/closed.txt: ")
        assert names(cell('open("shut/a.txt"); import shut.a', root)) == ["main.py"]


def test_a_named_file_that_is_too_large_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"big.bin": b"x" * 3000})
    with pytest.raises(InvalidBundleError, match=r"big\.bin is 3\.0 kB; a file may have 2\.0 kB"):
        cell("x", tmp_path, "big.bin", limits=Limits(max_file_bytes=2000))


def test_a_file_that_claims_to_be_empty_is_read_within_bounds(tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc")
    with pytest.raises(InvalidBundleError, match="a file may have 10 B"):
        cell("x", tmp_path, "/proc/self/status", limits=Limits(max_file_bytes=10))


def test_too_much_together_names_the_three_largest(tmp_path: Path) -> None:
    write(tmp_path, {f"d/{n}.bin": b"x" * n for n in (100, 200, 300, 400)})
    with pytest.raises(InvalidBundleError) as error:
        cell("x", tmp_path, "d", limits=Limits(max_bundle_bytes=950))
    assert "d/400.bin (400 B), d/300.bin (300 B), d/200.bin (200 B)" in error.value.message


def test_too_many_files(tmp_path: Path) -> None:
    write(tmp_path, {f"d/{n}.txt": "x" for n in range(12)})
    with pytest.raises(InvalidBundleError, match="13 files; 10 is the limit"):
        cell("x", tmp_path, "d", limits=Limits(max_files=10))


def test_the_search_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_ENTRIES_LOOKED_AT", 50)
    write(tmp_path, {f"pkg/.h{n}": "" for n in range(60)} | {"pkg/__init__.py": ""})
    with pytest.raises(InvalidBundleError, match="more than 50 files"):
        cell("import pkg", tmp_path)


def test_names_a_bundle_cannot_hold_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"pkg/__init__.py": "", "pkg/a\nb.txt": ""})
    assert "control characters" in cell("import pkg", tmp_path).skipped[0]
    write(tmp_path, {"pkg/Readme": "", "pkg/readme": ""})
    with pytest.raises(InvalidBundleError, match="differ only in case"):
        cell("import pkg", tmp_path)


def test_code_that_does_not_parse_is_collected_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, {"helpers.py": "def broken("})
    collected = cell("import helpers", tmp_path)
    assert names(collected) == ["helpers.py", "main.py"]
    assert names(cell("def broken(", tmp_path)) == ["main.py"]


def test_a_package_that_many_files_import_is_looked_through_once(tmp_path: Path) -> None:
    modules = [f"module_{n}" for n in range(40)]
    imports_all = "".join(f"from pkg import {name}\n" for name in modules)
    write(tmp_path, {f"pkg/{name}.py": imports_all for name in modules} | {"pkg/__init__.py": ""})
    assert len(names(cell(imports_all, tmp_path))) == 42
