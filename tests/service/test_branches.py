"""Branches through a real service: copies with credentials of their own, for a time; deployed against, promoted."""

from __future__ import annotations

from collections.abc import Iterator

import pymongo
import pytest
from pymongo.errors import OperationFailure
from support.archives import content, fill
from support.noted import NOTES, note, notes, physical, user_data
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.core.backups import BranchView, DataStage
from gofastapi_ext.core.errors import ConflictError, InvalidNameError, InvalidRequestError, NotFoundError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import State


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """One of its own: the databases of the others would be swapped under them."""
    with running_platform() as running:
        yield running


@pytest.fixture(autouse=True)
def without_remains(platform: Platform) -> Iterator[None]:
    yield
    for app in platform.client.apps():
        platform.client.delete(app.id, forever=True)
    for branch in platform.client.branches():
        platform.client.drop_branch(branch.name)


def branched(platform: Platform, name: str, ttl: str | None = None) -> BranchView:
    last = list(platform.client.create_branch(name, ttl=ttl))[-1]
    assert last.branch is not None
    return last.branch


def test_a_branch_is_a_copy_that_opens_nothing_else(platform: Platform) -> None:
    with user_data(platform) as data:
        fill(data)
        before = content(data)
        events = list(platform.client.create_branch("try-it"))
        view = events[-1].branch
        assert view is not None
        assert [view] == platform.client.branches()
        assert (view.documents > 2500, view.apps, view.expired) == (True, [], False)
        assert view.expires_at is not None
        assert 86_000 < (view.expires_at - view.created_at).total_seconds() <= 86_400
        with user_data(platform, "try-it") as copy:
            assert content(copy) == before
            assert copy.name == view.database != data.name
            copy.types.delete_many({})
            copy.notes.insert_one({"n": -1})
            with pytest.raises(OperationFailure, match="not authorized"):
                copy.client[data.name].notes.find_one()
            with pytest.raises(OperationFailure, match="not authorized"):
                copy.client.gofastapi.apps.find_one()
            with pytest.raises(OperationFailure, match="Insufficient permissions"):
                copy.client.admin.command("listDatabases", authorizedDatabases=False)
        with pytest.raises(OperationFailure, match="not authorized"):
            data.client[view.database].notes.find_one()
        assert content(data) == before
        for name in before:
            data.drop_collection(name)
    uri = platform.client.database_uri(confirm=view.database, branch="try-it").uri
    platform.client.drop_branch("try-it")
    assert view.database not in physical(platform)
    with pymongo.MongoClient(uri) as client, pytest.raises(OperationFailure, match="Authentication failed"):
        client.get_default_database().notes.find_one()
    kinds = [event.kind for event in platform.client.events()]
    assert kinds.count(EventKind.BRANCH_CREATED) == kinds.count(EventKind.BRANCH_DROPPED) == 1


def test_an_app_deployed_with_a_branch_never_touches_the_data(platform: Platform) -> None:
    url = platform.deploy_live("shop", NOTES)
    note(url, "real")
    branched(platform, "exp")
    assert platform.deploy_live("shop", NOTES, db_branch="exp") == url
    app = platform.app("shop")
    assert (app.version, app.db_branch) == (2, "exp")
    assert [(v.number, v.db_branch) for v in platform.client.versions("shop")] == [(2, "exp"), (1, None)]
    assert platform.client.branch("exp").apps == ["shop"]
    note(url, "tried")
    assert notes(url) == ["real", "tried"]
    with user_data(platform) as data:
        assert [each["_id"] for each in data.words.find()] == ["real"]

    # The same again is unchanged; without the branch it is another version, on the data.
    assert platform.deploy("shop", NOTES, db_branch="exp")[-1].unchanged
    list(platform.client.restart("shop"))
    assert notes(url) == ["real", "tried"]
    assert platform.deploy("shop", NOTES)[-1].version == 3
    assert notes(url) == ["real"]
    assert platform.app("shop").db_branch is None

    # A rollback brings the branch back, as long as it is there.
    assert list(platform.client.rollback("shop", 2))[-1].version == 4
    assert platform.app("shop").db_branch == "exp"
    assert notes(url) == ["real", "tried"]
    list(platform.client.rollback("shop", 1))
    platform.client.drop_branch("exp")
    failed = list(platform.client.rollback("shop", 4))[-1]
    assert failed.stage == "failed"
    assert 'no branch "exp"' in failed.diagnostics[0].message
    assert notes(url) == ["real"], "what serves was not touched"
    assert platform.app("shop").state is State.RUNNING


def test_a_branch_that_is_not_there_is_named_before_anything_is_stored(platform: Platform) -> None:
    failed = platform.deploy_failed("early", NOTES, db_branch="nope")
    assert failed.failed_stage == "validate"
    assert 'no branch "nope"' in failed.diagnostics[0].message
    assert failed.diagnostics[0].hint == "Make it: gofastapi db branch nope"
    failed = platform.deploy_failed("early", NOTES, db_branch="No/Name")
    assert "cannot be a branch's name" in failed.diagnostics[0].message
    platform.deploy_live("early", NOTES, db_branch="main")
    assert platform.app("early").db_branch is None


def test_a_draft_goes_on_with_the_branch_of_what_is_live(platform: Platform) -> None:
    from gofastapi_ext.core.bundle import Bundle, BundleFile
    from gofastapi_ext.core.drafts import DraftSave
    from gofastapi_ext.core.models import DeployRequest

    branched(platform, "going-on")
    platform.deploy_live("drafted", NOTES, db_branch="going-on")
    bundle = Bundle(files={"main.py": BundleFile(text=NOTES + "# changed\n")})
    platform.client.save_draft("drafted", DraftSave(bundle=bundle), "*")
    last = list(platform.client.deploy("drafted", DeployRequest()))[-1]
    assert last.version == 2, last.diagnostics
    assert platform.app("drafted").db_branch == "going-on"
    last = list(platform.client.deploy("drafted", DeployRequest(db_branch="main")))[-1]
    assert last.version == 3, last.diagnostics
    assert platform.app("drafted").db_branch is None


def test_a_branch_is_not_dropped_under_a_running_app_unless_it_is_meant(platform: Platform) -> None:
    branched(platform, "held")
    url = platform.deploy_live("holder", NOTES, db_branch="held")
    with pytest.raises(ConflictError, match="holder runs on the branch"):
        platform.client.drop_branch("held")
    assert notes(url) is not None
    platform.client.drop_branch("held", force=True)
    app = platform.until_state("holder", State.STOPPED)
    assert 'branch "held"' in (app.reason or "")
    assert "of the database was dropped" in get(url).text
    last = list(platform.client.start("holder"))[-1]
    assert last.stage == "failed"
    assert 'no branch "held"' in last.diagnostics[0].message
    platform.deploy_live("holder", NOTES)


def test_names_times_and_numbers_are_checked(platform: Platform) -> None:
    for name in ("", "main", "A", "a b", "$x", "a.b", "x" * 41, "-a", "a\x00", "../a", "ä", "a/b"):
        with pytest.raises((InvalidNameError, InvalidRequestError, NotFoundError)):
            list(platform.client.create_branch(name))
    for ttl in ("0s", "soon", "1000d", "-1h"):
        with pytest.raises(InvalidRequestError):
            list(platform.client.create_branch("fine", ttl=ttl))
    with pytest.raises(NotFoundError, match="Make it"):
        platform.client.branch("fine")
    for number in range(5):
        branched(platform, f"b{number}")
    with pytest.raises(ConflictError, match="limit"):
        list(platform.client.create_branch("b5"))
    with pytest.raises(ConflictError, match="already"):
        list(platform.client.create_branch("b1"))
    with pytest.raises(InvalidRequestError, match="confirm"):
        platform.client._request("DELETE", "/api/database/branches/b1")
    before = platform.client.branch("b1").expires_at
    after = platform.client.extend_branch("b1", "7d").expires_at
    assert before is not None
    assert after is not None
    assert (after - before).days == 6


def test_a_branch_of_a_backup(platform: Platform) -> None:
    with user_data(platform) as data:
        data.words.delete_many({})
        data.words.insert_one({"_id": "then"})
        backup = list(platform.client.back_up())[-1].backup
        assert backup is not None
        data.words.insert_one({"_id": "now"})
    view = list(platform.client.create_branch("then", backup=backup.id))[-1].branch
    assert view is not None
    with user_data(platform, "then") as copy:
        assert [each["_id"] for each in copy.words.find()] == ["then"]


def test_promoting_makes_a_branch_the_data_and_can_be_undone(platform: Platform) -> None:
    with user_data(platform) as data:
        data.words.delete_many({})
    on_data = platform.deploy_live("on-data", NOTES)
    note(on_data, "before")
    branched(platform, "next")
    on_branch = platform.deploy_live("on-branch", NOTES, db_branch="next")
    note(on_branch, "tried")
    note(on_data, "lost")
    own, database = platform.client.database().name, platform.client.branch("next").database
    with pytest.raises(InvalidRequestError, match="confirm its name: next"):
        platform.client._request("POST", "/api/database/branches/next/promote", content='{"confirm": "yes"}')

    events = list(platform.client.promote_branch("next"))
    assert [event.app.app for event in events if event.app is not None] == ["on-data"]
    assert events[-1].stage is DataStage.DONE
    assert platform.client.database().name == database
    assert platform.client.branches() == []
    assert notes(on_data) == notes(on_branch) == ["before", "tried"]
    note(on_branch, "after")
    assert notes(on_data) == ["after", "before", "tried"]
    assert platform.app("on-branch").db_branch is None
    list(platform.client.restart("on-branch"))
    assert notes(on_branch) == ["after", "before", "tried"], "what was deployed with the branch is on the data"
    with pytest.raises(ConflictError, match="on-branch was deployed with it"):
        list(platform.client.create_branch("next"))

    list(platform.client.undo_restore())
    assert platform.client.database().name == own
    assert notes(on_data) == ["before", "lost"]
    assert [branch.name for branch in platform.client.branches()] == ["next"], "it is a branch again"
    assert notes(on_branch) == ["after", "before", "tried"]
    assert platform.app("on-branch").db_branch == "next"


def test_a_branch_is_dropped_by_itself_once_nobody_uses_it(platform: Platform) -> None:
    brief = branched(platform, "brief", ttl="1s")
    view = branched(platform, "used")
    url = platform.deploy_live("user", NOTES, db_branch="used")
    platform.client.extend_branch("used", "1s")
    until(lambda: all(branch.expired for branch in platform.client.branches()))
    plan = platform.client.cleanup(dry_run=True).items
    assert ("branch", "used") not in [(item.what, item.name) for item in plan], "an app runs on it"
    platform.client.cleanup(dry_run=False)
    assert [branch.name for branch in platform.client.branches()] == ["used"]
    assert brief.database not in physical(platform)
    assert notes(url) == notes(platform.deploy_live("user", NOTES, db_branch="used"))

    platform.client.sleep("user")
    # The loop of the service does it, too, and may be faster.
    platform.client.cleanup(dry_run=False)
    until(lambda: platform.client.branches() == [], 40)
    assert view.database not in physical(platform)
    app = platform.until_state("user", State.STOPPED)
    assert "came to its end" in (app.reason or "")
    assert "came to its end" in get(url).text
