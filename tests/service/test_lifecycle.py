"""Stop, start, restart, clone, rename, delete and restore: the rest of an app's life."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.drafts import CodeState, DraftSave
from gofastapi_ext.core.errors import (
    ConflictError,
    InvalidNameError,
    InvalidRequestError,
    NotFoundError,
)
from gofastapi_ext.core.lifecycle import Stage, State
from gofastapi_ext.core.models import AppChange, CloneRequest, StageEvent
from gofastapi_ext.core.variables import EnvChange, Setting

HEAD = "import os\nfrom fastapi import FastAPI\n"


def hello(word: str) -> str:
    return HEAD + f"app = FastAPI()\n@app.get('/')\ndef root(): return [{word!r}, os.environ.get('WORD')]\n"


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


def last(events: object) -> StageEvent:
    return list(events)[-1]  # type: ignore[call-overload]


def bundle(source: str) -> Bundle:
    return Bundle(files={"main.py": BundleFile(text=source)})


def set_env(platform: Platform, app_id: str, secret: bool = False, **values: str) -> StageEvent:
    settings = {name: Setting(value=value, secret=secret) for name, value in values.items()}
    return last(platform.client.change_env(app_id, EnvChange(set=settings)))


def folder(platform: Platform, app_id: str) -> Path:
    return platform.places.home / "apps" / app_id


def test_a_stopped_app_has_no_process_says_so_and_starts_at_its_old_address(platform: Platform) -> None:
    url = platform.deploy_live("rests", hello("one"))
    [instance] = platform.app("rests").instances
    view = platform.client.stop("rests")
    assert (view.state, view.version, view.url) == (State.STOPPED, 1, url)
    until(lambda: not platform.app("rests").instances, what="process gone")
    with pytest.raises(ProcessLookupError):
        os.kill(instance.pid, 0)
    answer = get(url)
    assert answer.status_code == 503
    assert "stopped by its owner" in answer.text
    assert platform.client.stop("rests").state is State.STOPPED

    started = list(platform.client.start("rests"))
    assert [event.stage for event in started] == [Stage.START, Stage.READY, Stage.LIVE]
    assert (started[-1].version, started[-1].url) == (1, url)
    assert get(url).json() == ["one", None]
    assert last(platform.client.start("rests")).unchanged


def test_a_request_under_way_is_answered_when_its_app_is_stopped(platform: Platform) -> None:
    source = HEAD + (
        "import asyncio\napp = FastAPI()\n"
        "@app.get('/')\nasync def slow():\n"
        "    print('taken', flush=True)\n    await asyncio.sleep(1)\n    return 'done'\n"
    )
    url = platform.deploy_live("slow", source)
    with httpx.Client(timeout=30, trust_env=False) as client, client.stream("GET", f"{url}/docs") as first:
        first.read()
        from threading import Thread

        answers: list[object] = []
        thread = Thread(target=lambda: answers.append(client.get(url).json()))
        thread.start()
        until(lambda: "taken" in platform.logs("slow"), what="under way")
        platform.client.stop("slow")
        thread.join(30)
    assert answers == ["done"]


def test_a_deploy_starts_a_stopped_app_and_a_failed_one_leaves_it_stopped(platform: Platform) -> None:
    url = platform.deploy_live("once-more", hello("one"))
    platform.client.stop("once-more")
    platform.deploy_failed("once-more", HEAD + "raise RuntimeError('no')\napp = FastAPI()\n")
    view = platform.app("once-more")
    assert (view.state, view.version) == (State.STOPPED, 1)
    assert view.reason is not None
    assert "no" in view.reason
    assert platform.deploy_live("once-more", hello("two")) == url
    assert get(url).json() == ["two", None]
    assert (platform.app("once-more").state, platform.app("once-more").reason) == (State.RUNNING, None)


def test_stopped_apps_stay_stopped_over_a_restart_of_the_service() -> None:
    with running_platform() as own:
        url = own.deploy_live("rests", hello("one"))
        own.deploy_live("runs", hello("one"))
        own.client.stop("rests")
        assert own.process is not None
        own.process.kill()
        own.process.wait(5)
        own.start()
        own.until_state("runs", State.RUNNING)
        assert own.app("rests").state is State.STOPPED
        assert get(url).status_code == 503
        assert last(own.client.start("rests")).url == url


def test_what_has_no_version_is_neither_stopped_nor_started(platform: Platform) -> None:
    platform.deploy_failed("never", HEAD + "raise RuntimeError('no')\napp = FastAPI()\n")
    with pytest.raises(ConflictError, match="nothing of it is deployed yet"):
        platform.client.stop("never")
    for start in (platform.client.start, platform.client.restart):
        with pytest.raises(NotFoundError, match="Deploy it first"):
            list(start("never"))


def test_a_restart_takes_over_without_a_pause(platform: Platform) -> None:
    url = platform.deploy_live("freshened", hello("one"))
    [before] = platform.app("freshened").instances
    assert [event.stage for event in platform.client.restart("freshened")] == [Stage.START, Stage.READY, Stage.LIVE]
    assert platform.app("freshened").instances[0].pid != before.pid
    assert platform.app("freshened").version == 1
    assert get(url).json() == ["one", None]


def test_an_app_that_no_longer_starts_goes_on_when_it_is_restarted(platform: Platform) -> None:
    """What it stands on has changed; the instance that runs has all it needs."""
    flag = platform.places.home / "broken"
    source = HEAD + f"import pathlib\nif pathlib.Path({str(flag)!r}).exists(): raise RuntimeError('gone bad')\n"
    url = platform.deploy_live("fragile", source + hello("fine").removeprefix(HEAD))
    [before] = platform.app("fragile").instances
    flag.touch()
    failed = last(platform.client.restart("fragile"))
    assert failed.stage is Stage.FAILED
    assert "gone bad" in failed.diagnostics[0].message
    assert platform.app("fragile").instances == [before]
    assert get(url).json() == ["fine", None]
    platform.client.stop("fragile")
    assert last(platform.client.start("fragile")).stage is Stage.FAILED
    view = platform.app("fragile")
    assert view.state is State.STOPPED
    assert "gone bad" in str(view.reason)
    assert "gone bad" in get(url).text


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


def test_a_clone_has_code_and_variables_but_no_secrets(platform: Platform) -> None:
    platform.deploy_live("origin", hello("one"), env={"MODE": "x"})
    set_env(platform, "origin", WORD="kept")
    set_env(platform, "origin", secret=True, TOKEN="s3cr3t-word", OTHER="s3cr3t-two")
    platform.client.save_draft("origin", DraftSave(bundle=bundle(hello("draft"))))

    result = platform.client.clone("origin", CloneRequest(to="copy"))
    assert (result.app.id, result.app.state, result.app.version) == ("copy", State.NEW, None)
    assert sorted(result.missing_secrets) == ["OTHER", "TOKEN"]
    assert result.app.code_state is CodeState.NOT_DEPLOYED
    assert platform.client.draft("copy").bundle == bundle(hello("draft"))
    shown = {v.name: (v.value, v.secret, v.missing) for v in platform.client.env("copy").variables}
    assert shown == {"OTHER": (None, True, True), "TOKEN": (None, True, True), "WORD": ("kept", False, False)}
    from gofastapi_ext.core.models import DeployRequest

    stages = list(platform.client.deploy("copy", DeployRequest()))
    assert stages[-1].stage is Stage.LIVE
    assert {d.code for d in stages[0].diagnostics} == {"missing_secret"}
    assert get(str(stages[-1].url)).json() == ["draft", "kept"]
    assert platform.app("copy").code_state is CodeState.UP_TO_DATE

    live = platform.client.clone("origin", CloneRequest(to="copy-of-live", source="live"))
    assert live.app.draft is not None
    assert live.app.draft.code_hash == platform.app("origin").code_hash
    platform.deploy_live("origin", hello("two"))
    platform.client.clone("origin", CloneRequest(to="copy-of-one", source="1"))
    assert platform.client.draft("copy-of-one").bundle == bundle(hello("one"))


def test_a_rollback_does_not_put_into_the_open_what_is_secret_by_now(platform: Platform) -> None:
    platform.deploy_live("grown", hello("one"), env={"WORD": "in-the-open"})
    platform.deploy_live("grown", hello("two"))
    assert set_env(platform, "grown", secret=True, WORD="s3cr3t-word").stage is Stage.LIVE
    refused = platform.deploy_failed("grown", hello("three"), env={"WORD": "in-the-open"})
    assert refused.diagnostics[0].code == "variable_is_secret"
    with pytest.raises(InvalidRequestError, match="WORD is a secret of grown"):
        platform.client.save_draft("grown", DraftSave(bundle=bundle(hello("three")), env={"WORD": "in-the-open"}))
    stages = list(platform.client.rollback("grown", 1))
    assert [d.code for d in stages[0].diagnostics] == ["variable_is_secret"]
    assert get(str(stages[-1].url)).json() == ["one", "s3cr3t-word"]


def test_a_clone_overwrites_nothing(platform: Platform) -> None:
    platform.deploy_live("first", hello("one"))
    platform.deploy_live("second", hello("two"))
    platform.deploy_live("third", hello("three"))
    platform.client.delete("third")
    with pytest.raises(ConflictError, match='There is an app "second" already'):
        platform.client.clone("first", CloneRequest(to="second"))
    with pytest.raises(ConflictError, match="gofastapi rm --forever third"):
        platform.client.clone("first", CloneRequest(to="third"))
    with pytest.raises(InvalidNameError):
        platform.client.clone("first", CloneRequest(to="Not A Name"))
    with pytest.raises(NotFoundError, match="no version 9"):
        platform.client.clone("first", CloneRequest(to="fourth", source="9"))
    with pytest.raises(InvalidRequestError, match="number of a version"):
        platform.client.clone("first", CloneRequest(to="fourth", source="latest"))
    with pytest.raises(NotFoundError):
        platform.app("fourth")


def test_the_title_is_shown_and_the_address_stays(platform: Platform) -> None:
    url = platform.deploy_live("plain", "from fastapi import FastAPI\nfrom fastapi.responses import HTMLResponse\n"
        "app = FastAPI()\n@app.get('/', response_class=HTMLResponse)\n"
        "def root(): return '<html><head></head><body>hi</body></html>'\n")  # fmt: skip
    assert platform.app("plain").title == "plain"
    assert platform.client.change("plain", AppChange(title="  My  first app ")).title == "My first app"
    assert platform.app("plain").url == url
    list(platform.client.restart("plain"))
    assert "My first app" in get(url).text
    assert platform.client.change("plain", AppChange(title="")).title == "plain"
    with pytest.raises(InvalidRequestError):
        platform.client.change("plain", AppChange(title="a\x07b"))


def test_a_crash_at_any_point_of_stop_delete_and_restore_ends_at_the_target() -> None:
    with running_platform() as own:
        for number in range(4):
            name = f"hurt-{number}"
            own.deploy_live(name, hello(name))
            delete, stop = number % 2 == 0, number % 2 == 1
            from threading import Thread

            from gofastapi_ext.client.client import Client
            from gofastapi_ext.core.errors import GoFastAPIError

            def act(name: str = name, delete: bool = delete, stop: bool = stop) -> None:
                with Client(own.places) as client:
                    try:
                        if delete:
                            client.delete(name)
                        if stop:
                            client.stop(name)
                    except GoFastAPIError:
                        pass

            thread = Thread(target=act)
            thread.start()
            thread.join(0.01 * number)
            assert own.process is not None
            os.kill(own.process.pid, signal.SIGKILL)
            own.process.wait(5)
            thread.join()
            own.start()
            if name in [app.id for app in own.client.apps(deleted=True)]:
                list(own.client.restore(name))
            elif own.app(name).state is State.STOPPED:
                list(own.client.start(name))
            view = own.until_state(name, State.RUNNING)
            assert get(str(view.url)).json() == [name, None]
