"""From an empty JupyterLab to a live, changed, rolled-back app with a secret and a document: by mouse, and by keyboard.

Nothing is called but what a newcomer has: what can be seen and clicked, or the keys. Words are typed only where the
cursor stands.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from support.front import FrontPage
from support.lab import Lab, running_lab
from support.platform import Platform, get, running_platform

SECRET = "hush-hush-of-the-walks"
CHANGED = """import os

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def root():
    return {"word": "changed", "key": len(os.environ.get("API_KEY", ""))}
"""
# Where the focus is; null where nobody can see it, or nobody is told what it is.
FOCUSED = """() => {
  const node = document.activeElement;
  const box = node.getBoundingClientRect();
  const words = node.getAttribute('aria-label') || node.labels?.[0]?.innerText || node.title
    || document.getElementById(node.getAttribute('aria-labelledby'))?.innerText || node.innerText;
  return {
    seen: node.checkVisibility({opacityProperty: true, visibilityProperty: true}) && box.width > 0 && box.height > 0
      && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
    words: (words || '').trim(),
    html: node.outerHTML.slice(0, 200),
    isPage: node === document.body,
  };
}"""


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, Lab]]:
    """A service without anything, and a JupyterLab without a file."""
    with (
        running_platform() as platform,
        running_lab(tmp_path_factory.mktemp("empty"), platform.places.home) as lab,
    ):
        yield platform, lab


class Keyboard:
    """Walks by Tab and arrows, and looks at each step where it is."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, words: str) -> None:
        self.page.keyboard.insert_text(words)

    def go(self, to: Locator, key: str = "Tab", most: int = 40) -> None:
        """Press a key until the focus is there."""
        expect(to).to_be_visible()
        passed = []
        for _ in range(most):
            if to.evaluate("node => node === document.activeElement"):
                return
            self.press(key)
            passed.append(self.check())
        raise AssertionError(f"{key} does not lead to {to}, but to {passed}")

    def use(self, control: Locator, key: str = "Tab") -> None:
        """Go to a control, and press it."""
        self.go(control, key)
        self.press("Enter")

    def check(self) -> str:
        """What has the focus can be seen, and says what it is."""
        found = self.page.evaluate(FOCUSED)
        # Between the end of the page and its beginning is the browser itself.
        if not found["isPage"]:
            assert found["seen"], f"The focus is out of sight: {found['html']}"
            assert found["words"], f"What has the focus has no name: {found['html']}"
        return str(found["words"])[:40]

    def inside(self, place: Locator) -> None:
        """The focus comes to this place by itself."""
        expect(place.locator(":focus").or_(place.and_(self.page.locator(":focus")))).to_have_count(1)
        self.check()
