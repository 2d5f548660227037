"""From one file to several: what cannot be moved stays, and the notes say why."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from support.conversion import FASTAPI, USERS, Comparer, left_alone

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.convert import convert
from gofastapi_ext.core.errors import InvalidRequestError


def test_what_is_rebound_stays_with_whoever_does_it(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI
        app = FastAPI()
        counter = 0
        visits = 0

        def next_number():
            global counter
            counter += 1
            return counter

        @app.post("/items")
        def create_item(): return next_number()

        @app.get("/items/count")
        def count_items(): return counter

        @app.post("/users")
        def create_user():
            global visits
            visits += 1
            return visits

        @app.get("/users/count")
        def count_users(): return visits

        @app.get("/stats/all")
        def all_of_it(): return counter

        @app.get("/stats/none")
        def none_of_it(): return 0
        """,
        ("POST", "/items"),
        ("POST", "/items"),
        ("GET", "/items/count"),
        ("POST", "/users"),
        ("GET", "/users/count"),
        ("GET", "/stats/all"),
        routes_keep_order=False,
    )
    assert app.answers[2][2] == app.answers[5][2] == "2"
    assert app.moved == {"routers/users.py": ["visits", "create_user", "count_users"]}
    assert "`none_of_it` stays in main.py: too few to be a router." in app.notes
    assert (
        "`create_item`, `count_items` and `all_of_it` stay in main.py: "
        "`counter` is rebound by `next_number` with `global`." in app.notes
    )


def test_names_that_are_not_always_the_same_thing_stay(same: Comparer) -> None:
    app = same(
        """
        import os
        from fastapi import FastAPI
        try:
            import ujson_that_is_not_there as fast_json
        except ImportError:
            import json as fast_json
        if os.environ.get("NOT_SET"):
            SOMETIMES = 1
        twice = 1
        app = FastAPI()

        @app.get("/a/json")
        def as_json(): return fast_json.dumps([1])

        @app.get("/a/sometimes")
        def sometimes():
            try:
                return SOMETIMES
            except NameError:
                return "not there"

        @app.get("/a/more")
        def more(): return fast_json.dumps([3])

        @app.get("/b/more")
        def b_more(): return 4

        @app.get("/b/json")
        def b_json(): return fast_json.dumps([2])

        @app.get("/b/twice")
        def b_twice(): return twice

        twice = 2

        if not os.environ.get("NOT_SET"):
            @app.get("/b/guarded")
            def guarded(): return 1
        """,
        ("GET", "/a/json"),
        ("GET", "/a/sometimes"),
        ("GET", "/b/json"),
        ("GET", "/b/twice"),
        ("GET", "/b/guarded"),
        routes_keep_order=False,
    )
    assert "`sometimes` stays in main.py: `SOMETIMES` is not always bound." in app.notes
    assert "`b_twice` stays in main.py: `twice` is bound more than once." in app.notes
    assert app.moved == {
        "shared.py": ["fast_json"],
        "routers/a.py": ["as_json", "more"],
        "routers/b.py": ["b_more", "b_json"],
    }


def test_a_route_that_another_one_calls_stays(same: Comparer) -> None:
    app = same(
        FASTAPI + USERS + '@app.get("/users/{name}/x")\ndef x(name: str): return name\n'
        '@app.get("/items/a")\ndef a(): return users()\n@app.get("/items/b")\ndef b(): return a()\n',
        ("GET", "/items/b"),
        ("GET", "/users"),
    )
    assert "`users` is needed by `a`, which is about something else." in app.notes
    assert app.moved == {"routers/users.py": ["user", "x"]}


def test_names_the_new_files_use_are_free(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI
        app = FastAPI()
        router = {"name": "a variable"}
        users_router = ["another"]
        models = routers = schemas = shared = 1

        @app.get("/users/1")
        def users(): return [router, users_router, models]

        @app.get("/users/2")
        def more(router: str = "x"): return [router, routers, shared]

        @app.get("/shared/1")
        def shared_1(): return router

        @app.get("/shared/2")
        def shared_2(): return 1
        """,
        ("GET", "/users/1"),
        ("GET", "/users/2"),
        ("GET", "/shared/1"),
    )
    assert "users_router_2 = APIRouter()" in app.text("routers/users.py")


def test_star_imports_come_along(same: Comparer) -> None:
    app = same(
        """
        from math import *
        from fastapi import *
        app = FastAPI()

        @app.get("/a/1")
        def a1(x: float = Query(2)): return [pow(x, 2), floor(e)]

        @app.get("/a/2")
        def a2(): return pi
        """.replace("app = FastAPI()", "from fastapi import FastAPI\n        app = FastAPI()"),
        ("GET", "/a/1"),
        ("GET", "/a/2"),
    )
    assert app.moved == {"routers/a.py": ["a1", "a2"]}


def test_other_files_may_import_what_has_moved(same: Comparer) -> None:
    app = same(
        FASTAPI + "def get_db(): return 'db'\n" + USERS.replace("return []", "return get_db()"),
        ("GET", "/users"),
        files={"test_main.py": "from main import app, get_db, users\n"},
    )
    assert "from routers.users import get_db" in app.text()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (FASTAPI + USERS + "for route in app.routes: route.operation_id = route.name\n", "it works with app.routes"),
        (FASTAPI + USERS + "import tools\ntools.instrument(app)\n", "it gives the app to tools.instrument"),
        (FASTAPI + USERS + "def f(name): return globals()[name]\n", "it uses globals() (line 9)"),
        (FASTAPI + USERS + "import sys\nme = sys.modules[__name__]\n", "it asks for modules by modules"),
        (FASTAPI + USERS + "from math import *\n", "it imports * in the middle"),
        (FASTAPI + USERS + "from models import X\n", "it imports an installed module called models"),
        (FASTAPI + USERS + "def f(): from main import app\n", "it imports itself, as main (line 9)"),
        (FASTAPI + USERS + "app = print(app) or app\n", "`app` is bound more than once"),
        (FASTAPI + '@app.get("/")\ndef root(): return 1\n', "it is small enough as it is"),
        (
            "from fastapi import FastAPI\ndef create_app():\n    return FastAPI()\n",
            "`create_app()` is not made by FastAPI",
        ),
        ("from starlette.applications import Starlette\napp = Starlette()\n", "`app` is not made by FastAPI(...)"),
        (FASTAPI, "it has neither routes nor models of its own to move"),
        (FASTAPI + "def broken(:\n", "Python cannot read it"),
        (FASTAPI + "".join(f"x{n} = {n}\n" for n in range(1100)), "it has more than 1000 statements"),
    ],
)
def test_what_is_left_alone_and_why(source: str, reason: str) -> None:
    told = left_alone(source)
    assert told.startswith("main.py stays as it is: ")
    assert told.endswith(" Nothing was changed.")
    assert reason in told


def test_an_app_in_several_files_is_told_so() -> None:
    told = left_alone(FASTAPI + USERS, routers__users_py="")
    assert told == "The app has routers/ already, so it is in several files as it is. Nothing was changed."
    assert "models.py already" in left_alone(FASTAPI + USERS, models_py="")


def test_files_that_import_each_other_are_left_alone() -> None:
    told = left_alone(FASTAPI + "import crud\n" + USERS, crud_py="from main import app\n")
    assert "crud.py imports it, and it imports crud.py" in told


def test_converting_twice_changes_nothing(same: Comparer) -> None:
    app = same(FASTAPI + USERS, ("GET", "/users"))
    with pytest.raises(InvalidRequestError, match="The app has routers/ already"):
        convert(app.conversion.bundle)


@pytest.mark.parametrize(
    "source",
    [
        FASTAPI + "x = " + "(" * 80 + ")" * 80 + "\n" + USERS,
        FASTAPI + USERS + "y = " + "-" * 3000 + "1\n",
        FASTAPI + "".join(f"def f{n}(): return f{n + 1}()\n" for n in range(900)) + USERS,
        FASTAPI + "".join(f"print({n})\nx{n} = open('/dev/null')\n" for n in range(450)) + USERS,
        FASTAPI + "".join(f'@app.get("/a{n % 40}/{{x}}/{n}")\ndef r{n}(x): return x\n' for n in range(900)),
    ],
    ids=["brackets", "signs", "chain", "effects", "routes"],
)
def test_hostile_code_is_done_with_soon(source: str) -> None:
    started = time.process_time()
    with suppress(InvalidRequestError):
        convert(Bundle(files={"main.py": BundleFile(text=source)}))
    assert time.process_time() - started < 15


def test_objects_of_a_notebook_come_along(same: Comparer) -> None:
    """The service has them in `gofastapi_objects` for files other than the main one."""
    files = {
        "main.py": FASTAPI
        + '@app.get("/predict/one")\ndef one(x: int): return model(x)\n'
        + '@app.get("/predict/words")\ndef all_words(): return [*words, sorted(words)]\n',
        "gofastapi_objects.py": "words = ['a']\ndef model(x): return x * 2\n",
        ".gofastapi/objects.json": '{"objects": [{"name": "model"}, {"name": "words"}]}',
    }
    conversion = convert(Bundle(files={path: BundleFile(text=text) for path, text in files.items()}))
    assert "gofastapi_objects" not in (conversion.bundle.text_of("main.py") or "")
    looked_at = same.look(conversion.bundle, (("GET", "/predict/one?x=2"), ("GET", "/predict/words")))
    assert [answer[2] for answer in looked_at["answers"]] == ["4", '["a",["a"]]']


def test_a_folder_of_data_may_have_any_name(same: Comparer) -> None:
    app = same(FASTAPI + USERS, ("GET", "/users"), files={"models/model.json": "{}", "static/routers/x.js": ""})
    assert "routers/users.py" in app.moved


def test_an_import_circle_over_other_files_is_seen() -> None:
    told = left_alone(FASTAPI + "import first\n" + USERS, first_py="import second\n", second_py="import main\n")
    assert "second.py imports it, and it imports second.py" in told
