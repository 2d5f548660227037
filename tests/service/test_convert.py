"""A single-file app that is live becomes one of several files, and stays the same app."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from support.cli import CommandLine, command_line
from support.platform import Platform, get

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.drafts import CodeState, DraftSave
from gofastapi_ext.core.errors import DraftConflictError, InvalidRequestError, NotFoundError
from gofastapi_ext.core.models import DeployRequest

NOTES = """
import os
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from pymongo import MongoClient

app = FastAPI(title="Notes")
client = MongoClient(os.environ["PLATFORM_MONGO_URI"])
notes = client.get_default_database()["notes"]


class Note(BaseModel):
    text: str
    author: str = "nobody"


def author(name: str = "ann") -> str:
    return name


@app.get("/")
def root():
    return {"notes": notes.count_documents({})}


@app.post("/notes")
def add(note: Note, by: str = Depends(author)) -> Note:
    note.author = by
    notes.insert_one(note.model_dump())
    return note


@app.get("/notes/{text}")
def find(text: str) -> Note:
    found = notes.find_one({"text": text})
    if found is None:
        raise HTTPException(404, "no such note")
    return Note(**found)


@app.get("/authors")
def authors() -> list[str]:
    return sorted(notes.distinct("author"))


@app.get("/authors/{name}")
def of_author(name: str) -> list[Note]:
    return [Note(**found) for found in notes.find({"author": name})]
"""


def test_a_live_app_in_several_files_is_the_same_app(platform: Platform) -> None:
    url = platform.deploy_live("notes", NOTES)
    document = get(url, "/openapi.json").text
    assert httpx.post(f"{url}/notes?name=bob", json={"text": "hello"}, timeout=30, trust_env=False).status_code == 200
    before = platform.client.draft("notes")
    assert platform.app("notes").code_state is CodeState.UP_TO_DATE

    conversion = platform.client.convert_draft("notes", before.etag)
    assert conversion.etag_before == before.etag
    assert conversion.draft == platform.client.draft("notes")
    assert sorted(conversion.draft.bundle.files) == [
        *["main.py", "routers/__init__.py", "routers/authors.py", "routers/notes.py"],
        *["schemas/__init__.py", "schemas/common.py", "shared.py"],
    ]
    assert conversion.moved["routers/notes.py"] == ["author", "add", "find"]
    assert conversion.notes == ["`root` stays in main.py: too few to be a router."]
    # The lines of the cell stand in several files now.
    assert conversion.draft.origins == {}
    assert platform.app("notes").code_state is CodeState.NOT_DEPLOYED
    assert get(url, "/openapi.json").text == document

    live = list(platform.client.deploy("notes", DeployRequest(draft_etag=conversion.draft.etag)))[-1]
    assert (live.url, live.version) == (url, 2)
    assert platform.app("notes").code_state is CodeState.UP_TO_DATE
    assert get(url, "/openapi.json").text == document
    assert get(url, "/notes/hello").json() == {"text": "hello", "author": "bob"}
    assert get(url, "/authors").json() == ["bob"]
    assert get(url, "/authors/bob").json() == [{"text": "hello", "author": "bob"}]
    assert get(url, "/").json() == {"notes": 1}

    with pytest.raises(InvalidRequestError, match=r"The app has routers/ already.* Nothing was changed\."):
        platform.client.convert_draft("notes", platform.client.draft("notes").etag)
    assert platform.app("notes").code_state is CodeState.UP_TO_DATE


def test_what_was_saved_meanwhile_is_not_overwritten(platform: Platform) -> None:
    bundle = Bundle(files={"main.py": BundleFile(text=NOTES)})
    read = platform.client.save_draft("draft-notes", DraftSave(bundle=bundle))
    other = Bundle(files={"main.py": BundleFile(text=NOTES + "\n# more\n")})
    newer = platform.client.save_draft("draft-notes", DraftSave(bundle=other), read.etag)
    with pytest.raises(DraftConflictError):
        platform.client.convert_draft("draft-notes", read.etag)
    assert platform.client.draft("draft-notes") == newer

    conversion = platform.client.convert_draft("draft-notes", newer.etag)
    back = DraftSave(bundle=newer.bundle)
    assert platform.client.save_draft("draft-notes", back, conversion.draft.etag).code_hash == newer.code_hash


def test_what_cannot_be_converted_is_told_and_stays(platform: Platform) -> None:
    small = Bundle(files={"main.py": BundleFile(text="from fastapi import FastAPI\napp = FastAPI()\n")})
    saved = platform.client.save_draft("small", DraftSave(bundle=small))
    with pytest.raises(InvalidRequestError, match="it has neither routes nor models"):
        platform.client.convert_draft("small", "*")
    assert platform.client.draft("small") == saved
    broken = Bundle(files={"main.py": BundleFile(text="def broken(:\n")})
    saved = platform.client.save_draft("small", DraftSave(bundle=broken), saved.etag)
    with pytest.raises(InvalidRequestError, match="Python cannot read it"):
        platform.client.convert_draft("small", saved.etag)
    with pytest.raises(NotFoundError):
        platform.client.convert_draft("nothing-here", "*")


def test_draft_without_main_is_told_so(platform: Platform) -> None:
    half = Bundle(files={"routers.txt": BundleFile(text="not yet")})
    platform.client.save_draft("half", DraftSave(bundle=half))
    with pytest.raises(InvalidRequestError, match=r"There is no file main\.py"):
        platform.client.convert_draft("half", "*")


@pytest.fixture(scope="module")
def command() -> Iterator[CommandLine]:
    with command_line() as running:
        yield running


def test_the_command_on_files(command: CommandLine) -> None:
    (command.folder / "notes.py").write_text(NOTES)
    told = command.run("convert", "notes.py", "split")
    assert "routers/" in told
    assert "routers/notes.py  author, add, find" in told
    assert "`root` stays in notes.py: too few to be a router." in told
    assert (command.folder / "split" / "routers" / "notes.py").read_text().startswith("from fastapi import APIRouter")
    refused = command.finish("convert", "notes.py", "split")
    assert refused.returncode == 1
    assert "split is not empty" in refused.stderr
    assert (command.folder / "notes.py").read_text() == NOTES
    assert "gofastapi convert notes.py FOLDER" in command.finish("convert", "notes.py").stderr
    as_json = command.json("convert", "notes.py", "other")
    assert as_json["moved"]["schemas/common.py"] == ["Note"]


def test_the_command_on_an_app(command: CommandLine) -> None:
    (command.folder / "notes.py").write_text(NOTES)
    command.run("draft", "save", "notes", "notes.py")
    told = command.run("convert", "notes", "--yes")
    assert "saved  as the draft of notes. To bring it live: gofastapi draft deploy notes" in told
    again = command.finish("convert", "notes", "--yes")
    assert again.returncode == 1
    assert "already" in again.stderr
