"""The wheel, built by way of the sdist, installs and works without the source tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest
from support.platform import get
from support.ports import PortRange

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    # Without isolation: the build tool of the test environment, no download. The wheel is made from the sdist.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="gfa-"))
    yield path
    rmtree(path, ignore_errors=True)


def test_what_is_inside(dist: Path) -> None:
    [wheel] = dist.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "gofastapi_ext/platform/app.py" in names
    assert "gofastapi_ext/py.typed" in names
    assert "gofastapi_runner/zygote.py" in names
    assert any(name.endswith("data/etc/ipython/startup/50-gofastapi.py") for name in names)
    assert any(name.endswith("data/etc/jupyter/jupyter_server_config.d/gofastapi.json") for name in names)
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "notebooks"))]
    front = "data/share/jupyter/labextensions/gofastapi/"
    assert any(name.endswith(f"{front}install.json") for name in names)
    assert any(f"{front}static/remoteEntry" in name for name in names)
    assert wheel.stat().st_size < 1_200_000
    [sdist] = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert any(name.endswith("tests/service/test_package.py") for name in names)
    # Built, so that installing it needs no Node; and none of what it was built with.
    assert any(name.endswith("gofastapi_ext/labextension/package.json") for name in names)
    assert any(name.endswith("labextension/src/index.ts") for name in names)
    assert not [name for name in names if "node_modules" in name]


def test_a_deploy_with_the_installed_wheel_alone(dist: Path, home: Path, tmp_path: Path) -> None:
    [wheel] = dist.glob("*.whl")
    venv.create(tmp_path / "v", with_pip=True, symlinks=True)
    binaries = tmp_path / "v" / "bin"
    subprocess.run([binaries / "pip", "install", "--quiet", "--no-deps", wheel], check=True, cwd=tmp_path)
    # The dependencies of the test environment, but not its editable install: .pth files add a path, no more.
    [site] = (tmp_path / "v" / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(next(path for path in sys.path if path.endswith("site-packages")))
    ports = PortRange()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GOFASTAPI_HOME": str(home),
    } | ports.settings

    def run(*command: str) -> str:
        done = subprocess.run(
            [binaries / command[0], *command[1:]],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = run(
        "python", "-c", "import gofastapi_ext, gofastapi_runner as r; print(gofastapi_ext.__file__, r.__file__)"
    )
    assert str(ROOT) not in where
    assert (tmp_path / "v/etc/ipython/startup/50-gofastapi.py").exists()
    source = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root(): return 'installed'\n"
    (tmp_path / "hello.py").write_text(source)
    try:
        lines = [
            json.loads(line)
            for line in run("gofastapi", "deploy", "hello.py", "--name", "hello", "--json").splitlines()
        ]
        assert lines[-1]["stage"] == "live"
        assert get(lines[-1]["url"]).json() == "installed"
        assert str(tmp_path) in json.loads(run("gofastapi", "status", "--json"))["service"]["python"]
    finally:
        run("gofastapi", "down")
