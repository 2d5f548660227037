"""What hurts a draft: hostile paths and contents, a service that dies in the middle of a save, damaged code."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psutil
import pytest
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.drafts import DraftFileSave, DraftSave
from gofastapi_ext.core.errors import (
    ConflictError,
    GoFastAPIError,
    InvalidBundleError,
    InvalidNameError,
    InvalidRequestError,
    UnavailableError,
)
from gofastapi_ext.core.models import DeployRequest


def hello(word: str) -> str:
    return f"from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root(): return {word!r}\n"


def bundle(**files: str) -> Bundle:
    """`routers__users_py` is the file `routers/users.py`."""
    named = {name.replace("__", "/").replace("_", "."): BundleFile(text=text) for name, text in files.items()}
    return Bundle(files=named)


def ask(platform: Platform, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
    """A request with the path exactly as it stands here, which other clients would tidy."""
    connection = http.client.HTTPConnection("gofastapi")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(platform.places.socket))
    try:
        headers = {"Content-Type": "application/json", "If-Match": "*"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else {}
    finally:
        connection.close()


HOSTILE_PATHS = {
    "%2e%2e/evil.py": "relative, inside the app",
    "../evil.py": "relative, inside the app",
    "..%2Fevil.py": "relative, inside the app",
    "a/%2e%2e/%2e%2e/evil.py": "relative, inside the app",
    "%2Fetc%2Fpasswd": "relative, inside the app",
    "/etc/passwd": "relative, inside the app",
    "a//b.py": "in its shortest form",
    "a/./b.py": "in its shortest form",
    "a/": "in its shortest form",
    ".": "in its shortest form",
    "": "between 1 and 400 characters",
    "x" * 401: "between 1 and 400 characters",
    "a%5Cb.py": "no backslashes",
    "..%5C..%5Cevil.py": "no backslashes",
    "a%00.py": "no control characters",
    "a%0Ab.py": "Not Found",
    "a%7F.py": "no control characters",
    "%E2%80%AEyp.py": "no control characters",
    "%FF.py": "text in UTF-8",
    "%ED%A0%80.py": "text in UTF-8",
    "main.py/x.py": "is a file and cannot hold",
    "routers": "is a file and cannot hold",
    "MAIN.py": "differ only in case",
    "Routers/users.py": "differ only in case",
    "caf%65%CC%81.py": "differ only in case or Unicode form",
}


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_hostile_paths_are_refused_in_words(platform: Platform, path: str) -> None:
    wanted = bundle(main_py="m", routers__users_py="u", **{"caf\N{LATIN SMALL LETTER E WITH ACUTE}_py": "c"})
    saved = platform.client.save_draft("hostile", DraftSave(bundle=wanted), "*")
    status, answer = ask(platform, "PUT", f"/api/apps/hostile/draft/files/{path}", {"file": {"text": "evil"}})
    assert (status, answer["code"]) in ((422, "invalid_bundle"), (404, "not_found"))
    assert HOSTILE_PATHS[path] in answer["message"]
    for method in ("GET", "DELETE"):
        status, answer = ask(platform, method, f"/api/apps/hostile/draft/files/{path}")
        assert status in (404, 422), answer
        assert answer["code"] in ("invalid_bundle", "not_found")
    assert platform.client.draft("hostile") == saved


@pytest.mark.parametrize("path", ["../evil.py", "/etc/passwd", "a\\b", "a\0b", "\ud800", "a/../b", ""])
def test_the_client_sends_no_such_path(platform: Platform, path: str) -> None:
    with pytest.raises(InvalidBundleError):
        platform.client.draft_file("hostile", path)


@pytest.mark.parametrize("files", [
    {"../evil.py": {"text": "x"}},
    {"/etc/passwd": {"text": "x"}},
    {"a\\b": {"text": "x"}},
    {"a\0b": {"text": "x"}},
    {"\ud800.py": {"text": "x"}},
    {"main.py": {"text": "\ud800"}},
    {"a": {"text": "x"}, "a/b": {"text": "y"}},
    {"A.py": {"text": "x"}, "a.py": {"text": "y"}},
    {"caf\N{LATIN SMALL LETTER E WITH ACUTE}": {"text": "x"}, "cafe\N{COMBINING ACUTE ACCENT}": {"text": "y"}},
    {"main.py": {"base64": "&"}},
    {"main.py": {"blob": "nonsense"}},
    {"main.py": {"blob": "a" * 64, "blob_bytes": 5}},
    {"main.py": {"text": "one", "blob": "a" * 64}},
    {"main.py": {"text": "x" * 5_000_001}},
    {f"f{n}.py": {"text": "x"} for n in range(501)},
    "nonsense",
])  # fmt: skip
def test_hostile_drafts_are_refused_in_words_and_make_no_app(platform: Platform, files: object) -> None:
    status, answer = ask(platform, "PUT", "/api/apps/no-app/draft", {"bundle": {"files": files}})
    assert (status, answer["code"] in ("invalid_request", "invalid_bundle")) == (422, True), answer
    assert answer["message"]
    if isinstance(files, dict) and len(files) == 1:
        [(path, file)] = files.items()
        if path == "main.py":
            status, _ = ask(platform, "PUT", "/api/apps/no-app/draft/files/main.py", {"file": file})
            assert status == 422
        body = {"source": "main.py", "target": path}
        status, _ = ask(platform, "POST", "/api/apps/no-app/draft/move", body)
        assert status in (404, 422)


@pytest.mark.parametrize(
    "beside",
    [
        {"origins": {"main.py": [{"label": "\ud800"}]}},
        {"origins": {"\ud800": [{"label": "x"}]}},
        {"origins": {"main.py": [{"label": "x" * 401}]}},
        {"origins": {f"f{n}.py": [{"label": "x"}] * 100 for n in range(300)}},
        {"origins": {"main.py": [{"label": "x" * 400, "notebook": "y" * 400}] * 2000}},
        {"interpreter": "\ud800"},
        {"env": {"WORD": "\ud800"}},
        {"env": {"\ud800": "x"}},
        {"bundle": {"files": {}, "main": "\ud800"}},
        {"bundle": {"files": {}, "entrypoint": "\ud800"}},
        {"bundle": {"files": {}, "requirements": ["\ud800"]}},
        {"bundle": {"files": {}, "requirements": ["x"] * 1001}},
    ],
)
def test_what_goes_beside_the_files_is_looked_at_too(platform: Platform, beside: dict[str, object]) -> None:
    body = {"bundle": {"files": {"main.py": {"text": "x"}}}} | beside
    status, answer = ask(platform, "PUT", "/api/apps/no-app/draft", body)
    assert (status, answer["code"]) == (422, "invalid_request")


def test_errors_that_quote_what_is_no_text_are_answered(platform: Platform) -> None:
    platform.client.save_draft("quoted", DraftSave(bundle=bundle(main_py="m")))
    for method, path, body in (
        ("PUT", "/api/apps/quoted/env", {"set": {"\ud800": {"value": "x"}}}),
        ("POST", "/api/apps/quoted/clone", {"to": "\ud800"}),
    ):
        status, answer = ask(platform, method, path, body)
        assert (status, bool(answer["message"])) == (422, True), answer


def test_a_body_that_no_app_needs_is_refused_while_it_comes(platform: Platform) -> None:
    before = psutil.Process(platform.client.service().pid).memory_info().rss
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 400_000_000:
            sent += 1_000_000
            yield b" " * 1_000_000

    answer = put_draft(platform, endless())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "more than 64.0 MB. No app of up to 20.0 MB" in answer.json()["message"]
    assert sent < 80_000_000
    assert psutil.Process(platform.client.service().pid).memory_info().rss - before < 150_000_000


def test_a_body_that_says_it_is_too_long_is_refused_before_it_comes(platform: Platform) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(30)
        connection.connect(str(platform.places.socket))
        head = "PUT /api/apps/no-app/draft HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
        connection.sendall(f"{head}64000001\r\n\r\n".encode())
        # Nothing of it is sent, and there is an answer all the same.
        assert connection.recv(100_000).startswith(b"HTTP/1.1 413 ")


def test_who_is_still_sending_when_the_answer_comes_can_read_it(platform: Platform) -> None:
    """It is there at once, and the connection is not reset below it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(30)
        connection.connect(str(platform.places.socket))
        head = "POST /api/database/collections/system.users/import HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        connection.sendall(f"{head}Content-Length: 5000000\r\n\r\n".encode() + b"{}\n" * 1000)
        answer = b""
        while b"system." not in answer:
            part = connection.recv(100_000)
            assert part, answer
            answer += part
        assert answer.startswith(b"HTTP/1.1 422 ")
        connection.sendall(b"{}\n" * 1_500_000)
        assert connection.recv(100_000) == b""


@pytest.mark.parametrize("escaped", [True, False])
def test_the_largest_app_there_may_be_fits_however_it_is_written(platform: Platform, escaped: bool) -> None:
    """Letters of two bytes, which take six where JSON is to be ASCII; and zeros, of which JSON makes six each."""
    texts = {f"{n}.txt": {"text": "é" * 2_490_000} for n in range(3)}
    binaries = {f"{n}.bin": BundleFile.from_bytes(b"\0" * 4_990_000).model_dump() for n in range(1)}
    body = {"bundle": {"files": {"main.py": {"text": ""}, **texts, **binaries}, "main": "main.py"}}
    content = json.dumps(body, ensure_ascii=escaped).encode()
    assert len(content) > (50_000_000 if escaped else 20_000_000)
    answer = put_draft(platform, content)
    assert answer.status_code < 300, answer.text
    platform.client.delete("no-app", forever=True)


def put_draft(platform: Platform, content: bytes | Iterator[bytes]) -> httpx.Response:
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(transport=transport, base_url="http://gofastapi", timeout=60) as client:
        return client.put("/api/apps/no-app/draft", content=content, headers={"Content-Type": "application/json"})


def test_names_and_variables_are_checked_as_for_a_deploy(platform: Platform) -> None:
    with pytest.raises(InvalidNameError):
        platform.client.save_draft("No", DraftSave(bundle=bundle(main_py="m")))
    with pytest.raises(InvalidRequestError, match="PORT is set by the platform"):
        platform.client.save_draft("no-app", DraftSave(bundle=bundle(main_py="m"), env={"PORT": "1"}))
    assert "no-app" not in [app.id for app in platform.client.apps()]


@pytest.mark.parametrize("round_", range(3))
def test_kill_9_in_the_middle_of_many_saves_loses_nothing_that_was_acknowledged(round_: int) -> None:
    with running_platform() as platform:
        platform.client.save_draft("whole", DraftSave(bundle=bundle(main_py="0")))
        platform.client.save_draft("files", DraftSave(bundle=bundle(main_py="m")))
        acknowledged = {f"f{n}.py": 0 for n in range(3)}
        sent = dict(acknowledged)
        whole = [0]
        over = threading.Event()

        def save_whole() -> None:
            with Client(platform.places) as client:
                while not over.is_set():
                    # Large enough for several chunks, so that the end comes in the middle of one as well.
                    text = f"{whole[0] + 1}" + "x" * 400_000
                    try:
                        client.save_draft("whole", DraftSave(bundle=bundle(main_py=text)), "*")
                    except GoFastAPIError:
                        return
                    whole[0] += 1

        def save_file(path: str) -> None:
            with Client(platform.places) as client:
                while not over.is_set():
                    sent[path] += 1
                    try:
                        client.save_draft_file("files", path, DraftFileSave(file=BundleFile(text=str(sent[path]))), "*")
                    except ConflictError:
                        continue
                    except GoFastAPIError:
                        return
                    acknowledged[path] = sent[path]

        threads = [threading.Thread(target=save_whole)]
        threads += [threading.Thread(target=save_file, args=[path]) for path in sent]
        for thread in threads:
            thread.start()
        until(lambda: whole[0] >= 5 and min(acknowledged.values()) >= 5, 30, "saves under way")
        time.sleep(0.013 * round_)  # another moment of a save each time
        os.kill(platform.client.service().pid, signal.SIGKILL)
        over.set()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        assert platform.process is not None
        until(lambda: platform.process.poll() is not None)
        platform.start()

        read = platform.client.draft("whole")
        text = read.bundle.files["main.py"].text or ""
        assert int(text.rstrip("x")) in (whole[0], whole[0] + 1)
        assert read.bundle.code_hash == read.code_hash
        files = platform.client.draft("files").bundle.files
        for path, number in acknowledged.items():
            assert int(files[path].text or "0") in (number, sent[path]), path
        # And it goes on from there.
        platform.client.save_draft("whole", DraftSave(bundle=bundle(main_py=hello("after"))), read.etag)
        last = list(platform.client.deploy("whole", DeployRequest()))[-1]
        assert get(str(last.url)).json() == "after"
        with platform.database() as database:
            named = {draft["code_hash"] for draft in database["drafts"].find()}
            named |= {version["code_hash"] for version in database["versions"].find()}
            until(
                lambda: {file["_id"] for file in database["bundles.files"].find()} == named,
                what="only code that something names is stored",
            )


def test_mongod_killed_in_the_middle_of_saves_costs_no_save(platform: Platform) -> None:
    with running_platform() as hurt:
        hurt.client.save_draft("app", DraftSave(bundle=bundle(main_py="0")))
        done = [0]

        def save() -> None:
            with Client(hurt.places) as client:
                for number in range(1, 61):
                    etag = client.draft("app").etag
                    client.save_draft("app", DraftSave(bundle=bundle(main_py=str(number))), etag)
                    done[0] = number

        thread = threading.Thread(target=save)
        thread.start()
        until(lambda: done[0] >= 10, what="saves under way")
        os.kill(hurt.mongod_pid, signal.SIGKILL)
        thread.join(40)
        assert done[0] == 60
        assert hurt.client.draft("app").bundle == bundle(main_py="60")


def flip(platform: Platform, code_hash: str) -> None:
    """One letter of the stored code is another one."""
    with platform.database() as database:
        chunk = database["bundles.chunks"].find_one({"files_id": code_hash})
        assert chunk is not None
        data = bytes(chunk["data"])
        changed = data.replace(b"FastAPI()", b"FastAPl()")
        assert changed != data
        database["bundles.chunks"].update_one({"_id": chunk["_id"]}, {"$set": {"data": changed}})


def test_damaged_code_is_noticed_everywhere_and_what_is_live_goes_on() -> None:
    with running_platform() as platform:
        client = platform.client
        url = platform.deploy_live("app", hello("one"))
        platform.deploy_live("app", hello("two"))
        draft = client.save_draft("app", DraftSave(bundle=bundle(main_py=hello("draft"))))
        first = client.versions("app")[-1]
        flip(platform, first.code_hash)
        flip(platform, draft.code_hash)
        for refused in (
            lambda: list(client.rollback("app", 1)),
            lambda: list(client.deploy("app", DeployRequest())),
            lambda: client.version("app", 1),
            lambda: client.diff("app", 1, "live"),
            lambda: client.diff("app", 2, "draft"),
            lambda: client.draft("app"),
            lambda: client.draft_file("app", "main.py"),
            lambda: client.save_draft_file("app", "new.py", DraftFileSave(file=BundleFile(text="x"))),
        ):
            with pytest.raises(UnavailableError, match="is damaged and is not used"):
                refused()
        assert get(url).json() == "two"
        assert platform.app("app").version == 2
        assert client.version("app", 2).bundle == bundle(main_py=hello("two"))

        # Saved or deployed again from its source, it is whole again.
        client.save_draft("app", DraftSave(bundle=bundle(main_py=hello("draft"))), draft.etag)
        assert client.draft("app").bundle == bundle(main_py=hello("draft"))
        platform.deploy_live("app", hello("one"))
        assert get(url).json() == "one"
        assert client.version("app", 1).bundle == bundle(main_py=hello("one"))

        # A part of it that is missing is no better.
        with platform.database() as database:
            database["bundles.chunks"].delete_many({"files_id": draft.code_hash})
        with pytest.raises(UnavailableError, match="is damaged and is not used"):
            client.draft("app")
        overwritten = client.save_draft("app", DraftSave(bundle=bundle(main_py=hello("new"))), "*")
        assert client.draft("app") == overwritten
