"""From one area of the front end to the next: what happens in one is seen in the others, and leads there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect
from support.front import FrontPage
from support.lab import Lab, NotebookPage
from support.platform import Platform
from support.waiting import held_until

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.drafts import DraftSave
from gofastapi_ext.core.models import DeployRequest

SHOP = """from fastapi import FastAPI

app = FastAPI(title="Tea shop")
prices = {"tea": 3}


@app.get("/menu/{item}")
def price(item: str):
    return prices[item]
"""
# A new kernel and a first deploy take their time on a busy machine.
PATIENT = 60_000


@pytest.fixture(autouse=True)
def no_apps_stay(platform: Platform) -> Iterator[None]:
    yield
    for app in [*platform.client.apps(), *platform.client.apps(deleted=True)]:
        platform.client.delete(app.id, forever=True)


@pytest.fixture
def front(page: Page, lab: Lab) -> FrontPage:
    return FrontPage(page, lab)


def status(notebook: NotebookPage, index: int) -> Locator:
    return notebook.page.locator(".jp-NotebookPanel .jp-Cell").nth(index).locator(".gf-CellStatus")


def app_page(front: FrontPage, app: str, tab: str = "overview") -> Locator:
    front.execute("gofastapi:open-page", app=app, tab=tab)
    shown = front.page.locator(f"#gofastapi-page-{app}")
    expect(shown).to_be_visible()
    return shown


def card(front: FrontPage, app: str) -> Locator:
    return front.sidebar.locator(f'[data-app="{app}"]')


def tab(front: FrontPage, name: str) -> Locator:
    """A tab of the main area."""
    return front.page.locator("#jp-main-dock-panel").get_by_role("tab", name=name)


def expect_cursor(front: FrontPage, path: str, line: int) -> None:
    """It is in this line, from 1, of the active cell of this notebook, or of this file."""
    front.page.wait_for_function(
        """([path, line]) => {
          const {currentWidget} = window.jupyterapp.shell;
          const editor = currentWidget?.content?.activeCell?.editor ?? currentWidget?.content?.editor;
          return currentWidget?.context?.path === path && editor?.getCursorPosition().line === line - 1;
        }""",
        arg=[path, line],
    )


def test_an_error_is_seen_at_once_and_leads_to_its_line(front: FrontPage, platform: Platform, lab: Lab) -> None:
    (lab.root / "teas").mkdir(exist_ok=True)
    notebook = front.notebook("teas/menu.ipynb", f"%%deploy menu\n{SHOP}")
    notebook.run(0)
    expect(status(notebook, 0)).to_contain_text("Up to date", timeout=PATIENT)
    # A copy with the same cells elsewhere is another notebook.
    notebook.save()
    front.page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    nbformat.write(nbformat.read(lab.root / "teas" / "menu.ipynb", as_version=4), lab.root / "menu.ipynb")
    shown = app_page(front, "menu", "errors")
    expect(shown).to_contain_text("Nothing went wrong")
    begin = time.monotonic()
    assert httpx.get(f"{platform.app('menu').url}/menu/toast").status_code == 500
    expect(shown).to_contain_text("KeyError: 'toast'")
    seen = time.monotonic() - begin
    expect(notebook.page.locator(".jp-NotebookPanel .cm-lintRange-error")).to_have_text("prices[item]")
    print(f"in the list of errors after {seen:.1f} s, in the notebook after {time.monotonic() - begin:.1f} s")
    assert time.monotonic() - begin < 12, "an instance is asked every 15 s, and the page asks every 15 s"

    shown.get_by_text("KeyError: 'toast'").first.click()
    place = shown.get_by_role("button", name="In[1], line 10")
    place.click()
    expect_cursor(front, "teas/menu.ipynb", 10)
    # Closed, with the copy open: it is opened again.
    front.page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    front.execute("docmanager:open", path="menu.ipynb")
    app_page(front, "menu")
    expect(place).to_have_count(0)
    app_page(front, "menu", "errors")
    shown.get_by_text("KeyError: 'toast'").first.click()
    place.click()
    expect_cursor(front, "teas/menu.ipynb", 10)


def test_between_the_page_of_an_app_and_its_files(front: FrontPage, platform: Platform, tmp_path: Path) -> None:
    files = {"main.py": BundleFile(text=SHOP), "words.txt": BundleFile(text="tea\n")}
    url = str(list(platform.client.deploy("files", DeployRequest(bundle=Bundle(files=files))))[-1].url)
    assert httpx.get(f"{url}/menu/toast").status_code == 500
    page = front.page
    shown = app_page(front, "files", "errors")
    shown.get_by_text("KeyError: 'toast'").first.click()
    shown.get_by_role("button", name="main.py, line 9").click()
    expect_cursor(front, "gofastapi:files/main.py", 9)

    editor = page.locator(".jp-Document:not(.lm-mod-hidden)")
    editor.get_by_role("button", name="History").click()
    expect(shown.get_by_role("article", name="Version 1")).to_be_visible()
    tab(front, "main.py").click()
    with page.expect_popup() as opened:
        editor.get_by_role("button", name="Open").click()
    assert opened.value.url.startswith(url)
    opened.value.close()

    # From the page, and from the card: the same editor.
    app_page(front, "files")
    front.check_accessibility("#gofastapi-page-files")
    shown.get_by_role("button", name="Edit code").click()
    expect_cursor(front, "gofastapi:files/main.py", 9)
    page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    front.open_sidebar()
    card(front, "files").get_by_role("button", name="Edit Code files").click()
    expect_cursor(front, "gofastapi:files/main.py", 1)
    # A deploy from the editor is under way everywhere.
    editor.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    gate = tmp_path / "gate"
    page.keyboard.insert_text("\n" + held_until(gate))
    editor.get_by_role("button", name="Deploy").click()
    expect(card(front, "files").get_by_role("status")).to_contain_text("Starting")
    gate.touch()
    expect(editor.get_by_role("status")).to_have_text("Up to date", timeout=PATIENT)
    shown = app_page(front, "files")
    expect(shown).to_contain_text("Version 2")


def test_what_the_page_does_is_under_way_on_the_card(front: FrontPage, platform: Platform, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    platform.deploy_live("slow", held_until(gate) + SHOP)
    platform.deploy_live("slow", SHOP)
    gate.unlink()
    shown = app_page(front, "slow", "history")
    front.open_sidebar()
    under_way = card(front, "slow").get_by_role("status")
    expect(card(front, "slow")).to_be_visible()
    shown.get_by_role("button", name="Roll back to version 1").click()
    expect(under_way).to_contain_text("Starting")
    gate.touch()
    expect(shown).to_contain_text("Version 3 is live.")
    expect(under_way).to_have_count(0)

    gate.unlink()
    app_page(front, "slow", "environment")
    shown.get_by_role("button", name="Add a variable").click()
    form = shown.get_by_role("form", name="A new variable")
    form.get_by_role("textbox", name="Name").fill("MODE")
    form.get_by_label("Value").fill("quiet")
    form.get_by_role("button", name="Add").click()
    shown.get_by_role("button", name="Save and restart").click()
    expect(under_way).to_contain_text("Starting")
    gate.touch()
    expect(shown).to_contain_text("The app runs with the new values.")
    expect(under_way).to_have_count(0)


def test_a_new_app_from_the_notebook(front: FrontPage, platform: Platform) -> None:
    notebook = front.notebook("Green Tea.ipynb", SHOP, "1 + 1")
    page = front.page

    def from_notebook(name: str) -> None:
        front.open_sidebar()
        front.sidebar.get_by_role("button", name="New app").click()
        dialog = page.locator(".gf-NewAppDialog")
        dialog.get_by_role("radio", name="The current notebook").check()
        expect(dialog.get_by_role("textbox", name="Name")).to_have_value(name)
        dialog.get_by_role("button", name="Deploy").click()

    # Behind the launcher, and without a marked cell.
    front.execute("launcher:create")
    from_notebook("green-tea")
    expect(status(notebook, 0)).to_contain_text("v1 live", timeout=PATIENT)
    expect(notebook.cell(0).locator(".cm-line").first).to_have_text("%%deploy green-tea")
    expect(card(front, "green-tea")).to_be_visible()

    front.lab.write("marked.ipynb", f"#| deploy: marked\n{SHOP}")
    front.execute("docmanager:open", path="marked.ipynb")
    tab(front, "marked.ipynb").click()
    from_notebook("marked")
    expect(card(front, "marked")).to_be_visible(timeout=PATIENT)
    assert httpx.get(f"{platform.app('marked').url}/menu/tea").json() == 3

    # Where there is no app, it says what is missing. Nothing is made, and the notebooks are as they were.
    for title, code, missing in (
        ("data", "import pandas\n%matplotlib inline\nrows.append(1)", "There is nothing to deploy yet"),
        ("routes", "@app.get('/')\ndef home():\n    return 1", "`app` is used here, but this code never makes it"),
        ("parts", "#| deploy: parts\napplication = None", "This code makes no app"),
    ):
        front.lab.write(f"{title}.ipynb", code)
        front.execute("docmanager:open", path=f"{title}.ipynb")
        tab(front, f"{title}.ipynb").click()
        from_notebook(title)
        expect(page.get_by_role("alert").filter(has_text=missing)).to_be_visible()
        opened = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        expect(opened.locator(".jp-Cell")).to_have_count(1)
        expect(opened.locator(".cm-line").first).to_have_text(code.split("\n")[0])
        assert title not in {app.id for app in platform.client.apps()}


def test_what_happens_in_one_area_is_seen_in_the_others(front: FrontPage, platform: Platform) -> None:
    notebook = front.notebook("tea.ipynb", f"%%deploy tea\n{SHOP}")
    page = front.page
    front.open_sidebar()
    notebook.run(0)
    expect(status(notebook, 0)).to_contain_text("v1 live", timeout=PATIENT)
    expect(card(front, "tea")).to_be_visible()
    shown = app_page(front, "tea")
    shown.get_by_role("button", name="Edit code").click()
    editor = page.locator(".jp-Document:not(.lm-mod-hidden)")
    expect(editor.get_by_role("status")).to_have_text("Up to date")

    # Deployed again in the notebook: the editor shows the new code, the page the new version.
    tab(front, "tea.ipynb").click()
    notebook.set_source(0, f"%%deploy tea\n{SHOP.replace('3}', '4}')}")
    notebook.run(0)
    expect(status(notebook, 0)).to_contain_text("v2 live", timeout=PATIENT)
    tab(front, "main.py").click()
    expect(editor.locator(".cm-content")).to_contain_text('{"tea": 4}')
    expect(editor.get_by_role("status")).to_have_text("Up to date")

    # Rolled back on the page.
    app_page(front, "tea", "history")
    expect(shown).to_contain_text("Version 2")
    shown.get_by_role("button", name="Roll back to version 1").click()
    expect(shown).to_contain_text("Version 3 is live.", timeout=PATIENT)
    expect(status(notebook, 0)).to_contain_text("v3 live")
    expect(status(notebook, 0)).to_contain_text("Changes not deployed")

    # Another title.
    app_page(front, "tea", "settings")
    shown.get_by_role("textbox", name="Title").fill("Tea house")
    shown.get_by_role("button", name="Save", exact=True).click()
    expect(tab(front, "Tea house")).to_be_visible()
    expect(card(front, "tea").get_by_role("button", name="Tea house").first).to_be_visible()

    # A clone, with its deploy, from the notice.
    front.page.evaluate("void window.jupyterapp.commands.execute('gofastapi:clone', {app: 'tea'})")
    page.get_by_role("dialog").get_by_role("button", name="Clone").click()
    expect(card(front, "tea-2")).to_contain_text("Not deployed")
    page.locator(".jp-toastContainer, .Toastify").get_by_role("button", name="Deploy").click()
    expect(card(front, "tea-2")).to_contain_text("No requests in 24 h", timeout=PATIENT)

    # Deleted while its page, its file and its notebook are open; and back.
    app_page(front, "tea", "settings")
    shown.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("tea")
    dialog.get_by_role("button", name="Delete").click()
    expect(shown).to_contain_text("There is no app tea")
    expect(card(front, "tea")).to_have_count(0)
    expect(status(notebook, 0)).to_contain_text("Not deployed yet")
    tab(front, "main.py").click()
    expect(editor.get_by_role("status")).to_have_text("App deleted")
    expect(editor.locator(".cm-content")).to_contain_text("prices")
    app_page(front, "tea")
    shown.get_by_role("button", name="Restore tea").click()
    expect(shown).to_contain_text("Version 3", timeout=PATIENT)
    expect(status(notebook, 0)).to_contain_text("v3 live")
    expect(card(front, "tea")).to_be_visible()
    tab(front, "main.py").click()
    expect(editor.get_by_role("status")).not_to_have_text("App deleted")


def test_variables_that_are_not_saved_are_not_lost_unasked(front: FrontPage, platform: Platform) -> None:
    platform.client.save_draft("vars", DraftSave(bundle=Bundle(files={"main.py": BundleFile(text=SHOP)})))
    page = front.page
    shown = app_page(front, "vars", "environment")
    shown.get_by_role("button", name="Add a variable").click()
    form = shown.get_by_role("form", name="A new variable")
    form.get_by_role("textbox", name="Name").fill("MODE")
    form.get_by_label("Value").fill("quiet")
    form.get_by_role("button", name="Add").click()
    # They stay while somebody looks elsewhere, and so does what is half entered; the focus stays where it is.
    form.get_by_role("textbox", name="Name").fill("HALF")
    shown.get_by_role("tab", name="Environment").focus()
    page.keyboard.press("ArrowRight")
    expect(form).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(shown).to_contain_text("1 change")
    expect(form.get_by_role("textbox", name="Name")).to_have_value("HALF")
    expect(shown.get_by_role("tab", name="Environment")).to_be_focused()
    shown.get_by_role("button", name="Import a .env file").click()
    text = shown.get_by_label("Paste the text of the file")
    expect(text).to_be_focused()
    text.fill("A=1")
    app_page(front, "vars", "logs")
    app_page(front, "vars", "environment")
    expect(text).to_have_value("A=1")
    shown.get_by_role("button", name="Close").click()
    shown.get_by_role("button", name="Add a variable").click()
    expect(form.get_by_role("textbox", name="Name")).to_have_value("")
    page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Changes to its variables are not saved yet")
    dialog.get_by_role("button", name="Cancel").click()
    expect(shown).to_contain_text("1 change")
    # Whoever reloads is asked by the browser.
    with page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => location.reload(), 0)")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    shown.get_by_role("button", name="Save", exact=True).click()
    expect(shown).to_contain_text("Saved.")
    page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    expect(shown).to_have_count(0)
    assert [variable.name for variable in platform.client.env("vars").variables] == ["MODE"]
