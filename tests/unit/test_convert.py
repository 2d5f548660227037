"""From one file to several: where things go, and that the app stays the same one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.conversion import Comparer

SHOP = '''
"""A shop."""

# The web.
from fastapi import Depends, FastAPI, HTTPException, status
from pydantic import BaseModel, Field

# How dear things may be.
MAX_PRICE = 1000
ITEMS: dict[int, "Item"] = {}
USERS = {"ann": {"name": "ann"}}  # everybody


class Item(BaseModel):
    """A thing to sell."""

    name: str
    price: float = Field(le=MAX_PRICE)  # in euros


class User(BaseModel):
    name: str
    items: list[Item] = []


def current_user(name: str = "ann") -> User:
    # Whoever is known.
    if name not in USERS:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "Nobody")
    return User(**USERS[name])


app = FastAPI(title="Shop")


@app.get("/")
def root():
    return {"hello": "world"}


# Items.
@app.get("/items/{number}", response_model=Item)
def read_item(number: int):
    if number not in ITEMS:
        raise HTTPException(404, "No such item")
    return ITEMS[number]


@app.put("/items/{number}", response_model=Item)
def put_item(number: int, item: Item, user: User = Depends(current_user)):
    ITEMS[number] = item
    return item
    # that was all


@app.get("/users/me")
def me(user: User = Depends(current_user)) -> User:
    return user.model_copy(update={"items": list(ITEMS.values())})


@app.delete("/users/{name}")
def remove(name: str):
    USERS.pop(name, None)
    return {"left": len(USERS)}


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app)
'''


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparer]:
    with Comparer(tmp_path_factory.mktemp("apps")) as comparer:
        yield comparer


def test_a_shop(same: Comparer) -> None:
    pen = {"name": "pen", "price": 3}
    shop = same(
        SHOP,
        ("GET", "/"),
        ("GET", "/items/1"),
        ("PUT", "/items/1", pen),
        ("PUT", "/items/2", {"name": "ship", "price": 3000}),
        ("PUT", "/items/1?name=bob", pen),
        ("GET", "/items/1"),
        ("GET", "/users/me"),
        ("DELETE", "/users/ann"),
        ("GET", "/users/me"),
        ("PATCH", "/items/1"),
        ("GET", "/users/me/"),
    )
    assert [answer[0] for answer in shop.answers] == [200, 404, 200, 422, 404, 200, 200, 200, 404, 405, 307]
    assert shop.openapi_text_is_the_same
    assert shop.moved == {
        "schemas/common.py": ["MAX_PRICE", "Item", "User"],
        "shared.py": ["ITEMS", "USERS", "current_user"],
        "routers/items.py": ["read_item", "put_item"],
        "routers/users.py": ["me", "remove"],
    }
    assert sorted(shop.conversion.bundle.files) == [
        "main.py",
        *["routers/__init__.py", "routers/items.py", "routers/users.py"],
        *["schemas/__init__.py", "schemas/common.py", "shared.py"],
    ]
    assert shop.notes == "`root` stays in main.py: too few to be a router."
    assert shop.text() == (
        '''
"""A shop."""

# The web.
from fastapi import FastAPI

from routers.items import router as items_router
from routers.users import router as users_router


app = FastAPI(title="Shop")


@app.get("/")
def root():
    return {"hello": "world"}


app.include_router(items_router)
app.include_router(users_router)


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app)
'''
    )
    assert shop.text("routers/items.py").startswith(
        """\
from fastapi import APIRouter, Depends, HTTPException

from schemas.common import Item, User
from shared import ITEMS, current_user

router = APIRouter()


# Items.
@router.get("/items/{number}", response_model=Item)
def read_item(number: int):
"""
    )


def test_every_line_the_person_wrote_is_there_once(same: Comparer) -> None:
    shop = same(SHOP)
    written = [line for path in [*shop.moved, "main.py"] for line in shop.text(path).splitlines() if line.strip()]
    for line in SHOP.splitlines():
        if not line.strip() or line.startswith(("from fastapi", "from pydantic")):
            continue
        assert written.count(line.replace("@app.", "@router.")) + written.count(line) >= 1, line
        if "#" in line:
            assert written.count(line) == 1, line


def test_tags_name_the_routers(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI
        app = FastAPI()

        @app.get("/a", tags=["Blog posts"])
        def a(): return 1

        @app.get("/b", tags=["Blog posts"])
        def b(): return 2

        @app.get("/c", tags=["import"])
        def c(): return 3
        """,
        ("GET", "/b"),
    )
    assert app.moved == {"routers/blog_posts.py": ["a", "b"], "routers/r_import.py": ["c"]}


def test_prefixes_that_say_nothing_are_passed_over(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI
        PREFIX = "/api/v1"
        app = FastAPI()

        @app.get(f"{PREFIX}/users")
        def users(): return 1

        @app.get(PREFIX + "/users/{name}")
        def user(name: str): return name

        @app.get("/api/v1/items")
        def items(): return 2

        @app.get("/api/v1/items/{n}")
        def item(n: int): return n
        """,
        ("GET", "/api/v1/users/x"),
        ("GET", "/api/v1/items/3"),
    )
    assert app.moved == {"routers/items.py": ["items", "item"], "routers/users.py": ["PREFIX", "users", "user"]}


def test_many_routes_about_nothing_in_common_are_one_router(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI
        app = FastAPI()

        @app.get("/")
        def root(): return 0

        @app.get("/a")
        def a(): return 1

        @app.get("/b")
        def b(): return 2
        """,
        ("GET", "/a"),
    )
    assert app.moved == {"routers/general.py": ["root", "a", "b"]}


def test_one_function_for_two_paths_and_decorators_of_ones_own(same: Comparer) -> None:
    app = same(
        """
        from functools import wraps
        from fastapi import FastAPI
        app = FastAPI()

        def doubled(function):
            @wraps(function)
            def inner(*args, **kwargs):
                return function(*args, **kwargs) * 2
            return inner

        @app.get("/words/a")
        @app.get("/words/b", deprecated=True)
        @doubled
        def word(say: str = "hi"):
            return say

        @app.api_route("/words/c", methods=["PUT"])
        async def other(): return "c"
        """,
        ("GET", "/words/a"),
        ("GET", "/words/b?say=ho"),
        ("PUT", "/words/c"),
    )
    assert app.moved == {"routers/words.py": ["doubled", "word", "other"]}


def test_websockets(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI, WebSocket
        app = FastAPI()

        class Room:
            def __init__(self):
                self.members = 0

        room = Room()

        @app.websocket("/ws/room")
        async def join(socket: WebSocket):
            await socket.accept()
            room.members += 1
            await socket.send_text(f"member {room.members}")

        @app.get("/ws/count")
        def count(): return room.members
        """,
        ("WS", "/ws/room"),
        ("GET", "/ws/count"),
    )
    assert app.answers[0] == "member 1"
    assert app.answers[1][2] == "1"


def test_models_that_refer_to_each_other(same: Comparer) -> None:
    app = same(
        """
        from __future__ import annotations
        from dataclasses import dataclass, field
        from enum import Enum
        from typing import Annotated, Generic, NewType, Optional, TypeVar
        from fastapi import FastAPI
        from pydantic import AfterValidator, BaseModel
        from typing_extensions import TypedDict

        T = TypeVar("T")
        Number = NewType("Number", int)
        Name = Annotated[str, AfterValidator(lambda value: value.title())]

        class Colour(str, Enum):
            RED = "red"

        class Extra(TypedDict):
            note: str

        class Team(BaseModel):
            name: Name
            heroes: list[Hero] = []

        class Hero(BaseModel):
            name: Name
            colour: Colour = Colour.RED
            team: Optional[Team] = None
            extra: Optional[Extra] = None

        class Page(BaseModel, Generic[T]):
            rows: list[T]

        @dataclass
        class Point:
            x: int
            tags: list[str] = field(default_factory=list)

        app = FastAPI()

        @app.post("/heroes")
        def add(hero: Hero) -> Page[Hero]:
            return Page(rows=[hero])

        @app.get("/heroes/{number}")
        def hero(number: Number) -> Hero: return Hero(name="x", team=Team(name="y"))

        @app.post("/teams")
        def team(team: Team) -> Team: return team

        @app.get("/teams/point")
        def point(x: int) -> Point: return Point(x)
        """,
        ("POST", "/heroes", {"name": "ann", "team": {"name": "blue", "heroes": [{"name": "bob"}]}}),
        ("GET", "/heroes/1"),
        ("POST", "/teams", {"name": "red"}),
        ("GET", "/teams/point?x=1"),
    )
    assert app.openapi_text_is_the_same
    assert app.moved["models/teams.py"] == ["Point"]
    assert app.moved["schemas/common.py"] == ["Name", "Colour", "Extra", "Team", "Hero"]
    assert app.moved["schemas/heroes.py"] == ["T", "Page"]
    assert app.text("schemas/common.py").startswith("from __future__ import annotations\n")


def test_forward_references_in_strings(same: Comparer) -> None:
    app = same(
        """
        from typing import List, Optional
        from fastapi import Depends, FastAPI
        from pydantic import BaseModel
        app = FastAPI()

        class Tree(BaseModel):
            leaves: "List[Leaf]" = []

        class Leaf(BaseModel):
            size: int
            tree: Optional["Tree"] = None

        def nothing() -> "Optional[Leaf]": return None

        @app.post("/trees")
        def grow(tree: "Tree", deep: "Optional[Leaf]" = Depends(nothing)) -> "Tree":
            return tree

        @app.post("/trees/all")
        def grow_all(trees: "List[Tree]"): return len(trees)
        """,
        ("POST", "/trees", {"leaves": [{"size": 1}]}),
        ("POST", "/trees/all", [{}, {}]),
    )
    assert app.moved["schemas/trees.py"] == ["Tree", "Leaf"]


def test_tables_register_before_they_are_made(same: Comparer) -> None:
    orm = """
        class Registry(list):
            def create_all(self): print("tables", sorted(self))
        class DeclarativeBase:
            metadata = Registry()
            def __init_subclass__(cls): cls.metadata.append(cls.__name__)
    """
    app = same(
        """
        from fastapi import FastAPI
        from pydantic import BaseModel
        from orm import DeclarativeBase

        class Base(DeclarativeBase):
            pass

        class User(Base):
            __tablename__ = "users"

        class Log(Base):
            __tablename__ = "logs"

        Base.metadata.create_all()
        app = FastAPI()

        @app.get("/users")
        def users(): return User.__tablename__

        @app.get("/users/{n}")
        def user(n: int): return n
        """,
        ("GET", "/users"),
        files={"orm.py": orm},
    )
    assert app.printed == "tables ['Base', 'Log', 'User']\n"
    assert "Log" in app.moved["models/common.py"]
    assert "models.common" in app.text()


def test_lifespan_middleware_handlers_and_mounts_stay(same: Comparer) -> None:
    app = same(
        """
        from contextlib import asynccontextmanager
        from fastapi import FastAPI, Request
        from fastapi.middleware.cors import CORSMiddleware
        from fastapi.responses import JSONResponse, PlainTextResponse
        from fastapi.staticfiles import StaticFiles

        models = {}

        class Odd(Exception):
            pass

        @asynccontextmanager
        async def lifespan(app: FastAPI):
            models["m"] = 42
            yield
            models.clear()

        app = FastAPI(lifespan=lifespan)
        app.add_middleware(CORSMiddleware, allow_origins=["*"])
        app.state.started = True

        @app.middleware("http")
        async def seen(request: Request, call_next):
            response = await call_next(request)
            response.headers["x-seen"] = str(request.app.state.started)
            return response

        @app.exception_handler(Odd)
        async def odd(request: Request, error: Odd):
            return JSONResponse({"odd": str(error)}, 418)

        app.mount("/static", StaticFiles(directory="static"), name="static")

        @app.get("/predict/one")
        def one(): return models["m"]

        @app.get("/predict/odd")
        def two(): raise Odd("very")

        @app.get("/predict/url")
        def url(request: Request): return PlainTextResponse(str(request.url_for("one")) + app.title)
        """,
        ("GET", "/predict/one"),
        ("GET", "/predict/odd"),
        ("GET", "/predict/url"),
        ("GET", "/static/a.txt"),
        files={"static/a.txt": "hello"},
    )
    assert [answer[0] for answer in app.answers] == [200, 418, 200, 200]
    assert app.answers[0][1]["x-seen"] == "True"
    assert app.moved == {"shared.py": ["models", "Odd"], "routers/predict.py": ["one", "two"]}
    assert "`url` stays in main.py: `app` itself is needed there." in app.notes


def test_routers_that_are_there_already_move_as_they_are(same: Comparer) -> None:
    app = same(
        """
        from fastapi import APIRouter, Depends, FastAPI
        import admin

        def token(token: str = "none"): return token

        users = APIRouter(prefix="/users", tags=["users"], dependencies=[Depends(token)])
        app = FastAPI()

        @users.get("/")
        def all_users(): return []

        @users.get("/{name}")
        def one_user(name: str, token: str = Depends(token)): return [name, token]

        @app.get("/health")
        def health(): return "ok"

        app.include_router(users, prefix="/api")
        app.include_router(admin.router)
        """,
        ("GET", "/api/users/x?token=t"),
        ("GET", "/health"),
        ("GET", "/admin"),
        files={
            "admin.py": "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/admin')\ndef a(): return 1"
        },
    )
    assert app.openapi_text_is_the_same
    assert app.moved == {"routers/users.py": ["token", "users", "all_users", "one_user"]}
    assert "from routers.users import users\n" in app.text()


def test_an_app_in_a_folder_imports_relatively(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI
        from pydantic import BaseModel
        from . import words
        from .numbers import TWO as ZWEI

        class Item(BaseModel):
            name: str = words.HELLO

        app = FastAPI()

        @app.get("/items")
        def items() -> list[Item]: return [Item()] * ZWEI

        @app.post("/items")
        def add(item: Item): return item

        @app.get("/items/{n}")
        def item(n: int):
            from .numbers import THREE
            return words.HELLO * THREE
        """,
        ("GET", "/items"),
        ("GET", "/items/1"),
        main="api/main.py",
        files={"api/words.py": "HELLO = 'hi'", "api/numbers.py": "TWO = 2\nTHREE = 3"},
    )
    assert app.moved == {"api/schemas/items.py": ["Item"], "api/routers/items.py": ["items", "add"]}
    assert "from .. import words\n" in app.text("api/schemas/items.py")
    assert "from ..numbers import TWO as ZWEI\n" in app.text("api/routers/items.py")
    assert "`item` stays in main.py: `item` asks for the folder it is in." in app.notes
    assert "from .routers.items import router as items_router\n" in app.text()


def test_line_ends_and_marks_stay_as_they_are(same: Comparer) -> None:
    source = "\ufeff" + SHOP.replace("\n", "\r\n")
    shop = same(source, ("GET", "/users/me"))
    for path in ("main.py", "routers/users.py"):
        text = shop.text(path)
        assert text.count("\r\n") == text.count("\n")
    assert shop.text().startswith('\ufeff\r\n"""A shop.')
    assert not shop.text("shared.py").startswith("\ufeff")
