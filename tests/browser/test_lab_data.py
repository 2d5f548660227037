"""The page of a person's data: collections, documents, files, and the limit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import bson
import pytest
from playwright.sync_api import Locator, Page, expect
from pymongo.errors import OperationFailure
from support.data import Data, opened
from support.data_page import DataPage
from support.front import DARK, HIGH_CONTRAST, LIGHT
from support.lab import Lab, running_lab
from support.platform import running_platform
from support.waiting import until


def test_documents_are_found_edited_deleted_and_brought_back(page: Page, lab: Lab, database: Data) -> None:
    born = datetime(1935, 1, 1, tzinfo=UTC)
    database.people.insert_many(
        {"_id": number, "name": f"Ann {number:02}", "age": bson.Int64(number), "ratio": 1.0, "born": born}
        for number in range(45)
    )
    shown = DataPage(page, lab)
    meter = shown.root.get_by_role("meter", name="Room that is used")
    expect(meter).to_have_attribute("aria-valuetext", re.compile(" of 100 MB"))
    shown.button("people").press("Enter")
    expect(shown.root.get_by_role("heading", name="people")).to_be_focused()
    # Pages by key, and back.
    expect(shown.root).to_contain_text("Page 1: 20 of about 45")
    shown.button("Next").click()
    expect(shown.row("Ann 20")).to_be_visible()
    shown.button("Next").click()
    expect(shown.button("Next")).to_be_disabled()
    shown.button("Previous").click()
    expect(shown.row("Ann 39")).to_be_visible()
    # What others write shows when it is asked for; the page stays.
    database.people.update_one({"_id": 39}, {"$set": {"name": "Zoe"}})
    shown.button("Refresh").press("Enter")
    expect(shown.row("Zoe")).to_be_visible()
    expect(shown.button("Refresh")).to_be_focused()
    database.people.update_one({"_id": 39}, {"$set": {"name": "Ann 39"}})
    shown.button("Refresh").click()
    expect(shown.row("Ann 39")).to_be_visible()

    # A wrong filter says so beside it: what is no JSON, and what the service refuses.
    alert = shown.root.get_by_role("search").get_by_role("alert")
    shown.filter("{age: 5}")
    expect(alert).to_contain_text("The filter is not JSON. Names and texts stand in double quotes")
    shown.filter('{"$where": "sleep(1000)"}')
    expect(alert).to_contain_text("$where")
    expect(shown.root.get_by_label("Filter")).to_have_attribute("aria-invalid", "true")
    shown.root.get_by_label("Sort").fill("-age")
    shown.root.get_by_label("Fields").fill("name, age")
    shown.filter('{"age": {"$gt": 41}}')
    expect(alert).to_have_text("")
    expect(shown.root.get_by_role("row")).to_have_text([re.compile(t) for t in ("_id", "Ann 44", "Ann 43", "Ann 42")])
    expect(shown.root.get_by_role("columnheader", name="born")).to_have_count(0)
    shown.button("Explain").click()
    explanation = shown.root.get_by_role("region", name="How the query is answered")
    expect(explanation).to_contain_text("45 documents")
    expect(explanation).to_contain_text("index")

    # One document, edited as plain JSON: what is not touched keeps its types, and what is touched, too.
    shown.button("Open 42").click()
    editor = shown.root.get_by_role("textbox", name="Document 42, as JSON")
    expect(editor).to_be_focused()
    expect(editor).to_contain_text('"born": {"$date": "1935-01-01T00:00:00Z"}')
    _replace(editor, '"age": 42', '"age": 99')
    _replace(editor, "1935", "1936")
    page.keyboard.press("Control+s")
    expect(shown.root.get_by_text("Saved", exact=True)).to_be_visible()
    stored = database.people.find_one({"_id": 42}, {}) or {}
    assert stored == {"_id": 42, "name": "Ann 42", "age": 99, "ratio": 1.0, "born": born.replace(year=1936)}
    assert isinstance(stored["age"], bson.Int64)
    assert isinstance(stored["ratio"], float)
    expect(shown.row("Ann 42")).to_contain_text("99")
    for theme in (LIGHT, DARK, HIGH_CONTRAST):
        shown.front.set_theme(theme)
        shown.check_accessibility()
    shown.front.set_theme(LIGHT)

    # Deleted, and for a minute it can come back as it was.
    shown.button("Delete 42").click()
    expect(shown.button("Open 42")).to_have_count(0)
    expect(editor).to_have_count(0)
    assert database.people.count_documents({}) == 44
    page.get_by_role("button", name="Undo").click()
    expect(shown.button("Open 42")).to_be_visible()
    assert database.people.find_one({"_id": 42}) == stored

    # As it was left, so it is after a reload: the collection is open.
    until(lambda: "people" in _layout(page), 20, "layout saved")
    shown.front.open(reset=False)
    expect(shown.root.get_by_role("heading", name="people")).to_be_visible()


def _replace(editor: Locator, text: str, new: str) -> None:
    """Put another text in an editor, as by typing."""
    editor.evaluate(
        """(node, [text, replacement]) => {
          const {view} = node.cmTile?.view ? node.cmTile : node.cmView;
          const from = view.state.doc.toString().indexOf(text);
          view.dispatch({changes: {from, to: from + text.length, insert: replacement}, userEvent: 'input.type'});
        }""",
        [text, new],
    )


def _layout(page: Page) -> str:
    return str(
        page.evaluate("""async () => JSON.stringify(
          await window.jupyterapp.serviceManager.workspaces.fetch('default').catch(() => ({})))""")
    )


def test_two_who_edit_one_document_see_both_sides(page: Page, lab: Lab, database: Data) -> None:
    database.people.insert_one({"_id": "ann", "age": 1, "city": "Oslo"})
    shown = DataPage(page, lab, collection="people")
    editor = shown.root.get_by_role("textbox", name="Document ann, as JSON")
    shown.button("Open ann").click()
    _replace(editor, '"age": 1', '"age": 2')
    database.people.update_one({"_id": "ann"}, {"$set": {"city": "Rome"}})
    shown.button("Save").click()
    expect(shown.root).to_contain_text("Somebody else changed this document")
    expect(shown.root.get_by_role("textbox", name="document.json (theirs)")).to_contain_text('"age": 1')
    mine = shown.root.get_by_role("textbox", name="document.json (yours)")
    expect(mine).to_contain_text('"age": 2')
    expect(mine).to_contain_text('"city": "Rome"')
    shown.check_accessibility()
    assert (database.people.find_one() or {})["age"] == 1
    shown.button("Keep mine").click()
    expect(editor).to_contain_text('"age": 2')
    until(lambda: database.people.find_one() == {"_id": "ann", "age": 2, "city": "Rome"}, 10, "stored")

    # The other side wins; nothing of mine is stored.
    _replace(editor, '"age": 2', '"age": 3')
    database.people.update_one({"_id": "ann"}, {"$set": {"age": 40}})
    shown.button("Save").click()
    shown.button("Take theirs").click()
    expect(editor).to_contain_text('"age": 40')
    # It is gone altogether, and comes back as a new one only where that is meant.
    _replace(editor, '"age": 40', '"age": 41')
    database.people.delete_many({})
    shown.button("Save").click()
    expect(shown.root).to_contain_text("Somebody else deleted this document")
    shown.button("Insert mine again").click()
    until(lambda: database.people.find_one() == {"_id": "ann", "age": 41, "city": "Rome"}, 10, "inserted")

    # Unsaved words are not lost without a question; a document that is none says so.
    _replace(editor, '"age": 41', '"age": 41,,')
    shown.button("Save").click()
    expect(shown.root.get_by_role("alert").filter(has_text="This is not JSON")).to_be_visible()
    shown.root.get_by_role("region", name="Document ann").get_by_role("button", name="Close").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(editor).to_have_count(0)
    shown.button("Insert").click()
    new = shown.root.get_by_role("textbox", name="Document A new document, as JSON")
    _replace(new, "{\n  \n}", '{"_id": 7, "big": 9223372036854775807, "one": 1.0}')
    shown.root.get_by_role("region", name="Document A new document").get_by_role("button", name="Insert").click()
    expect(shown.button("Open 7")).to_be_visible()
    stored = database.people.find_one({"_id": 7}) or {}
    assert stored["big"] == 9223372036854775807
    assert isinstance(stored["one"], float)


def test_collections_indexes_and_files(page: Page, lab: Lab, database: Data, tmp_path: Path) -> None:
    shown = DataPage(page, lab)
    expect(shown.root).to_contain_text("No collections yet")
    shown.button("New collection").click()
    form = shown.root.get_by_role("form", name="A new collection")
    form.get_by_label("Name").fill("a$b")
    form.get_by_label("Name").press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("$ may not be in it")
    form.get_by_label("Name").fill("a/b")
    form.get_by_role("button", name="Create").click()
    expect(shown.button("New collection")).to_be_focused()
    expect(shown.row("a/b")).to_be_visible()

    # A file: what cannot be stored is told with its line, the rest is there.
    people = tmp_path / "people.jsonl"
    people.write_text('{"_id": 1, "at": {"$date": "2026-01-01T00:00:00Z"}}\nno json\n{"_id": 1}\n{"_id": 2}\n')
    shown.button("Import a file").click()
    form = shown.root.get_by_role("form", name="Import a file")
    form.get_by_label("File").set_input_files(people)
    expect(form.get_by_label("Collection")).to_have_value("people")
    form.get_by_role("button", name="Import").click()
    result = shown.root.get_by_role("region", name="Import of people.jsonl into people")
    expect(result).to_contain_text("Done: 2 documents stored, 2 refused.")
    expect(result.get_by_role("row", name=re.compile("^2 "))).to_contain_text("not JSON")
    expect(result.get_by_role("row", name=re.compile("^3 "))).to_contain_text("already")
    assert [each["_id"] for each in database.people.find()] == [1, 2]
    shown.check_accessibility()
    result.get_by_role("button", name="Open people").click()
    expect(shown.row("2026-01-01 00:00:00 UTC")).to_be_visible()

    # All or nothing: a line is wrong, so everything stays.
    shown.button("Import").click()
    form.get_by_label("File").set_input_files(people)
    form.get_by_label("Are replaced", exact=False).check()
    form.get_by_role("button", name="Import").click()
    expect(shown.root.get_by_role("alert").filter(has_text="Nothing was replaced")).to_be_visible()
    assert database.people.count_documents({}) == 2
    shown.button("Close").first.click()
    expect(shown.button("Import")).to_be_focused()

    # What is found goes out, as the browser downloads.
    shown.filter('{"_id": 2}')
    expect(shown.root.get_by_text("1 document", exact=True)).to_be_visible()
    with page.expect_download() as download:
        shown.root.get_by_role("link", name="Export JSON lines").click()
    assert download.value.suggested_filename == "people.jsonl"
    assert download.value.path().read_text() == '{"_id":{"$numberInt":"2"}}\n'

    shown.root.get_by_role("tab", name="Indexes (1)").click()
    shown.button("New index").click()
    form = shown.root.get_by_role("form", name="A new index")
    form.get_by_label("Fields").fill("at, -name")
    form.get_by_label("Documents go by themselves", exact=False).fill("60")
    form.get_by_role("button", name="Create").click()
    expect(form.get_by_role("alert")).to_be_visible()  # MongoDB's own words: one field only
    form.get_by_label("Fields").fill("at")
    form.get_by_label("Unique", exact=False).check()
    form.get_by_role("button", name="Create").click()
    row = shown.row("at_1")
    expect(row).to_contain_text("unique")
    expect(row).to_contain_text("goes after 1 min")
    row.get_by_role("button", name="Drop at_1").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop").click()
    expect(row).to_have_count(0)
    assert list(database.people.index_information()) == ["_id_"]

    shown.button("Drop people").click()
    shown.confirm("people", "Drop people")
    expect(shown.row("a/b")).to_be_visible()
    assert database.list_collection_names() == ["a/b"]


def test_an_import_is_cancelled_while_it_goes_on(page: Page, lab: Lab, database: Data, tmp_path: Path) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text(f'{{"text": "{"x" * 200}"}}\n' * 300_000)
    database.many.insert_one({"_id": "before"})
    shown = DataPage(page, lab, collection="many")
    shown.button("Import").click()
    form = shown.root.get_by_role("form", name="Import a file")
    form.get_by_label("File").set_input_files(many)
    form.get_by_label("Are replaced", exact=False).check()
    form.get_by_role("button", name="Import").click()
    progress = shown.root.get_by_role("progressbar", name="How much is sent")
    expect(progress).to_be_visible()
    until(lambda: float(progress.get_attribute("value") or 0) > 0, 20, "something was sent")
    shown.button("Cancel").click()
    expect(shown.root).to_contain_text("Cancelled. Everything is as it was.")
    assert [each["_id"] for each in database.many.find()] == ["before"]


def test_over_the_limit_it_says_so_and_deleting_mends_it(page: Page, tmp_path: Path) -> None:
    settings = {"GOFASTAPI_DATABASE_LIMIT_BYTES": "1000000", "GOFASTAPI_DATABASE_OPERATION_SECONDS": "2"}
    with (
        running_platform(**settings, GOFASTAPI_FIRST_PORT="19000", GOFASTAPI_LAST_PORT="19099") as small,
        running_lab(tmp_path, small.places.home) as lab,
    ):
        with opened(small) as data:
            data.big.insert_many({"_id": number, "text": "x" * 1000} for number in range(1_500))
        shown = DataPage(page, lab)
        notice = shown.root.get_by_role("status").filter(has_text="over its limit")
        with opened(small) as data, pytest.raises(OperationFailure):
            data.big.find_one({"$where": "sleep(100) || false"})
        ended = shown.root.get_by_role("status").filter(has_text="An operation in the database ran for")
        expect(ended).to_contain_text("On big")
        ended.get_by_role("button", name="Dismiss").click()
        expect(ended).to_have_count(0)
        expect(notice).to_contain_text("takes no more writes. Reading and deleting go on", timeout=40_000)
        shown.check_accessibility()
        notice.get_by_role("button", name="big").click()
        shown.button("Insert").click()
        region = shown.root.get_by_role("region", name="Document A new document")
        expect(region.get_by_role("textbox")).to_be_focused()
        region.get_by_role("button", name="Insert").click()
        expect(region.get_by_role("alert")).to_contain_text("takes no writes now")
        region.get_by_role("button", name="Close").click()
        shown.button("Drop big").click()
        shown.confirm("big", "Drop big")
        expect(notice).to_have_count(0, timeout=90_000)


def test_nothing_is_asked_for_while_the_page_is_hidden(page: Page, lab: Lab, database: Data) -> None:
    shown = DataPage(page, lab)
    expect(shown.root).to_contain_text("No collections yet")
    shown.front.execute("launcher:create")
    expect(shown.root).to_be_hidden()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/database" in request.url else None)
    database.notes.insert_one({})
    page.wait_for_timeout(11_000)  # longer than it waits between two looks
    assert asked == []
    shown.open()
    expect(shown.row("notes")).to_be_visible()
