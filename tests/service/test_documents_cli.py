"""Documents in a shell and in a notebook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import bson
import pytest
from support.cli import CommandLine
from support.data import Data
from support.kernel import Kernel, running_kernel
from support.platform import Platform, collections_of


@pytest.fixture(scope="module")
def cli(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    return CommandLine(platform.places.home, tmp_path_factory.mktemp("cli"))


@pytest.fixture(scope="module")
def kernel(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder: Path = tmp_path_factory.mktemp("notebook")
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


def test_documents_are_found_made_changed_and_deleted(cli: CommandLine, data: Data) -> None:
    made = json.loads(cli.run("db", "insert", "people", '{"name": "Ann", "age": 41}'))
    oid = made["_id"]["$oid"]
    assert data.people.find_one() == {"_id": bson.ObjectId(oid), "name": "Ann", "age": 41}
    cli.run("db", "insert", "people", '{"_id": "bob", "name": "Bob", "age": 30}')
    found = cli.run("db", "find", "people", '{"age": {"$gt": 20}}', "--sort", "-age", "--fields", "name,-_id")
    assert found == '{"name": "Ann"}\n{"name": "Bob"}\n'
    first = cli.finish("db", "find", "people", "--limit", "1", "--sort", "name")
    after = first.stderr.strip().rpartition(" ")[2]
    assert (
        json.loads(cli.run("db", "find", "people", "--limit", "1", "--sort", "name", "--after", after))["name"] == "Bob"
    )

    changed = cli.json("db", "edit", "people", oid, "--set", '{"age": 42, "at": {"$date": "2026-01-01T00:00:00Z"}}')
    assert changed["document"]["age"] == 42
    cli.run("db", "edit", "people", "bob", "--unset", "age")
    assert data.people.find_one({"_id": "bob"}) == {"_id": "bob", "name": "Bob"}
    said = cli.run("db", "rm", "people", oid)
    assert data.people.count_documents({}) == 1
    assert json.loads(cli.run("db", "undo", said.strip().rpartition(" ")[2]))["age"] == 42
    assert "no such document" in cli.finish("db", "rm", "people", "nobody").stderr
    assert "No document matches" in cli.finish("db", "find", "people", '{"age": 7}').stderr
    assert "script" in cli.finish("db", "find", "people", '{"$where": "1"}').stderr
    assert "not JSON" in cli.finish("db", "find", "people", "{oops").stderr
    assert cli.json("db", "find", "people")["count_estimate"] == 2


def test_collections_indexes_and_how_a_query_is_found(cli: CommandLine, data: Data) -> None:
    assert cli.run("db", "collections", "--create", "people") == "people\n"
    data.people.insert_many({"age": n % 50} for n in range(3000))
    assert "by reading the whole collection" in (said := cli.run("db", "explain", "people", '{"age": 7}'))
    assert "An index" in said
    listed = cli.run("db", "indexes", "people", "--create", "age,-name")
    assert listed == "_id_ (_id 1, unique)\nage_1_name_-1 (age 1, name -1)\n"
    assert "through age_1_name_-1" in cli.run("db", "explain", "people", '{"age": 7}')
    assert cli.run("db", "indexes", "people", "--drop", "age_1_name_-1") == "_id_ (_id 1, unique)\n"
    refused = cli.finish("db", "collections", "--drop", "people")
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    assert cli.run("db", "collections", "--drop", "people", "--yes") == ""
    assert collections_of(data) == []


def test_files_go_out_and_come_back(cli: CommandLine, data: Data) -> None:
    documents = [{"_id": bson.ObjectId(), "n": bson.Int64(n), "who": {"name": f"=x{n}"}} for n in range(50)]
    data.things.insert_many(documents)
    for name in ("things.jsonl", "things.csv"):
        assert cli.run("db", "export", "things", name, "--sort", "n") == f"Written to {name}.\n"
        data.things.drop()
        assert "50 documents are stored" in cli.run("db", "import", "things", name)
        assert list(data.things.find().sort("n", 1)) == documents
    again = cli.finish("db", "import", "things", "things.jsonl")
    assert again.returncode == 1
    assert "line 1: There is a document with _id" in again.stdout
    assert "and 30 more" in again.stdout
    assert cli.lines("db", "import", "things", "things.csv", "--replace")[-1]["stored"] == 50
    cli.write("bad.jsonl", '{"n": 1}\nnonsense\n')
    failed = cli.finish("db", "import", "things", "bad.jsonl", "--replace")
    assert failed.returncode == 1
    assert "as it was" in failed.stdout
    assert "line 2: It is not JSON" in failed.stdout
    assert data.things.count_documents({}) == 50
    assert len(cli.run("db", "export", "things", "--filter", '{"n": {"$lt": 5}}').splitlines()) == 5
    assert cli.finish("db", "export", "nothing", "new.jsonl").returncode == 1
    assert not list(cli.folder.glob("new*"))
    assert "No such file" in cli.finish("db", "import", "things", "missing.csv").stderr


def test_a_notebook_shows_the_first_documents(kernel: Kernel, data: Data) -> None:
    data.notes.insert_many({"n": n, "text": f"<b>{n}</b>", "tags": ["a"] * n, "long": "x" * 100} for n in range(30))
    shown = kernel.run("%db notes")
    assert "&lt;b&gt;3&lt;/b&gt;" in shown.html
    assert "<b>3</b>" not in shown.html
    assert f'title="{"x" * 100}"' in shown.html
    assert "the first 20 of 30" in shown.plain
    assert shown.plain.splitlines()[0].split() == ["_id", "n", "text", "tags", "long"]
    some = kernel.run('%db notes {"n": {"$gte": 27}} --sort -n --limit 2')
    assert [line.split()[1] for line in some.plain.splitlines()[:3]] == ["n", "29", "28"]
    assert "--limit N" in some.plain
    assert "3 documents" in kernel.run("%db notes {'n': {'$gte': 27}}").plain
    assert "No document matches" in kernel.run('%db notes {"n": -1}').text
    assert "no collection" in kernel.run("%db nowhere").error
    assert "script" in kernel.run('%db notes {"$where": "1"}').error
    assert "not JSON" in kernel.run("%db notes {oops}").error
    assert "Usage: %db" in kernel.run('%db {"n": 1}').error
    assert "notes" in kernel.complete("%db no")
    assert "30 documents" in kernel.run("%db").plain
