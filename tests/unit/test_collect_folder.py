"""A whole folder becomes a bundle: realistic trees, and hostile ones."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.trees import closed_to_us, names, write

from gofastapi_ext.client.collect import Collected
from gofastapi_ext.client.folder import collect_folder, collect_path
from gofastapi_ext.core.errors import InvalidBundleError, InvalidRequestError
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.project.manifest import MANIFEST_NAME, Manifest

APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def folder(root: Path, *extra: str, main: str | None = None, limits: Limits | None = None) -> Collected:
    return collect_folder(root, [Path(path) for path in extra], main, limits)


@pytest.mark.parametrize(
    ("tree", "main"),
    [
        ({"main.py": APP}, "main.py"),
        ({"app.py": APP, "models.py": ""}, "app.py"),
        ({"shop.py": APP, "main.py": "print('no app')"}, "shop.py"),
        ({"app/__init__.py": "", "app/main.py": APP + "from app.db import x", "app/db.py": "x = 1"}, "app/main.py"),
        ({"backend/service.py": APP, "frontend/x.js": ""}, "backend/service.py"),
        ({"main.py": APP, "app/main.py": APP}, "main.py"),
        ({"main.py": APP, "app.py": APP}, "main.py"),
        ({"src/main.py": APP + "from src.db import x", "src/db.py": "x = 1"}, "src/main.py"),
        ({"src/main.py": APP + "from db import x", "src/db.py": "x = 1"}, "src/main.py"),
        ({"src/main.py": APP + "from .db import x", "src/db.py": "x = 1"}, "src/main.py"),
    ],
)
def test_the_file_that_holds_the_app_is_found(tmp_path: Path, tree: dict[str, str | bytes], main: str) -> None:
    collected = folder(write(tmp_path, tree))
    assert collected.bundle.main == main
    assert names(collected) == sorted(tree)
    assert collected.skipped == collected.notes == []


@pytest.mark.parametrize("given", ["uvicorn.run('shop.web:site')", "uvicorn.run('shop.web:make', factory=True)"])
def test_a_file_that_starts_the_app_says_which_one(tmp_path: Path, given: str) -> None:
    tree = {"run.py": f"import uvicorn\n{given}", "src/shop/web.py": "from shop import db", "src/shop/db.py": ""}
    collected = folder(write(tmp_path, {**tree, "other.py": APP}))
    assert collected.bundle.main == "shop/web.py"
    assert collected.bundle.entrypoint == ("shop.web:make()" if "factory" in given else "shop.web:site")


def test_where_imports_begin_below_the_folder_that_is_the_top(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "src/app/main.py": APP + "from app.routers import users",
            "src/app/routers/users.py": "from app import db",
            "src/app/db.py": "",
            "src/README.md": "inner",
            "README.md": "outer",
            "templates/a.html": "",
        },
    )
    collected = folder(tmp_path)
    assert collected.bundle.main == "app/main.py"
    assert names(collected) == ["README.md", "app/db.py", "app/main.py", "app/routers/users.py", "templates/a.html"]
    assert collected.bundle.text_of("README.md") == "inner"
    assert collected.skipped == []
    assert collected.notes == [
        "The app's imports begin in src/, so what that holds is at the top.",
        "src/README.md takes the place of README.md.",
    ]


def test_several_apps_are_a_question_and_main_answers_it(tmp_path: Path) -> None:
    write(tmp_path, {"one.py": APP, "two.py": APP})
    with pytest.raises(InvalidBundleError, match=r"one\.py, two\.py\. Say which one: --main PATH"):
        folder(tmp_path)
    assert folder(tmp_path, main="two.py").bundle.main == "two.py"
    assert folder(tmp_path, main="./two.py").bundle.main == "two.py"
    for wrong in ("three.py", "../two.py", str(tmp_path / "two.py"), ""):
        with pytest.raises(InvalidBundleError, match="there is no such Python file"):
            folder(tmp_path, main=wrong)


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"a.txt": ""}, "There is no Python file here"),
        ({"main.py": "x = 1"}, "No Python file here makes an app"),
        ({".git/config": ""}, "holds no file for an app"),
    ],
)
def test_a_folder_without_an_app(tmp_path: Path, tree: dict[str, str | bytes], words: str) -> None:
    with pytest.raises(InvalidBundleError, match=words):
        folder(write(tmp_path, tree))


def test_a_file_is_taken_as_a_file(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": APP, "other.py": ""})
    assert names(collect_path(tmp_path / "main.py", [])) == ["main.py"]
    assert names(collect_path(tmp_path, [])) == ["main.py", "other.py"]
    with pytest.raises(InvalidRequestError, match="--main goes with a folder"):
        collect_path(tmp_path / "main.py", [], "main.py")


def test_what_belongs_to_no_app_stays_behind(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.py": APP + 'open("uploads/x", "w")',
            ".env": "A=1",
            ".env.example": "A=",
            "certs/server.pem": "-----BEGIN EC " + "PRIVATE KEY-----",
            "certs/ca.pem": "-----BEGIN CERTIFICATE-----",
            ".git/config": "",
            ".gitignore": "",
            ".ipynb_checkpoints/a.ipynb": "",
            "__pycache__/main.pyc": b"",
            ".venv/pyvenv.cfg": "",
            "env/pyvenv.cfg": "",
            "env/lib/x.py": "",
            ".editorconfig": "",
            "node_modules/x.js": "",
            "static/.well-known/a.txt": "",
        },
    )
    (tmp_path / "uploads").mkdir()
    collected = folder(tmp_path)
    assert names(collected) == [
        ".env.example",
        "certs/ca.pem",
        "main.py",
        "static/.well-known/a.txt",
        "uploads/.gitkeep",
    ]
    assert [line.split(": ")[0] for line in collected.skipped] == [".editorconfig", ".env", "env/", "certs/server.pem"]


def test_file_brings_what_lies_outside_or_is_hidden(tmp_path: Path) -> None:
    root = write(tmp_path / "app", {"main.py": APP, ".config": "c"})
    write(tmp_path, {"far/data.csv": ""})
    collected = folder(root, str(root / ".config"), str(tmp_path / "far/data.csv"), str(root / "main.py"))
    assert names(collected) == [".config", "data.csv", "main.py"]
    assert collected.skipped == []


def test_links_loops_devices_and_depths(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"secret.txt": "s"})
    root = write(tmp_path / "app", {"main.py": APP, "real.txt": "r", ".env": "A=1", ".git/config": ""})
    (root / "inside.txt").symlink_to(root / "real.txt")
    (root / "out.txt").symlink_to(outside / "secret.txt")
    (root / "out").symlink_to(outside)
    (root / "up").symlink_to(tmp_path)
    (root / "self").symlink_to(root)
    (root / "loop").symlink_to(root / "loop")
    (root / "settings.txt").symlink_to(root / ".env")
    (root / "repository").symlink_to(root / ".git")
    (root / "zero").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe")
    deep = root
    for _ in range(30):
        deep = deep / ("d" * 20)
        deep.mkdir()
    (deep / "x.txt").write_text("")
    collected = folder(root)
    assert names(collected) == ["inside.txt", "main.py", "real.txt"]
    told = {line.split(": ")[0].partition("/")[0]: line.split(": ", 1)[1] for line in collected.skipped}
    assert told.keys() == {
        ".env",
        "out.txt",
        "out",
        "up",
        "loop",
        "settings.txt",
        "repository",
        "zero",
        "pipe",
        "d" * 20,
    }
    assert "leads out" in told["out"]
    assert "leads out" in told["out.txt"]
    assert "a link to .env" in told["settings.txt"]
    assert "a link to .git" in told["repository"]
    assert "cannot be read" in told["loop"]
    assert told["pipe"] == "not a file"
    assert "between 1 and 400 characters" in told["d" * 20]


def test_what_cannot_be_read_stays_behind_and_is_told() -> None:
    tree: dict[str, str | bytes] = {
        "main.py": APP,
        "a.txt": "",
        "shut/b.txt": "",
        "named/c.txt": "",
        "named/deep/d": "",
    }
    with closed_to_us(tree, {"a.txt": 0, "shut": 0, "named": 0o444}) as root:
        collected = folder(root)
    assert names(collected) == ["main.py"]
    told = {line.split(": ")[0]: line.split(": ", 1)[1] for line in collected.skipped}
    assert told.keys() == {"a.txt", "shut/", "named/"}
    assert all("permission denied" in why for why in told.values())


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"a.txt": "", "A.txt": ""}, "'A.txt' and 'a.txt' differ only in case"),
        ({"a/x": "", "A/y": ""}, "'A' and 'a' differ only in case"),
        ({"\u00e9.txt": "", "e\u0301.txt": ""}, r"'e\\u0301.txt' and '\\xe9.txt' differ only in case or Unicode form"),
    ],
)
def test_names_that_are_one_elsewhere(tmp_path: Path, tree: dict[str, str | bytes], words: str) -> None:
    write(tmp_path, {**tree, "main.py": APP})
    if len(list(tmp_path.iterdir())) == 2:
        pytest.skip("the file system holds only one of them")
    with pytest.raises(InvalidBundleError, match=words):
        folder(tmp_path)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": APP, "a\nb.txt": "", "\u202etxt.py": ""})
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.txt")).write_text("")
    collected = folder(tmp_path)
    assert names(collected) == ["main.py"]
    assert len(collected.skipped) == 3
    assert all("no control characters" in line for line in collected.skipped)


def test_the_largest_of_all_are_named_though_reading_never_came_to_them(tmp_path: Path) -> None:
    tree: dict[str, str | bytes] = {f"a{n}.bin": b"x" * 300 for n in range(5)}
    write(tmp_path, {"main.py": APP, **tree, "z/huge.bin": b"x" * 900, "z/big.bin": b"x" * 800})
    with pytest.raises(InvalidBundleError) as error:
        folder(tmp_path, limits=Limits(max_bundle_bytes=1000))
    assert "z/huge.bin (900 B), z/big.bin (800 B), a4.bin (300 B)" in error.value.message
    with pytest.raises(InvalidBundleError, match=r"8 files; 4 is the limit. The largest: z/huge\.bin"):
        folder(tmp_path, limits=Limits(max_files=4))


def test_an_exported_project_is_brought_back_by_import(tmp_path: Path) -> None:
    manifest = Manifest(
        name="shop",
        title="Shop",
        version=3,
        created_at=datetime.now(UTC),
        code_hash="0" * 64,
        main="main.py",
        entrypoint=None,
        files=["main.py"],
        generated={},
    )
    write(tmp_path, {"main.py": APP, MANIFEST_NAME: manifest.model_dump_json()})
    with pytest.raises(InvalidBundleError, match=r"was exported.* gofastapi import .* --deploy"):
        folder(tmp_path)
