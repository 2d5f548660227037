"""The front end in JupyterLab and Notebook 7: it is there, and it reaches the service with token and XSRF check on."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.front import FrontPage
from support.lab import Lab, running_lab
from support.platform import Platform


def problems_of(page: Page) -> list[str]:
    """What goes wrong in our scripts from now on."""
    problems: list[str] = []
    page.on(
        "pageerror",
        lambda error: "labextensions/gofastapi" in (error.stack or "") and problems.append(str(error.stack)),
    )
    return problems


def test_it_is_in_jupyterlab(page: Page, lab: Lab) -> None:
    problems = problems_of(page)
    front = FrontPage(page, lab)
    expect(front.open_sidebar()).to_be_visible()
    assert problems == []


@pytest.mark.parametrize("path", ["tree", "notebooks/empty.ipynb"])
def test_it_is_in_notebook_7(page: Page, lab: Lab, path: str) -> None:
    lab.write("empty.ipynb", "")
    problems = problems_of(page)
    FrontPage(page, lab, path, reset=False)
    assert page.evaluate("() => window.jupyterapp.hasPlugin('gofastapi:apps')")
    assert problems == []


def test_without_the_other_half_it_says_so_once(page: Page, tmp_path: Path, platform: Platform) -> None:
    """A JupyterLab whose server extension is switched off."""
    with running_lab(
        tmp_path, platform.places.home, "c.ServerApp.jpserver_extensions = {'gofastapi_ext': False}"
    ) as lab:
        front = FrontPage(page, lab)
        front.open_sidebar()
        notices = page.locator(".Toastify__toast", has_text="does not have GoFastAPI")
        expect(notices).to_have_count(1)
        expect(front.sidebar.get_by_role("alert")).to_contain_text('pip install "gofastapi[lab]"')
        front.sidebar.get_by_role("button", name="Try again").click()
        page.wait_for_timeout(500)
        expect(notices).to_have_count(1)


def test_writing_without_the_xsrf_token_is_refused(page: Page, lab: Lab) -> None:
    """The checks that the front end has to pass are on."""
    FrontPage(page, lab)
    status = page.evaluate("async () => (await fetch('/gofastapi/api/apps/x/stop', {method: 'POST'})).status")
    assert status == 403
