"""The page of an app: how it is; what happens where that cannot be read; by keyboard, and as it was after a reload."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from support.app_page import MENU, AppPage, ask, deploy, request
from support.front import DARK, HIGH_CONTRAST, LIGHT
from support.lab import NETWORK_NAME, Lab
from support.platform import Platform
from support.waiting import until

from gofastapi_ext.core.variables import EnvChange, Setting


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
