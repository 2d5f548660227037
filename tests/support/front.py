"""JupyterLab with the front end, in a real browser: what the tests of all its areas share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from support.lab import TOKEN, Lab, NotebookPage
from support.waiting import until

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
HIGH_CONTRAST = "JupyterLab Dark High Contrast"
_SERIOUS = {"serious", "critical"}
_AXE_RUN = """async (selector) => {
  const result = await axe.run(selector, {resultTypes: ["violations"]});
  return result.violations.map(({id, impact, help, nodes}) => ({
    id, impact, help, nodes: nodes.map(node => node.html.slice(0, 300) + " | " + node.failureSummary),
  }));
}"""

_LAYOUT = """async () => JSON.stringify(
  await window.jupyterapp.serviceManager.workspaces.fetch('default').catch(() => ({})))"""


class FrontPage:
    """JupyterLab in a page. `path` is a path below the server's root to open, as `lab/tree/a.ipynb`."""

    def __init__(self, page: Page, lab: Lab, path: str = "lab", *, reset: bool = True) -> None:
        self.page = page
        self.lab = lab
        self.open(path, reset=reset)

    def open(self, path: str = "lab", *, reset: bool = True) -> None:
        """Load the page; with `reset` without what was open before, which JupyterLab would bring back."""
        self.page.goto(f"{self.lab.url}{path}?{'reset&' if reset else ''}token={TOKEN}")
        self.page.wait_for_function("() => Boolean(window.jupyterapp)", timeout=60_000)
        self.page.evaluate("async () => { await window.jupyterapp.restored; }")

    def open_again(self, shown: str) -> None:
        """Load the page as somebody who comes back, once JupyterLab has noted that this, a tab or a path, is open."""
        until(lambda: shown in self.page.evaluate(_LAYOUT), 20, "layout saved")
        self.open(reset=False)

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run a command of JupyterLab by its id, and wait for what it answers."""
        return self.page.evaluate(
            "async ([id, args]) => { await window.jupyterapp.commands.execute(id, args); }", [command, arguments]
        )

    def notebook(self, name: str, *cells: str) -> NotebookPage:
        """Write a notebook and open it, with its kernel ready."""
        self.lab.write(name, *cells)
        self.execute("docmanager:open", path=name)
        return NotebookPage(self.page, name)

    @property
    def sidebar(self) -> Locator:
        """The sidebar of all apps."""
        return self.page.locator("#gofastapi-sidebar")

    def open_sidebar(self) -> Locator:
        self.page.evaluate("() => window.jupyterapp.shell.activateById('gofastapi-sidebar')")
        expect(self.sidebar).to_be_visible()
        return self.sidebar

    def resize_sidebar(self, width: int) -> None:
        """Make the left sidebar so many pixels wide, as by dragging its edge."""
        handle = self.page.locator("#jp-main-split-panel > .lm-SplitPanel-handle:not(.lm-mod-hidden)").first
        box = handle.bounding_box()
        left = self.page.locator("#jp-left-stack").bounding_box()
        assert box is not None
        assert left is not None
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + 1, y)
        self.page.mouse.down()
        self.page.mouse.move(left["x"] + width, y, steps=4)
        self.page.mouse.up()

    def set_theme(self, theme: str) -> None:
        self.execute("apputils:change-theme", theme=theme)
        self.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)

    def check_accessibility(self, selector: str) -> None:
        """Axe finds nothing serious in this part of the page."""
        if not self.page.evaluate("typeof axe !== 'undefined'"):
            self.page.add_script_tag(path=AXE)
        found = self.page.evaluate(_AXE_RUN, selector)
        assert [each for each in found if each["impact"] in _SERIOUS] == []

    def screenshots(self, target: Locator, folder: Path, name: str) -> None:
        """Pictures of a part of the page, in the light and in the dark theme."""
        folder.mkdir(parents=True, exist_ok=True)
        for theme, suffix in ((LIGHT, ""), (DARK, "-dark")):
            self.set_theme(theme)
            target.screenshot(path=folder / f"{name}{suffix}.png", animations="disabled")
        self.set_theme(LIGHT)
