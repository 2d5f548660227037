"""What goes wrong in an app: noted, grouped, shown at its cell, and its request sent again."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pexpect
import pytest
from support.cli import COMMAND, CommandLine
from support.kernel import Kernel, running_kernel
from support.platform import Platform, get
from support.waiting import until

from gofastapi_ext.core.app_errors import ErrorView, ReplayRequest
from gofastapi_ext.core.errors import ConflictError, InvalidRequestError, NotFoundError
from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.core.models import AppChange
from gofastapi_ext.core.variables import EnvChange, Setting

# Line 9 of the file is line 10 of the cell, below `%%deploy`.
MENU = """from fastapi import FastAPI, HTTPException, Request, WebSocket
from pydantic import BaseModel

app = FastAPI()
prices = {"tea": 3}

@app.get("/menu/{item}")
def price(item: str):
    return {"price": prices[item]}

class Order(BaseModel):
    item: str
    count: int

@app.post("/orders")
def order(order: Order):
    return {"total": prices[order.item] * order.count}

@app.get("/closed")
def closed():
    raise HTTPException(503, "closed today")

@app.websocket("/chat")
async def chat(socket: WebSocket):
    await socket.accept()
    raise RuntimeError("nobody is here")

@app.api_route("/echo{rest:path}", methods=["GET", "POST"])
async def echo(request: Request):
    sent = {"path": request.url.path, "query": request.url.query, "body": (await request.body()).decode()}
    raise HTTPException(418, sent | {"headers": dict(request.headers)})
"""
FIXED = MENU.replace('{"tea": 3}', '{"tea": 3, "toast": 2}')


@pytest.fixture(scope="module")
def url(platform: Platform) -> str:
    return platform.deploy_live("menu", MENU)


@pytest.fixture(scope="module")
def cli(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    return CommandLine(platform.places.home, tmp_path_factory.mktemp("cli"))


@pytest.fixture(scope="module")
def kernel(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder: Path = tmp_path_factory.mktemp("errors")
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


@pytest.fixture(autouse=True)
def no_errors(platform: Platform, url: str) -> None:
    platform.client.clear_errors("menu")


def only_error(platform: Platform, app: str = "menu") -> ErrorView:
    """The one there is; the answer may come a moment before its error is told."""
    [error] = until(lambda: platform.client.errors(app), what="an error")
    return error


def test_an_exception_is_shown_at_its_cell_everywhere(
    platform: Platform, url: str, cli: CommandLine, kernel: Kernel
) -> None:
    assert get(url, "/menu/toast").status_code == 500
    error = only_error(platform)
    assert (error.type, error.status, error.exception, error.route) == ("server", 500, "KeyError", "/menu/{item}")
    assert (error.version, error.count, error.request.path) == (1, 1, "/menu/toast")
    found = error.diagnostic
    assert found is not None
    assert (found.file, found.line, found.message) == ("main.py", 9, "KeyError: 'toast'")
    assert found.source == '    return {"price": prices[item]}'
    assert found.source[slice(found.column, found.end_column)] == "prices[item]"
    assert found.cell is not None
    assert (found.cell.label, found.cell.line) == ("In[5]", 10)
    assert "In[5] of test.ipynb, line 10, in price" in str(found.traceback)
    assert platform.client.error(error.id) == error

    listed = cli.run("errors", "menu")
    assert "500  GET /menu/{item}  once, " in listed
    assert "main.py:9:22  KeyError: 'toast'  (cell In[5], line 10)" in listed
    assert "| " + " " * 21 + "^" * len("prices[item]") in listed
    in_full = cli.run("errors", "menu", error.id)
    assert "In[5] of test.ipynb, line 10, in price" in in_full
    assert "GET /menu/toast" in in_full
    assert cli.json("errors", "menu")[0]["id"] == error.id
    assert "no error" in cli.finish("errors", "menu", "nonsense").stderr

    shown = kernel.run("%errors menu")
    for text in ("In[5], line 10", "KeyError: &#x27;toast&#x27;", "<details>", f"%replay {error.id}"):
        assert text in shown.html
    assert "In[5]:10:22  KeyError: 'toast'" in shown.plain
    assert "menu" in kernel.complete("%errors me")
    assert "forgotten" in kernel.run("%errors menu --clear").text
    assert "No errors of menu are known." in kernel.run("%errors menu").plain
    assert "Usage: %errors NAME" in kernel.run("%errors").error


def test_the_same_error_counts_and_others_stand_apart(platform: Platform, url: str, cli: CommandLine) -> None:
    for item in ("toast", "jam", "toast"):
        get(url, f"/menu/{item}")
    assert only_error(platform).count == 3
    get(url, "/menu/last")
    assert (only_error(platform).count, only_error(platform).request.path) == (4, "/menu/last")
    get(url, "/closed")
    get(url, "/nowhere")
    httpx.post(f"{url}/orders", json={"item": "tea", "count": "many"}, timeout=30, trust_env=False)
    get(url, "/menu/tea")
    errors = {error.status: error for error in platform.client.errors("menu")}
    assert {status: str(error.type) for status, error in errors.items()} == {
        500: "server",
        503: "server",
        404: "client",
        422: "client",
    }
    assert errors[404].route == "/nowhere"
    assert errors[422].route == "/orders"
    assert "count" in errors[422].message
    assert "closed today" in str(errors[503].answer)
    assert [error.status for error in platform.client.errors("menu")][-1] == 500, "the latest first"
    assert "4 errors" not in cli.run("errors", "menu", "--clear")
    assert cli.run("errors", "menu") == "No errors of menu are known.\n"


def test_an_error_in_a_websocket_cannot_be_sent_again(platform: Platform, url: str) -> None:
    with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0)) as connection:
        connection.sendall(
            b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        while connection.recv(1000):
            pass
    error = only_error(platform)
    assert (error.method, error.route, error.exception) == ("WEBSOCKET", "/chat", "RuntimeError")
    with pytest.raises(InvalidRequestError, match="WebSocket"):
        platform.client.replay(error.id, ReplayRequest())


def test_a_secret_never_shows(platform: Platform) -> None:
    secret = "Tr0ub4dor&3 is not my key"
    source = (
        "import os\nfrom fastapi import FastAPI, HTTPException\napp = FastAPI()\n"
        "@app.get('/raises')\ndef raises(): raise ValueError('cannot use ' + os.environ['KEY'])\n"
        "@app.get('/tells')\ndef tells(): raise HTTPException(500, {'key': os.environ['KEY']})\n"
    )
    url = platform.deploy_live("keeper", source)
    list(platform.client.change_env("keeper", EnvChange(set={"KEY": Setting(value=secret, secret=True)})))
    get(url, "/raises")
    get(url, "/tells")
    get(url, f"/{secret}?page={secret}", headers={"User-Agent": secret})
    errors = platform.client.errors("keeper")
    assert [error.status for error in errors] == [404, 500, 500]
    assert "cannot use ***" in {error.message for error in errors}
    with platform.database() as database:
        stored = str(database["errors"].find({"app": "keeper"}).to_list())
    for text in (stored, *(error.model_dump_json() for error in errors)):
        assert "***" in text
        for form in (secret, quote(secret), quote_plus(secret)):
            assert form not in text


@contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A server that nobody is to reach: its port, and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    heard.append(connection.recv(1000))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            over.set()
            thread.join()


def test_whatever_path_is_stored_the_request_goes_to_the_app(platform: Platform, url: str) -> None:
    get(url, "/echo")
    error = only_error(platform)
    with listener() as (port, heard), platform.database() as database:
        evil = f"127.0.0.1:{port}"
        for path in (
            f"http://{evil}/x",
            f"//{evil}/x",
            f"@{evil}/x",
            f"/\r\nHost: {evil}\r\n\r\nGET http://{evil}/ HTTP/1.1",
            f":{port}/",
            f"\\\\{evil}",
            "/echo/../../x",
            f"/echo?a=//{evil}/ b\r\nX-Smuggled: 1",
        ):
            request = {"request.path": path, "request.headers": []}
            database["errors"].update_one({"_id": error.id}, {"$set": request})
            now = platform.client.replay(error.id, ReplayRequest()).now
            assert now.status in (404, 418), path
            if now.status == 418:
                assert json.loads(str(now.body))["detail"]["headers"] == {"host": url.removeprefix("http://")}
        assert heard == []
        for name, value in (("host", evil), ("x-a", "1\r\nX-Smuggled: 1"), ("transfer-encoding", "chunked")):
            headers = {"request.headers": [["accept", "*/*"], [name, value]], "request.path": "/echo"}
            database["errors"].update_one({"_id": error.id}, {"$set": headers})
            body = str(platform.client.replay(error.id, ReplayRequest()).now.body)
            assert '"accept":"*/*"' in body
            assert evil not in body
            assert "smuggled" not in body.lower()
        database["errors"].update_one({"_id": error.id}, {"$set": {"method": "GET / HTTP/1.1\r\nX-Y: z"}})
        with pytest.raises(InvalidRequestError):
            platform.client.replay(error.id, ReplayRequest())


def test_a_fix_is_seen_in_a_replay(platform: Platform, cli: CommandLine, kernel: Kernel) -> None:
    url = platform.deploy_live("fixed", MENU)
    platform.client.change("fixed", AppChange(record_bodies=True))
    get(url, "/menu/toast")
    sent = httpx.post(f"{url}/orders", json={"item": "toast", "count": 3}, timeout=30, trust_env=False)
    assert sent.status_code == 500
    errors = {error.method: error for error in platform.client.errors("fixed")}
    assert errors["POST"].request.body == '{"item":"toast","count":3}'
    assert errors["POST"].request.is_whole
    before = platform.client.replay(errors["GET"].id, ReplayRequest())
    assert (before.before.status, before.now.status, before.version, before.left_out) == (500, 500, 1, [])
    platform.deploy_live("fixed", FIXED)
    for method, answer in (("GET", '{"price":2}'), ("POST", '{"total":6}')):
        view = platform.client.replay(errors[method].id, ReplayRequest())
        assert (view.before.status, view.now.status, view.now.body) == (500, 200, answer)
        assert (view.error.version, view.version, view.left_out) == (1, 2, [])
    other = platform.client.replay(errors["POST"].id, ReplayRequest(body='{"item": "tea", "count": 1}'))
    assert other.now.body == '{"total":3}'

    said = cli.run("replay", errors["GET"].id)
    assert "  before  v1  500\n" in said
    assert "  now     v2  200  application/json" in said
    refused = cli.finish("replay", errors["POST"].id)
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    for answer, said in (("n", "Nothing was sent"), ("y", "total")):
        command = ["replay", errors["POST"].id]
        with pexpect.spawn(COMMAND, command, env=cli.environment | {"TERM": "xterm"}, timeout=20) as asked:
            asked.expect("may change something in fixed")
            asked.sendline(answer)
            asked.expect(said)
            asked.expect(pexpect.EOF)
    assert '{"total":6}' in cli.run("replay", errors["POST"].id, "--yes")
    cli.write("order.json", '{"item": "tea", "count": 2}')
    assert cli.json("replay", errors["POST"].id, "--yes", "--body", "order.json")["now"]["body"] == '{"total":6}'

    shown = kernel.run(f"%replay {errors['GET'].id}")
    assert "{&quot;price&quot;:2}" in shown.html
    assert '{"price":2}' in shown.plain
    assert errors["GET"].id in kernel.complete("%replay ")
    assert "--yes" in kernel.run(f"%replay {errors['POST'].id}").error
    assert "cannot be read from nowhere.json" in kernel.run(f"%replay {errors['POST'].id} --body nowhere.json").error
    assert '{"total":6}' in kernel.run(f"%replay {errors['POST'].id} --yes").plain


def test_bodies_and_credentials_are_kept_only_where_that_is_wanted(platform: Platform, url: str) -> None:
    headers = {"Authorization": "Bearer a-token-of-mine", "Cookie": "session=mine", "X-Api-Key": "my-key"}
    query = {"token": "my-token", "page": "2"}
    httpx.post(f"{url}/nowhere", content="a body", headers=headers, params=query, timeout=30, trust_env=False)
    error = only_error(platform)
    assert error.request.body is None
    assert not error.request.is_whole
    assert error.request.path == "/nowhere?token=***&page=2"
    with platform.database() as database:
        stored = str(database["errors"].find_one({"_id": error.id}))
    for value in ("a body", "a-token-of-mine", "session=mine", "my-key", "my-token"):
        assert value not in stored
        assert value not in error.model_dump_json()
    view = platform.client.replay(error.id, ReplayRequest(headers={"Authorization": "Bearer another"}))
    assert set(view.left_out) == {
        "the value of token in the query",
        "the header cookie",
        "the header x-api-key",
        "its body",
    }
    assert "its body" not in platform.client.replay(error.id, ReplayRequest(body="")).left_out


def test_headers_that_are_given_are_checked(platform: Platform, url: str, cli: CommandLine) -> None:
    get(url, "/echo")
    error = only_error(platform)
    for headers in ({"X-A": "1\r\nX-B: 2"}, {"Host": "evil"}, {"Transfer-Encoding": "chunked"}, {"a b": "1"}):
        with pytest.raises(InvalidRequestError):
            platform.client.replay(error.id, ReplayRequest(headers=headers))
    said = cli.run("replay", error.id, "--header", "X-A: 1", "--header", "Accept-Language: fr")
    assert '"x-a":"1"' in said
    assert '"accept-language":"fr"' in said


def test_what_is_not_yours_is_not_there(platform: Platform, url: str) -> None:
    get(url, "/closed")
    error = only_error(platform)
    with platform.database() as database:
        for collection, query in (("apps", {"_id": "menu"}), ("errors", {"_id": error.id})):
            owner = database[collection].find_one(query)["owner"]  # type: ignore[index]
            database[collection].update_one(query, {"$set": {"owner": "somebody-else"}})
            try:
                with pytest.raises(NotFoundError, match="no error"):
                    platform.client.error(error.id)
                with pytest.raises(NotFoundError, match="no error"):
                    platform.client.replay(error.id, ReplayRequest())
                if collection == "apps":
                    with pytest.raises(NotFoundError):
                        platform.client.errors("menu")
                    with pytest.raises(NotFoundError):
                        platform.client.clear_errors("menu")
            finally:
                database[collection].update_one(query, {"$set": {"owner": owner}})
    assert platform.client.error(error.id) == error


def test_an_app_that_is_stopped_is_not_asked_and_one_that_sleeps_wakes(platform: Platform) -> None:
    url = platform.deploy_live("dozes", MENU)
    get(url, "/menu/toast")
    error = only_error(platform, "dozes")
    platform.client.sleep("dozes")
    platform.until_state("dozes", State.ASLEEP)
    assert platform.client.replay(error.id, ReplayRequest()).now.status == 500
    platform.client.stop("dozes")
    with pytest.raises(ConflictError, match="is stopped"):
        platform.client.replay(error.id, ReplayRequest())
    until(lambda: platform.client.error(error.id).count == 2, what="the last words of the one that was stopped")
    platform.client.delete("dozes", forever=True)
    with pytest.raises(NotFoundError):
        platform.client.error(error.id)
    with platform.database() as database:
        assert database["errors"].count_documents({"app": "dozes"}) == 0
