"""Clean-up by plan: what it finds, that a dry run changes nothing, and that it disturbs nobody."""

from __future__ import annotations

import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from support.cli import CommandLine
from support.platform import Platform, get
from support.waiting import held_until, until

from gofastapi_ext.core.cleanup import CleanupReport, Leftover
from gofastapi_ext.core.events import EventKind

HELLO = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root(): return 'here'\n"


def folder(platform: Platform, *parts: str) -> Path:
    return platform.places.home.joinpath("apps", *parts)


def stale_folder(platform: Platform, *parts: str) -> Path:
    path = folder(platform, *parts)
    path.mkdir(parents=True)
    (path / "main.py").write_bytes(b"x" * 1000)
    return path


def found(report: CleanupReport) -> set[tuple[Leftover, str]]:
    return {(item.what, item.name) for item in report.items}


def everything(platform: Platform) -> tuple[object, ...]:
    """All that a clean-up could change."""
    at = platform.places
    files = sorted(str(path) for place in (at.home / "apps", at.run) for path in place.rglob("*"))
    with platform.database() as database:
        names = ("apps", "versions", "drafts", "deployments", "bundles.files", "blobs.files", "events")
        counts = [database[name].count_documents({}) for name in names]
        apps = list(database.apps.find({}, {"revision": 1, "purged": 1, "removal_warned_at": 1}))
    return files, counts, apps


def leave_something_of_everything(platform: Platform) -> set[tuple[Leftover, str]]:
    """What crashes and time leave behind; how a clean-up names it."""
    platform.deploy_live("kept", HELLO)
    platform.deploy_live("over", HELLO + "# over\n")
    platform.client.delete("over")
    platform.deploy_live("lost", HELLO + "# lost\n")
    stale_folder(platform, "ghost", "versions", "1")
    stale_folder(platform, "kept", "versions", "99")
    stale_folder(platform, "kept", "versions", "98.partial")
    with platform.database() as database:
        database.apps.update_one({"_id": "over"}, {"$set": {"restorable_until": datetime.now(UTC)}})
        version = database.versions.find_one_and_delete({"app": "lost"})
        assert version is not None
        long_ago = {"deleted_at": datetime.now(UTC) - timedelta(days=91), "target": "deleted", "status": "stopped"}
        database.apps.insert_one(
            {**(database.apps.find_one({"_id": "over"}) or {}), **long_ago, "_id": "free", "purged": True}
        )
        until(lambda: database.deployments.count_documents({"app": "lost"}) == 1)
        newest = platform.client.events(limit=1)[0].id
        until(lambda: database.events.find_one({"_id": newest}), what="all events are stored")
    deaf = platform.places.run / "old.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(deaf))
    os.utime(deaf, (time.time() - 120,) * 2)
    return {
        (Leftover.APP_PURGED, "over"),
        (Leftover.NAME, "free"),
        (Leftover.BUNDLE, version["code_hash"][:12]),
        (Leftover.FILES, "apps/ghost"),
        (Leftover.FILES, "apps/kept/versions/99"),
        (Leftover.FILES, "apps/kept/versions/98.partial"),
        (Leftover.SOCKET, "run/old.sock"),
    }


def test_a_dry_run_says_exactly_what_goes_then_and_changes_nothing(platform: Platform, tmp_path: Path) -> None:
    platform.client.cleanup(dry_run=False)  # what others left
    left = leave_something_of_everything(platform)
    before = everything(platform)
    plan = platform.client.cleanup(dry_run=True)
    cli = CommandLine(platform.places.home, tmp_path)
    table = cli.run("cleanup", "--dry-run")
    assert everything(platform) == before
    assert plan.dry_run
    assert found(plan) == left
    sizes = {item.name: item.size_bytes for item in plan.items}
    assert (sizes["apps/ghost"], sizes["apps/kept/versions/99"]) == (1000, 1000)
    assert "apps/ghost" in table
    assert f"{len(left)} things would go" in table

    went = platform.client.cleanup(dry_run=False)
    assert not went.dry_run
    assert [*went.items] == [*plan.items]
    assert platform.client.cleanup(dry_run=True).items == []
    assert "nothing to clean up" in cli.run("cleanup")
    assert not folder(platform, "ghost").exists()
    assert [path.name for path in folder(platform, "kept", "versions").iterdir()] == ["1"]
    assert not (platform.places.run / "old.sock").exists()
    for app_id in ("kept", "lost"):
        assert get(platform.app(app_id).url or "").json() == "here"
        assert folder(platform, app_id, "versions", "1").exists(), "it serves"

    [told] = until(lambda: [e for e in platform.client.events() if e.kind is EventKind.CLEANED])
    assert told.details["counts"] == {"app_purged": 1, "name": 1, "bundle": 1, "files": 3, "socket": 1}
    assert told.details["size_bytes"] >= 3000
    log = platform.log_text()
    assert all(f"clean-up: {what} {name}:" in log for what, name in left)


def test_what_others_hold_is_left_alone(platform: Platform) -> None:
    """Sockets somebody listens at, new ones, and what is no socket and no remains at all."""
    run = platform.places.run
    with socket.socket(socket.AF_UNIX) as heard, socket.socket(socket.AF_UNIX) as fresh:
        heard.bind(str(run / "heard.sock"))
        heard.listen()
        os.utime(run / "heard.sock", (time.time() - 120,) * 2)
        fresh.bind(str(run / "fresh.sock"))
        (run / "notes.txt").write_text("somebody's")
        os.utime(run / "notes.txt", (time.time() - 10_000,) * 2)
        assert platform.client.cleanup(dry_run=False).items == []
    assert {"heard.sock", "fresh.sock", "notes.txt", "api.sock", "service.lock"} <= {p.name for p in run.iterdir()}
    for name in ("heard.sock", "fresh.sock", "notes.txt"):
        (run / name).unlink()


def test_a_sweep_disturbs_no_deploy_and_no_deploy_a_sweep(platform: Platform, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    platform.deploy_live("busy", HELLO)
    mine, other = (stale_folder(platform, app, "versions", "77") for app in ("busy", "idle"))
    ended: list[object] = []
    deploy = Thread(target=lambda: ended.append(platform.deploy("busy", held_until(gate) + HELLO)[-1].version))
    deploy.start()
    until(lambda: folder(platform, "busy", "versions", "2").exists(), what="files of the new version")
    assert not ended, "it is under way"
    for dry_run in (True, False):
        report = platform.client.cleanup(dry_run=dry_run)
        assert found(report) == {(Leftover.FILES, "apps/idle")}
    assert not ended, "the sweep waited for nobody"
    assert not other.exists()
    assert mine.exists(), "its app is somebody's just now"
    gate.touch()
    deploy.join(30)
    assert ended == [2]
    assert get(platform.app("busy").url or "").json() == "here"
    until(lambda: found(platform.client.cleanup(dry_run=False)) == {(Leftover.FILES, "apps/busy/versions/77")})
    assert {path.name for path in folder(platform, "busy", "versions").iterdir()} == {"1", "2"}


def test_a_sweep_and_many_deploys_of_one_app_do_not_refuse_each_other(platform: Platform) -> None:
    """Whoever deploys in the moment of the sweep waits for it, and is not told of another deploy."""
    platform.deploy_live("often", HELLO)
    done = False

    def sweep() -> None:
        while not done:
            folder(platform, "often", "versions", "88").mkdir(exist_ok=True)
            platform.client.cleanup(dry_run=False)

    with_sweeps = Thread(target=sweep)
    with_sweeps.start()
    try:
        for number in range(2, 7):
            assert platform.deploy("often", f"{HELLO}# {number}\n")[-1].version == number
    finally:
        done = True
        with_sweeps.join(30)
    assert get(platform.app("often").url or "").json() == "here"
