"""The JupyterLab front end and this half agree: on the API's types, the magics, and the version."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gofastapi_ext import __version__

ROOT = Path(__file__).parents[2]
FRONT = ROOT / "labextension"


def test_types_are_those_of_the_api(tmp_path: Path) -> None:
    """`make types` writes them anew."""
    generator = FRONT / "node_modules" / ".bin" / "openapi-typescript"
    if not generator.exists():
        assert shutil.which("node") is None, "make front"
        pytest.skip("Needs Node")
    document, types = tmp_path / "openapi.json", tmp_path / "schema.ts"
    subprocess.run([sys.executable, FRONT / "openapi.py", document], check=True)
    subprocess.run([generator, document, "-o", types], check=True, capture_output=True, cwd=FRONT)
    assert (FRONT / "src" / "api" / "schema.ts").read_text() == types.read_text(), "make types"


def test_help_is_that_of_the_magics(tmp_path: Path) -> None:
    """`make types` writes it anew."""
    made = tmp_path / "magics.json"
    subprocess.run([sys.executable, FRONT / "magics.py", made], check=True)
    assert (FRONT / "src" / "notebook" / "magics.json").read_text() == made.read_text(), "make types"


def test_both_halves_have_one_version() -> None:
    package = json.loads((FRONT / "package.json").read_text())
    lock = json.loads((FRONT / "package-lock.json").read_text())
    constant = re.search(r"VERSION = '(.*)'", (FRONT / "src" / "api" / "version.ts").read_text())
    assert constant is not None
    assert {package["version"], lock["version"], constant[1]} == {__version__}


def test_the_lock_file_names_no_registry() -> None:
    """Whoever installs has their own."""
    assert '"resolved"' not in (FRONT / "package-lock.json").read_text()


def test_styles_take_every_color_from_the_theme() -> None:
    """So that light, dark and high-contrast themes fit."""
    for sheet in (FRONT / "style").glob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        found = re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?)\(", text)
        assert not found, f"{sheet.name}: {found}"


def test_the_bundle_is_small() -> None:
    built = list((ROOT / "gofastapi_ext" / "labextension" / "static").glob("*.js"))
    if not built:
        assert shutil.which("node") is None, "make front"
        pytest.skip("Needs Node")
    assert sum(len(gzip.compress(path.read_bytes())) for path in built) < 500_000
