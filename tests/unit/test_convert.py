"""From one file to several: where things go, and that the app stays the same one."""

from __future__ import annotations

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
