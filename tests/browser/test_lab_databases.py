"""The page of a person's data: credentials, backups and branches of the database as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect
from support.data import Data, opened
from support.data_page import DataPage
from support.databases import NOTES
from support.front import DARK, HIGH_CONTRAST, LIGHT
from support.lab import Lab
from support.platform import Platform

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.models import DeployRequest


def test_credentials_are_shown_on_request_and_made_anew(
    page: Page, lab: Lab, platform: Platform, database: Data
) -> None:
    bundle = Bundle(files={"main.py": BundleFile(text=NOTES)})
    url = list(platform.client.deploy("notes", DeployRequest(bundle=bundle)))[-1].url
    shown = DataPage(page, lab, tab="credentials")
    name = platform.client.me().database
    expect(shown.root.get_by_role("definition").filter(has_text="notes")).to_be_visible()
    assert "mongodb://" not in page.content()
    shown.button("Show connection string").click()
    form = shown.root.get_by_role("form", name="Show the connection string")
    expect(form.get_by_role("button", name="Show")).to_be_disabled()
    form.get_by_role("textbox").fill(name)
    form.get_by_role("textbox").press("Enter")
    uri = shown.root.get_by_role("textbox", name="Connection string")
    expect(uri).to_have_value(re.compile(rf"^mongodb://.*{name}"))
    before = uri.input_value()
    shown.button("Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == before
    shown.check_accessibility()
    shown.button("Hide").click()
    expect(shown.button("Show connection string")).to_be_focused()
    expect(uri).to_have_count(0)

    shown.button("Rotate").click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    result = shown.root.get_by_role("region", name="New credentials").last
    moved = result.get_by_role("listitem").filter(has_text=re.compile("^notes moved over in "))
    expect(moved).to_have_count(1)
    expect(result).to_contain_text("New credentials: done.")
    assert httpx.get(f"{url}/add/x", trust_env=False).status_code == 200
    assert platform.client.database_uri(confirm=name).uri != before
    platform.client.delete("notes", forever=True)


def test_backups_are_made_restored_and_the_restore_undone(
    page: Page, lab: Lab, platform: Platform, database: Data, tmp_path: Path
) -> None:
    for backup in platform.client.backups().backups:
        platform.client.delete_backup(backup.id)
    database.notes.insert_one({"_id": "first"})
    shown = DataPage(page, lab, tab="backups")
    expect(shown.root).to_contain_text("Each night at 03:00 a backup is made by itself; the last 7 of those stay.")
    shown.button("Back up now").click()
    expect(shown.root.get_by_role("region", name="Backup")).to_contain_text("Backup: done.")
    row = shown.row("made by you")
    expect(row).to_have_count(1)
    with page.expect_download() as download:
        row.get_by_role("link", name="Download").click()
    archive = tmp_path / "backup.zip"
    download.value.save_as(archive)
    for theme in (LIGHT, DARK, HIGH_CONTRAST):
        shown.front.set_theme(theme)
        shown.check_accessibility()
    shown.front.set_theme(LIGHT)

    database.notes.insert_one({"_id": "second"})
    row.get_by_role("button", name="Restore").click()
    shown.confirm(platform.client.me().database, "Restore")
    expect(shown.root.get_by_role("region", name="Restore", exact=True)).to_contain_text("Restore: done.")
    with opened(platform) as restored:
        assert [each["_id"] for each in restored.notes.find()] == ["first"]
    shown.button(re.compile("^Bring .* back$")).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Bring it back").click()
    expect(shown.root.get_by_role("region", name="Undo")).to_contain_text("Undo: done.")
    with opened(platform) as again:
        assert [each["_id"] for each in again.notes.find()] == ["first", "second"]

    # What comes in is believed by its hashes only.
    damaged = tmp_path / "damaged.zip"
    content = bytearray(archive.read_bytes())
    content[len(content) // 3] ^= 0xFF
    damaged.write_bytes(content)
    shown.button("Upload a backup").click()
    form = shown.root.get_by_role("form", name="Upload a backup")
    form.get_by_label("File").set_input_files(damaged)
    form.get_by_role("button", name="Upload").click()
    expect(form.get_by_role("alert")).to_be_visible()
    form.get_by_label("File").set_input_files(archive)
    form.get_by_role("button", name="Upload").click()
    expect(shown.row("uploaded")).to_have_count(1)
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_branches_are_made_looked_into_promoted_and_dropped(
    page: Page, lab: Lab, platform: Platform, database: Data
) -> None:
    database.notes.insert_one({"_id": "first"})
    shown = DataPage(page, lab, tab="branches")
    shown.button("New branch").click()
    form = shown.root.get_by_role("form", name="A new branch")
    form.get_by_label("Name").fill("Not This")
    form.get_by_label("Name").press("Enter")
    expect(shown.root.get_by_role("alert")).to_contain_text("cannot be a branch's name")
    form.get_by_label("Name").fill("try-it")
    form.get_by_role("button", name="Create").click()
    branch = shown.root.get_by_role("article", name="Branch try-it")
    expect(branch).to_contain_text("1 document")
    expect(form).to_have_count(0)
    branch.get_by_role("combobox").select_option("3d")
    expect(branch).to_contain_text("goes by itself in 3 days")
    branch.get_by_role("button", name="Copy the line").click()
    # With the name of an app, where there is one.
    assert re.fullmatch(r"%%deploy \S+ --db-branch try-it", page.evaluate("navigator.clipboard.readText()"))
    shown.check_accessibility()

    # What is done in it is done there alone.
    branch.get_by_role("button", name="Look into try-it").click()
    expect(shown.root.get_by_role("combobox", name="Branch")).to_have_value("try-it")
    shown.button("notes").click()
    shown.button("Delete first").click()
    expect(shown.root).to_contain_text("No documents yet")
    assert database.notes.count_documents({}) == 1
    shown.open(tab="branches", branch="main")

    bundle = Bundle(files={"main.py": BundleFile(text=NOTES)})
    list(platform.client.deploy("notes", DeployRequest(bundle=bundle, db_branch="try-it")))
    expect(branch).to_contain_text("Apps on it: notes")
    branch.get_by_role("button", name="Promote try-it").click()
    shown.confirm("try-it", "Promote")
    expect(shown.root.get_by_role("region", name="Promotion of try-it")).to_contain_text("done.")
    expect(branch).to_have_count(0)
    with opened(platform) as promoted:
        assert promoted.notes.count_documents({}) == 0

    # A branch with an app on it says so, and stops it only where that is meant.
    platform.client.delete("notes", forever=True)
    shown.button("New branch").click()
    form.get_by_label("Name").fill("other")
    form.get_by_role("button", name="Create").click()
    other = shown.root.get_by_role("article", name="Branch other")
    expect(other).to_be_visible()
    list(platform.client.deploy("notes", DeployRequest(bundle=bundle, db_branch="other")))
    expect(other).to_contain_text("Apps on it: notes")
    other.get_by_role("button", name="Drop other").click()
    expect(page.get_by_role("dialog")).to_contain_text("notes would be on it no more and is stopped")
    shown.confirm("other", "Stop and drop")
    expect(other).to_have_count(0)
    assert platform.app("notes").state == "stopped"
    platform.client.delete("notes", forever=True)
