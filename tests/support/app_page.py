"""The page of an app in JupyterLab, and the app that tests look at it with."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Locator, Page, expect

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.models import DeployRequest
from support.front import FrontPage
from support.lab import Lab
from support.platform import Platform

MENU = """import os
from fastapi import FastAPI

app = FastAPI()
prices = {"tea": 3}
orders = []


@app.get("/menu/{item}")
def price(item: str):
    print("asked for", item, flush=True)
    return prices[item]


@app.post("/orders/{item}")
def order(item: str):
    orders.append(item)
    return prices[item] * len(orders)


@app.get("/flood")
def flood():
    for number in range(3000):
        print("drop", number, flush=True)


@app.get("/setting/{name}")
def setting(name: str):
    return os.environ.get(name)
"""


def request(source: str, message: str = "", cell_id: str = "") -> DeployRequest:
    origin = CellOrigin(label="In[1]", notebook="menu.ipynb", cell_id=cell_id or None)
    files = {"main.py": BundleFile(text=source), "words.txt": BundleFile(text="tea\n")}
    return DeployRequest(bundle=Bundle(files=files), origins={"main.py": [origin]}, message=message)


def deploy(platform: Platform, app: str, wanted: DeployRequest) -> str:
    last = list(platform.client.deploy(app, wanted))[-1]
    assert last.url, last
    return last.url


class AppPage:
    """The page of one app, open in JupyterLab."""

    def __init__(self, page: Page, lab: Lab, app: str, tab: str = "overview") -> None:
        self.page = page
        self.app = app
        self.front = FrontPage(page, lab)
        page.evaluate("window.jupyterapp.shell.collapseLeft()")
        self.root = page.locator(f"#gofastapi-page-{app}")
        self.open(tab)

    def open(self, tab: str) -> Locator:
        """Open one of its tabs, and return what stands in it."""
        self.front.execute("gofastapi:open-page", app=self.app, tab=tab)
        panel = self.root.get_by_role("tabpanel", name=re.compile(tab, re.IGNORECASE))
        expect(panel).to_be_visible()
        return panel

    def button(self, name: str, *, exact: bool = True) -> Locator:
        return self.root.get_by_role("button", name=name, exact=exact)

    def check_accessibility(self) -> None:
        self.front.check_accessibility(f"#{self.root.get_attribute('id')}")


def ask(method: str, url: str) -> httpx.Response:
    return httpx.request(method, url, trust_env=False)
