"""Notebooks in JupyterLab and Notebook 7: deploying, what stands below cells, errors at their lines, help on magics."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect
from support.front import FrontPage
from support.lab import Lab, NotebookPage, open_notebook
from support.platform import Platform
from support.waiting import until

SHOP = """from fastapi import FastAPI

app = FastAPI(title="Tea shop")
prices = {"tea": 3}


@app.get("/menu/{item}")
def price(item: str):
    return prices[item]
"""
BROKEN = SHOP + "\n\ncharge = total + 1\n"
# A new kernel and a first deploy take their time on a busy machine; so does the next look at an app's errors.
PATIENT = 60_000


@pytest.fixture(autouse=True)
def no_apps_stay(platform: Platform) -> Iterator[None]:
    yield
    for app in platform.client.apps():
        platform.client.delete(app.id, forever=True)


@pytest.fixture
def front(page: Page, lab: Lab) -> FrontPage:
    return FrontPage(page, lab)


def status(notebook: NotebookPage, index: int) -> Locator:
    return notebook.cell(index).locator(".gf-CellStatus")


def squiggles(notebook: NotebookPage, index: int) -> Locator:
    return notebook.cell(index).locator(".cm-lintRange-error")


def deploy_button(front: FrontPage) -> Locator:
    return front.page.get_by_role("toolbar", name="main area toolbar").get_by_role("button", name="Deploy")


def source(notebook: NotebookPage, index: int) -> str:
    found: str = notebook.page.evaluate(
        "index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.getSource()", index
    )
    return found


def test_from_a_cell_to_a_changed_live_app_with_the_keyboard_alone(front: FrontPage, platform: Platform) -> None:
    notebook = front.notebook("Tea.ipynb", SHOP)
    page = front.page
    notebook.cell(0).locator(".cm-content").click()
    page.keyboard.press("Control+Shift+Enter")
    dialog = page.get_by_role("dialog")
    name = dialog.get_by_role("textbox", name="Name of the app")
    # The title of the app, as a name; it can be another.
    expect(name).to_have_value("tea-shop")
    expect(name).to_be_focused()
    front.check_accessibility(".gf-NameDialog")
    name.fill("Tea Shop")
    expect(dialog.get_by_role("button", name="Deploy")).to_be_disabled()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("Use lower-case letters")
    name.fill("tea")
    page.keyboard.press("Enter")
    line = status(notebook, 0)
    expect(line).to_contain_text("v1 live", timeout=PATIENT)
    expect(line).to_contain_text("Up to date")
    assert source(notebook, 0) == f"%%deploy tea\n{SHOP}"
    expect(line.get_by_role("button", name="Deploy")).to_have_count(0)

    # It tells of a change at once, and takes it live by itself.
    notebook.set_source(0, source(notebook, 0).replace("3}", "4}"))
    expect(line).to_contain_text("Changes not deployed")
    line.get_by_role("button", name="Deploy").focus()
    page.keyboard.press("Enter")
    expect(line).to_contain_text("v2 live", timeout=PATIENT)
    expect(line).to_contain_text("Up to date")
    assert httpx.get(f"{platform.app('tea').url}/menu/tea").json() == 4
    front.check_accessibility(".gf-CellStatus")
    # What stands behind %%deploy counts, too, but not how it is written.
    app = source(notebook, 0).partition("\n")[2]
    notebook.set_source(0, f"%%deploy tea --env 'MODE={{prices}}'\n{app}")
    expect(line).to_contain_text("Changes not deployed")
    notebook.set_source(0, f"%%deploy   tea\n{app}")
    expect(line).to_contain_text("Up to date")
    line.get_by_role("button", name="Open").focus()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('.jp-Cell') !== null")
    assert page.evaluate("document.activeElement.closest('.gf-CellStatus') === null")

    # What happens elsewhere is told, too.
    list(platform.client.rollback("tea", 1))
    expect(line).to_contain_text("v3 live")
    expect(line).to_contain_text("Changes not deployed")
    platform.client.stop("tea")
    expect(line).to_contain_text("v3 stopped")
    expect(line.get_by_role("button", name="Open")).to_have_count(0)


def test_what_a_deploy_finds_stands_at_its_line_until_the_code_changes(front: FrontPage) -> None:
    notebook = front.notebook("broken.ipynb", f"%%deploy broken\n{BROKEN}", "total = 3")
    page = front.page
    expect(status(notebook, 0)).to_contain_text("Not deployed yet")
    notebook.run(1)
    notebook.cell(0).locator(".cm-content").click()
    deploy_button(front).click()
    expect(squiggles(notebook, 0)).to_have_text("total", timeout=PATIENT)
    expect(notebook.cell(0).locator(".cm-lint-marker-error")).to_have_count(1)
    front.check_accessibility(".gf-CellStatus")
    problem = status(notebook, 0).get_by_role("button", name="Line 13")
    expect(problem).to_contain_text("`total` is defined in the notebook, not in this cell")
    problem.click()
    assert (
        page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCell.editor.getCursorPosition().line") == 12
    )

    # It stays when the notebook is opened again, with a new kernel or none.
    notebook.save()
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    notebook = open_notebook(page, front.lab, "broken.ipynb")
    expect(squiggles(notebook, 0)).to_have_text("total")

    notebook.set_source(0, f"%%deploy broken\n{BROKEN}# changed\n")
    expect(squiggles(notebook, 0)).to_have_count(0)
    expect(notebook.cell(0).locator(".cm-lint-marker")).to_have_count(0)
    notebook.set_source(0, f"%%deploy broken\n{BROKEN}")

    # What it says to do, it does.
    notebook.run(1)
    squiggles(notebook, 0).hover()
    hint = page.locator(".cm-tooltip")
    expect(hint).to_contain_text("Take it along: --with total")
    hint.get_by_role("button", name="Add --with total").click()
    assert source(notebook, 0).startswith("%%deploy broken --with total\n")
    deploy_button(front).click()
    expect(status(notebook, 0)).to_contain_text("v1 live", timeout=PATIENT)
    expect(squiggles(notebook, 0)).to_have_count(0)


def test_errors_of_a_live_app_stand_at_their_line_until_it_is_mended(
    front: FrontPage, platform: Platform, lab: Lab
) -> None:
    notebook = front.notebook("errors.ipynb", f"%%deploy errors\n{SHOP}", "%%deploy errors\nother = 1")
    notebook.run(0)
    # Two cells for one app: which of them is live is told.
    expect(status(notebook, 0)).to_contain_text("Up to date", timeout=PATIENT)
    expect(status(notebook, 1)).to_contain_text("Live from In[1]")
    url = platform.app("errors").url
    assert httpx.get(f"{url}/menu/toast").status_code == 500
    expect(squiggles(notebook, 0)).to_have_text("prices[item]", timeout=PATIENT)
    expect(status(notebook, 0)).to_contain_text("KeyError: 'toast'")
    expect(squiggles(notebook, 1)).to_have_count(0)
    squiggles(notebook, 0).hover()
    expect(front.page.locator(".cm-tooltip")).to_contain_text("GET /menu/{item}")
    front.page.mouse.move(0, 0)

    # Somebody else asks for the line, by what the error tells.
    diagnostic = platform.client.errors("errors")[0].diagnostic
    assert diagnostic is not None
    assert diagnostic.cell is not None
    front.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0")
    front.execute("notebook:move-cell-down")
    where = diagnostic.cell.model_dump(exclude_none=True) | {"text": diagnostic.source}
    front.execute("gofastapi:jump-to-cell", **where)
    front.page.wait_for_function(
        """() => {
          const {activeCell, activeCellIndex} = window.jupyterapp.shell.currentWidget.content;
          return activeCellIndex === 1 && activeCell.editor.getCursorPosition().line === 9;
        }"""
    )
    expect(notebook.cell(1).locator(".cm-content")).to_be_focused()
    expect(squiggles(notebook, 1)).to_have_text("prices[item]")

    fixed = f"%%deploy errors\n{SHOP.replace('prices[item]', 'prices.get(item)')}"
    notebook.set_source(1, fixed)
    expect(squiggles(notebook, 1)).to_have_count(0)
    notebook.run(1)
    expect(status(notebook, 1)).to_contain_text("v2 live", timeout=PATIENT)
    expect(status(notebook, 1)).not_to_contain_text("KeyError")


def test_marked_cells_and_files_in_notebook_7(page: Page, lab: Lab, platform: Platform) -> None:
    app = "#| deploy: parts\nfrom fastapi import FastAPI\n\napp = FastAPI()"
    route = "#| deploy: parts\n@app.get('/')\ndef root():\n    return 1 / 0"
    lab.write("parts.ipynb", app, route, "import math")
    notebook = open_notebook(page, lab, "parts.ipynb", front="notebooks")
    expect(status(notebook, 1)).to_contain_text("Not deployed yet")
    notebook.cell(2).locator(".cm-content").click()
    page.get_by_role("button", name="Deploy").first.click()
    # %deploy reads the file: it was saved first.
    expect(notebook.cell(2).locator(".cm-content")).to_have_text("%deploy parts")
    expect(status(notebook, 2)).to_contain_text("v1 live", timeout=PATIENT)
    for index in (0, 1, 2):
        expect(status(notebook, index)).to_contain_text("Up to date")
    assert httpx.get(str(platform.app("parts").url)).status_code == 500
    expect(squiggles(notebook, 1)).to_have_text("1 / 0", timeout=PATIENT)
    notebook.set_source(1, route.replace("1 / 0", "'fine'"))
    expect(status(notebook, 2)).to_contain_text("Changes not deployed")
    # The cell with %deploy is there by now, and used again; the shortcut does it, too.
    notebook.cell(1).locator(".cm-content").click()
    page.keyboard.press("Control+Shift+Enter")
    expect(status(notebook, 1)).to_contain_text("v2 live", timeout=PATIENT)
    expect(squiggles(notebook, 1)).to_have_count(0)
    expect(notebook.page.locator(".jp-Notebook .jp-Cell")).to_have_count(4)
    assert httpx.get(str(platform.app("parts").url)).json() == "fine"


def test_a_notebook_that_cannot_be_written_deploys_or_says_why_not(front: FrontPage, platform: Platform) -> None:
    page, lab = front.page, front.lab
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)

    def read_only(route: Route) -> None:
        assert route.request.method == "GET", "nobody tries to write it"
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"writable": False})

    # As Jupyter tells of a file without permission to write; these tests may run as root, who has it always.
    page.route(re.compile(r"/api/contents/fixed.*\.ipynb(\?|$)"), read_only)
    notebook = front.notebook("fixed.ipynb", SHOP)
    expect(page.get_by_text("is read-only").first).to_be_visible()
    notebook.cell(0).locator(".cm-content").click()
    deploy_button(front).click()
    page.get_by_role("dialog").get_by_role("button", name="Deploy").click()
    expect(status(notebook, 0)).to_contain_text("v1 live", timeout=PATIENT)
    expect(status(notebook, 0)).to_contain_text("Up to date")

    lab.write("fixed-parts.ipynb", f"#| deploy: parts\n{SHOP}")
    front.execute("docmanager:open", path="fixed-parts.ipynb")
    expect(notebook.cell(0).locator(".cm-content")).to_contain_text("deploy: parts")
    notebook.cell(0).locator(".cm-content").click()
    deploy_button(front).click()
    expect(status(notebook, 1)).to_contain_text("v1 live", timeout=PATIENT)
    notebook.set_source(0, f"#| deploy: parts\n{SHOP}more = 1\n")
    deploy_button(front).click()
    expect(page.get_by_role("alert")).to_contain_text("fixed-parts.ipynb is read-only, and %deploy takes what is saved")
    assert platform.app("parts").version == 1
    assert problems == []


def test_the_line_of_a_magic_is_completed_and_explained(front: FrontPage, platform: Platform) -> None:
    platform.deploy_live("shop", SHOP)
    notebook = front.notebook("magics.ipynb", "%logs s", "%%deploy shop --me", "%%deploy shop --with total\nx = 1")
    page = front.page
    completer = page.locator(".jp-Completer:not(.lm-mod-hidden)")
    for index, completed in ((0, "%logs shop"), (1, "%%deploy shop --message")):
        notebook.cell(index).locator(".cm-content").click()
        page.keyboard.press("End")
        page.keyboard.press("Tab")
        expect(completer.or_(notebook.cell(index).get_by_text(completed))).to_be_visible()
        if completer.is_visible():
            page.keyboard.press("Enter")
        until(lambda n=index: source(notebook, n).strip(), 10, "completed")
        assert source(notebook, index).strip() == completed
    cell = notebook.cell(2).locator(".cm-content")
    cell.click()
    page.keyboard.press("Control+Home")
    for _ in range(len("%%deploy shop --wi")):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Tab")
    help_ = page.locator(".gf-Help")
    expect(help_).to_contain_text("--with OBJECT")
    expect(help_).to_contain_text("Objects of the notebook")
    page.keyboard.press("ArrowDown")
    expect(help_).to_have_count(0)
    box = notebook.cell(2).locator(".cm-line").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 12, box["y"] + 8)
    expect(help_).to_contain_text("Take the FastAPI app in this cell live")


def test_cells_that_are_scrolled_away_moved_copied_or_gone(front: FrontPage, platform: Platform) -> None:
    filler = ["\n".join(f"line_{n} = {m}" for m in range(30)) for n in range(12)]
    notebook = front.notebook("long.ipynb", f"%%deploy long\n{SHOP}", *filler)
    page = front.page
    page.evaluate(
        """() => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          notebook.notebookConfig = {...notebook.notebookConfig, windowingMode: 'full'};
        }"""
    )
    notebook.run(0)
    expect(status(notebook, 0)).to_contain_text("Up to date", timeout=PATIENT)
    page.evaluate("window.jupyterapp.shell.currentWidget.content.scrollToItem(12)")
    expect(page.get_by_text("line_11").first).to_be_visible()
    list(platform.client.rollback("long", 1))
    platform.client.stop("long")
    page.evaluate("window.jupyterapp.shell.currentWidget.content.scrollToItem(0)")
    line = page.locator(".gf-CellStatus")
    expect(line).to_contain_text("stopped")
    expect(line).to_have_count(1)
    # A copy is as live as the cell it was made of; without the line, it is a cell like any other.
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0")
    front.execute("notebook:copy-cell")
    front.execute("notebook:paste-cell-below")
    expect(line).to_have_count(2)
    expect(line.last).to_contain_text("Up to date")
    notebook.set_source(1, SHOP)
    expect(line).to_have_count(1)
    front.execute("notebook:delete-cell")
    expect(line).to_have_count(1)


def test_nobody_answers(page: Page, lab: Lab) -> None:
    page.route("**/gofastapi/api/**", lambda route: route.abort())
    notebook = FrontPage(page, lab).notebook("alone.ipynb", f"%%deploy alone\n{SHOP}")
    expect(status(notebook, 0)).to_contain_text("does not answer")
    page.unroute("**/gofastapi/api/**")
    status(notebook, 0).get_by_role("button", name="Try again").click()
    expect(status(notebook, 0)).to_contain_text("Not deployed yet")
