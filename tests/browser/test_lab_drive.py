"""Apps as a drive of JupyterLab: browse, edit, save, deploy, and what happens when others do so too."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from support.front import FrontPage
from support.lab import Lab
from support.platform import Platform, get

from gofastapi_ext.client.discovery import read_service_info
from gofastapi_ext.core.bundle import BundleFile
from gofastapi_ext.core.drafts import DraftFileSave


def hello(word: str) -> str:
    return f'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/")\ndef root():\n    return "{word}"\n'


class Files:
    """The file browser of the drive, and the editor in front."""

    def __init__(self, front: FrontPage) -> None:
        self.front = front
        self.page = front.page
        self.browser = front.page.locator("#gofastapi-files")

    def show(self, app: str = "") -> None:
        self.front.execute("gofastapi:open-files", app=app)
        expect(self.browser).to_be_visible()

    def item(self, name: str) -> Locator:
        return self.browser.locator(".jp-DirListing-item").filter(has_text=re.compile(rf"^\s*{re.escape(name)}"))

    def open(self, name: str) -> None:
        self.item(name).dblclick()

    def enter(self, folder: str) -> None:
        self.item(folder).dblclick()
        expect(self.browser.locator(".jp-BreadCrumbs")).to_contain_text(f"/{folder}/")

    def name(self, name: str) -> None:
        """Give what was just made, or is being renamed, its name."""
        field = self.browser.locator(".jp-DirListing-editor")
        expect(field).to_be_focused()
        field.fill(name)
        field.press("Enter")

    def new_folder(self, name: str) -> None:
        self.browser.get_by_role("button", name="New folder").click()
        self.name(name)

    def new_file(self, name: str) -> None:
        self.browser.get_by_role("button", name="New Python file").click()
        self.name(name)

    def menu(self, name: str, action: str) -> None:
        self.item(name).click(button="right")
        self.page.get_by_role("menuitem", name=re.compile(f"^{action}")).click()

    def delete(self, name: str) -> None:
        # As JupyterLab calls it, whatever becomes of a file on a drive.
        self.menu(name, "Move to Trash")
        self.page.get_by_role("dialog").get_by_role("button", name="Move to Trash").click()
        expect(self.item(name)).to_have_count(0)

    @property
    def editor(self) -> Locator:
        return self.page.locator(".jp-FileEditor:not(.lm-mod-hidden) .cm-content").last

    @property
    def document(self) -> Locator:
        return self.page.locator(".jp-Document:not(.lm-mod-hidden)")

    @property
    def status(self) -> Locator:
        return self.document.get_by_role("status")

    def button(self, name: str) -> Locator:
        return self.document.get_by_role("button", name=name)

    def type(self, text: str) -> None:
        """Replace what stands in the editor."""
        self.editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)
        expect(self.status).to_have_text("Unsaved changes")

    def save(self) -> None:
        self.page.keyboard.press("Control+s")


@pytest.fixture
def files(page: Page, lab: Lab) -> Files:
    return Files(FrontPage(page, lab))


def saved(platform: Platform, app: str, path: str = "main.py") -> str | None:
    return platform.client.draft_file(app, path).file.text


def kill_service(platform: Platform) -> None:
    """As a crash would; whoever needs it next starts it again."""
    info = read_service_info(platform.places)
    assert info is not None
    os.kill(int(str(info["pid"])), signal.SIGKILL)
    if platform.process is not None:
        platform.process.wait(10)


def test_edit_save_deploy_and_a_failure_at_its_line(files: Files, platform: Platform) -> None:
    url = platform.deploy_live("edited", hello("one"))
    files.show("edited")
    files.open("main.py")
    expect(files.status).to_have_text("Up to date")
    files.type(hello("two"))
    files.save()
    expect(files.status).to_have_text("Changes not deployed")
    assert saved(platform, "edited") == hello("two")
    assert get(url).json() == "one"
    files.button("Deploy").click()
    expect(files.page.get_by_text("edited v2 is live.")).to_be_visible()
    expect(files.status).to_have_text("Up to date")
    assert get(url).json() == "two"

    # Deploy saves first. What is wrong is marked at its line, and the mark goes with the line.
    files.type(hello("three") + "\n1 / 0\n")
    files.button("Deploy").click()
    notice = files.page.get_by_role("alert").filter(has_text="edited was not deployed")
    expect(notice).to_contain_text("division by zero (main.py:10)")
    expect(files.status).to_have_text("Deploy failed")
    mark = files.document.locator(".cm-lintRange-error")
    expect(mark).to_have_text("1 / 0")
    assert get(url).json() == "two"
    files.editor.locator(".cm-line").nth(9).click()
    files.page.keyboard.press("End")
    files.page.keyboard.press("Shift+Home")
    files.page.keyboard.insert_text("1 / 1")
    expect(mark).to_have_count(0)
    notice.get_by_role("button", name="Try again").click()
    expect(files.page.get_by_text("edited v4 is live.")).to_be_visible()
    assert get(url).json() == "three"
    files.front.check_accessibility("#gofastapi-files")
    files.front.check_accessibility(".jp-Document:not(.lm-mod-hidden) .jp-Toolbar")


def test_two_sides_of_a_file_and_nothing_is_overwritten(files: Files, platform: Platform) -> None:
    platform.deploy_live("shared", hello("one"))

    def elsewhere(text: str) -> None:
        etag = platform.client.draft_file("shared", "main.py").etag
        platform.client.save_draft_file("shared", "main.py", DraftFileSave(file=BundleFile(text=text)), etag)

    def text() -> str:
        return "\n".join(files.editor.locator(".cm-line").all_inner_texts()).replace("\u200b", "")

    files.show("shared")
    files.open("main.py")
    expect(files.status).to_have_text("Up to date")
    # Without changes of its own, the editor shows what somebody else saved.
    elsewhere(hello("elsewhere"))
    expect(files.editor).to_contain_text('return "elsewhere"')
    expect(files.status).to_have_text("Changes not deployed")

    files.type("# mine\n" + hello("mine"))
    elsewhere(hello("theirs"))
    expect(files.status).to_have_text("Changed elsewhere")
    expect(files.editor).to_contain_text('return "mine"')
    files.editor.click()
    files.save()
    dialog = files.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Two versions of main.py")
    expect(dialog).to_contain_text('main.py of "shared" was changed meanwhile by')
    theirs = dialog.get_by_role("textbox", name="Theirs")
    mine = dialog.get_by_role("textbox", name="Yours")
    expect(theirs).to_contain_text('return "theirs"')
    expect(mine).to_contain_text('return "mine"')
    files.front.check_accessibility(".gf-MergeDialog")
    expect(dialog.get_by_role("button", name="Save Merged")).to_be_disabled()
    dialog.get_by_role("button", name="Decide Later").click()
    assert saved(platform, "shared") == hello("theirs")
    expect(files.status).to_have_text("Changed elsewhere")

    files.button("Compare").click()
    dialog.get_by_role("button", name="Take this part of theirs").last.click()
    expect(mine).to_contain_text('return "theirs"')
    dialog.get_by_role("button", name="Save Merged").click()
    expect(files.status).to_have_text("Changes not deployed")
    assert saved(platform, "shared") == "# mine\n" + hello("theirs")
    assert text().startswith("# mine\n")
    assert 'return "theirs"' in text()

    for choice, left in (("Take Mine", "mine"), ("Take Theirs", "theirs")):
        files.type(hello(f"mine, {choice}"))
        elsewhere(hello(f"theirs, {choice}"))
        expect(files.status).to_have_text("Changed elsewhere")
        files.button("Compare").click()
        dialog.get_by_role("button", name=choice).click()
        expect(files.status).to_have_text("Changes not deployed")
        assert saved(platform, "shared") == hello(f"{left}, {choice}")
        expect(files.editor).to_contain_text(f'return "{left}, {choice}"')

    # Deleted by somebody else: the text stays, and can be saved again.
    platform.client.delete_draft_file("shared", "main.py", "*")
    expect(files.status).to_have_text("Deleted elsewhere")
    files.editor.click()
    files.save()
    dialog.get_by_role("button", name="Save Mine Again").click()
    expect(files.status).to_have_text("Changes not deployed")
    assert saved(platform, "shared") == hello("theirs, Take Theirs")


def test_the_tree_is_jupyterlabs_own(files: Files, platform: Platform, tmp_path: Path) -> None:
    page = files.page
    platform.deploy_live("tree", hello("one"), files={"static/style.css": "body {}\n"})
    files.show("tree")
    files.new_folder("routers")
    expect(files.item("routers")).to_be_visible()
    files.enter("routers")
    files.new_file("users.py")
    expect(files.item("users.py")).to_be_visible()
    assert saved(platform, "tree", "routers/users.py") == ""

    # A file that is open is renamed, and goes on being saved.
    files.open("users.py")
    files.type("USERS = []\n")
    files.save()
    expect(files.status).to_have_text("Changes not deployed")
    files.menu("users.py", "Rename")
    files.name("people.py")
    expect(page.get_by_role("tab", name="people.py")).to_be_visible()
    files.editor.click()
    files.type("PEOPLE = []\n")
    files.save()
    expect(files.status).to_have_text("Changes not deployed")
    assert saved(platform, "tree", "routers/people.py") == "PEOPLE = []\n"
    files.menu("people.py", "Duplicate")
    expect(files.item("people-Copy1.py")).to_be_visible()

    # The platform's own words where a name cannot be.
    files.menu("people-Copy1.py", "Rename")
    files.name(".git")
    refused = page.get_by_role("dialog")
    expect(refused).to_contain_text(".git")
    refused.get_by_role("button").last.click()
    files.delete("people-Copy1.py")
    page.get_by_role("button", name="Undo").click()
    expect(files.item("people-Copy1.py")).to_be_visible()
    assert saved(platform, "tree", "routers/people-Copy1.py") == "PEOPLE = []\n"
    files.delete("people-Copy1.py")
    assert sorted(platform.client.draft("tree").bundle.files) == ["main.py", "routers/people.py", "static/style.css"]

    # Upload; what is no text is kept as it is, and says so where it is opened as text.
    large = tmp_path / "data.bin"
    large.write_bytes(bytes(range(256)) * 8_000)
    (tmp_path / "huge.bin").write_bytes(b"\xff" * 5_000_001)
    with page.expect_file_chooser() as chooser:
        files.browser.get_by_role("button", name="Upload").click()
    chooser.value.set_files([large])
    expect(files.item("data.bin")).to_be_visible()
    assert platform.client.draft_file("tree", "routers/data.bin").file.content == large.read_bytes()
    files.open("data.bin")
    expect(page.get_by_role("dialog")).to_contain_text("is no text, so it cannot be edited")
    page.get_by_role("dialog").get_by_role("button").last.click()
    with page.expect_download() as download:
        files.menu("data.bin", "Download")
    assert download.value.suggested_filename == "data.bin"
    assert Path(download.value.path()).read_bytes() == large.read_bytes()
    with page.expect_file_chooser() as chooser:
        files.browser.get_by_role("button", name="Upload").click()
    chooser.value.set_files([tmp_path / "huge.bin"])
    expect(page.get_by_role("dialog")).to_contain_text("a file may have 5.0 MB")
    page.get_by_role("dialog").get_by_role("button").last.click()


def test_apps_come_and_go_at_the_top(files: Files, platform: Platform) -> None:
    page = files.page
    files.show()
    for name, words in (("Not_A_Name", "Not_A_Name"), ("made-here", None)):
        files.new_folder(name)
        if words:
            expect(page.get_by_role("dialog")).to_contain_text(words)
            page.get_by_role("dialog").get_by_role("button").last.click()
            files.delete("new-app")
    expect(files.item("made-here")).to_be_visible()
    files.enter("made-here")
    files.new_file("main.py")
    files.open("main.py")
    expect(files.status).to_have_text("Not deployed yet")
    files.type(hello("made"))
    files.button("Deploy").click()
    expect(page.get_by_text("made-here v1 is live.")).to_be_visible()
    assert get(platform.app("made-here").url or "").json() == "made"

    # What was open is there again, also after the service was away.
    kill_service(platform)
    files.front.open_again("made-here/main.py")
    expect(files.status).to_have_text("Up to date")
    files.type(hello("again"))
    files.save()
    expect(files.status).to_have_text("Changes not deployed")
    assert saved(platform, "made-here") == hello("again")

    files.show()
    files.delete("made-here")
    page.get_by_role("button", name="Undo").click()
    expect(files.item("made-here")).to_be_visible()
    files.enter("made-here")
    files.open("main.py")
    expect(files.status).to_have_text("Changes not deployed")
    platform.client.delete("made-here", forever=True)
    expect(files.status).to_have_text("App deleted")
    expect(files.item("main.py")).to_have_count(0)
    # What was not saved is still there, and the service says why it cannot be saved.
    files.editor.click()
    page.keyboard.insert_text("# kept ")
    files.save()
    expect(page.get_by_role("dialog")).to_contain_text('There is no app "made-here"')
    page.get_by_role("dialog").get_by_role("button").last.click()
    expect(files.editor).to_contain_text("# kept")
