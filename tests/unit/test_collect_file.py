"""A file on disk becomes a bundle: which folder is its root, and which file it is that starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.trees import names, write

from gofastapi_ext.client.collect import collect_file
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.limits import Limits


def test_a_single_file(tmp_path: Path) -> None:
    write(tmp_path, {"hello.py": "import helpers", "helpers.py": "", "other.py": ""})
    collected = collect_file(tmp_path / "hello.py", [])
    assert collected.bundle.main == "hello.py"
    assert names(collected) == ["hello.py", "helpers.py"]
    assert collected.included == ["helpers.py"]
    assert collected.origins == {}


@pytest.mark.parametrize(
    ("tree", "main", "expected_main"),
    [
        ({"app/__init__.py": "", "app/main.py": "from app.routers import x"}, "app/main.py", "app/main.py"),
        ({"app/__init__.py": "", "app/main.py": "from .routers import x"}, "app/main.py", "app/main.py"),
        ({"app/main.py": "from app.routers import x"}, "app/main.py", "app/main.py"),
        ({"app/main.py": "from .routers import x"}, "app/main.py", "app/main.py"),
        ({"app/main.py": "from . import routers"}, "app/main.py", "app/main.py"),
        ({"app/__init__.py": "", "app/main.py": "from routers import x"}, "app/main.py", "main.py"),
        ({"app/main.py": "from routers import x"}, "app/main.py", "main.py"),
        ({"app/__init__.py": "", "app/main.py": ""}, "app/main.py", "app/main.py"),
        ({"app/main.py": ""}, "app/main.py", "main.py"),
        ({"src/app/main.py": "from app.routers import x"}, "src/app/main.py", "app/main.py"),
        ({"src/app/main.py": "from src.app.routers import x"}, "src/app/main.py", "src/app/main.py"),
    ],
)
def test_the_root_is_where_the_imports_resolve(
    tmp_path: Path, tree: dict[str, str], main: str, expected_main: str
) -> None:
    folder = Path(main).parent
    write(tmp_path, tree | {f"{folder}/routers/__init__.py": "x = 1"})
    collected = collect_file(tmp_path / main, [])
    assert collected.bundle.main == expected_main
    beside = (Path(expected_main).parent / "routers/__init__.py").as_posix()
    assert (beside in collected.bundle.files) == ("routers" in str(tree) or "/" in expected_main)


def test_a_relative_import_two_levels_up(tmp_path: Path) -> None:
    write(tmp_path, {"p/api/main.py": "from ..core import x", "p/core.py": "x = 1", "outside.py": ""})
    collected = collect_file(tmp_path / "p/api/main.py", [])
    assert collected.bundle.main == "p/api/main.py"
    assert names(collected) == ["p/api/main.py", "p/core.py"]


def test_a_package_beside_the_package(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "app/__init__.py": "",
            "app/main.py": "from core.db import x\nfrom app.a import y",
            "app/a.py": "",
            "core/db.py": "",
            "static/x.css": "",
            "README.md": "",
        },
    )
    collected = collect_file(tmp_path / "app/main.py", [])
    assert names(collected) == ["app/__init__.py", "app/a.py", "app/main.py", "core/db.py"]
    assert collected.included == ["app/", "core/"]


def test_folders_a_packaged_app_names_are_looked_up_from_the_root_then_beside_it(tmp_path: Path) -> None:
    source = 'from app import x\nStaticFiles(directory="static")\nJinja2Templates(directory="app/templates")'
    write(
        tmp_path,
        {"app/__init__.py": "x=1", "app/main.py": source, "static/x.css": "", "app/templates/t.html": ""},
    )
    assert names(collect_file(tmp_path / "app/main.py", [])) == [
        "app/__init__.py",
        "app/main.py",
        "app/templates/t.html",
        "static/x.css",
    ]


def test_file_paths_start_at_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"project/hello.py": "", "project/data/a.json": "", "b.json": ""})
    monkeypatch.chdir(tmp_path)
    collected = collect_file(Path("project/hello.py"), [Path("project/data"), Path("b.json"), Path("project/hello.py")])
    assert names(collected) == ["b.json", "data/a.json", "hello.py"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone.py", "There is no file"),
        ("folder", "is a folder"),
        ("book.ipynb", "is a notebook"),
        ("picture.py", "not Python source"),
        ("nul.py", "not Python source"),
        ("pipe.py", "is not a file"),
        ("big.py", "a file may have"),
    ],
)
def test_a_main_file_that_cannot_be_an_app(tmp_path: Path, name: str, words: str) -> None:
    write(
        tmp_path,
        {
            "folder/x.py": "",
            "book.ipynb": "{}",
            "picture.py": b"\x89PNG\xff\xfe",
            "nul.py": b"x\0",
            "big.py": b"#" * 5001,
        },
    )
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(InvalidBundleError, match=words):
        collect_file(tmp_path / name, [], Limits(max_file_bytes=5000))


def test_a_file_in_a_package_that_reads_files_beside_it_is_started_there(tmp_path: Path) -> None:
    write(tmp_path, {"site/__init__.py": "", "site/main.py": 'open("./page.html")', "site/page.html": ""})
    assert names(collect_file(tmp_path / "site/main.py", [])) == ["main.py", "page.html"]
    write(tmp_path, {"site/main.py": 'open("site/page.html")'})
    assert "site/page.html" in names(collect_file(tmp_path / "site/main.py", []))


@pytest.mark.parametrize(
    ("given", "entrypoint"),
    [
        ('"app.api:app"', "app.api:app"),
        ('app="app.main:make", factory=True', "app.main:make()"),
    ],
)
def test_a_file_that_starts_the_app_of_another_module_stands_for_it(
    tmp_path: Path, given: str, entrypoint: str
) -> None:
    launcher = f"import uvicorn\nif __name__ == '__main__':\n    uvicorn.run({given}, port=80)"
    write(
        tmp_path,
        {"main.py": launcher, "app/api.py": "from app import db", "app/main.py": "", "app/db.py": ""},
    )
    collected = collect_file(tmp_path / "main.py", [])
    module = entrypoint.partition(":")[0].replace(".", "/") + ".py"
    assert (collected.bundle.main, collected.bundle.entrypoint) == (module, entrypoint)
    assert names(collected) == ["app/api.py", "app/db.py", "app/main.py"]


@pytest.mark.parametrize("given", ["app", '"main:app"', '"gone.api:app"'])
def test_a_file_that_starts_its_own_app_or_one_that_is_not_there_stands_for_itself(tmp_path: Path, given: str) -> None:
    write(tmp_path, {"main.py": "", "app/main.py": f"import app.db, uvicorn\nuvicorn.run({given})", "app/db.py": ""})
    collected = collect_file(tmp_path / "app/main.py", [])
    assert (collected.bundle.main, collected.bundle.entrypoint) == ("app/main.py", None)
