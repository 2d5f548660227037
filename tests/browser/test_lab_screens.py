"""Dialogs, editors and notebooks in every theme: axe finds nothing serious. Sidebar and pages have their own tests."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from support.front import DARK, HIGH_CONTRAST, LIGHT, FrontPage
from support.lab import Lab
from support.platform import Platform

HELLO = 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/")\ndef root():\n    return "hello"\n'


@pytest.mark.parametrize("theme", [LIGHT, DARK, HIGH_CONTRAST])
def test_dialogs_editors_and_notebooks_are_accessible(page: Page, lab: Lab, platform: Platform, theme: str) -> None:
    platform.deploy_live("seen", HELLO)
    lab.write("seen.ipynb", f"%%deploy seen\n{HELLO}")
    front = FrontPage(page, lab)
    front.set_theme(theme)

    front.execute("docmanager:open", path="seen.ipynb")
    expect(page.get_by_role("group", name="Status of seen")).to_contain_text("v1 live")
    front.check_accessibility(".gf-CellStatus")
    front.check_accessibility(".jp-NotebookPanel-toolbar [data-jp-item-name=gofastapi-deploy]")

    front.execute("gofastapi:open-files", app="seen")
    front.check_accessibility("#gofastapi-files .jp-FileBrowser-toolbar")
    front.execute("docmanager:open", path="gofastapi:seen/main.py")
    expect(page.get_by_role("status").filter(has_text="Up to date").last).to_be_visible()
    front.check_accessibility(".jp-Document:has(.gf-Status):not(.jp-NotebookPanel) .jp-Toolbar")

    for command, dialog in (("new-app", ".gf-NewAppDialog"), ("delete", ".gf-ConfirmDialog")):
        # It ends with the dialog.
        page.evaluate(
            "([id, args]) => void window.jupyterapp.commands.execute(id, args)",
            [f"gofastapi:{command}", {"app": "seen"}],
        )
        field = page.locator(dialog).get_by_role("textbox")
        expect(field).to_be_visible()
        front.check_accessibility(f"{dialog} .jp-Dialog-content")
        # A file that was just opened may have taken the focus meanwhile.
        field.press("Escape")
        expect(page.locator(dialog)).to_have_count(0)
    front.set_theme(LIGHT)
    platform.client.delete("seen", forever=True)
