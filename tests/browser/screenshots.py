"""Take the pictures in docs/images: `python tests/browser/screenshots.py [FOLDER]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import httpx  # noqa: E402
from lab_pictures import lab_pictures  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, expect, sync_playwright  # noqa: E402
from support.lab import CHROMIUM_ARGUMENTS, Lab, NotebookPage, chromium, open_notebook, running_lab  # noqa: E402
from support.platform import running_platform  # noqa: E402

# What takes time once per kernel is no part of the picture.
WARM_UP = "%%deploy warm-up\nfrom fastapi import FastAPI\napp = FastAPI()\n"
MENU = """%%deploy menu
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
prices = {"tea": 3, "coffee": 4}


class Order(BaseModel):
    item: str
    count: int


@app.get("/menu/{item}")
def price(item: str):
    return {"item": item, "price": prices[item]}


@app.post("/orders")
def order(order: Order):
    return {"total": prices[order.item] * order.count}
"""


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        running_platform(GOFASTAPI_FIRST_PORT="18000", GOFASTAPI_LAST_PORT="18999") as platform,
        running_lab(Path(directory), platform.places.home) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        for theme, suffix in (("JupyterLab Light", ""), ("JupyterLab Dark", "-dark")):
            quickstart(browser, lab, theme, folder / f"quickstart{suffix}.png")
            errors(browser, lab, theme, folder / f"errors{suffix}.png")
            for name in ("hello", "menu"):
                platform.client.delete(name, forever=True)
        lab_pictures(browser, lab, platform, folder)
        browser.close()
    for picture in folder.glob("*.png"):
        make_small(picture)


def make_small(picture: Path) -> None:
    """Screens have few colors: a palette of them is a third of the size, and looks the same."""
    with Image.open(picture) as image:
        small = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(picture, optimize=True)


def quickstart(browser: Browser, lab: Lab, theme: str, picture: Path) -> None:
    """The first cell of the quickstart, live."""
    (lab.root / "quickstart.ipynb").write_bytes((ROOT / "notebooks" / "quickstart.ipynb").read_bytes())
    notebook = notebook_of(browser, lab, "quickstart.ipynb", theme, height=640)
    notebook.run(1)
    expect(notebook.card(1)).to_contain_text("hello v1 is live")
    notebook.cell(1).locator(".jp-InputPrompt").click()
    notebook.page.screenshot(path=picture)
    notebook.page.close()


def errors(browser: Browser, lab: Lab, theme: str, picture: Path) -> None:
    """What went wrong in an app, at the line of its cell."""
    lab.write("errors.ipynb", MENU, "%errors menu")
    notebook = notebook_of(browser, lab, "errors.ipynb", theme, height=1100)
    notebook.run(0)
    url = str(notebook.card(0).locator(".gofastapi-url a").first.get_attribute("href"))
    httpx.post(f"{url}/orders", json={"item": "tea", "count": "many"}, timeout=30, trust_env=False)
    for _ in range(12):
        httpx.get(f"{url}/menu/toast", timeout=30, trust_env=False)
    notebook.run(1)
    expect(notebook.card(1)).to_contain_text("12 times")
    notebook.card(1).locator("summary").first.click()
    notebook.card(1).screenshot(path=picture)
    notebook.page.close()


def notebook_of(browser: Browser, lab: Lab, name: str, theme: str, height: int) -> NotebookPage:
    page = browser.new_page(viewport={"width": 1000, "height": height}, device_scale_factor=1.5)
    notebook = open_notebook(page, lab, name)
    page.evaluate(
        """async ([theme, code]) => {
          const {commands, shell} = window.jupyterapp;
          await commands.execute('apputils:change-theme', {theme});
          shell.collapseLeft();
          await shell.currentWidget.sessionContext.session.kernel.requestExecute({code, store_history: false}).done;
        }""",
        [theme, WARM_UP],
    )
    return notebook


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
