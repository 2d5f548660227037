"""The page of an app: each tab's main path, what happens where it fails, by keyboard, and as it was after a reload."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from support.front import DARK, HIGH_CONTRAST, LIGHT, FrontPage
from support.lab import NETWORK_NAME, Lab
from support.platform import Platform
from support.waiting import until

from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.drafts import DraftSave
from gofastapi_ext.core.models import AppChange, CloneRequest, DeployRequest
from gofastapi_ext.core.variables import EnvChange, Setting

MENU = """import os
from fastapi import FastAPI

app = FastAPI()
prices = {"tea": 3}
orders = []


@app.get("/menu/{item}")
def price(item: str):
    print("asked for", item, flush=True)
    return prices[item]


@app.post("/orders/{item}")
def order(item: str):
    orders.append(item)
    return prices[item] * len(orders)


@app.get("/flood")
def flood():
    for number in range(3000):
        print("drop", number, flush=True)


@app.get("/setting/{name}")
def setting(name: str):
    return os.environ.get(name)
"""
NEEDS_MODE = "import os\nassert os.environ.get('MODE') != 'broken', 'MODE must not be broken'\n"


def request(source: str, message: str = "", cell_id: str = "") -> DeployRequest:
    origin = CellOrigin(label="In[1]", notebook="menu.ipynb", cell_id=cell_id or None)
    files = {"main.py": BundleFile(text=source), "words.txt": BundleFile(text="tea\n")}
    return DeployRequest(bundle=Bundle(files=files), origins={"main.py": [origin]}, message=message)


def deploy(platform: Platform, app: str, wanted: DeployRequest) -> str:
    last = list(platform.client.deploy(app, wanted))[-1]
    assert last.url, last
    return last.url


class AppPage:
    """The page of one app, open in JupyterLab."""

    def __init__(self, page: Page, lab: Lab, app: str, tab: str = "overview") -> None:
        self.page = page
        self.app = app
        self.front = FrontPage(page, lab)
        page.evaluate("window.jupyterapp.shell.collapseLeft()")
        self.root = page.locator(f"#gofastapi-page-{app}")
        self.open(tab)

    def open(self, tab: str) -> Locator:
        """Open one of its tabs, and return what stands in it."""
        self.front.execute("gofastapi:open-page", app=self.app, tab=tab)
        panel = self.root.get_by_role("tabpanel", name=re.compile(tab, re.IGNORECASE))
        expect(panel).to_be_visible()
        return panel

    def button(self, name: str, *, exact: bool = True) -> Locator:
        return self.root.get_by_role("button", name=name, exact=exact)

    def check_accessibility(self) -> None:
        self.front.check_accessibility(f"#{self.root.get_attribute('id')}")


@pytest.fixture
def menu(platform: Platform) -> Iterator[str]:
    """The address of an app that takes orders."""
    yield deploy(platform, "menu", request(MENU, "The first menu"))
    platform.client.delete("menu", forever=True)


def ask(method: str, url: str) -> httpx.Response:
    return httpx.request(method, url, trust_env=False)


def test_the_overview_follows_what_happens_and_tabs_go_by_keyboard(
    page: Page, lab: Lab, platform: Platform, menu: str
) -> None:
    ask("GET", f"{menu}/menu/tea")
    until(lambda: platform.client.metrics("menu").requests == 1, 10, "counted")
    shown = AppPage(page, lab, "menu")
    requests = shown.root.get_by_role("definition").first
    expect(requests).to_have_text("1")
    expect(shown.root.get_by_role("row", name="GET /menu/{item}")).to_be_visible()
    expect(shown.root.get_by_role("img", name="Requests over the last 24 hours")).to_be_visible()
    expect(shown.root.get_by_role("img", name=re.compile("^Check .* Start .* Switch over "))).to_be_visible()
    expect(shown.root).to_contain_text("This address works on this computer only")
    # Nothing is reloaded: a restart and new requests show by themselves.
    list(platform.client.restart("menu"))
    expect(shown.root.get_by_role("listitem").filter(has_text="Restart v1")).to_be_visible()
    ask("GET", f"{menu}/menu/toast")
    expect(requests).to_have_text("2", timeout=40_000)

    shown.root.get_by_role("tab").first.focus()
    page.keyboard.press("ArrowLeft")
    expect(shown.root.get_by_role("tab", name="Settings")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(shown.root.get_by_role("tab", name="Logs")).to_have_attribute("aria-selected", "true")
    # Where one was, one is after a reload.
    expect(shown.root.get_by_role("log")).to_contain_text("asked for toast")
    shown.front.open_again("logs")
    expect(shown.root.get_by_role("tab", name="Logs")).to_have_attribute("aria-selected", "true")


def test_every_tab_is_accessible_in_every_theme(page: Page, lab: Lab, platform: Platform, menu: str) -> None:
    ask("GET", f"{menu}/menu/toast")
    list(platform.client.change_env("menu", EnvChange(set={"KEY": Setting(value="hush hush", secret=True)})))
    deploy(platform, "menu", request(MENU.replace("3", "4"), "Dearer"))
    shown = AppPage(page, lab, "menu")
    for tab in ("overview", "logs", "errors", "history", "environment", "settings"):
        panel = shown.open(tab)
        if tab == "errors":
            panel.get_by_text("KeyError: 'toast'").click()
            expect(panel.get_by_role("region", name="Traceback")).to_be_visible()
        if tab == "history":
            shown.root.get_by_role("article", name="Version 2").get_by_role("button", name="Changes").click()
            expect(panel.locator(".cm-mergeView")).to_be_visible()
        for theme in (LIGHT, DARK, HIGH_CONTRAST):
            shown.front.set_theme(theme)
            shown.check_accessibility()
    shown.front.set_theme(LIGHT)


def test_a_figure_that_cannot_be_read_says_so_and_is_asked_for_again(page: Page, lab: Lab, menu: str) -> None:
    pattern = re.compile("/gofastapi/api/apps/menu/metrics")
    page.route(pattern, lambda route: route.abort())
    shown = AppPage(page, lab, "menu")
    alert = shown.root.get_by_role("alert")
    expect(alert).to_contain_text("The Jupyter server does not answer")
    # The rest of the page is there.
    expect(shown.root.get_by_text("Last deploys and restarts")).to_be_visible()
    page.unroute(pattern)
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0)
    expect(shown.root.get_by_role("definition").first).to_have_text("0")


def test_the_log_is_followed_filtered_paused_and_downloaded(page: Page, lab: Lab, menu: str) -> None:
    shown = AppPage(page, lab, "menu", "logs")
    log = shown.root.get_by_role("log")
    ask("GET", f"{menu}/menu/tea")
    expect(log).to_contain_text("asked for tea")
    shown.button("Pause").click()
    ask("GET", f"{menu}/menu/toast")
    expect(shown.button("Resume (", exact=False)).to_be_visible()
    expect(log).not_to_contain_text("asked for toast")
    shown.button("Resume (", exact=False).click()
    expect(log).to_contain_text("asked for toast")

    search = shown.root.get_by_role("searchbox")
    search.fill("ASKED")
    expect(log).not_to_contain_text("KeyError")
    expect(log).to_contain_text("asked for tea")
    search.fill("no such thing")
    expect(shown.root).to_contain_text("No line matches")
    search.fill("")
    shown.root.get_by_role("combobox", name="Level").select_option("error")
    expect(log).to_contain_text("KeyError: 'toast'")
    expect(log).not_to_contain_text("asked for")
    shown.root.get_by_role("combobox", name="Level").select_option("")
    expect(log).to_contain_text("asked for tea")
    with page.expect_download() as download:
        shown.button("Download").click()
    assert download.value.suggested_filename == "menu.log"
    assert "asked for toast" in download.value.path().read_text()
    shown.button("Clear view").click()
    expect(shown.root).to_contain_text("Nothing was printed yet")
    # However much is printed, the page holds a part of it; the rest is a click away.
    ask("GET", f"{menu}/flood")
    expect(log).to_contain_text("drop 2999")
    expect(log.get_by_text("drop")).to_have_count(500)
    shown.button("Show earlier lines", exact=False).click()
    expect(log.get_by_text("drop")).to_have_count(1000)
    shown.button("Clear view").click()
    expect(shown.root).to_contain_text("Nothing was printed yet")
    ask("GET", f"{menu}/menu/tea")
    expect(log).to_have_text(re.compile(r"^\S+v1asked for tea$"))


def test_an_error_leads_to_its_line_and_is_replayed(page: Page, lab: Lab, platform: Platform) -> None:
    lab.write("menu.ipynb", f"%%deploy menu\n{MENU}")
    cell = _cell_id(lab)
    url = deploy(platform, "menu", request(MENU, cell_id=cell))
    ask("POST", f"{url}/orders/toast")
    ask("POST", f"{url}/orders/toast")
    shown = AppPage(page, lab, "menu", "errors")
    which = shown.root.get_by_role("combobox", name="Which errors")
    assert (which.bounding_box() or {})["width"] < 200
    error = shown.root.get_by_role("listitem").filter(has_text="KeyError: 'toast'")
    expect(error).to_contain_text("2 times")
    error.get_by_text("KeyError: 'toast'").click()
    expect(error.get_by_role("region", name="Traceback")).to_contain_text("prices[item] * len(orders)")
    expect(error.get_by_role("region", name="Latest request")).to_contain_text("POST /orders/toast")

    # What may change something is asked about first; mended meanwhile, it answers well.
    again = error.get_by_role("button", name="Send the request again")
    again.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("may change its data")
    dialog.get_by_role("button", name="Cancel").click()
    deploy(platform, "menu", request(MENU.replace('"tea": 3', '"tea": 3, "toast": 5'), cell_id=cell))
    again.click()
    dialog.get_by_role("button", name="Send it").click()
    expect(error.get_by_role("region", name="Before, version 1")).to_contain_text("Internal Server Error")
    expect(error.get_by_role("region", name="Now, version 2")).to_have_text("5")
    assert ask("POST", f"{url}/orders/toast").json() == 10

    platform.client.stop("menu")
    again.click()
    dialog.get_by_role("button", name="Send it").click()
    expect(error.get_by_role("alert")).to_contain_text('"menu" is stopped')

    error.get_by_role("button", name=re.compile(r"In\[1\], line \d+")).click()
    expect(page.locator(".jp-NotebookPanel").get_by_text("@app.post")).to_be_visible()
    shown.open("errors")
    shown.button("Forget all").click()
    dialog.get_by_role("button", name="Forget all").click()
    expect(shown.root).to_contain_text("Nothing went wrong in the last 24 hours")
    platform.client.delete("menu", forever=True)


def _cell_id(lab: Lab) -> str:
    import nbformat

    return str(nbformat.read(lab.root / "menu.ipynb", as_version=4).cells[0]["id"])


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


def test_nothing_is_asked_for_while_the_page_is_hidden(page: Page, lab: Lab, platform: Platform, menu: str) -> None:
    shown = AppPage(page, lab, "menu", "logs")
    ask("GET", f"{menu}/menu/tea")
    expect(shown.root.get_by_role("log")).to_contain_text("asked for tea")
    asked: list[str] = []
    shown.front.execute("launcher:create")
    expect(shown.root).to_be_hidden()
    page.on("request", lambda request: asked.append(request.url) if "/gofastapi/api/apps/menu" in request.url else None)
    list(platform.client.restart("menu"))
    ask("GET", f"{menu}/menu/toast")
    # What came meanwhile is there as soon as somebody looks again.
    assert asked == []
    shown.open("logs")
    expect(shown.root.get_by_role("log")).to_contain_text("asked for toast")
    assert asked


def test_where_jupyter_is_reached_by_another_name_a_code_for_a_phone_is_shown(page: Page, lab: Lab, menu: str) -> None:
    elsewhere = lab.url.replace("127.0.0.1", NETWORK_NAME).replace("localhost", NETWORK_NAME)
    shown = AppPage(page, Lab(elsewhere, lab.root), "menu")
    code = shown.root.get_by_role("img", name=re.compile("^QR code of "))
    expect(code).to_have_attribute("aria-label", f"QR code of {elsewhere}gofastapi/apps/menu/")
    assert page.evaluate("async url => (await fetch(url)).status", f"{elsewhere}gofastapi/apps/menu/menu/tea") == 200
