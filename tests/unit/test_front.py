"""The JupyterLab front end agrees with this half, stays small, and leaves JupyterLab's keys and colors alone."""

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
BUILT = ROOT / "gofastapi_ext" / "labextension" / "static"
LIMIT_BYTES = 500_000
# Ours applies in a narrower place, where it says more of the same thing.
SHARED_KEYS = {"Shift Tab"}


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


def test_what_a_browser_loads_is_small() -> None:
    """All of it, the parts that are loaded when first needed included, as a server sends it."""
    if not BUILT.exists():
        assert shutil.which("node") is None, "make front"
        pytest.skip("Needs Node")
    total = sum(len(gzip.compress(file.read_bytes())) for file in BUILT.rglob("*.*") if file.suffix in {".js", ".css"})
    assert total < LIMIT_BYTES, f"{total / 1000:.0f} kB gzipped"
    stated = re.search(r"\*\*(\d+) kB\*\* gzipped", (FRONT / "README.md").read_text())
    assert stated is not None
    assert total == pytest.approx(1000 * int(stated[1]), rel=0.15), "labextension/README.md says another size"


def test_shortcuts_are_free_in_jupyterlab() -> None:
    """No key of ours does something else in JupyterLab or Notebook."""
    schemas = Path(sys.prefix) / "share" / "jupyter" / "lab" / "schemas"
    theirs = {}
    for schema in schemas.glob("@*/*/*.json"):
        theirs |= dict(_shortcuts(schema))
    assert "Accel S" in theirs
    ours = [pair for schema in (FRONT / "schema").glob("*.json") for pair in _shortcuts(schema)]
    assert ours
    taken = {keys: (command, theirs[keys]) for keys, command in ours if keys in theirs and keys not in SHARED_KEYS}
    assert taken == {}
    assert len({keys for keys, _ in ours}) == len(ours), "one key, two commands of ours"


def test_every_shortcut_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "jupyterlab.md").read_text()
    for schema in (FRONT / "schema").glob("*.json"):
        for keys, command in _shortcuts(schema):
            assert f"`{keys.replace('Accel', 'Ctrl').replace(' ', '+')}`" in text, command


def _shortcuts(schema: Path) -> list[tuple[str, str]]:
    """The keys, in one order, with the command they run."""
    found = json.loads(schema.read_text()).get("jupyter.lab.shortcuts", [])
    return [
        (_normal(each["keys"]), each["command"]) for each in found if any(each["keys"]) and not each.get("disabled")
    ]


def _normal(keys: list[str]) -> str:
    chords = []
    for chord in keys:
        *modifiers, key = chord.replace("Ctrl", "Accel").split()
        chords.append(" ".join([*sorted(modifiers), key]))
    return ", ".join(chords)
