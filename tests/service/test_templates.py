"""Every template, as it is: it comes live without a warning, and does what it says."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from support.platform import Platform, get
from websockets.sync.client import connect

from gofastapi_ext.core.models import DeployRequest
from gofastapi_ext.core.templates import TEMPLATES, Template


def says_hello(url: str) -> None:
    assert get(url, "/?name=Ada").json() == {"hello": "Ada"}
    assert get(url, "/add/1/2").json() == {"sum": 3}


def keeps_items(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False) as http:
        item = http.post("/items", json={"name": "tea", "price": 3, "tags": ["hot"]}).json()
        path = f"/items/{item['id']}"
        assert http.put(path, json={"name": "tea", "price": 4}).json()["price"] == 4
        assert http.get("/items").json() == [http.get(path).json()]
        assert http.get("/items", params={"tag": "hot"}).json() == []
        assert http.delete(path).status_code == 204
        assert http.get(path).status_code == 404


def keeps_notes(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False, follow_redirects=True) as http:
        page = http.post("/notes", data={"text": "<b>milk</b>"}).text
        assert "&lt;b&gt;milk&lt;/b&gt;" in page
        assert http.get("/static/style.css").headers["content-type"].startswith("text/css")
        delete = page.split('action="notes/')[1].split('"')[0]
        assert "Nothing here yet" in http.post(f"/notes/{delete}").text


def predicts(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False) as http:
        for text, label in (("The food was wonderful", "positive"), ("cold soup, rude waiter", "negative")):
            prediction = http.post("/predict", json={"text": text}).json()
            assert prediction["label"] == label
            assert 0.5 < prediction["probability"] < 1


def chats(url: str) -> None:
    address = f"{url.replace('http', 'ws')}/ws?name="
    with connect(address + "ann") as ann, connect(address + "bob") as bob:
        assert [ann.recv(), ann.recv()] == ["ann is here", "bob is here"]
        bob.send("hello")
        assert ann.recv() == "bob: hello"
    assert "<form>" in get(url).text


DOES: dict[str, Callable[[str], None]] = {
    "hello": says_hello,
    "items": keeps_items,
    "notes": keeps_notes,
    "predict": predicts,
    "chat": chats,
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.id)
def test_a_template_is_an_app_that_works(platform: Platform, template: Template) -> None:
    app_id = f"from-{template.id}"
    last = list(platform.client.deploy(app_id, DeployRequest(bundle=template.bundle)))[-1]
    assert last.url, last.diagnostics
    assert last.diagnostics == []
    DOES[template.id](last.url)
    assert get(last.url, f"/{template.opens}").status_code == 200


def test_the_api_lists_them(platform: Platform) -> None:
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(base_url="http://gofastapi", transport=transport) as http:
        listed = http.get("/api/templates").json()
    assert [each["id"] for each in listed] == [each.id for each in TEMPLATES]
    assert "app = FastAPI" in listed[0]["bundle"]["files"]["main.py"]["text"]
