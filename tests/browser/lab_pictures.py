"""Pictures of the front end in JupyterLab, for screenshots.py: each screen in the light and in the dark theme."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect
from support.front import LIGHT, FrontPage
from support.lab import Lab
from support.platform import Platform

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.models import DeployRequest
from gofastapi_ext.core.templates import TEMPLATES
from gofastapi_ext.core.variables import EnvChange, Setting

SHOP = """from fastapi import FastAPI

app = FastAPI(title="Tea shop")
prices = {"tea": 3, "coffee": 4}


@app.get("/menu")
def menu() -> dict[str, int]:
    return prices


@app.get("/menu/{item}")
def price(item: str) -> dict[str, int]:
    print(f"INFO: somebody asks for {item}")
    return {item: prices[item]}
"""
GUESTS = [("Ada", 2, "window"), ("Grace", 4, "garden"), ("Edsger", 1, "bar"), ("Barbara", 3, "window")]


def lab_pictures(browser: Browser, lab: Lab, platform: Platform, folder: Path) -> None:
    page = browser.new_page(viewport={"width": 1160, "height": 760}, device_scale_factor=1.5)
    _Pictures(FrontPage(page, lab), platform, folder).take()
    page.close()


class _Pictures:
    def __init__(self, front: FrontPage, platform: Platform, folder: Path) -> None:
        self.front = front
        self.page = front.page
        self.platform = platform
        self.folder = folder

    def take(self) -> None:
        self.page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        self.notebook()
        self.prepare()
        self.editor()
        self.app_page()
        self.data()
        self.apps()

    def shoot(self, name: str) -> None:
        """The whole of JupyterLab, without what only passes by."""
        self.page.evaluate("document.activeElement?.blur()")
        self.page.mouse.move(0, 0)
        self.page.add_style_tag(content=".Toastify { display: none }")
        self.front.screenshots(self.page.locator("#main"), self.folder, name)

    def notebook(self) -> None:
        notebook = self.front.notebook("shop.ipynb", f"%%deploy shop\n{SHOP}")
        self.page.evaluate("window.jupyterapp.shell.collapseLeft()")
        notebook.run(0)
        url = self.platform.app("shop").url
        for path in ["/menu", "/menu/tea", *["/menu/toast"] * 3]:
            httpx.get(f"{url}{path}", trust_env=False)
        expect(notebook.cell(0).locator(".cm-lintRange-error")).to_have_count(1)
        self.shoot("notebook")
        notebook.save()

    def prepare(self) -> None:
        """A second version, variables and documents; the templates as apps, one of them asleep."""
        client = self.platform.client
        origin = CellOrigin(label="In[1]", notebook="shop.ipynb", cell_id=None)
        dearer = Bundle(files={"main.py": BundleFile(text=SHOP.replace('"coffee": 4', '"coffee": 5, "cocoa": 4'))})
        list(
            client.deploy(
                "shop", DeployRequest(bundle=dearer, origins={"main.py": [origin]}, message="Cocoa, and dearer coffee")
            )
        )
        variables = {"API_KEY": Setting(value="hush hush", secret=True), "CURRENCY": Setting(value="EUR")}
        list(client.change_env("shop", EnvChange(set=variables)))
        for template in TEMPLATES:
            url = list(client.deploy(template.id, DeployRequest(bundle=template.bundle)))[-1].url
            for _ in range(3 * len(template.id)):
                httpx.get(f"{url}/{template.opens}", trust_env=False)
        client.sleep("chat")
        for name, seats, table in GUESTS:
            client.insert_document("guests", {"name": name, "seats": seats, "table": table})
        client.insert_document("orders", {"guest": "Ada", "items": ["tea", "cocoa"]})
        list(client.back_up())
        list(client.create_branch("garden-party", ttl="7d"))

    def editor(self) -> None:
        self.front.execute("gofastapi:open-files", app="shop")
        self.front.execute("docmanager:open", path="gofastapi:shop/main.py")
        expect(self.page.get_by_role("status").filter(has_text="Up to date")).to_be_visible()
        self.shoot("editor")

    def app_page(self) -> None:
        self.page.evaluate("window.jupyterapp.shell.collapseLeft()")
        for tab in ("overview", "logs", "errors", "history", "environment", "settings"):
            self.front.execute("gofastapi:open-page", app="shop", tab=tab)
            shown = self.page.locator("#gofastapi-page-shop")
            if tab == "overview":
                expect(shown.get_by_role("row", name="GET /menu/{item}")).to_be_visible()
            if tab == "logs":
                expect(shown.get_by_text("somebody asks for toast").first).to_be_visible()
            if tab == "settings":
                expect(shown.get_by_role("textbox", name="Title")).to_be_visible()
            if tab == "errors":
                shown.get_by_text("KeyError: 'toast'").click()
                expect(shown.get_by_role("region", name="Traceback")).to_be_visible()
            if tab == "history":
                shown.get_by_role("article", name="Version 2").get_by_role("button", name="Changes").click()
                expect(shown.locator(".cm-mergeView")).to_be_visible()
            if tab == "environment":
                expect(shown.get_by_role("row", name="API_KEY")).to_be_visible()
            self.shoot("app-page" if tab == "overview" else f"app-{tab}")

    def data(self) -> None:
        self.front.execute("gofastapi:open-data")
        shown = self.page.locator("#gofastapi-data")
        expect(shown.get_by_role("button", name="guests", exact=True)).to_be_visible()
        self.shoot("data")
        for tab, there in (("credentials", "user_"), ("backups", "made by you"), ("branches", "garden-party")):
            self.front.execute("gofastapi:open-data", tab=tab)
            expect(shown.get_by_role("tabpanel")).to_contain_text(there)
            self.shoot(f"data-{tab}")
        self.front.execute("gofastapi:open-data", tab="collections", collection="guests")
        shown.get_by_role("row").filter(has_text="Grace").get_by_role("button").first.click()
        expect(shown.get_by_role("textbox", name="as JSON")).to_be_visible()
        self.shoot("data-documents")

    def apps(self) -> None:
        self.front.execute("application:close-all")
        self.front.open_sidebar()
        self.front.resize_sidebar(300)
        expect(self.front.sidebar.locator(".gf-Figure").first).to_be_visible()
        self.front.execute("gofastapi:open-page", app="shop", tab="overview")
        expect(self.page.get_by_role("row", name="GET /menu/{item}")).to_be_visible()
        self.shoot("apps")
        self.page.keyboard.press("Alt+Shift+N")
        dialog = self.page.locator(".gf-NewAppDialog .jp-Dialog-content")
        expect(dialog.get_by_role("radio", name="Full-Stack Notes App")).to_be_visible()
        self.front.screenshots(dialog, self.folder, "new-app")
        self.front.set_theme(LIGHT)
        self.page.keyboard.press("Escape")
