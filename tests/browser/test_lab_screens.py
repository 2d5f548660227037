"""Dialogs, editors and notebooks in every theme: axe finds nothing serious. Sidebar and pages have their own tests."""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import Page, expect
from support.front import DARK, HIGH_CONTRAST, LIGHT, FrontPage
from support.lab import Lab
from support.platform import Platform

HELLO = 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/")\ndef root():\n    return "hello"\n'


def test_dialogs_editors_and_notebooks_are_accessible(page: Page, lab: Lab, platform: Platform) -> None:
    platform.deploy_live("seen", HELLO)
    lab.write("seen.ipynb", f"%%deploy seen\n{HELLO}")
    front = FrontPage(page, lab)
    front.execute("gofastapi:open-files", app="seen")
    for theme in (DARK, HIGH_CONTRAST, LIGHT):
        front.set_theme(theme)

        front.execute("docmanager:open", path="seen.ipynb")
        expect(page.get_by_role("group", name="Status of seen")).to_contain_text("v1 live")
        front.check_accessibility(".gf-CellStatus")
        front.check_accessibility(".jp-NotebookPanel-toolbar [data-jp-item-name=gofastapi-deploy]")

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
    platform.client.delete("seen", forever=True)


def test_what_jupyterlab_folds_away_in_a_narrow_window_works_from_there(
    page: Page, lab: Lab, platform: Platform
) -> None:
    platform.deploy_live("thin", HELLO)
    page.set_viewport_size({"width": 330, "height": 700})
    front = FrontPage(page, lab)
    folded = page.locator(".jp-Toolbar-responsive-popup:visible")

    def unfold() -> None:
        """Open the toolbar's "..." by keyboard. JupyterLab closes it where it lays the toolbar out once more."""
        more = page.locator(".jp-Document:not(.lm-mod-hidden)").get_by_role("button", name="More commands")
        for _ in range(5):
            more.press("Enter")
            with suppress(AssertionError):
                expect(folded).to_be_visible(timeout=2_000)
                return
        expect(folded).to_be_visible()

    def check(*names: str) -> None:
        for name in names:
            expect(folded.get_by_text(name, exact=True)).to_be_in_viewport(ratio=1)
        front.check_accessibility(".jp-Toolbar-responsive-popup:not(.lm-mod-hidden) [data-jp-item-name^=gofastapi-]")

    front.notebook("thin.ipynb", HELLO)
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    unfold()
    check("Deploy")
    # From button to button by the arrows, as in all of JupyterLab's toolbars.
    buttons = folded.get_by_role("button")
    buttons.first.focus()
    reached = [page.evaluate("document.activeElement.ariaLabel")]
    while reached[-1] != "Deploy" and len(reached) < buttons.count():
        page.keyboard.press("ArrowRight")
        reached.append(page.evaluate("document.activeElement.ariaLabel"))
    assert reached[-1] == "Deploy", reached
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("textbox", name="Name of the app")).to_be_focused()
    page.keyboard.press("Escape")

    front.execute("docmanager:open", path="gofastapi:thin/main.py")
    expect(page.get_by_role("status").filter(has_text="Up to date").last).to_be_visible()
    # The editor has its width from the sidebar: narrower windows are scrolled sideways.
    page.set_viewport_size({"width": 600, "height": 700})
    front.open_sidebar()
    front.resize_sidebar(390)
    unfold()
    check("Deploy", "History", "Open")
    folded.get_by_role("button", name="History").press("Enter")
    expect(page.locator("#gofastapi-page-thin").get_by_role("article", name="Version 1")).to_be_visible()
    platform.client.delete("thin", forever=True)
