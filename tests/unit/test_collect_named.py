"""What comes along because the code names it, and what never does: secrets, version control, caches."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.trees import names, write

from gofastapi_ext.client.collect import Collected, collect_cell, collect_file
from gofastapi_ext.core.bundle import CellOrigin
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.limits import Limits

ORIGIN = CellOrigin(label="In[5]", notebook="demo.ipynb", line_offset=1)

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

PRIVATE_KEY = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"


def cell(source: str, directory: Path, *extra: str, limits: Limits | None = None) -> Collected:
    return collect_cell(source, directory, [Path(e) for e in extra], ORIGIN, limits)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ('open("index.html").read()', "index.html"),
        ('FileResponse("pages/index.html")', "pages/index.html"),
        ('pickle.load(open("model", "rb"))', "model"),
        ('BASE = Path(__file__).parent\n(BASE / "data" / "a.json").read_text()', "data/a.json"),
        ('os.listdir("data")', "data/a.json"),
        ('DATA = "data"\nos.path.join(DATA, name)', "data/a.json"),
        ('open(f"data/{name}.json")', "data/a.json"),
        ('DATA = "data"\nopen(f"{DATA}/{name}.json")', "data/a.json"),
        ('open(f"{HERE}/data/{name}.json")', "data/a.json"),
        ('open("data/%s.json" % name)', "data/a.json"),
        ('glob.glob("./data/*.json")', "data/a.json"),
        ('class Mine(StaticFiles): ...\nMine(directory="./data")', "data/a.json"),
    ],
)
def test_files_the_code_names_come_along(tmp_path: Path, source: str, path: str) -> None:
    write(tmp_path, {"index.html": "", "pages/index.html": "", "model": b"\xff", "data/a.json": "", "unnamed.txt": ""})
    collected = cell(source, tmp_path)
    assert names(collected) == sorted(["main.py", path])
    assert len(collected.included) == 1


@pytest.mark.parametrize(
    "source",
    [
        'app.include_router(r, prefix="/data", tags=["data"])',
        'open("log.txt", "w")',
        'open("log.txt", mode="a")',
        '"https://example.com/data/a.json"',
        'open("../outside.txt")',
        'open("/etc/hostname")',
        'open("node_modules/x.js")',
        '"""data/a.json is where\nthe data is"""',
    ],
)
def test_words_urls_and_what_is_only_written_stay_behind(tmp_path: Path, source: str) -> None:
    write(tmp_path, {"outside.txt": ""})
    root = write(tmp_path / "nb", {"data/a.json": "", "log.txt": "", "node_modules/x.js": "", "README": ""})
    collected = cell(source, root)
    assert names(collected) == ["main.py"]
    assert collected.skipped == []


def test_a_secret_the_code_names_stays_behind_and_is_told(tmp_path: Path) -> None:
    write(tmp_path, {".env": "A=1", "keys/server.key": "k", ".ssh/config": ""})
    collected = cell('load_dotenv(".env"); open("keys/server.key"); open(".ssh/config")', tmp_path)
    assert names(collected) == ["main.py"]
    assert [line.split(": ")[0] for line in collected.skipped] == [".env", "keys/server.key", ".ssh/config"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (".env", r"gofastapi env import NAME \.env"),
        ("config/prod.env", r"gofastapi env import NAME prod\.env"),
        ("keys/server.key", "gofastapi env set"),
        ("keys/both.pem", "may hold secrets"),
        ("keys/deploy", "may hold secrets"),
        ("id_ed25519", "may hold secrets"),
        (".ssh", "may hold secrets"),
        (".ssh/config", "may hold secrets"),
        ("innocent.txt", "may hold secrets"),
        (".git", "never goes into an app"),
        (".git/config", "never goes into an app"),
        ("pkg/__pycache__", "never goes into an app"),
        (".ipynb_checkpoints", "never goes into an app"),
    ],
)
def test_secrets_version_control_and_caches_never_go_in(tmp_path: Path, path: str, words: str) -> None:
    write(
        tmp_path,
        {
            ".env": "A=1",
            "config/prod.env": "A=1",
            "keys/server.key": "k",
            "keys/both.pem": CERTIFICATE + PRIVATE_KEY,
            "keys/deploy": "\n" + PRIVATE_KEY,
            "id_ed25519": "",
            ".ssh/config": "",
            ".git/config": "",
            "pkg/__pycache__/x.pyc": "",
            ".ipynb_checkpoints/x.py": "",
        },
    )
    (tmp_path / "innocent.txt").symlink_to(tmp_path / ".env")
    with pytest.raises(InvalidBundleError, match=words):
        cell("x", tmp_path, path)
    assert path not in names(cell(f'open("{path}")', tmp_path))


def test_what_only_looks_like_a_secret_comes_along(tmp_path: Path) -> None:
    public = {
        ".env.example": "A=",
        "sample.env": "A=",
        "ca.pem": CERTIFICATE,
        "server.crt": CERTIFICATE,
        "id_rsa.pub": "ssh-rsa AAAA",
        "notes.md": f"Never paste this:\n{PRIVATE_KEY}",
    }
    write(tmp_path, {f"pkg/{name}": text for name, text in public.items()} | {"pkg/__init__.py": ""})
    collected = cell("import pkg", tmp_path)
    assert names(collected) == sorted(["main.py", "pkg/__init__.py", *(f"pkg/{name}" for name in public)])
    assert collected.skipped == []
    assert names(cell("x", tmp_path, *(f"pkg/{name}" for name in public))) == sorted(
        ["main.py", *(f"pkg/{name}" for name in public)]
    )
    assert names(cell('open("pkg/ca.pem")', tmp_path)) == ["main.py", "pkg/ca.pem"]


def test_what_is_too_much_stays_behind_where_the_code_only_names_it(tmp_path: Path) -> None:
    write(tmp_path, {f"data/{n}.bin": b"x" * 400 for n in range(3)} | {"a.txt": "", "helpers.py": ""})
    source = 'import helpers\nDATA = Path("data")\nopen("a.txt")'
    collected = cell(source, tmp_path, limits=Limits(max_bundle_bytes=1000))
    assert names(collected) == ["a.txt", "helpers.py", "main.py"]
    assert collected.skipped == ["data: too much to come along; an app may have 500 files and 1.0 kB"]


def test_a_folder_the_app_writes_to_is_there_though_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "static").mkdir()
    collected = cell('open(f"uploads/{name}", "wb")\nStaticFiles(directory="static")', tmp_path)
    assert names(collected) == ["main.py", "static/.gitkeep", "uploads/.gitkeep"]
    write(tmp_path, {"logs/.gitkeep": ""})
    assert "logs/.gitkeep" in names(cell('open("logs/today.txt", "a")', tmp_path))


def test_files_are_named_from_the_root_from_beside_the_module_or_from_between(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "app/__init__.py": "",
            "app/main.py": "from app.core import config",
            "app/core/__init__.py": "",
            "app/core/config.py": 'ROOT / "pages"; HERE / ".." / ".." / "texts" / "a.txt"; open("top.txt")',
            "app/core/b.txt": "",
            "pages/x.html": "",
            "texts/a.txt": "",
            "texts/b.txt": "",
            "top.txt": "",
        },
    )
    collected = collect_file(tmp_path / "app/main.py", [])
    assert [n for n in names(collected) if not n.startswith("app/")] == ["pages/x.html", "texts/a.txt", "top.txt"]


def test_code_that_comes_along_brings_its_own_imports(tmp_path: Path) -> None:
    write(tmp_path, {"plugins/one.py": "import helpers", "helpers.py": ""})
    assert names(cell('for name in os.listdir("plugins"): ...', tmp_path)) == [
        "helpers.py",
        "main.py",
        "plugins/one.py",
    ]
