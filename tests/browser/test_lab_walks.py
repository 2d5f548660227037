"""From an empty JupyterLab to a live, changed, rolled-back app with a secret and a document: by mouse, and by keyboard.

Nothing is called but what a newcomer has: what can be seen and clicked, or the keys. Words are typed only where the
cursor stands.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from support.lab import TOKEN, Lab, running_lab
from support.platform import Platform, get, running_platform

GUEST = '{"name": "Ada", "seats": 2}'
SECRET = "hush-hush-of-the-walks"
FIRST = """from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def root():
    return {"hello": "world"}
"""
CHANGED = """import os

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def root():
    return {"word": "changed", "key": len(os.environ.get("API_KEY", ""))}
"""
# A new kernel or process takes its time on a busy machine.
PATIENT = 60_000
# Where the focus is; null where nobody can see it, or nobody is told what it is.
FOCUSED = """() => {
  const node = document.activeElement;
  const box = node.getBoundingClientRect();
  const words = node.getAttribute('aria-label') || node.labels?.[0]?.innerText || node.title
    || document.getElementById(node.getAttribute('aria-labelledby'))?.innerText || node.innerText
    || node.closest('[aria-label]')?.getAttribute('aria-label');
  return {
    seen: node.checkVisibility({opacityProperty: true, visibilityProperty: true}) && box.width > 0 && box.height > 0
      && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
    words: (words || '').trim(),
    html: node.outerHTML.slice(0, 200),
    // JupyterLab gives its code editors no names.
    isPage: node === document.body || node.classList.contains('cm-content'),
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

    def palette(self, command: str) -> None:
        """Run a command by its name in the command palette."""
        self.press("Control+Shift+C")
        expect(self.page.get_by_placeholder("SEARCH", exact=False)).to_be_focused()
        self.type(command)
        expect(self.page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(command)
        self.press("Enter")


def open_lab(page: Page, lab: Lab) -> None:
    """What a newcomer has in front of them."""
    page.goto(f"{lab.url}lab?token={TOKEN}")
    expect(page.locator(".jp-Launcher")).to_be_focused(timeout=60_000)
    # Keys do something once all extensions have brought theirs.
    page.wait_for_function(
        "window.jupyterapp.commands.keyBindings.some(({command}) => command === 'gofastapi:show-apps')"
    )


def check_end(platform: Platform, app: str) -> None:
    """All that was done is so: the first version's code is live as the third, with the secret."""
    assert platform.client.app(app).version == 3
    third, second, first = platform.client.versions(app)
    assert first.code_hash == third.code_hash != second.code_hash
    variables = platform.client.env(app).variables
    assert [(each.name, each.secret, each.value) for each in variables] == [("API_KEY", True, None)]
    (guest,) = platform.client.documents("guests").documents
    assert (guest.document["name"], guest.document["seats"]) == ("Ada", 2)


def test_by_mouse_alone(page: Page, empty: tuple[Platform, Lab]) -> None:
    platform, lab = empty
    open_lab(page, lab)
    page.get_by_role("tab", name="GoFastAPI apps").click()
    sidebar = page.get_by_role("region", name="GoFastAPI apps")
    sidebar.get_by_role("button", name="Deploy the example").click()
    app = page.get_by_role("region", name="App hello")
    expect(app.get_by_role("heading", name="hello")).to_be_visible()
    with page.expect_popup() as opened:
        app.get_by_role("link", name="Open").click()
    expect(opened.value.locator("body")).to_contain_text('"hello"')
    opened.value.close()

    # Changed.
    app.get_by_role("button", name="Files").click()
    page.get_by_role("region", name="Files of your apps").get_by_text("main.py").dblclick()
    editor = page.locator(".jp-FileEditor .cm-content")
    editor.get_by_text("hello", exact=True).first.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(CHANGED)
    document = page.locator(".jp-Document").filter(has=page.get_by_role("button", name="History"))
    document.get_by_role("button", name="Deploy").click()
    expect(page.get_by_text("hello v2 is live")).to_be_visible(timeout=PATIENT)
    url = str(platform.app("hello").url)
    assert get(url).json() == {"word": "changed", "key": 0}

    # A secret.
    page.get_by_role("tab", name="hello").click()
    app.get_by_role("tab", name="Environment").click()
    app.get_by_role("button", name="Add a variable").click()
    app.get_by_label("Name", exact=True).click()
    page.keyboard.type("API_KEY")
    app.get_by_label("Value", exact=True).click()
    page.keyboard.type(SECRET)
    app.get_by_role("button", name="Add", exact=True).click()
    app.get_by_role("button", name="Save and restart").click()
    expect(app.get_by_text("The app runs with the new values.")).to_be_visible()
    assert get(url).json()["key"] == len(SECRET)

    # A document.
    page.get_by_role("tab", name="GoFastAPI apps").click()
    sidebar.get_by_role("button", name="Your data").click()
    data = page.get_by_role("region", name="Your data")
    data.get_by_role("button", name="New collection").click()
    data.get_by_label("Name", exact=True).click()
    page.keyboard.type("guests")
    data.get_by_role("button", name="Create").click()
    data.get_by_role("button", name="guests", exact=True).click()
    data.get_by_role("button", name="Insert").click()
    document = data.get_by_role("region", name="Document A new document")
    document.get_by_role("textbox").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(GUEST)
    document.get_by_role("button", name="Insert").click()
    expect(data.get_by_role("row").filter(has_text="Ada")).to_be_visible()

    # And back.
    page.get_by_role("tab", name="hello").click()
    app.get_by_role("tab", name="History").click()
    app.get_by_role("button", name="Roll back to version 1").click()
    expect(app.get_by_text("Version 3 is live.")).to_be_visible()
    assert get(url).json() == {"hello": "world"}
    check_end(platform, "hello")


def test_by_keyboard_alone(page: Page, empty: tuple[Platform, Lab]) -> None:
    platform, lab = empty
    keys = Keyboard(page)
    open_lab(page, lab)
    keys.use(page.locator(".jp-LauncherCard").filter(has_text="Python 3").first)
    cell = page.locator(".jp-Notebook .jp-Cell")
    expect(cell.locator(".cm-content")).to_be_focused()
    keys.type(FIRST)
    keys.press("Control+Shift+Enter")
    name = page.get_by_role("dialog").get_by_role("textbox", name="Name of the app")
    expect(name).to_be_focused()
    keys.press("Control+A")
    keys.type("hello")
    keys.press("Enter")
    expect(cell.get_by_text("v1 live")).to_be_visible(timeout=PATIENT)
    keys.inside(cell)

    # Changed.
    keys.press("Alt+Shift+G")
    sidebar = page.get_by_role("region", name="GoFastAPI apps")
    expect(sidebar.get_by_role("button", name="hello, Live, Healthy")).to_be_focused()
    keys.press("Enter")
    app = page.get_by_role("region", name="App hello")
    keys.inside(app)
    keys.use(app.get_by_role("button", name="Files"))
    expect(page.get_by_role("region", name="Files of your apps").get_by_role("button", name="main.py")).to_be_focused()
    keys.press("Enter")
    editor = page.locator(".jp-FileEditor .cm-content")
    expect(editor).to_be_focused()
    expect(editor).to_contain_text("hello")
    keys.press("Control+A")
    keys.type(CHANGED)
    keys.press("Control+S")
    expect(page.get_by_role("status").filter(has_text="Changes not deployed")).to_be_visible()
    keys.press("Alt+Shift+D")
    expect(page.get_by_text("hello v2 is live")).to_be_visible(timeout=PATIENT)
    url = str(platform.app("hello").url)
    assert get(url).json() == {"word": "changed", "key": 0}

    # A secret.
    keys.press("Alt+Shift+G")
    expect(sidebar.get_by_role("button", name="hello, Live, Healthy")).to_be_focused()
    keys.press("Enter")
    keys.inside(app)
    keys.go(app.get_by_role("tab", name="Overview"))
    keys.go(app.get_by_role("tab", name="Environment"), "ArrowRight")
    keys.use(app.get_by_role("button", name="Add a variable"))
    expect(app.get_by_label("Name", exact=True)).to_be_focused()
    keys.type("API_KEY")
    keys.go(app.get_by_label("Value", exact=True))
    keys.type(SECRET)
    keys.press("Enter", "Escape")
    expect(app.get_by_role("button", name="Add a variable")).to_be_focused()
    keys.use(app.get_by_role("button", name="Save and restart"))
    expect(app.get_by_text("The app runs with the new values.")).to_be_visible()
    assert get(url).json()["key"] == len(SECRET)
    keys.inside(app)

    # A document.
    keys.palette("Your Data")
    data = page.get_by_role("region", name="Your data")
    keys.inside(data)
    keys.use(data.get_by_role("button", name="New collection"))
    expect(data.get_by_label("Name", exact=True)).to_be_focused()
    keys.type("guests")
    keys.press("Enter")
    expect(data.get_by_role("button", name="New collection")).to_be_focused()
    keys.use(data.get_by_role("button", name="guests", exact=True))
    expect(data.get_by_role("heading", name="guests")).to_be_focused()
    keys.use(data.get_by_role("button", name="Insert"))
    document = data.get_by_role("region", name="Document A new document")
    expect(document.get_by_role("textbox")).to_be_focused()
    keys.press("Control+A")
    keys.type(GUEST)
    keys.press("Control+S")
    expect(data.get_by_role("row").filter(has_text="Ada")).to_be_visible()
    keys.inside(data)

    # And back.
    keys.press("Alt+Shift+G", "Enter")
    keys.inside(app)
    keys.go(app.get_by_role("tab", name="Environment"))
    keys.go(app.get_by_role("tab", name="History"), "ArrowLeft")
    keys.use(app.get_by_role("button", name="Roll back to version 1"))
    expect(app.get_by_text("Version 3 is live.")).to_be_visible()
    keys.inside(app)
    assert get(url).json() == {"hello": "world"}
    check_end(platform, "hello")
