"""Stop, start, restart, clone and rename; and a crash in the middle of it."""

from __future__ import annotations

import os
import signal
from threading import Thread

import httpx
import pytest
from support.hello import HEAD, bundle, hello, last, set_env
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.drafts import CodeState, DraftSave
from gofastapi_ext.core.errors import (
    ConflictError,
    GoFastAPIError,
    InvalidNameError,
    InvalidRequestError,
    NotFoundError,
)
from gofastapi_ext.core.lifecycle import Stage, State
from gofastapi_ext.core.models import AppChange, CloneRequest, DeployRequest


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
