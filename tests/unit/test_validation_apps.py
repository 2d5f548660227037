"""Where the app is, or why there is none."""

from __future__ import annotations

import pytest

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.validation import Analysis, analyze


def look_at(source: str, main: str = "main.py", entrypoint: str | None = None, **others: str) -> Analysis:
    files = {main: source, **{name.replace("__", "/", 1) + ".py": text for name, text in others.items()}}
    return analyze(Bundle(files={p: BundleFile(text=t) for p, t in files.items()}, main=main, entrypoint=entrypoint))


def codes(analysis: Analysis) -> list[str]:
    return [d.code for d in analysis.diagnostics]


@pytest.mark.parametrize(
    "source",
    [
        "from fastapi import FastAPI\napp = FastAPI()",
        "app: FastAPI = FastAPI()",
        "app, db = FastAPI(), None",
        "[app, *rest] = build()",
        "app = make_it()",
        "print(app := make_it())",
        "if (app := make_it()): pass",
        "from project import app",
        "from project import api as app",
        "import project.asgi as app",
        "async def app(scope, receive, send): ...",
        "def app(scope): ...",
        "class app: ...",
        "try:\n    app = FastAPI()\nexcept Exception:\n    raise",
        "if DEBUG:\n    app = FastAPI(debug=True)\nelse:\n    app = FastAPI()",
        "with x:\n    app = FastAPI()",
        "with make_it() as app:\n    pass",
        "for app in [FastAPI()]:\n    pass",
        "other = FastAPI()\napp = FastAPI()\napp.mount('/x', other)",
        "api = FastAPI()\nother = FastAPI()\nfrom x import app",
        "app = None\napp = FastAPI()",
        "app = FastAPI()\napp = CORSMiddleware(app, allow_origins=['*'])",
    ],
)
def test_the_name_app_wins(source: str) -> None:
    analysis = look_at(source)
    assert analysis.entrypoint == "main:app", analysis.diagnostics


@pytest.mark.parametrize(
    "source",
    [
        "import fastapi\napi = fastapi.FastAPI()",
        "import fastapi as f\napi = f.FastAPI()",
        "from fastapi import FastAPI as F\napi = F()",
        "from fastapi import *\napi = FastAPI()",
        "from starlette.applications import Starlette\napi = Starlette(routes=[])",
        "from litestar import Litestar\napi = Litestar([])",
        "class Mine(FastAPI): ...\nclass More(Mine): ...\napi = More()",
        "api = FastAPI(debug=True) if DEBUG else FastAPI()",
        "sub = FastAPI()\napi = FastAPI()\napi.mount('/sub', sub)",
        "sub = FastAPI()\napi = Starlette(routes=[Mount('/sub', app=sub)])",
        "app = typer.Typer()\napi = FastAPI()",
        "app = 'notes'\napi = FastAPI()",
        "inner = FastAPI()\napi = CORSMiddleware(inner, allow_origins=['*'])",
        "app = FastAPI()\napi = socketio.ASGIApp(sio, other_asgi_app=app)",
        "api = FastAPI()\napi = GZipMiddleware(api)",
        "api = FastAPI()\n@api.get('/app')\nasync def app(): ...",
        "import app.routes\napi = FastAPI()",
        "api = FastAPI()\nif __name__ == '__main__':\n    app = FastAPI()",
        "def build():\n    app = FastAPI()\n    return app\napi = FastAPI()",
    ],
)
def test_else_the_only_app_that_is_made(source: str) -> None:
    analysis = look_at(source, app__routes="")
    assert analysis.entrypoint == "main:api", analysis.diagnostics


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("app = FastAPI()\nsite = wrap(app)\nif __name__ == '__main__':\n    uvicorn.run(site, port=1)", "site"),
        ("one = FastAPI()\ntwo = FastAPI()\ndef main():\n    uvicorn.run('main:two', reload=True)", "two"),
        ("one = FastAPI()\ntwo = FastAPI()\ndef main():\n    uvicorn.run(app='src.main:two')", "two"),
        ("one = FastAPI()\ntwo = FastAPI()\ndef main():\n    Server(Config(two)).run()", "two"),
        ("def start(): ...\nif __name__ == '__main__':\n    uvicorn.run('main:start', factory=True)", "start()"),
        ("one = FastAPI()\ndef main(app):\n    uvicorn.run(app)", "one"),
        ("import app.db\none = FastAPI()\ndef main(app):\n    uvicorn.run(app)", "one"),
        ("one = FastAPI()\ndef main():\n    uvicorn.run('other:app')", "one"),
        ("app = FastAPI()\ntwo = FastAPI()\ndef main(x):\n    uvicorn.run(app if x else two)", "app"),
        ("app = FastAPI()\ntwo = FastAPI()\ndef main():\n    uvicorn.run(app)\n    uvicorn.run(two)", "app"),
    ],
)
def test_what_the_code_itself_gives_to_uvicorn_wins(source: str, name: str) -> None:
    analysis = look_at("import uvicorn\nfrom uvicorn import Config, Server\nfrom fastapi import FastAPI\n" + source)
    assert analysis.entrypoint == f"main:{name}", analysis.diagnostics


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def create_app():\n    return FastAPI()", "create_app"),
        ("def make_app(debug=False, *, db=None):\n    return FastAPI()", "make_app"),
        ("def app():\n    return FastAPI()", "app"),
    ],
)
def test_else_a_factory(source: str, name: str) -> None:
    assert look_at(source).entrypoint == f"main:{name}()"


@pytest.mark.parametrize("signature", ["create_app(settings)", "create_app(*, settings)", "create_thing()"])
def test_not_every_function_is_a_factory(signature: str) -> None:
    assert codes(look_at(f"def {signature}:\n    return FastAPI()")) == ["no_app"]
    assert codes(look_at("async def create_app():\n    return FastAPI()")) == ["no_app"]


def test_several_apps_are_named() -> None:
    analysis = look_at("from fastapi import FastAPI\none = FastAPI()\ntwo = FastAPI()\nthree = FastAPI()")
    assert codes(analysis) == ["several_apps"]
    found = analysis.diagnostics[0]
    assert all(word in found.message for word in ("one (line 2)", "two (line 3)", "three (line 4)"))
    assert (found.line, found.column) == (3, 0)


def test_no_app_shows_how_to_make_one() -> None:
    (found,) = look_at("import math\nx = math.pi").diagnostics
    assert found.code == "no_app"
    assert found.hint is not None
    assert "app = FastAPI()" in found.hint


def test_a_decorator_of_an_app_made_elsewhere() -> None:
    (found,) = look_at("import math\n\n@api.get('/')\ndef home(): ...").diagnostics
    assert (found.code, found.line, found.column) == ("no_app", 3, 1)
    assert "`api`" in found.message
    assert found.hint is not None
    assert "api = FastAPI()" in found.hint


def test_a_router_alone_and_a_flask_app() -> None:
    (found,) = look_at("from fastapi import APIRouter\nroutes = APIRouter()").diagnostics
    assert found.hint is not None
    assert "include_router(routes)" in found.hint
    assert codes(look_at("from flask import Flask\napp = Flask(__name__)")) == ["wsgi_app"]


def test_the_module_is_named_from_the_bundles_root() -> None:
    assert look_at("app = FastAPI()", main="app/main.py").entrypoint == "app.main:app"
    assert look_at("app = FastAPI()", main="service/__init__.py").entrypoint == "service:app"
    assert look_at("from .core import *", main="app/main.py", app__core="app = 1").entrypoint == "app.main:app"
    assert look_at("from app import app", app__app="", app____init__="").entrypoint == "main:app"


def test_a_given_entrypoint_is_checked() -> None:
    assert look_at("one = FastAPI()\ntwo = FastAPI()", entrypoint="main:two").entrypoint == "main:two"
    assert look_at("def build(): ...", entrypoint="main:build()").entrypoint == "main:build()"
    assert look_at("", entrypoint="api.web:site", api__web="site = FastAPI()").entrypoint == "api.web:site"
    assert codes(look_at("one = FastAPI()", entrypoint="main:nope")) == ["invalid_entrypoint"]
    assert codes(look_at("one = FastAPI()", entrypoint="other:one")) == ["invalid_entrypoint"]
    assert codes(look_at("one = FastAPI()", entrypoint="main")) == ["invalid_entrypoint"]
    assert codes(look_at("one = FastAPI()", entrypoint="main:one; import os")) == ["invalid_entrypoint"]


@pytest.mark.parametrize(
    "line",
    [
        "uvicorn.run(app)",
        "uvicorn.run('main:app', host='0.0.0.0', port=8000)",
        "uvicorn.Server(uvicorn.Config(app)).run()",
        "asyncio.run(serve(app, Config()))",
        "server.run()",
        "Granian('main:app').serve()",
        "app.run()",
        "start()",
        "x = uvicorn.run(app)",
        "try:\n    uvicorn.run(app)\nfinally:\n    pass",
        "with x:\n    uvicorn.run(app)",
    ],
)
def test_code_that_starts_its_own_server(line: str) -> None:
    source = (
        "import asyncio, uvicorn\nfrom fastapi import FastAPI\nfrom granian import Granian\n"
        "from hypercorn.asyncio import serve\napp = FastAPI()\nserver = uvicorn.Server(uvicorn.Config(app))\n"
        f"def start():\n    uvicorn.run(app)\n{line}\n"
    )
    analysis = look_at(source)
    assert codes(analysis) == ["runs_own_server"]
    assert analysis.entrypoint is None


@pytest.mark.parametrize(
    "line",
    [
        "if __name__ == '__main__':\n    uvicorn.run(app)",
        "if os.environ.get('LOCAL'):\n    uvicorn.run(app)",
        "def main():\n    uvicorn.run(app)",
        "main = lambda: uvicorn.run(app)",
        "asyncio.run(setup())",
        "loop.run()",
        "run(app)",
    ],
)
def test_code_that_does_not(line: str) -> None:
    analysis = look_at(f"import asyncio, os, uvicorn\napp = FastAPI()\n{line}\n")
    assert analysis.entrypoint == "main:app"
    assert codes(analysis) == []


def test_a_server_started_by_an_imported_module() -> None:
    analysis = look_at("import start\napp = FastAPI()", start="import uvicorn\nuvicorn.run('main:app')")
    assert [(d.code, d.file) for d in analysis.diagnostics] == [("runs_own_server", "start.py")]
