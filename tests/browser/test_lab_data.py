"""The page of a person's data: collections, documents, files, credentials, backups and branches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import bson
import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from support.data import Data, opened
from support.databases import NOTES
from support.front import DARK, HIGH_CONTRAST, LIGHT, FrontPage
from support.lab import Lab, running_lab
from support.platform import Platform, running_platform
from support.waiting import until

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.models import DeployRequest


class DataPage:
    """The page of the data, open in JupyterLab."""

    def __init__(self, page: Page, lab: Lab, **where: str) -> None:
        self.page = page
        self.front = FrontPage(page, lab)
        page.evaluate("window.jupyterapp.shell.collapseLeft()")
        self.root = page.locator("#gofastapi-data")
        self.open(**where)

    def open(self, **where: str) -> None:
        self.front.execute("gofastapi:open-data", **where)
        expect(self.root.get_by_role("tabpanel").first).to_be_visible()

    def button(self, name: str | re.Pattern[str], *, exact: bool = True) -> Locator:
        return self.root.get_by_role("button", name=name, exact=exact)

    def check_accessibility(self) -> None:
        self.front.check_accessibility("#gofastapi-data")

    def filter(self, text: str) -> None:
        field = self.root.get_by_label("Filter")
        field.fill(text)
        field.press("Enter")

    def row(self, name: str) -> Locator:
        return self.root.get_by_role("row").filter(has_text=name)

    def confirm(self, name: str, action: str) -> None:
        """Type a name into the dialog that asks for it, and go on."""
        dialog = self.page.get_by_role("dialog")
        button = dialog.get_by_role("button", name=action)
        expect(button).to_be_disabled()
        dialog.get_by_role("textbox").fill(name)
        button.click()
        expect(dialog).to_have_count(0)


@pytest.fixture
def database(platform: Platform) -> Iterator[Data]:
    """The person's database, empty before and after."""
    with opened(platform) as data:
        _empty(data)
        yield data
        _empty(data)


def _empty(data: Data) -> None:
    for name in data.list_collection_names():
        if not name.startswith("system."):
            data.drop_collection(name)
