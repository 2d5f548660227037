"""Secrets are never to be read again: not through the API, not on disk, not in what an app prints or fails with."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import httpx
import pytest
from bson import encode
from support.platform import Platform, get, running_platform
from support.secrets import SECRET, database_of, put_secrets
from support.waiting import until

from gofastapi_ext.core.models import CloneRequest
from gofastapi_ext.core.variables import EnvChange, Setting

KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nend\n-----END KEY-----\n"
HEAD = "import os, sys, json, base64\nfrom urllib.parse import quote, quote_plus\nfrom fastapi import FastAPI\n"
TALKS = (
    HEAD
    + """
SECRET, KEY = os.environ.get("TOKEN", ""), os.environ.get("KEY", "")

def forms(text):
    data = text.encode()
    return [text, json.dumps(text), json.dumps([text], ensure_ascii=False), repr(text), repr(data), quote(text),
            quote(text, safe=""), quote_plus(text), base64.b64encode(data).decode(),
            base64.urlsafe_b64encode(b"user:" + data).decode()]

def tell(where):
    for form in forms(SECRET) + forms(KEY):
        print(where, form)
        print(where, form, file=sys.stderr)
    sys.stdout.write("[" + SECRET[:7]); sys.stdout.flush()
    sys.stdout.write(SECRET[7:] + "]\\n"); sys.stdout.flush()
    print("." * 70_000 + SECRET + "." * 70_000)
    for line in KEY.splitlines():
        print(where, line)

if SECRET:
    tell("start")
app = FastAPI()

@app.get("/")
def root():
    tell("request")
    print("the end")
    return SECRET

@app.get("/break")
def broken():
    raise ValueError(f"cannot log in with {SECRET!r} and {KEY}")
"""
)
FAILS = (
    HEAD
    + "app = FastAPI()\nsecret = os.environ['TOKEN']\nraise RuntimeError(f'{secret} is not good, nor is {secret!r}')\n"
)


def shown_forms(secret: str) -> list[str]:
    """What must not be found anywhere."""
    data = secret.encode()
    forms = [secret, json.dumps(secret)[1:-1], quote(secret), quote_plus(secret), base64.b64encode(data).decode()[:-4]]
    return [*forms, *(line for line in secret.splitlines() if len(line) >= 8)]


def assert_hidden(text: str, where: str) -> None:
    for secret in (SECRET, KEY):
        for form in shown_forms(secret):
            assert form not in text, f"{form!r} in {where}"


@pytest.fixture
def own() -> Iterator[Platform]:
    """A service of the test's own, to be hurt."""
    with running_platform() as running:
        yield running


def test_a_secret_is_found_nowhere(own: Platform) -> None:
    url = own.deploy_live("talks", TALKS)
    put_secrets(own, "talks", TOKEN=SECRET, KEY=KEY)
    assert get(url).json() == SECRET
    assert get(url, "/break").status_code == 500
    until(lambda: "ValueError" in own.logs("talks") and "the end" in own.logs("talks"), what="the log is written")
    log = own.logs("talks", tail=10_000)
    assert_hidden(log, "the log")
    for told in ("start ***", "request ***", "[***]", "cannot log in with '***'", "....***...."):
        assert told in log, told

    failed = own.deploy_failed("talks", FAILS)
    assert "*** is not good, nor is '***'" in failed.diagnostics[0].message
    assert failed.diagnostics[0].traceback
    assert_hidden(failed.model_dump_json(), "the stages of a deploy")
    put_secrets(own, "never", TOKEN=SECRET, KEY=KEY)
    own.deploy_failed("never", FAILS)
    assert "is not good" in (own.app("never").reason or "")
    own.client.clone("talks", CloneRequest(to="copied", source="live"))

    with httpx.Client(
        timeout=30, transport=httpx.HTTPTransport(uds=str(own.places.socket)), base_url="http://x"
    ) as http:
        [error, *_] = http.get("/api/apps/talks/errors").json()
        other = {"backup_id": "20260101-000000-abcdef", "name": "none", "collection": "none", "key": "1"}
        paths = [
            path.format(app_id=app, number=1, path="main.py", sha256="0" * 64, error_id=error["id"], **other)
            for path, verbs in http.get("/api/openapi.json").json()["paths"].items()
            if "get" in verbs
            for app in ("talks", "never", "copied")
        ]
        assert {"/api/apps/talks/env", f"/api/errors/{error['id']}", "/api/events"} <= set(paths)
        for path in [*paths, "/metrics"]:
            answer = http.get(path)
            assert_hidden(answer.text + json.dumps(answer.text), path)
        assert_hidden(http.get("/api/apps", params={"deleted": "true"}).text, "the list of apps")
        bad = {"set": {"TOKEN": {"value": SECRET, "secret": "perhaps"}}}
        refused = http.put("/api/apps/talks/env", json=bad)
        assert refused.status_code == 422
        assert_hidden(refused.text, "a refusal")
    assert [(v.name, v.value, v.secret) for v in own.client.env("talks").variables] == [
        ("KEY", None, True),
        ("TOKEN", None, True),
    ]

    with database_of(own) as database:
        documents = {name: list(database[name].find()) for name in database.list_collection_names()}
    assert documents["env"]
    for name, found in documents.items():
        for content in map(encode, found):
            assert SECRET.encode() not in content, name
            assert KEY.encode() not in content, name
            assert_hidden(content.decode("utf-8", "replace"), name)
    own.stop()
    for path in own.places.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert SECRET.encode() not in content, path
            assert b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" not in content, path


def test_a_clone_gets_variables_but_only_the_names_of_secrets(platform: Platform) -> None:
    url = platform.deploy_live("original", TALKS)
    put_secrets(platform, "original", TOKEN=SECRET)
    list(platform.client.change_env("original", EnvChange(set={"PLAIN": Setting(value="1")})))
    clone = platform.client.clone("original", CloneRequest(to="the-copy", source="live"))
    assert clone.missing_secrets == ["TOKEN"]
    seen = {v.name: (v.value, v.missing) for v in platform.client.env("the-copy").variables}
    assert seen == {"PLAIN": ("1", False), "TOKEN": (None, True)}
    assert get(url).json() == SECRET
