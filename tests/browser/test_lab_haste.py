"""What hasty people do in JupyterLab: click twice, rename what is live, change data in two places, print a lot."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect
from support.app_page import MENU, AppPage, ask, deploy, request
from support.data import Data
from support.data_page import DataPage
from support.front import FrontPage
from support.lab import Lab
from support.platform import Platform
from support.waiting import held_until, until

TALL = """from fastapi import FastAPI

app = FastAPI()
for number in range(60):
    print(number, "word " * 120)
print("the end")
"""
BROKEN = 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/")\ndef root():\n    return {}["tea"]\n'
_NOTICES = ".Toastify__toast"


def test_the_log_is_at_its_end_where_lines_wrap(page: Page, lab: Lab, platform: Platform) -> None:
    deploy(platform, "tall", request(TALL))
    shown = AppPage(page, lab, "tall", "logs")
    last = shown.root.get_by_text("the end", exact=True)
    expect(last).to_be_in_viewport()
    page.set_viewport_size({"width": 700, "height": 600})
    expect(last).to_be_in_viewport()
    platform.client.delete("tall", forever=True)


def test_a_double_click_does_it_once(page: Page, lab: Lab, platform: Platform, menu: str) -> None:
    shown = AppPage(page, lab, "menu", "settings")
    shown.button("Restart").dblclick()
    expect(page.locator(_NOTICES).filter(has_text="menu was restarted")).to_be_visible()
    assert [event.kind for event in platform.client.events("menu")].count("restarted") == 1
    expect(page.locator(_NOTICES)).to_have_count(1)

    shown.front.execute("launcher:create")
    page.locator(".jp-LauncherCard").filter(has_text="New App").dblclick()
    dialog = page.locator(".gf-NewAppDialog")
    dialog.get_by_role("textbox", name="Name").press("Escape")
    expect(page.locator(".jp-Dialog")).to_have_count(0)


def test_a_double_click_on_deploy_stays_with_the_file(page: Page, lab: Lab, platform: Platform, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    deploy(platform, "menu", request(MENU))
    front = FrontPage(page, lab)
    front.execute("docmanager:open", path="gofastapi:menu/main.py")
    editor = page.locator(".jp-Document:not(.lm-mod-hidden)")
    status = editor.get_by_role("status")
    expect(status).to_have_text("Up to date")
    editor.locator(".cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.insert_text(held_until(gate))
    editor.get_by_role("button", name="Deploy").dblclick()
    expect(status).to_have_text("Deploying…")
    gate.touch()
    expect(status).to_have_text("Up to date")
    expect(page.locator("#gofastapi-page-menu")).to_have_count(0)
    assert platform.app("menu").version == 2
    platform.client.delete("menu", forever=True)


def test_a_renamed_notebook_is_found_from_an_error_of_its_app(page: Page, lab: Lab, platform: Platform) -> None:
    front = FrontPage(page, lab)
    notebook = front.notebook("first.ipynb", f"%%deploy renamed\n{BROKEN}")
    notebook.run(0)
    notebook.save()
    ask("GET", until(lambda: platform.app("renamed").url, what="its address"))
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.rename('second.ipynb')")
    front.execute("gofastapi:open-page", app="renamed", tab="errors")
    shown = page.locator("#gofastapi-page-renamed")
    shown.get_by_text("KeyError: 'tea'").first.click()
    shown.get_by_role("button", name="In[1], line 9").click()
    expect(notebook.cell(0)).to_be_visible()
    expect(notebook.cell(0).locator(".cm-content")).to_be_focused()
    platform.client.delete("renamed", forever=True)


def test_what_is_imported_elsewhere_shows_at_once(page: Page, lab: Lab, platform: Platform, database: Data) -> None:
    database["guests"].insert_one({"_id": "", "name": "Nobody"})
    shown = DataPage(page, lab, collection="guests")
    shown.button('Open ""').click()
    expect(shown.root.get_by_role("textbox", name="as JSON")).to_contain_text("Nobody")
    shown.root.get_by_label("Filter").fill('{"half')
    list(platform.client.import_documents("guests", [b'{"_id": "Ada"}\n']))
    expect(shown.button("Open Ada")).to_be_visible()
    expect(shown.root.get_by_label("Filter")).to_have_value('{"half')
    expect(shown.root.get_by_label("Filter")).to_be_focused()
