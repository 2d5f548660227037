"""Projects that were exported run without us, and answer the same."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import requires, version
from pathlib import Path

import httpx
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pymongo import MongoClient
from support.ejected import environment, has_nothing_of_ours, health_check, served, start_command
from support.platform import Platform, get
from support.projects import (
    HELLO,
    SHOP,
    bundle_of,
    deploy,
    export,
    files_in,
    forget_peak,
    opened_project_of,
    peak_bytes,
    put_archive,
    with_objects,
)

from gofastapi_ext.client.project import opened_project, save_project
from gofastapi_ext.core.bundle import BundleFile
from gofastapi_ext.core.drafts import DraftSave
from gofastapi_ext.core.errors import InvalidBundleError, InvalidRequestError, NotFoundError, UnavailableError
from gofastapi_ext.core.variables import EnvChange, Setting
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.mongod import EmbeddedMongo


def same_answers(live: str, plain: str, *paths: str) -> None:
    for path in ("/openapi.json", *paths):
        ours, theirs = get(live, path), get(plain, path)
        assert (theirs.status_code, theirs.content) == (ours.status_code, ours.content), path


def pins_of(folder: Path, name: str = "requirements.txt") -> dict[str, str]:
    """The pins, each of which is the version that is installed, with all it depends on."""
    lines = [line for line in (folder / name).read_text().splitlines() if line and not line.startswith("#")]
    pins = dict(line.split("==") for line in lines)
    for package, pinned in pins.items():
        assert version(package) == pinned
        for needed in map(Requirement, requires(package) or ()):
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert canonicalize_name(needed.name) in pins, f"{package} needs {needed.name}"
    return pins


def test_an_app_in_one_file_runs_without_us_and_answers_the_same(platform: Platform, tmp_path: Path) -> None:
    live = deploy(platform, "hello-out", bundle_of({"main.py": HELLO}), env={"GREETING": 'it\'s "me"'})
    folder = tmp_path / "out"
    manifest = export(platform, "hello-out", folder)
    assert (folder / "main.py").read_text() == HELLO
    assert manifest.code_hash == platform.app("hello-out").code_hash
    assert sorted(files_in(folder)) == sorted([*manifest.files, *manifest.generated, "gofastapi.json"])
    assert not (folder / "asgi.py").exists()
    assert {"fastapi", "uvicorn", "python-multipart"} <= pins_of(folder).keys()
    assert has_nothing_of_ours(folder)
    with served(folder, GREETING='it\'s "me"') as plain:
        same_answers(live, plain, "/hello/you?loud=1", "/hello/you?loud=perhaps", "/nowhere")
        answer = httpx.post(f"{plain}/form", data={"word": "multipart is there"}, timeout=30, trust_env=False)
        assert answer.json() == "multipart is there"


def test_the_health_check_of_the_image_is_true(platform: Platform, tmp_path: Path) -> None:
    deploy(platform, "checked", bundle_of({"main.py": HELLO}))
    folder = tmp_path / "out"
    export(platform, "checked", folder)
    python, *check = health_check(folder)
    assert python == "python"
    with served(folder) as plain:
        port = plain.rpartition(":")[2]
        here = [each.replace("8000", port) for each in check]
        assert subprocess.run([sys.executable, *here]).returncode == 0
    assert subprocess.run([sys.executable, *here], capture_output=True).returncode != 0


def test_an_app_of_many_files_with_mongodb_runs_without_us(platform: Platform, tmp_path: Path) -> None:
    live = deploy(platform, "shop-out", bundle_of(dict(SHOP), main="shop/main.py"))
    uri = get(live, "/database").json()
    httpx.put(f"{live}/items/tea", json={"name": "Green"}, timeout=30, trust_env=False)
    folder = tmp_path / "out"
    export(platform, "shop-out", folder)
    assert {path: files_in(folder)[path].decode() for path in SHOP} == SHOP
    assert {"pymongo", "jinja2"} <= pins_of(folder).keys()
    assert has_nothing_of_ours(folder)
    with served(folder, PLATFORM_MONGO_URI=uri) as plain:
        same_answers(live, plain, "/items/tea", "/page", "/static/style.css", "/health", "/static/none")
        httpx.put(f"{plain}/items/milk", json={"name": "Oat"}, timeout=30, trust_env=False)
    assert get(live, "/items/milk").json() == {"name": "Oat"}


def test_a_factory_beside_its_modules_runs_without_us(platform: Platform, tmp_path: Path) -> None:
    files: dict[str, str | bytes | BundleFile] = {
        "backend/server.py": "from fastapi import FastAPI\nimport words\n"
        "def create_app():\n"
        "    app = FastAPI()\n"
        "    app.get('/word')(lambda: words.WORD)\n"
        "    return app\n",
        "backend/words.py": "WORD = 'beside'",
    }
    live = deploy(platform, "factory-out", bundle_of(files, main="backend/server.py"))
    folder = tmp_path / "out"
    export(platform, "factory-out", folder)
    assert start_command(folder)[:2] == ["uvicorn", "asgi:app"]
    with served(folder) as plain:
        same_answers(live, plain, "/word")


def test_a_plain_factory_needs_nothing_of_ours(platform: Platform, tmp_path: Path) -> None:
    source = "from fastapi import FastAPI\ndef create_app():\n    return FastAPI(title='Made')\n"
    live = deploy(platform, "made", bundle_of({"main.py": source}))
    export(platform, "made", tmp_path / "out")
    assert start_command(tmp_path / "out")[:3] == ["uvicorn", "--factory", "main:create_app"]
    with served(tmp_path / "out") as plain:
        same_answers(live, plain)


def test_things_from_the_kernel_come_along_and_are_there(platform: Platform, tmp_path: Path) -> None:
    live = deploy(platform, "objects-out", with_objects(platform))
    folder = tmp_path / "out"
    export(platform, "objects-out", folder)
    assert "numpy" in pins_of(folder)
    assert has_nothing_of_ours(folder)
    with served(folder) as plain:
        same_answers(live, plain, "/total")
        assert get(plain, "/total").json() == [499999500000.0, ["a", "b"], ["a", "b"]]


def test_an_export_takes_no_memory_by_its_size(platform: Platform, tmp_path: Path) -> None:
    content = os.urandom(60_000_000)
    sha256 = hashlib.sha256(content).hexdigest()
    platform.client.put_blob(sha256, (content[at : at + 1_000_000] for at in range(0, len(content), 1_000_000)))
    files = {"main.py": HELLO, ".gofastapi/objects/big.bin": BundleFile(blob=sha256, blob_bytes=len(content))}
    deploy(platform, "big-out", bundle_of(files))
    before = forget_peak(platform)
    with (tmp_path / "out.zip").open("wb") as file:
        platform.client.export("big-out", file)
    assert peak_bytes(platform) - before < 30_000_000
    with zipfile.ZipFile(tmp_path / "out.zip") as archive, archive.open("big-out/.gofastapi/objects/big.bin") as member:
        assert hashlib.file_digest(member, "sha256").hexdigest() == sha256
    before = forget_peak(platform)
    body = ((tmp_path / "out.zip").read_bytes()[at : at + 1_000_000] for at in range(0, 61_000_000, 1_000_000))
    assert put_archive(platform, "big-back", body).status_code == 200
    assert peak_bytes(platform) - before < 30_000_000


def test_an_export_is_the_same_each_time_and_of_any_version(platform: Platform, tmp_path: Path) -> None:
    for word in ("one", "two"):
        deploy(platform, "versions-out", bundle_of({"main.py": HELLO.replace("none", word)}))
    draft = bundle_of({"main.py": HELLO.replace("none", "three")})
    with opened_project_of(draft, tmp_path / "draft") as project:
        save_project(platform.client, "versions-out", project, None)
    for which, word, number in (
        (None, "two", 2),
        ("live", "two", 2),
        ("1", "one", 1),
        ("v2", "two", 2),
        ("draft", "three", None),
    ):
        folder = tmp_path / f"out-{which}"
        assert export(platform, "versions-out", folder, which).version == number
        assert word in (folder / "main.py").read_text()
    assert files_in(tmp_path / "out-None") == files_in(tmp_path / "out-v2")
    with pytest.raises(NotFoundError, match="no version 9"):
        export(platform, "versions-out", tmp_path / "none", "9")
    with pytest.raises(InvalidRequestError, match="the number of a version"):
        export(platform, "versions-out", tmp_path / "none", "newest")
    assert not (tmp_path / "none").exists()


def test_only_a_draft_there_is(platform: Platform, tmp_path: Path) -> None:
    with opened_project_of(bundle_of({"main.py": HELLO}), tmp_path / "a") as project:
        save_project(platform.client, "only-draft", project, None)
    assert export(platform, "only-draft", tmp_path / "out").version is None
    with served(tmp_path / "out") as plain:
        assert get(plain, "/hello/x").json()["hello"] == "x"


def test_a_draft_that_is_no_app_is_not_exported(platform: Platform, tmp_path: Path) -> None:
    platform.client.save_draft(
        "half", DraftSave(bundle=bundle_of({"main.py": "from fastapi import FastAPI\napp = (\n"}))
    )
    with pytest.raises(InvalidBundleError, match=r"The draft is no app yet: main\.py: "):
        export(platform, "half", tmp_path / "out")


def test_variables_are_named_and_secrets_stay_at_home(platform: Platform, tmp_path: Path) -> None:
    deploy(platform, "env-out", bundle_of({"main.py": HELLO}), env={"MODE": "version"})
    settings = {
        "MODE": Setting(value="app"),
        "COLOUR": Setting(value="two words"),
        "TOKEN": Setting(value="s3cr3t-value", secret=True),
    }
    assert list(platform.client.change_env("env-out", EnvChange(set=settings)))[-1].stage == "live"
    folder = tmp_path / "out"
    manifest = export(platform, "env-out", folder)
    assert not [path for path, content in files_in(folder).items() if b"s3cr3t-value" in content]
    lines = (folder / ".env.example").read_text().splitlines()
    assert {"MODE=version", "COLOUR='two words'", "TOKEN=", "PLATFORM_MONGO_PASSWORD="} <= set(lines)
    assert (manifest.variables, manifest.secrets, manifest.env) == (["COLOUR", "MODE"], ["TOKEN"], {"MODE": "version"})
    with opened_project(folder) as project:
        assert project.restored.env == {"MODE": "version"}
        assert "COLOUR, MODE, TOKEN" in project.restored.notes[0]


def test_nothing_is_overwritten_and_nothing_half_written(platform: Platform, tmp_path: Path) -> None:
    deploy(platform, "careful", bundle_of({"main.py": HELLO}))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "there.zip").write_text("mine")
    for target in (tmp_path / "full", tmp_path / "there.zip", tmp_path / "full" / "mine.txt"):
        with pytest.raises(InvalidRequestError):
            export(platform, "careful", target)
    assert files_in(tmp_path) == {"full/mine.txt": b"mine", "there.zip": b"mine"}
    with pytest.raises(NotFoundError):
        export(platform, "no-such-app", tmp_path / "none.zip")
    assert not (tmp_path / "none.zip").exists()
    (tmp_path / "empty").mkdir()
    export(platform, "careful", tmp_path / "empty")
    assert (tmp_path / "empty" / "main.py").exists()


def test_damaged_content_is_not_exported(platform: Platform, tmp_path: Path) -> None:
    content = b"x" * 3_000_000
    sha256 = hashlib.sha256(content).hexdigest()
    platform.client.put_blob(sha256, iter([content]))
    files = {"main.py": HELLO, ".gofastapi/objects/big.bin": BundleFile(blob=sha256, blob_bytes=len(content))}
    deploy(platform, "damaged-out", bundle_of(files))
    with MongoClient(root_uri(platform)) as client:
        chunks = client["gofastapi"]["blobs.chunks"]
        file_id = client["gofastapi"]["blobs.files"].find_one({"filename": sha256})["_id"]  # type: ignore[index]
        chunks.update_one({"files_id": file_id, "n": 1}, {"$set": {"data": b"y" * 1_048_576}})
    with pytest.raises(UnavailableError, match="damaged"):
        export(platform, "damaged-out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def root_uri(platform: Platform) -> str:
    key = PlatformKey.load(platform.places.home / "platform.key")
    return EmbeddedMongo(platform.places.home / "mongo", platform.places.mongo_socket, key, None).root_uri


def test_the_compose_file_and_the_image_name_what_is_there(platform: Platform, tmp_path: Path) -> None:
    """As far as it can be seen without Docker."""
    deploy(platform, "images", bundle_of({"main.py": HELLO}))
    folder = tmp_path / "out"
    export(platform, "images", folder)
    text = (folder / "Dockerfile").read_text()
    known = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "CMD", "#"}
    joined = text.replace("\\\n", " ")
    assert {line.split()[0] for line in joined.splitlines() if line} <= known
    assert f"FROM python:{sys.version_info.major}.{sys.version_info.minor}-slim" in text
    for source in re.findall(r"^COPY (?:--\S+ )?(\S+) ", text, re.MULTILINE):
        assert (folder / source).exists()
    compose = yaml.safe_load((folder / "compose.yaml").read_text())
    assert set(compose["services"]) == {"app", "mongo"}
    assert "ports" not in compose["services"]["mongo"]
    named = set(re.findall(r"\$\{(\w+)", (folder / "compose.yaml").read_text()))
    assert named == set(re.findall(r"^(\w+)=", (folder / ".env.example").read_text(), re.MULTILINE))


def test_pip_agrees_with_the_pins(platform: Platform, tmp_path: Path) -> None:
    """All of it is installed, so pip finds nothing to do and no two pins at odds."""
    deploy(platform, "pinned", bundle_of(dict(SHOP), main="shop/main.py"))
    export(platform, "pinned", tmp_path / "out")
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "-r", "requirements.txt"]
    done = subprocess.run(
        command, cwd=tmp_path / "out", capture_output=True, text=True, env=environment(HOME=str(tmp_path))
    )
    assert done.returncode == 0, done.stderr
    assert "Would install" not in done.stdout


def test_an_app_whose_python_was_removed_can_leave_too(platform: Platform, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = next((environment / "lib").glob("python3*/site-packages"))
    (packages / "all.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    deploy(platform, "homeless", bundle_of({"main.py": HELLO}), interpreter=str(environment / "bin" / "python"))
    shutil.rmtree(environment)
    folder = tmp_path / "out"
    manifest = export(platform, "homeless", folder)
    assert any(note.startswith("The Python it ran with is not there any more") for note in manifest.notes), (
        manifest.notes
    )
    assert "fastapi" in pins_of(folder)
