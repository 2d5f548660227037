"""Delete and restore; what goes for good, when, and what stays its owner's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from support.hello import HEAD, bundle, hello, last, set_env
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.core.drafts import CodeState, DraftSave
from gofastapi_ext.core.errors import ConflictError, InvalidRequestError, NotFoundError
from gofastapi_ext.core.lifecycle import Stage, State
from gofastapi_ext.core.models import AppChange

WRITES = (
    HEAD
    + """
from pathlib import Path
app = FastAPI()
@app.post('/')
def write(): Path('notes.txt').write_text('kept')
@app.get('/')
def read(): return Path('notes.txt').read_text()
"""
)


def folder(platform: Platform, app_id: str) -> Path:
    return platform.places.home / "apps" / app_id


def test_a_deleted_app_comes_back_as_it_was(platform: Platform) -> None:
    url = platform.deploy_live("lost", WRITES)
    platform.deploy_live("lost", WRITES + "# two\n", env={"MODE": "x"})
    assert httpx.post(url, timeout=30, trust_env=False).status_code == 200
    set_env(platform, "lost", WORD="kept")
    set_env(platform, "lost", secret=True, TOKEN="s3cr3t-word")
    platform.client.change("lost", AppChange(title="Lost and found"))
    platform.client.save_draft("lost", DraftSave(bundle=bundle(hello("draft"))))

    gone = platform.client.delete("lost")
    assert gone.state is State.DELETED
    assert gone.restorable_until is not None
    week = gone.restorable_until - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < week <= timedelta(days=7)
    with pytest.raises(NotFoundError, match="gofastapi restore lost"):
        platform.app("lost")
    with pytest.raises(httpx.ConnectError):
        get(url)
    assert "lost" not in [app.id for app in platform.client.apps()]
    assert "lost" in [app.id for app in platform.client.apps(deleted=True)]

    back = last(platform.client.restore("lost"))
    assert (back.stage, back.version, back.url) == (Stage.LIVE, 2, url)
    assert get(url).json() == "kept"
    view = platform.app("lost")
    assert (view.title, view.deleted_at, view.code_state) == ("Lost and found", None, CodeState.NOT_DEPLOYED)
    assert [v.number for v in platform.client.versions("lost")] == [2, 1]
    variables = platform.client.env("lost").variables
    assert [(v.name, v.value, v.missing) for v in variables] == [("TOKEN", None, False), ("WORD", "kept", False)]
    assert platform.client.draft("lost").bundle == bundle(hello("draft"))
    with pytest.raises(ConflictError, match="is not deleted"):
        list(platform.client.restore("lost"))


def test_a_stopped_app_that_was_deleted_comes_back_stopped(platform: Platform) -> None:
    url = platform.deploy_live("quiet", hello("one"))
    platform.client.stop("quiet")
    platform.client.delete("quiet")
    assert last(platform.client.restore("quiet")).stage is Stage.SAVED
    assert platform.app("quiet").state is State.STOPPED
    assert get(url).status_code == 503


def test_a_deploy_to_a_deleted_app_brings_it_back_with_what_belongs_to_it(platform: Platform) -> None:
    url = platform.deploy_live("anew", hello("one"))
    set_env(platform, "anew", WORD="kept")
    platform.client.delete("anew")
    assert platform.deploy_live("anew", hello("two")) == url
    assert get(url).json() == ["two", "kept"]
    assert [v.number for v in platform.client.versions("anew")] == [2, 1]


def test_delete_wants_the_name_once_more(platform: Platform) -> None:
    platform.deploy_live("careful", hello("one"))
    for params in ({}, {"confirm": "other"}):
        with pytest.raises(InvalidRequestError, match=r"\?confirm=careful"):
            platform.client._request("DELETE", "/api/apps/careful", params=params)
    assert platform.app("careful").state is State.RUNNING


def test_what_is_deleted_for_good_leaves_nothing(platform: Platform) -> None:
    platform.deploy_live("traceless", hello("traceless-code"))
    set_env(platform, "traceless", secret=True, TOKEN="traceless-secret")
    platform.client.save_draft("traceless", DraftSave(bundle=bundle(hello("traceless-draft"))))
    platform.client.delete("traceless")
    platform.client.delete("traceless", forever=True)
    assert not folder(platform, "traceless").exists()
    with pytest.raises(NotFoundError):
        list(platform.client.restore("traceless"))
    assert "traceless" not in [app.id for app in platform.client.apps(deleted=True)]
    assert platform.deploy("traceless", hello("new"))[-1].version == 1
    assert platform.client.env("traceless").variables == []


def test_deleted_apps_go_for_good_when_their_time_is_over() -> None:
    with running_platform(GOFASTAPI_RESTORE_DAYS="0") as own:
        own.deploy_live("brief", hello("one"))
        own.client.delete("brief")
        with pytest.raises(NotFoundError):
            own.app("brief")
        own.stop()
        own.start()
        until(lambda: not folder(own, "brief").exists(), what="files gone")
        with own.database() as database:
            until(lambda: database.apps.find_one({"_id": "brief"})["purged"], what="the rest gone")
        with pytest.raises(NotFoundError, match="no deleted app"):
            list(own.client.restore("brief"))


def test_a_deleted_name_stays_its_owners(platform: Platform) -> None:
    """Somebody else's app: as far as one can tell, it does not exist; yet its name is taken."""
    platform.deploy_live("theirs", hello("theirs"))
    platform.client.delete("theirs")
    with platform.database() as database:
        owner = platform.client.me().user
        database.apps.update_one({"_id": "theirs"}, {"$set": {"owner": "somebody-else"}})
        with pytest.raises(ConflictError, match='The name "theirs" is taken'):
            platform.deploy("theirs", hello("ours"))
        with pytest.raises(ConflictError, match='The name "theirs" is taken'):
            platform.client.save_draft("theirs", DraftSave(bundle=bundle(hello("ours"))))
        for attempt in (
            lambda: list(platform.client.restore("theirs")),
            lambda: platform.client.delete("theirs", forever=True),
            lambda: platform.client.versions("theirs"),
        ):
            with pytest.raises(NotFoundError) as refused:
                attempt()
            assert "deleted on" not in str(refused.value)
        assert "theirs" not in [app.id for app in platform.client.apps(deleted=True)]
        database.apps.update_one({"_id": "theirs"}, {"$set": {"owner": owner}})
    assert get(str(last(platform.client.restore("theirs")).url)).json() == ["theirs", None]


def test_names_are_free_again_90_days_after_their_app_was_deleted() -> None:
    with running_platform() as own:
        for name in ("old", "older"):
            own.deploy_live(name, hello(name))
            own.client.delete(name, forever=True)
        with own.database() as database:
            for name, days in (("old", 89), ("older", 91)):
                then = datetime.now(UTC) - timedelta(days=days)
                database.apps.update_one({"_id": name}, {"$set": {"deleted_at": then, "owner": "somebody-else"}})
            own.stop()
            own.start()
        with own.database() as database:
            until(lambda: database.apps.count_documents({}) == 1, what="the name is released")
        with pytest.raises(ConflictError):
            own.deploy("old", hello("ours"))
        own.deploy_live("older", hello("ours"))


def test_code_that_a_crash_left_behind_is_swept() -> None:
    """Between storing a bundle and writing what names it; the bundles of versions and drafts stay."""
    with running_platform() as own:
        own.deploy_live("app", hello("one"))
        own.deploy_live("app", hello("two"))
        own.client.save_draft("app", DraftSave(bundle=bundle(hello("draft"))))
        own.client.save_draft("left", DraftSave(bundle=bundle(hello("left"))))
        used = {v.code_hash for v in own.client.versions("app")} | {own.client.draft("app").code_hash}
        with own.database() as database:
            database.drafts.delete_one({"_id": "left"})
            assert database["bundles.files"].count_documents({}) == 4
        assert own.process is not None
        own.process.kill()
        own.process.wait(5)
        own.start()
        with own.database() as database:
            until(lambda: {f["_id"] for f in database["bundles.files"].find()} == used, what="swept")
            # GridFS removes the file first, then its chunks
            until(lambda: {c["files_id"] for c in database["bundles.chunks"].find()} == used, what="chunks swept")
        assert list(own.client.rollback("app", 1))[-1].stage is Stage.LIVE
