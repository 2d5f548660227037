"""Backups and branches as people ask for them: the command, and the magics of a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli import CommandLine
from support.kernel import Kernel, running_kernel
from support.noted import NOTES, note, notes, user_data
from support.platform import Platform, running_platform

from gofastapi_ext.core.backups import BackupKind


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """One of its own: the databases of the others would be swapped under them."""
    with running_platform() as running:
        yield running


@pytest.fixture
def cli(platform: Platform, tmp_path: Path) -> CommandLine:
    return CommandLine(platform.places.home, tmp_path)


@pytest.fixture(scope="module")
def kernel(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder: Path = tmp_path_factory.mktemp("data")
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


def test_the_command_backs_up_restores_and_undoes(platform: Platform, cli: CommandLine, tmp_path: Path) -> None:
    assert "There is no backup yet" in cli.run("db", "backups")
    url = platform.deploy_live("noted", NOTES)
    note(url, "first")
    said = cli.run("db", "backup", "--output", "mine.zip")
    assert "read 1 documents" in said
    assert ": 1 documents in" in said
    assert (tmp_path / "mine.zip").stat().st_mode & 0o777 == 0o600
    listed = cli.json("db", "backups")
    [backup] = listed["backups"]
    table = cli.run("db", "backups")
    assert backup["id"] in table
    assert "Each night at 03:00 one is made, and the last 7 of those stay." in table
    note(url, "second")

    assert "Add --yes if that is meant" in cli.finish("db", "restore", "latest").stderr
    assert notes(url) == ["first", "second"]
    said = cli.run("db", "restore", backup["id"], "--yes")
    assert "noted has moved over" in said
    assert "gofastapi db restore --undo user_" in said
    assert notes(url) == ["first"]
    assert "gofastapi db restore --undo user_" in cli.run("db", "backups")
    cli.run("db", "restore", "--undo")
    assert notes(url) == ["first", "second"]

    # A file that came from somewhere is taken in first.
    events = cli.lines("db", "restore", "mine.zip", "--yes")
    assert events[-1]["stage"] == "done"
    assert notes(url) == ["first"]
    kinds = {each.kind for each in platform.client.backups().backups}
    assert kinds == {BackupKind.UPLOADED, BackupKind.MANUAL}
    (tmp_path / "mine.zip").write_bytes(b"PK")
    assert "no backup of GoFastAPI" in cli.finish("db", "restore", "mine.zip", "--yes").stderr
    assert "no backup" in cli.finish("db", "restore", "20200101-000000-aaaaaa", "--yes").stderr
    assert "Say which backup" in cli.finish("db", "restore").stderr
    cli.run("db", "backups", "--download", backup["id"], "again.zip")
    cli.run("db", "backups", "--delete", backup["id"], "--yes")
    assert len(platform.client.backups().backups) == 1
    assert (tmp_path / "again.zip").exists()


def test_the_command_makes_shows_and_promotes_branches(platform: Platform, cli: CommandLine) -> None:
    assert "There is no branch" in cli.run("db", "branches")
    said = cli.run("db", "branch", "try-it", "--ttl", "2h")
    assert "The branch try-it is there, until" in said
    cli.write("main.py", NOTES)
    told = cli.run("deploy", "main.py", "--name", "tried", "--db-branch", "try-it")
    assert "v1  on the branch try-it" in told
    assert "v1 on try-it" in cli.run("apps")
    assert "the branch try-it, not the data themselves" in cli.run("app", "tried")
    assert "tried" in cli.run("db", "branches")
    assert "branch try-it" in cli.run("db", "--branch", "try-it")
    assert "runs on the branch" in cli.finish("db", "branch", "try-it", "--drop", "--yes").stderr
    failed = cli.finish("deploy", "main.py", "--name", "tried", "--db-branch", "nope")
    assert failed.returncode == 1
    assert "gofastapi db branch nope" in failed.stdout
    cli.run("db", "branch", "try-it", "--extend", "3d")
    assert cli.finish("db", "promote", "try-it").returncode == 1
    cli.run("db", "promote", "try-it", "--yes")
    assert "There is no branch" in cli.run("db", "branches")
    assert platform.app("tried").db_branch is None
    platform.client.delete("tried", forever=True)


def test_magics_say_and_do_the_same(platform: Platform, kernel: Kernel) -> None:
    with user_data(platform) as data:
        data.words.delete_many({})
        data.words.insert_one({"_id": "before"})
    assert ": 1 documents in" in kernel.run("%db_backup").text
    assert "manual" in kernel.run("%db_backups").text
    assert "There is no branch. Make one: %db_branch NAME" in kernel.run("%db_branch").text
    assert "--db-branch exp" in kernel.run("%db_branch exp --ttl 1h").text
    card = kernel.run("%%deploy noted --db-branch exp\n" + NOTES).plain
    assert "It works on the branch exp of your database, not on your data." in card
    url = str(platform.app("noted").url)
    note(url, "tried")
    assert kernel.complete("%%deploy noted --db-branch ") == ["exp"]
    assert kernel.complete("%db_promote ") == ["exp"]
    assert kernel.complete("%db_restore ")[0] == "latest"
    failed = kernel.run("%%deploy noted --db-branch nope\n" + NOTES)
    assert "%db_branch nope" in failed.plain
    assert notes(url) == ["before", "tried"]

    assert "If that is meant: %db_promote exp --yes" in str(kernel.run("%db_promote exp").error)
    promoted = kernel.run("%db_promote exp --yes").text
    assert "%db_restore --undo" in promoted
    with user_data(platform) as data:
        assert data.words.count_documents({}) == 2
    assert "If that is meant: %db_restore latest --yes" in str(kernel.run("%db_restore latest").error)
    assert "noted has moved over" in kernel.run("%db_restore latest --yes").text
    assert notes(url) == ["before"]
    kernel.run("%db_restore --undo")
    assert notes(url) == ["before", "tried"]
    kernel.run("%db_branch gone --ttl 1h")
    assert "gone is dropped" in kernel.run("%db_branch gone --drop").text
    assert "Usage: %db_backups" in str(kernel.run("%db_backups x").error)
