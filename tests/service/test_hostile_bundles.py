"""Bundles nobody of ours would send: each is answered with 422 and words, and never with 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support.platform import Platform

APP = "from fastapi import FastAPI\napp = FastAPI()\n"
TEXT = {"text": "x"}


@pytest.fixture(scope="module")
def http(platform: Platform) -> Iterator[httpx.Client]:
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(transport=transport, base_url="http://platform", timeout=30) as client:
        yield client


def bundle(files: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"bundle": {"files": {"main.py": {"text": APP}, **files}, **more}}


def send(http: httpx.Client, body: dict[str, Any] | str) -> Iterator[httpx.Response]:
    """To everybody who takes a bundle."""
    content = body if isinstance(body, str) else json.dumps(body)
    headers = {"Content-Type": "application/json"}
    yield http.post("/api/validate", content=content, headers=headers)
    yield http.post("/api/apps/hostile/deploy", content=content, headers=headers)
    yield http.put("/api/apps/hostile/draft", content=content, headers=headers | {"If-None-Match": "*"})


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("../outside.py", "a path is relative, inside the app"),
        ("a/../../outside.py", "a path is relative, inside the app"),
        ("/etc/passwd", "a path is relative, inside the app"),
        ("./a.py", "in its shortest form"),
        ("a//b.py", "in its shortest form"),
        ("a/", "in its shortest form"),
        (".", "in its shortest form"),
        ("..", "in its shortest form"),
        ("", "between 1 and 400 characters"),
        ("a\\b.py", "no backslashes"),
        ("C:\\x.py", "no backslashes"),
        ("a\0b.py", "no control characters"),
        ("a\nb.py", "no control characters"),
        ("\u202eyp.a", "no control characters"),
        ("\ud800.py", "no control characters"),
        ("\ufffd.py", "UTF-8"),
        ("a/" * 250 + "x.py", "between 1 and 400 characters"),
        ("a" * 256, "at most 255 bytes"),
        ("\u00e9" * 200 + "/x.py", "at most 255 bytes"),
    ],
)
def test_a_path_that_cannot_be(http: httpx.Client, path: str, words: str) -> None:
    for response in send(http, bundle({path: TEXT})):
        assert response.status_code == 422, response.text
        message = response.json()["message"]
        assert message.startswith("bundle.files: '")
        assert words in message
        assert len(message) < 300


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"A.txt": TEXT, "a.txt": TEXT}, "'A.txt' and 'a.txt' differ only in case"),
        ({"A/x.txt": TEXT, "a/y.txt": TEXT}, "'A' and 'a' differ only in case"),
        ({"\u00e9": TEXT, "e\u0301": TEXT}, r"'\xe9' and 'e\u0301' differ only in case or Unicode form"),
        ({"a": TEXT, "a/b.txt": TEXT}, "'a' is a file and cannot hold 'a/b.txt'"),
        ({"A": TEXT, "a/b.txt": TEXT}, "'A' and 'a' differ only in case"),
        ({"MAIN.py": TEXT}, "'main.py' and 'MAIN.py' differ only in case"),
    ],
)
def test_paths_that_are_one_elsewhere(http: httpx.Client, files: dict[str, Any], words: str) -> None:
    for response in send(http, bundle(files)):
        assert response.status_code == 422, response.text
        assert words in response.json()["message"]


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        (".env", "A=1", "gofastapi env import NAME .env"),
        ("config/.env.production", "A=1", "gofastapi env import NAME .env.production"),
        ("server.key", "x", "may hold secrets"),
        ("cert.pem", "-----BEGIN RSA PRIVATE KEY-----", "may hold secrets"),
        ("notes.txt", "-----BEGIN OPENSSH PRIVATE KEY-----", "may hold secrets"),
        (".git/config", "x", ".git never goes into an app"),
        ("pkg/__pycache__/x.pyc", "x", "__pycache__ never goes into an app"),
    ],
)
def test_what_may_hold_secrets_never_goes_in(http: httpx.Client, path: str, text: str, words: str) -> None:
    body = bundle({path: {"text": text}})
    saved = http.put("/api/apps/hostile/draft", json=body, headers={"If-None-Match": "*"})
    assert (saved.status_code, saved.json()["code"]) == (422, "invalid_bundle")
    assert words in saved.json()["message"]
    deployed = json.loads(http.post("/api/apps/hostile/deploy", json=body).text.splitlines()[-1])
    assert deployed["stage"] == "failed"
    assert words in deployed["diagnostics"][0]["message"]


@pytest.mark.parametrize("path", [".env.example", "cert.pem", "public.pub", ".streamlit/config.toml"])
def test_what_only_looks_like_it_may(http: httpx.Client, path: str) -> None:
    body = bundle({path: {"text": "-----BEGIN CERTIFICATE-----"}})
    assert http.put("/api/apps/plain/draft", json=body, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        '{"bundle": []}',
        '{"bundle": {"files": []}}',
        '{"bundle": {"files": {"main.py": {"text": 5}}}}',
        '{"bundle": {"files": {"\\ud800.py": {"text": 5}}}}',
        '{"bundle": {"files": {"main.py": {"text": "\\ud800"}}}}',
        '{"bundle": {"files": {"main.py": {"text": "x"}}, "main": "\\ud800"}}',
        '{"bundle": {"files": {"main.py": {"text": "x"}}, "entrypoint": "main:\\ud800"}}',
        '{"bundle": {"files": {"main.py": {"text": "x"}}, "requirements": ["\\ud800"]}}',
        '{"bundle": {"files": {"main.py": {"text": "x"}}}, "interpreter": "\\ud800"}',
        '{"bundle": {"files": {"main.py": {"text": "x"}}}, "origins": {"main.py": {"label": "\\ud800"}}}',
        '{"bundle": {"files": {"main.py": {"text": "x"}}}, "origins": {"main.py": {"label": "a", "first_line": 0}}}',
        '{"bundle": {"files": {"main.py": {"blob": "../../x"}}}}',
        '{"bundle": {"files": {"main.py": {"text": "x", "blob_bytes": -1}}}}',
        '{"bundle": {"files": {"main.py": {"text": "x", "blob_bytes": NaN}}}}',
    ],
)
def test_what_has_no_form(http: httpx.Client, body: str) -> None:
    for response in send(http, body):
        assert response.status_code == 422, response.text
        answer = response.json()
        assert answer["code"] == "invalid_request"
        assert answer["message"]
        assert "Value error" not in answer["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (bundle({}, main="../main.py"), "../main.py"),
        (bundle({}, main="gone.py"), "gone.py"),
        (bundle({"a/b.py": TEXT}, main="a"), "a"),
        (bundle({}, entrypoint="os:system"), "no module os"),
        (bundle({}, entrypoint="main:__import__('os')"), "is not an entrypoint"),
        (bundle({"x": {"base64": "!!!"}}), "not valid base64"),
        (bundle({f"{n}.txt": TEXT for n in range(600)}), "601 files; 500 is the limit"),
        (bundle({f"{n}.txt": {"text": "x" * 4_900_000} for n in range(5)}), "The largest: 4.txt (4.9 MB), 3.txt (4.9"),
        (bundle({"x.txt": {"text": "x" * 5_000_001}}), "x.txt is 5.0 MB; a file may have 5.0 MB"),
    ],
)
def test_what_cannot_be_an_app_fails_with_words(http: httpx.Client, body: dict[str, Any], words: str) -> None:
    """The form is right: a deploy says it as its last stage."""
    response = http.post("/api/apps/hostile/deploy", json=body)
    assert response.status_code == 200, response.text
    last = json.loads(response.text.splitlines()[-1])
    assert last["stage"] == "failed"
    assert any(words in found["message"] for found in last["diagnostics"]), last


@pytest.mark.parametrize(
    "body",
    [
        bundle({"/".join("d" * 190) + "/x.txt": TEXT}),
        bundle({"\U0001f389 a b~$.txt": TEXT, "main.pyc": {"base64": "AAAA"}, "sitecustomize.py": TEXT}),
        bundle({}) | {"origins": {"main.py": {"label": "c", "first_line": 10**6, "line_offset": 10**6}}},
        bundle({})
        | {"origins": {"main.py": [{"label": "c"}, {"label": "c", "first_line": 2}], "gone.py": {"label": "d"}}},
        bundle({}) | {"origins": {"main.py": {"label": "/etc/passwd", "line_offset": -1000}}},
    ],
)
def test_what_is_only_strange_runs(http: httpx.Client, body: dict[str, Any]) -> None:
    response = http.post("/api/apps/strange/deploy", json=body)
    last = json.loads(response.text.splitlines()[-1])
    assert last["stage"] == "live", last
