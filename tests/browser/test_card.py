"""`%%deploy` as people see it: in JupyterLab and Notebook 7, while it runs and when it is kept."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.lab import Lab, open_notebook
from support.platform import Platform, get
from support.waiting import held_until

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
HELLO = """from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def hello():
    return "WORD"
"""


def hello(app: str, word: str, more: str = "") -> str:
    return f"%%deploy {app}\n{more}{HELLO.replace('WORD', word)}"


@pytest.mark.parametrize("front", ["lab/tree", "notebooks"], ids=["JupyterLab", "Notebook 7"])
def test_deploy_unchanged_and_changed(page: Page, lab: Lab, front: str) -> None:
    app = "in-lab" if front == "lab/tree" else "in-notebook"
    lab.write(f"{app}.ipynb", hello(app, "one"))
    notebook = open_notebook(page, lab, f"{app}.ipynb", front=front)
    notebook.run(0)
    card = notebook.card(0)
    expect(card).to_contain_text(f"{app} v1 is live")
    stages = card.locator("li.gofastapi-done")
    expect(stages).to_have_count(5)
    for stage, name in zip(stages.all(), ("validate", "release", "start", "ready", "live"), strict=True):
        expect(stage).to_have_text(re.compile(rf"{name}\s+\S+ m?s"))
    expect(card.locator(".gofastapi-time")).to_have_text(re.compile(r"\d m?s"))

    link = card.locator(".gofastapi-url a").first
    url = link.get_attribute("href") or ""
    assert link.inner_text() == url
    assert get(url).json() == "one"
    with page.context.expect_page() as opened:
        link.click()
    expect(opened.value.locator("body")).to_have_text('"one"')
    opened.value.close()

    copy = card.get_by_role("button", name="Copy")
    copy.click()
    expect(copy).to_have_attribute("data-label", "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == url
    page.evaluate("navigator.clipboard.writeText('')")
    copy.press("Enter")
    expect(copy).to_have_attribute("data-label", "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == url

    notebook.run(0)
    expect(card).to_contain_text("Unchanged: version 1 is live, nothing to do")

    notebook.set_source(0, hello(app, "two"))
    notebook.run(0)
    expect(card).to_contain_text(f"{app} v2 is live")
    assert card.locator(".gofastapi-url a").first.get_attribute("href") == url
    assert get(url).json() == "two"


def test_stages_appear_while_it_runs(page: Page, lab: Lab, tmp_path: Path) -> None:
    lab.write("slow.ipynb", hello("slow", "x", held_until(tmp_path / "gate")))
    notebook = open_notebook(page, lab, "slow.ipynb")
    notebook.start(0)
    card = notebook.card(0)
    expect(card).to_contain_text("Deploying slow")
    expect(card.locator("li.gofastapi-now")).to_have_text(re.compile("start"))
    expect(card.locator("li.gofastapi-done")).to_have_count(2)
    expect(notebook.cell(0).locator(".jupyter-widgets")).to_have_count(1)
    (tmp_path / "gate").touch()
    expect(card).to_contain_text("slow v1 is live")
    expect(notebook.cell(0).locator(".jupyter-widgets")).to_have_count(0)


def test_a_failure_points_at_the_line_and_ends_the_run(page: Page, lab: Lab) -> None:
    lab.write("fails.ipynb", hello("fails", "x", "1 / 0\n"), "print('never')")
    notebook = open_notebook(page, lab, "fails.ipynb")
    notebook.run(0)
    card = notebook.card(0)
    expect(card).to_contain_text("fails was not deployed")
    expect(card.locator("li.gofastapi-bad")).to_have_text(re.compile("start"))
    expect(card.locator("pre").first).to_have_text("2 | 1 / 0\n  | ^^^^^")
    errors = notebook.cell(0).locator(".jp-OutputArea-output").last
    expect(errors).to_have_text(re.compile(r"^fails: ZeroDivisionError: division by zero \(In\[1\], line 2\)\s*$"))


def test_through_jupyter(page: Page, lab: Lab) -> None:
    lab.write("through.ipynb", hello("through", "relayed"))
    notebook = open_notebook(page, lab, "through.ipynb")
    notebook.run(0)
    with page.context.expect_page() as opened:
        notebook.card(0).get_by_text("open through Jupyter").click()
    expect(opened.value.locator("body")).to_have_text('"relayed"')
    assert opened.value.url.startswith(lab.url)


def test_a_kept_card_needs_no_kernel_and_no_trust(page: Page, lab: Lab, platform: Platform) -> None:
    lab.write("kept.ipynb", hello("kept", "x"))
    notebook = open_notebook(page, lab, "kept.ipynb")
    notebook.run(0)
    expect(notebook.card(0)).to_contain_text("kept v1 is live")
    notebook.save()
    url = platform.app("kept").url or ""

    # Somebody else's notebook: the same outputs, which nobody here has signed.
    saved = json.loads((lab.root / "kept.ipynb").read_text())
    assert "widget" not in json.dumps(saved)
    saved["cells"][0]["source"] += "\n# changed by hand"
    (lab.root / "untrusted.ipynb").write_text(json.dumps(saved))

    again = open_notebook(page, lab, "kept.ipynb")
    expect(again.card(0).get_by_role("button", name="Copy")).to_be_visible()
    strange = open_notebook(page, lab, "untrusted.ipynb")
    output = strange.cell(0).locator(".jp-OutputArea-output")
    expect(output).to_contain_text("kept v1 is live")
    expect(output.get_by_role("link", name=url)).to_be_visible()
    expect(output.get_by_role("button")).not_to_be_visible()
    for stage in ("validate", "release", "start", "ready", "live"):
        expect(output.get_by_text(re.compile(f"^{stage}"))).to_be_visible()


@pytest.mark.usefixtures("database")
def test_quickstart_and_its_notes_page(page: Page, lab: Lab, platform: Platform) -> None:
    (lab.root / "quickstart.ipynb").write_bytes(QUICKSTART.read_bytes())
    notebook = open_notebook(page, lab, "quickstart.ipynb")
    names = [cell["id"] for cell in json.loads(QUICKSTART.read_text())["cells"]]
    for name in ("hello", "notes", "call-notes", "apps", "logs"):
        notebook.run(names.index(name))
    expect(notebook.card(names.index("hello"))).to_contain_text("hello v1 is live")
    expect(notebook.card(names.index("notes"))).to_contain_text("notes v1 is live")
    expect(notebook.cell(names.index("call-notes"))).to_contain_text("* Written from a notebook")
    table = notebook.cell(names.index("apps")).locator(".gofastapi-table")
    expect(table.get_by_role("row", name=re.compile("notes running green v1"))).to_be_visible()
    expect(notebook.cell(names.index("logs"))).to_contain_text("new note: Written from a notebook")

    # Straight, and behind a path prefix.
    for number, address in enumerate((platform.app("notes").url or "", f"{lab.url}gofastapi/apps/notes/")):
        page.goto(address)
        text = f"<b>note</b> number {number}"
        page.get_by_placeholder("Write something down").fill(text)
        page.get_by_role("button", name="Add").click()
        first = page.get_by_role("listitem").first
        expect(first).to_contain_text(text)
        first.get_by_title("Delete").click()
        expect(page.get_by_text(text)).to_have_count(0)
        expect(page.get_by_text("Written from a notebook")).to_be_visible()
