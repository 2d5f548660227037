"""The page of an app: what is changed there, its history, variables and settings."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from support.app_page import MENU, AppPage, ask, deploy, request
from support.lab import Lab
from support.platform import Platform

from gofastapi_ext.core.drafts import DraftSave
from gofastapi_ext.core.models import AppChange, CloneRequest
from gofastapi_ext.core.variables import EnvChange, Setting

NEEDS_MODE = "import os\nassert os.environ.get('MODE') != 'broken', 'MODE must not be broken'\n"


def test_history_compares_previews_and_rolls_back_and_forward(
    page: Page, lab: Lab, platform: Platform, menu: str
) -> None:
    deploy(platform, "menu", request(MENU.replace('"tea": 3', '"tea": 4'), "Dearer tea"))
    draft = request(MENU.replace('"tea": 3', '"tea": 9')).bundle
    assert draft is not None
    platform.client.save_draft("menu", DraftSave(bundle=draft))
    shown = AppPage(page, lab, "menu", "history")
    second = shown.root.get_by_role("article", name="Version 2")
    expect(second).to_contain_text("Dearer tea")
    second.get_by_role("button", name="Changes").click()
    old, new = (shown.root.get_by_role("textbox", name=f"main.py (v{number})") for number in (1, 2))
    expect(old.locator(".cm-changedLine")).to_have_text('prices = {"tea": 3}')
    expect(new.locator(".cm-changedLine")).to_have_text('prices = {"tea": 4}')
    shown.root.get_by_role("combobox", name="to").select_option("The working copy")
    expect(shown.root.get_by_role("textbox", name="main.py (draft)")).to_contain_text('"tea": 9')

    first = shown.root.get_by_role("article", name="Version 1")
    first.get_by_role("button", name="Files").click()
    expect(shown.root.get_by_role("textbox", name="main.py")).to_contain_text('"tea": 3')
    shown.root.get_by_role("combobox", name="File").select_option("words.txt")
    expect(shown.root.get_by_role("textbox", name="words.txt")).to_have_text("tea")

    first.get_by_role("button", name="Roll back to version 1").click()
    stages = shown.root.get_by_role("region", name="Roll back")
    expect(stages).to_contain_text("Version 3 is live.")
    assert ask("GET", f"{menu}/menu/tea").json() == 3
    page.get_by_role("button", name="Undo").click()
    expect(stages).to_contain_text("Version 4 is live.")
    assert ask("GET", f"{menu}/menu/tea").json() == 4


def test_a_rollback_that_fails_says_why_and_leaves_what_is_live(page: Page, lab: Lab, platform: Platform) -> None:
    url = deploy(platform, "menu", request(NEEDS_MODE + MENU))
    deploy(platform, "menu", request(MENU))
    list(platform.client.change_env("menu", EnvChange(set={"MODE": Setting(value="broken")})))
    shown = AppPage(page, lab, "menu", "history")
    shown.button("Roll back to version 1").click()
    stages = shown.root.get_by_role("region", name="Roll back")
    expect(stages.get_by_role("alert")).to_contain_text("What was live before goes on.")
    expect(stages).to_contain_text("MODE must not be broken")
    assert ask("GET", f"{url}/setting/MODE").json() == "broken"
    platform.client.delete("menu", forever=True)


def test_variables_change_as_a_batch_with_one_restart(page: Page, lab: Lab, platform: Platform) -> None:
    url = deploy(platform, "menu", request(NEEDS_MODE + MENU))
    shown = AppPage(page, lab, "menu", "environment")
    expect(shown.root).to_contain_text("No variables yet")
    shown.button("Add a variable").click()
    form = shown.root.get_by_role("form", name="A new variable")
    form.get_by_label("Name").fill("TOKEN")
    expect(form.get_by_label("Value")).to_have_attribute("type", "password")
    form.get_by_label("Value").fill("hush-hush")
    form.get_by_label("Value").press("Enter")
    form.get_by_label("Name").fill("MODE")
    form.get_by_label("Secret").uncheck()
    form.get_by_label("Value").fill("broken")
    form.get_by_role("button", name="Add").click()
    page.keyboard.press("Escape")
    expect(shown.button("Add a variable")).to_be_focused()
    expect(shown.root).to_contain_text("2 changes, with one restart")

    # The app does not come up with these: nothing changed, and what was entered is still there to be mended.
    shown.button("Save and restart").click()
    stages = shown.root.get_by_role("region", name="Restart with the new values")
    expect(stages.get_by_role("alert")).to_contain_text("It goes on as it was, and nothing was changed.")
    expect(stages).to_contain_text("MODE must not be broken")
    assert ask("GET", f"{url}/setting/TOKEN").json() is None
    shown.root.get_by_role("textbox", name="Value of MODE").fill("fast")
    shown.button("Save and restart").click()
    expect(stages).to_contain_text("The app runs with the new values.")
    assert [ask("GET", f"{url}/setting/{name}").json() for name in ("TOKEN", "MODE")] == ["hush-hush", "fast"]
    # A secret is there, and not to be read.
    row = shown.root.get_by_role("row", name=re.compile("TOKEN"))
    expect(row).to_contain_text("••••")
    assert "hush-hush" not in page.content()

    # What is imported joins the batch: what looks like a secret is one, what cannot be set says why.
    shown.button("Import a .env file").click()
    shown.root.get_by_label("Paste the text of the file").fill("API_KEY='k-1234'\nMODE=slow\nPATH=/x\nSKIP=1\n")
    shown.button("Read").click()
    expect(shown.root.get_by_role("checkbox", name="API_KEY is a secret")).to_be_checked()
    expect(shown.root.get_by_role("checkbox", name="PATH", exact=True)).to_be_disabled()
    shown.root.get_by_role("checkbox", name="SKIP", exact=True).uncheck()
    shown.button("Take 2 variables").click()
    shown.button("Remove TOKEN").click()
    shown.button("Save and restart").click()
    expect(shown.root.get_by_role("row", name=re.compile("TOKEN"))).to_have_count(0)
    names = {v.name: (v.secret, v.value) for v in platform.client.env("menu").variables}
    assert names == {"API_KEY": (True, None), "MODE": (False, "slow")}

    # A clone brings the names of secrets only: they come first, and ask for their values.
    platform.client.clone("menu", CloneRequest(to="menu-two", source="live"))
    other = AppPage(page, lab, "menu-two", "environment")
    expect(other.root).to_contain_text("The secret API_KEY came along from another app by its name alone.")
    other.root.get_by_label("New value of the secret API_KEY").fill("k-9876")
    other.button("Save").click()
    expect(other.root).to_contain_text("The app gets the new values when it starts.")
    expect(other.root).not_to_contain_text("came along")
    for app in ("menu", "menu-two"):
        platform.client.delete(app, forever=True)


def test_settings_and_the_end_of_an_app(page: Page, lab: Lab, platform: Platform, menu: str) -> None:
    shown = AppPage(page, lab, "menu", "settings")
    shown.root.get_by_label("Title").fill("The Menu")
    shown.root.get_by_label("Sleeps after").select_option("Never")
    shown.root.get_by_label("Workers").select_option("2")
    shown.root.get_by_label("Keep the bodies of requests that fail").check()
    # What is not saved yet is still there after a look at something else.
    shown.open("logs")
    shown.open("settings")
    expect(shown.root.get_by_label("Title")).to_have_value("The Menu")
    shown.button("Save").click()
    expect(shown.root.get_by_role("heading", name="The Menu")).to_be_visible()
    expect(shown.root).to_contain_text("2 workers")
    view = platform.app("menu")
    assert (view.title, view.sleep_after_seconds, view.record_bodies) == ("The Menu", None, True)
    assert view.workers == 2
    # Somebody else's change shows by itself.
    platform.client.change("menu", AppChange(title="Our Menu"))
    expect(shown.root.get_by_label("Title")).to_have_value("Our Menu")

    shown.button("Stop").click()
    expect(shown.root.get_by_text("Stopped", exact=True)).to_be_visible()
    shown.button("Start").first.click()
    expect(shown.root.get_by_text("Live", exact=True)).to_be_visible()

    shown.button("Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Delete menu")).to_be_disabled()
    dialog.get_by_role("textbox").fill("menu")
    dialog.get_by_role("button", name="Delete menu").click()
    expect(shown.root).to_contain_text("There is no app menu")
    page.get_by_role("alert").filter(has_text="menu is deleted").get_by_role("button", name="Undo").click()
    expect(shown.root.get_by_role("heading", name="Our Menu")).to_be_visible()
    assert ask("GET", f"{menu}/menu/tea").json() == 3
