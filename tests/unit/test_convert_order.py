"""From one file to several: what is done first is still done first, and who answers is still who answers."""

from __future__ import annotations

from support.conversion import FASTAPI, USERS, Comparer


def test_a_catch_all_keeps_its_place(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI
        app = FastAPI()

        @app.get("/users/me")
        def me(): return "me"

        @app.get("/users/{name}")
        def user(name: str): return name

        @app.get("/items/all")
        def items(): return "all"

        @app.get("/{first}/late")
        def late(first: str): return "late"

        @app.get("/{rest:path}")
        def rest(rest: str): return f"rest {rest}"

        @app.get("/users/{name}/never")
        def never(name: str): return "never"

        @app.get("/items/late")
        def items_late(): return "never either"

        @app.put("/items/{n}")
        def put(n: int): return n
        """,
        ("GET", "/users/me"),
        ("GET", "/users/x"),
        ("GET", "/users/x/never"),
        ("GET", "/items/late"),
        ("GET", "/items/all"),
        ("PUT", "/items/1"),
        ("PUT", "/users/1"),
        ("DELETE", "/items/1"),
    )
    assert app.answers[2][2] == '"rest users/x/never"'
    assert app.answers[3][2] == '"late"'
    assert "`never`" in app.notes
    assert "has to come after `rest`, which matches some of its URLs" in app.notes
    assert app.moved["routers/users.py"] == ["me", "user"]


def test_which_methods_are_allowed_stays_the_same(same: Comparer) -> None:
    """The first route of a path is asked for them."""
    app = same(
        """
        from fastapi import FastAPI
        app = FastAPI()

        @app.get("/a", tags=["read"])
        def a(): return 1

        @app.put("/b", tags=["write"])
        def b(): return 1

        @app.get("/b", tags=["read"])
        def c(): return 1
        """,
        ("DELETE", "/a"),
        ("DELETE", "/b"),
    )
    assert app.answers[1][1]["allow"] == "PUT"
    assert "`c` stays in main.py" in app.notes


def test_url_for_takes_the_first_route_of_a_name(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI, Request
        app = FastAPI()

        @app.get("/a/1")
        def first(request: Request): return str(request.url_for("same"))

        @app.get("/b/1")
        def same(): return 1

        @app.get("/b/2")
        def other(): return 2

        @app.get("/a/2")
        def same(): return 3
        """,
        ("GET", "/a/1"),
        ("GET", "/a/2"),
        ("GET", "/b/1"),
    )
    assert app.answers[0][2].endswith('/b/1"')


def test_other_order_in_the_docs_is_told(same: Comparer) -> None:
    app = same(
        FASTAPI + USERS + '@app.get("/users/{name}/x")\ndef x(name: str): return name\n'
        '@app.get("/items/a")\ndef a(): return 1\n'
        '@app.get("/items/b")\ndef b(): return 1\n@app.delete("/users/{name}/x")\ndef remove(name: str): return 1\n',
        ("DELETE", "/users/1/x"),
        ("DELETE", "/users/1"),
        routes_keep_order=False,
    )
    assert "Some routes stand in another order in /docs; no URL is answered by another one." in app.notes
    assert "remove" in app.moved["routers/users.py"]


def test_things_are_done_in_the_old_order(same: Comparer) -> None:
    app = same(
        """
        import os
        from fastapi import FastAPI
        os.environ["MODE"] = "one"
        import settings
        print("after settings")

        class Client:
            def __init__(self, name): print("client", name, os.environ["MODE"])
            def get(self): return 1

        first = Client("first")
        os.environ["MODE"] = "two"
        second = Client("second")
        app = FastAPI(title=os.environ["MODE"])
        os.environ["MODE"] = "three"
        third = Client("third")
        print("ready")

        @app.get("/a/1")
        def a1(): return first.get() + second.get()

        @app.get("/a/2")
        def a2(): return settings.MODE

        @app.get("/b/1")
        def b1(): return second.get()

        @app.get("/b/2")
        def b2(): return third.get()
        """,
        ("GET", "/a/2"),
        ("GET", "/b/2"),
        files={"settings.py": "import os\nMODE = os.environ['MODE']\nprint('settings', MODE)\n"},
    )
    assert app.printed.splitlines() == [
        *["settings one", "after settings", "client first one", "client second two", "client third three", "ready"]
    ]
    assert "`b2` stays in main.py" in app.notes


def test_the_environment_is_set_before_it_is_read(same: Comparer) -> None:
    app = same(
        """
        import os
        import logging
        from pathlib import Path
        from fastapi import FastAPI
        import prepare

        app = FastAPI()
        prepare.load()
        logging.basicConfig(format="%(name)s %(message)s", level=logging.WARNING)
        logger = logging.getLogger(__name__)
        KEY = os.environ["KEY"]
        TEXT = (Path(__file__).resolve().parent / "words.txt").read_text()

        @app.get("/a/1")
        def a1():
            logger.warning("asked")
            return KEY

        @app.get("/a/2")
        def a2(): return TEXT

        @app.get("/b/1")
        def b1(): return KEY

        @app.get("/b/2")
        def b2(): return __name__
        """,
        ("GET", "/a/1"),
        ("GET", "/a/2"),
        ("GET", "/b/1"),
        ("GET", "/b/2"),
        files={"prepare.py": "import os\ndef load(): os.environ['KEY'] = 'k'\n", "words.txt": "words"},
    )
    assert "main asked" in app.printed
    assert 'logger = logging.getLogger("main")' in app.text("routers/a.py")
    assert "`b2` stays in main.py: `b2` uses __name__, which is another one in another file." in app.notes


def test_folders_are_made_before_they_are_used(same: Comparer) -> None:
    app = same(
        """
        import os
        from pathlib import Path
        from fastapi import FastAPI
        from fastapi.staticfiles import StaticFiles

        app = FastAPI()
        os.makedirs("files", exist_ok=True)
        Path("files/sub").mkdir(exist_ok=True)
        os.environ.setdefault("MODE", "set")
        files = StaticFiles(directory="files/sub")
        MODE = os.environ["MODE"]
        (Path("files") / "a.txt").write_text(MODE)
        TEXT = Path("files/a.txt").read_text()

        @app.get("/a/1")
        def a1(): return [MODE, TEXT]

        @app.get("/a/2")
        def a2(): return str(files.directory)

        @app.get("/b/1")
        def b1(): return TEXT

        @app.get("/b/2")
        def b2(): return MODE
        """,
        ("GET", "/a/1"),
        ("GET", "/a/2"),
        ("GET", "/b/1"),
    )
    assert app.answers[0][2] == '["set","set"]'
