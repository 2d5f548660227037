"""Folders and zips become drafts: exported ones the very code they were, anybody's with care."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.cli import CommandLine, command_line
from support.platform import Platform, get
from support.projects import (
    HELLO,
    SHOP,
    bundle_of,
    deploy,
    export,
    opened_project_of,
    put_archive,
    with_objects,
    zipped,
)

from gofastapi_ext.client.project import opened_project, save_project
from gofastapi_ext.core.errors import DraftConflictError, GoFastAPIError, NotFoundError
from gofastapi_ext.core.models import DeployRequest


def test_things_from_the_kernel_come_back_with_the_code(platform: Platform, tmp_path: Path) -> None:
    bundle = with_objects(platform)
    deploy(platform, "objects-round", bundle)
    for target in (tmp_path / "out", tmp_path / "out.zip"):
        export(platform, "objects-round", target)
        with opened_project(target) as project:
            draft = save_project(platform.client, f"objects-{target.suffix[1:] or 'dir'}", project, None)
        assert draft.code_hash == bundle.code_hash
    content = (tmp_path / "out.zip").read_bytes()
    assert put_archive(platform, "objects-api", content).json()["code_hash"] == bundle.code_hash
    last = list(platform.client.deploy("objects-api", DeployRequest()))[-1]
    assert last.url
    assert get(last.url, "/total").json()[1] == ["a", "b"]


def test_export_import_deploy_gives_the_same_code(platform: Platform, tmp_path: Path) -> None:
    bundle = bundle_of(
        {**SHOP, "Dockerfile": "FROM mine\n", "README.md": "mine", "requirements.txt": "fastapi\n", ".hidden/x": "y"},
        main="shop/main.py",
        entrypoint="shop.main:app",
    )
    deploy(platform, "round", bundle, env={"MODE": "slow"})
    folder = tmp_path / "out"
    manifest = export(platform, "round", folder)
    assert (folder / "Dockerfile").read_text() == "FROM mine\n"
    assert any("Your own Dockerfile stays as it is" in note for note in manifest.notes)
    assert "\nfastapi==" in (folder / "requirements.gofastapi.txt").read_text()

    with opened_project(folder) as project:
        assert project.restored.notes == []
        assert project.left_out == []
        draft = save_project(platform.client, "round", project, None)
    [*_, last] = platform.client.deploy("round", DeployRequest(draft_etag=draft.etag))
    assert (last.stage, last.unchanged, last.version) == ("live", True, 1)

    with opened_project(folder) as project:
        save_project(platform.client, "round-again", project, None)
    [*_, last] = platform.client.deploy("round-again", DeployRequest())
    assert last.url
    assert platform.app("round-again").code_hash == bundle.code_hash == platform.app("round").code_hash


def test_a_browser_sends_a_zip_and_has_a_draft(platform: Platform) -> None:
    content = zipped({f"my-shop-main/{path}": text for path, text in SHOP.items()} | {"my-shop-main/.env": "KEY=1"})
    answer = put_archive(platform, "uploaded", content)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["main"] == "shop/main.py"
    assert body["files"] == sorted(SHOP)
    assert [line.partition(":")[0] for line in body["left_out"]] == ["my-shop-main/.env"]
    assert answer.headers["ETag"] == f'"{body["etag"]}"'
    assert platform.app("uploaded").version is None
    [*_, last] = platform.client.deploy("uploaded", DeployRequest(draft_etag=body["etag"]))
    assert last.url
    assert "teal" in get(last.url, "/static/style.css").text

    stale = put_archive(platform, "uploaded", zipped({"main.py": HELLO}), **{"If-Match": '"1-abc"'})
    assert (stale.status_code, stale.json()["code"]) == (409, "draft_conflict")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip",
        zipped({"main.py": HELLO})[:-20],
        zipped({"main.py": HELLO, "../evil.py": "x"}),
        zipped({"main.py": HELLO, "/etc/cron.d/evil": "x"}),
        zipped({"main.py": HELLO, "Main.py": "x"}),
        zipped({"main.py": b"\0" * 50_000_000}),
        zipped({"readme.txt": "no app"}),
    ],
    ids=["empty", "no zip", "cut", "dots", "absolute", "case", "bomb", "no app"],
)
def test_a_bad_zip_is_refused_in_words_and_leaves_no_trace(platform: Platform, content: bytes) -> None:
    answer = put_archive(platform, "never-made", content)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_bundle")
    assert answer.json()["message"]
    with pytest.raises(NotFoundError):
        platform.app("never-made")


def test_a_zip_that_is_too_large_is_not_taken_to_its_end(platform: Platform) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1_000_000
            yield b"\0" * 1_000_000

    try:
        answer = put_archive(platform, "never-ends", endless())
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    except httpx.TransportError:
        pass  # the service hung up on us, which is as good
    assert sent < 300_000_000
    with pytest.raises(NotFoundError):
        platform.app("never-ends")


def test_a_draft_that_is_there_is_not_overwritten_unasked(platform: Platform, tmp_path: Path) -> None:
    with opened_project_of(bundle_of({"main.py": HELLO}), tmp_path / "one") as project:
        save_project(platform.client, "twice", project, None)
    with opened_project_of(bundle_of({"main.py": HELLO + "# other"}), tmp_path / "two") as project:
        with pytest.raises(DraftConflictError):
            save_project(platform.client, "twice", project, None)
        save_project(platform.client, "twice", project, "*")


def test_a_folder_that_lies_about_itself_reads_nothing_outside(platform: Platform, tmp_path: Path) -> None:
    """Its manifest names files of the machine as its own."""
    deploy(platform, "liar", bundle_of({"main.py": HELLO}))
    folder = tmp_path / "out"
    export(platform, "liar", folder)
    (tmp_path / "private.txt").write_text("private")
    (folder / "link.txt").symlink_to(tmp_path / "private.txt")
    path = folder / "gofastapi.json"
    manifest = json.loads(path.read_text())
    manifest["files"] += [
        "../private.txt",
        str(tmp_path / "private.txt"),
        "link.txt",
        ".gofastapi/objects/../../../private.txt",
    ]
    path.write_text(json.dumps(manifest))
    with opened_project(folder) as project:
        assert sorted(project.restored.bundle.files) == ["main.py"]


def test_what_is_no_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    for path, words in (
        ("none", "There is no folder or zip"),
        ("text.txt", "neither a folder nor a zip"),
        ("empty", "no Python file"),
    ):
        with pytest.raises(GoFastAPIError, match=words), opened_project(tmp_path / path):
            pass


@pytest.fixture(scope="module")
def cli() -> Iterator[CommandLine]:
    """A command with one app, `walk`."""
    with command_line() as running:
        running.write_app("out and back")
        running.run("deploy", "main.py", "--name", "walk")
        yield running


def test_the_command_line_leads_out_and_back(cli: CommandLine) -> None:
    assert cli.run("export", "walk", "out").splitlines() == [
        "exported  walk v1  out",
        "How to run it is in its README.md.",
    ]
    told = cli.run("import", "out")
    assert "saved  walk, a draft of 1 file: main.py" in told
    assert "Exactly the code that was exported." in told
    assert "unchanged" in cli.run("import", "out", "--deploy")

    manifest = cli.json("export", "walk", "walk.zip", "--version", "1")
    assert (manifest["name"], manifest["version"]) == ("walk", 1)
    saved = cli.json("import", "walk.zip", "--name", "walk-two")
    assert (saved["app"], saved["code_hash"], saved["left_out"]) == ("walk-two", manifest["code_hash"], [])
    *_, last = cli.lines("import", "walk.zip", "--name", "walk-two", "--deploy")
    assert last["stage"] == "live"
    assert get(last["url"]).json() == {"says": "out and back"}


def test_the_command_line_imports_what_anybody_wrote(cli: CommandLine) -> None:
    cli.write("My Shop/app.py", "from fastapi import FastAPI\napp = FastAPI()\n")
    cli.write("My Shop/.env", "KEY=1\n")
    told = cli.run("import", "My Shop", "--deploy")
    assert "saved  my-shop, a draft of 1 file: app.py" in told
    assert "Left out: .env: may hold secrets" in told
    assert "live  http" in told

    cli.write("My Shop/new.py", "x = 1\n")
    cli.run("import", "My Shop")
    cli.write("My Shop/new.py", "x = 2\n")
    refused = cli.finish("import", "My Shop")
    assert refused.returncode == 1
    assert "There is a draft of my-shop already. Overwrite it with --force, or choose another --name." in refused.stderr
    assert "a draft of 2 files" in cli.run("import", "My Shop", "--force")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export", "nobody", "x"), 'There is no app "nobody"'),
        (("export", "walk", "full"), "full is not empty"),
        (("export", "walk", "main.py"), "main.py is not empty"),
        (("export", "walk", "v9", "--version", "9"), "no version 9"),
        (("import", "nowhere"), "There is no folder or zip nowhere"),
        (("import", "main.py"), "main.py is neither a folder nor a zip"),
        (("import", "full", "--name", "No Name"), "cannot be an app's name"),
    ],
)
def test_the_command_line_says_what_is_wrong(cli: CommandLine, arguments: tuple[str, ...], words: str) -> None:
    cli.write("full/x.txt", "x")
    done = cli.finish(*arguments)
    assert done.returncode == 1
    assert words in done.stderr
