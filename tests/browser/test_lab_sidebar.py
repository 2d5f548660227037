"""The sidebar of apps: a newcomer's first minute, what can be done to an app and taken back, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from support.front import DARK, HIGH_CONTRAST, LIGHT, FrontPage
from support.lab import Lab, running_lab
from support.platform import Platform, get, running_platform

from gofastapi_ext.core.lifecycle import State

APP = """
from fastapi import FastAPI, HTTPException

app = FastAPI()

@app.get("/")
def home():
    return "{greeting}"

@app.get("/fails")
def fails():
    raise RuntimeError("as asked")
"""
HELLO = APP.format(greeting="hello")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, Lab]]:
    """A service without apps of other tests, and a JupyterLab that uses it."""
    with (
        running_platform(GOFASTAPI_FIRST_PORT="23200", GOFASTAPI_LAST_PORT="23399") as platform,
        running_lab(tmp_path_factory.mktemp("own-lab"), platform.places.home) as lab,
    ):
        yield platform, lab


@pytest.fixture
def platform(own: tuple[Platform, Lab]) -> Iterator[Platform]:
    platform = own[0]
    yield platform
    for app in platform.client.apps():
        platform.client.delete(app.id, forever=True)


@pytest.fixture
def front(page: Page, platform: Platform, own: tuple[Platform, Lab]) -> FrontPage:
    front = FrontPage(page, own[1])
    front.open_sidebar()
    return front


def card(front: FrontPage, app: str):
    return front.sidebar.locator(f'[data-app="{app}"]')


def notification(front: FrontPage, text: str):
    return front.page.locator(".Toastify__toast", has_text=text)


def choose_from_menu(front: FrontPage, app: str, action: str) -> None:
    card(front, app).hover()
    card(front, app).get_by_label("More actions on").click()
    front.page.locator(".gf-AppMenu .lm-Menu-item", has_text=action).click()


def test_a_newcomer_gets_to_a_live_app_in_one_click(front: FrontPage) -> None:
    expect(front.sidebar).to_contain_text("Your first app")
    front.check_accessibility("#gofastapi-sidebar")
    front.sidebar.get_by_role("button", name="Deploy the example").click()
    expect(notification(front, "hello v1 is live")).to_be_visible()
    hello = card(front, "hello")
    expect(hello.locator(".gf-Health")).to_have_attribute("data-color", "green")
    with front.page.expect_popup() as opened:
        hello.locator(".gf-App-address").click()
    expect(opened.value.locator("body")).to_contain_text('"hello"')


def test_an_app_from_a_template(front: FrontPage, platform: Platform) -> None:
    platform.deploy_live("notes", HELLO)
    expect(card(front, "notes")).to_be_visible()
    front.sidebar.get_by_role("button", name="New app").click()
    dialog = front.page.locator(".gf-NewAppDialog")
    dialog.get_by_role("radio", name="Full-Stack Notes App").check()
    name = dialog.get_by_role("textbox", name="Name")
    expect(name).to_have_value("notes-2")
    front.check_accessibility(".gf-NewAppDialog .jp-Dialog-content")
    name.fill("Notes")
    expect(dialog).to_contain_text("Use lower-case letters")
    expect(dialog.get_by_role("button", name="Deploy")).to_be_disabled()
    name.fill("notes")
    expect(dialog).to_contain_text("You have an app of this name already.")
    name.fill("my-notes")
    dialog.get_by_role("button", name="Deploy").click()
    expect(notification(front, "my-notes v1 is live")).to_be_visible()
    assert "Notes" in get(str(platform.app("my-notes").url)).text


def test_it_follows_what_happens_elsewhere(front: FrontPage, platform: Platform) -> None:
    expect(front.sidebar).to_contain_text("Your first app")
    url = platform.deploy_live("elsewhere", HELLO)
    elsewhere = card(front, "elsewhere")
    expect(elsewhere).to_contain_text("No requests in 24 h")
    platform.client.stop("elsewhere")
    expect(elsewhere).to_contain_text("Stopped")
    list(platform.client.start("elsewhere"))
    expect(elsewhere).not_to_contain_text("Stopped")
    for path in ("/", "/fails"):
        get(url, path)
    expect(elsewhere).to_contain_text("2 requests", timeout=40_000)
    expect(elsewhere).to_contain_text("1 error")
    expect(elsewhere.locator(".gf-Sparkline")).to_be_visible()
    platform.client.delete("elsewhere", forever=True)
    expect(elsewhere).to_have_count(0)


def test_stopping_can_be_taken_back(front: FrontPage, platform: Platform) -> None:
    platform.deploy_live("stopped", HELLO)
    card(front, "stopped").hover()
    card(front, "stopped").get_by_label("Stop stopped").click()
    expect(card(front, "stopped")).to_contain_text("Stopped")
    notification(front, "stopped is stopped").get_by_role("button", name="Undo").click()
    expect(notification(front, "stopped is live")).to_be_visible()
    platform.until_state("stopped", State.RUNNING)


def test_deleting_asks_for_the_name_and_can_be_taken_back(front: FrontPage, platform: Platform) -> None:
    platform.deploy_live("precious", HELLO)
    choose_from_menu(front, "precious", "Delete")
    dialog = front.page.locator(".gf-ConfirmDialog")
    delete = dialog.get_by_role("button", name="Delete precious")
    expect(delete).to_be_disabled()
    front.check_accessibility(".gf-ConfirmDialog .jp-Dialog-content")
    field = dialog.get_by_role("textbox")
    field.fill("something")
    field.press("Enter")
    expect(delete).to_be_disabled()
    assert platform.app("precious").state is State.RUNNING
    field.fill("precious")
    delete.click()
    expect(card(front, "precious")).to_have_count(0)
    notification(front, "precious is deleted").get_by_role("button", name="Undo").click()
    expect(card(front, "precious")).to_be_visible()
    assert get(str(platform.until_state("precious", State.RUNNING).url)).json() == "hello"


def test_a_clone_and_a_name_that_cannot_be(front: FrontPage, platform: Platform) -> None:
    platform.deploy_live("sheep", HELLO)
    choose_from_menu(front, "sheep", "Clone")
    field = front.page.locator(".jp-Dialog input")
    expect(field).to_have_value("sheep-2")
    field.fill("Dolly!")
    front.page.get_by_role("button", name="Clone").click()
    notification(front, '"Dolly!" cannot be an app').get_by_role("button", name="Read on").click()
    expect(front.page.locator(".jp-Dialog")).to_contain_text('Try "dolly"')
    front.page.get_by_role("button", name="Close").click()
    choose_from_menu(front, "sheep", "Clone")
    field.fill("dolly")
    front.page.get_by_role("button", name="Clone").click()
    expect(card(front, "dolly")).to_contain_text("Not deployed")
    notification(front, "dolly has the code of sheep").get_by_role("button", name="Deploy").click()
    expect(notification(front, "dolly v1 is live")).to_be_visible()


def test_the_address_is_copied(front: FrontPage, platform: Platform) -> None:
    url = platform.deploy_live("copied", HELLO)
    card(front, "copied").hover()
    card(front, "copied").get_by_label("Copy Address").click()
    expect(notification(front, "Copied")).to_be_visible()
    assert front.page.evaluate("navigator.clipboard.readText()") == f"{url}/"


def test_search_and_order(front: FrontPage, platform: Platform) -> None:
    for name in ("apple", "banana", "cherry"):
        platform.deploy_live(name, HELLO)
    names = front.sidebar.locator("button.gf-App-name")
    expect(names).to_have_text(["apple", "banana", "cherry"])
    front.sidebar.get_by_label("Order").select_option("recent")
    expect(names).to_have_text(["cherry", "banana", "apple"])
    front.sidebar.get_by_label("Search apps").fill("AN")
    expect(names).to_have_text(["banana"])
    front.sidebar.get_by_label("Search apps").fill("plum")
    expect(front.sidebar).to_contain_text("No app is called like that.")
    # The order is a setting: it is there again, and so is the sidebar itself.
    front.page.wait_for_timeout(1500)
    front.open(reset=False)
    expect(names).to_have_text(["cherry", "banana", "apple"])
    front.sidebar.get_by_label("Order").select_option("name")
    expect(names).to_have_text(["apple", "banana", "cherry"])


def test_by_keyboard_alone(page: Page, platform: Platform, own: tuple[Platform, Lab]) -> None:
    for name in ("first", "second"):
        platform.deploy_live(name, HELLO)
    front = FrontPage(page, own[1])
    # It takes the focus once it is there.
    expect(page.locator(".jp-Launcher")).to_be_focused()
    page.keyboard.press("Alt+Shift+G")
    expect(card(front, "first").locator("button.gf-App-name")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(card(front, "second").locator("button.gf-App-name")).to_be_focused()
    stop = card(front, "second").get_by_label("Stop second")
    for _ in range(6):
        page.keyboard.press("Tab")
        if stop.evaluate("node => node === document.activeElement"):
            break
    expect(stop).to_be_focused()
    expect(stop).to_be_visible()
    page.keyboard.press("Enter")
    expect(card(front, "second")).to_contain_text("Stopped")


def test_without_a_network_it_says_so_and_tries_again(front: FrontPage, platform: Platform) -> None:
    platform.deploy_live("kept", HELLO)
    expect(card(front, "kept")).to_be_visible()
    front.page.context.set_offline(True)
    front.sidebar.get_by_role("button", name="Refresh").click()
    alert = front.sidebar.get_by_role("alert")
    expect(alert).to_contain_text("The Jupyter server does not answer. Is it running?")
    expect(card(front, "kept")).to_be_visible()
    front.page.context.set_offline(False)
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0)


def test_a_hidden_page_asks_nothing(front: FrontPage, platform: Platform) -> None:
    asked: list[str] = []
    front.page.on("request", lambda request: "/gofastapi/" in request.url and asked.append(request.url))
    hide = "value => { Object.defineProperty(document, 'visibilityState', {value, configurable: true});"
    dispatch = " document.dispatchEvent(new Event('visibilitychange')); }"
    front.page.evaluate(hide + dispatch, "hidden")
    front.page.wait_for_timeout(300)
    asked.clear()
    platform.deploy_live("unseen", HELLO)
    front.page.wait_for_timeout(1000)
    assert asked == []
    expect(card(front, "unseen")).to_have_count(0)
    front.page.evaluate(hide + dispatch, "visible")
    expect(card(front, "unseen")).to_be_visible()


def test_every_theme_and_width_can_be_read(front: FrontPage, platform: Platform) -> None:
    platform.deploy_live("fine", HELLO)
    platform.deploy_live("asleep", HELLO)
    platform.deploy("broken", "import there_is_no_such_module")
    platform.client.sleep("asleep")
    expect(card(front, "asleep")).to_contain_text("Asleep")
    for width in (640, 180):
        front.resize_sidebar(width)
        overflow = front.sidebar.evaluate("node => node.scrollWidth - node.clientWidth")
        assert overflow <= 0, width
        card(front, "fine").hover()
        for theme in (DARK, HIGH_CONTRAST, LIGHT):
            front.set_theme(theme)
            front.check_accessibility("#gofastapi-sidebar")


def test_palette_launcher_menu_and_running_panel(front: FrontPage, platform: Platform) -> None:
    platform.deploy_live("running", HELLO)
    page = front.page
    expect(page.locator(".jp-LauncherCard", has_text="New App")).to_be_visible()

    page.keyboard.press("Control+Shift+C")
    page.keyboard.insert_text("copy an app")
    page.locator(".lm-CommandPalette-item", has_text="Copy an App's Address").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Copy Address").click()
    expect(notification(front, "Copied http://127.0.0.1:")).to_be_visible()

    page.locator(".lm-MenuBar-item", has_text="GoFastAPI").click()
    expect(page.locator(".lm-Menu-item", has_text="Show Apps")).to_be_visible()
    page.keyboard.press("Escape")

    front.execute("running:show-panel")
    item = page.locator(".jp-RunningSessions-item", has_text="running")
    item.hover()
    item.get_by_title("Stop").click()
    platform.until_state("running", State.STOPPED)
    expect(item).to_have_count(0)
