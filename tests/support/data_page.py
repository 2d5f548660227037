"""The page of a person's data in JupyterLab."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from support.front import FrontPage
from support.lab import Lab


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
