"""A Jupyter server as people run it: installed, in a process of its own, with token and XSRF checks on."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.platform import Platform
from support.waiting import until
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

TOKEN = secrets.token_hex(16)
VALIDATE = {"bundle": {"files": {"main.py": {"text": "x = 1"}}}}


@pytest.fixture(scope="module")
def server(platform: Platform, kitchen: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the extension's routes. Nothing enables the extension but its installation."""
    place = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name: str(place / name.lower()) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    own |= {"JUPYTER_RUNTIME_DIR": str(place / "runtime"), "IPYTHONDIR": str(place / "ipython")}
    for directory in own.values():
        Path(directory).mkdir()
    log = (place / "log").open("wb")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"),
            *(
                f"--ServerApp.port={port}",
                "--ServerApp.port_retries=0",
                "--ServerApp.base_url=/my lab/".replace(" ", "-"),
            ),
            *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={own['HOME']}"),
        ],
        env=os.environ | own | {"GOFASTAPI_HOME": str(platform.places.home)},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}/my-lab"

    def is_up() -> bool:
        assert process.poll() is None, (place / "log").read_text()
        try:
            return httpx.get(f"{url}/api", trust_env=False, verify=False).status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(is_up, 30, "jupyter server")
        yield f"{url}/gofastapi"
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def new_client() -> httpx.Client:
    return httpx.Client(trust_env=False, verify=False)  # no certificates to load: all is plain HTTP


@pytest.fixture
def browser(server: str) -> Iterator[httpx.Client]:
    """Somebody who has logged in by the login page's form, as a browser does."""
    with new_client() as client:
        login = server.replace("/gofastapi", "/login")
        client.get(login)
        answer = client.post(login, data={"password": TOKEN, "_xsrf": client.cookies["_xsrf"]})
        assert answer.status_code == 302, answer.text
        yield client


@pytest.fixture
def stranger(server: str) -> Iterator[httpx.Client]:
    with new_client() as client:
        yield client


def test_anonymous_is_refused(stranger: httpx.Client, server: str) -> None:
    for path in ("/api/me", "/api/apps", "/apps/kitchen/", "/apps/kitchen/echo", "/apps/no-such-app/", "/apps", ""):
        for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS"):
            assert stranger.request(method, server + path).status_code == 403, (method, path)


def test_the_token_is_accepted(server: str) -> None:
    token = {"Authorization": f"token {TOKEN}"}
    with new_client() as client:
        assert client.get(f"{server}/api/me", headers=token).status_code == 200
    with new_client() as client:
        assert client.post(f"{server}/api/validate", headers=token, json=VALIDATE).status_code == 200
    with new_client() as client:
        assert client.get(f"{server}/apps/kitchen/echo?token={TOKEN}").status_code == 200
    with new_client() as client:
        assert client.get(f"{server}/api/me", headers={"Authorization": "token wrong"}).status_code == 403


def test_a_login_writes_with_the_xsrf_token_only(browser: httpx.Client, server: str) -> None:
    assert browser.get(f"{server}/api/me").status_code == 200
    assert browser.post(f"{server}/api/validate", json=VALIDATE).status_code == 403
    header = {"X-XSRFToken": browser.cookies["_xsrf"]}
    assert browser.post(f"{server}/api/validate", json=VALIDATE, headers=header).status_code == 200


def test_a_login_posts_to_an_app_from_this_site_only(browser: httpx.Client, server: str) -> None:
    origin = server.partition("/my-lab")[0]
    assert browser.get(f"{server}/apps/kitchen/echo").status_code == 200
    assert browser.post(f"{server}/apps/kitchen/echo").status_code == 403
    evil = {"Origin": "https://evil.example"}
    assert browser.post(f"{server}/apps/kitchen/echo", headers=evil).status_code == 403
    assert browser.post(f"{server}/apps/kitchen/echo", headers={"Origin": origin}).status_code == 200


def test_an_apps_session_lasts_in_a_browsers_jar(browser: httpx.Client, server: str) -> None:
    jupyters = dict(browser.cookies)
    assert browser.get(f"{server}/apps/kitchen/login?user=ann").status_code == 200
    told = browser.get(f"{server}/apps/kitchen/echo").json()
    assert [value for name, value in told["headers"] if name == "cookie"] == ["session=ann; _xsrf=forged"]
    assert {name: browser.cookies[name] for name in jupyters} == jupyters
    browser.get(f"{server}/apps/kitchen/logout")
    told = browser.get(f"{server}/apps/kitchen/echo").json()
    assert [value for name, value in told["headers"] if name == "cookie"] == ["_xsrf=forged"]


def test_websockets(browser: httpx.Client, server: str) -> None:
    address = server.replace("http:", "ws:") + "/apps/kitchen/ws"
    origin = server.partition("/my-lab")[0]
    with pytest.raises(InvalidStatus) as refused:
        connect(address, origin=origin, proxy=None)
    assert refused.value.response.status_code == 403

    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    with pytest.raises(InvalidStatus) as refused:
        connect(address, origin="https://evil.example", additional_headers=cookie, proxy=None)
    assert refused.value.response.status_code == 403

    with connect(address, origin=origin, additional_headers=cookie, proxy=None) as socket:
        socket.send("hello")
        assert socket.recv(timeout=10) == "hello"
    with connect(f"{address}?token={TOKEN}", proxy=None) as socket:
        socket.send(b"hello")
        assert socket.recv(timeout=10) == b"hello"
