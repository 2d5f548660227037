"""The front end in JupyterLab and Notebook 7: it is there, and it reaches the service with token and XSRF check on."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from support.front import FrontPage
from support.lab import Lab


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
