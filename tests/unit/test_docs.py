"""What the docs say is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gofastapi_ext.platform.settings import Settings

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented_and_nothing_else() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    documented = set(re.findall(r"^\| `GOFASTAPI_(\w+)` \|", text, re.MULTILINE))
    assert documented == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", ["START_TIMEOUT_SECONDS", "FIRST_PORT", "LAST_PORT", "MAX_CRASHES", "LOG_MAX_BYTES"])
def test_documented_defaults_are_the_defaults(name: str) -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    row = re.search(rf"^\| `GOFASTAPI_{name}` \| `([^`]+)`", text, re.MULTILINE)
    assert row is not None
    assert float(row[1]) == float(Settings.model_fields[name.lower()].default)


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) + _pictures_of(text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_pictures_are_small_and_used() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    used = {Path(target).name for page in pages for target in _pictures_of(page.read_text())}
    used |= {Path(target).name for page in pages for target in re.findall(r"!\[.*?\]\((.*?)\)", page.read_text())}
    for picture in (ROOT / "docs" / "images").iterdir():
        # Without the dark one, where a page shows only the light one.
        assert picture.name in used or picture.name.replace("-dark", "") in used, picture.name
        assert picture.stat().st_size < 150_000, picture.name


def _pictures_of(text: str) -> list[str]:
    return re.findall(r'(?:src|srcset)="([^"]+)"', text)


def test_the_readme_names_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
