"""From one file to several: models and tables, which know each other by name."""

from __future__ import annotations

from support.conversion import Comparer


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


def test_models_that_the_document_tells_apart_by_their_module_stay(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI
        from pydantic import BaseModel
        import other

        class Item(BaseModel):
            ours: int

        class Box(BaseModel):
            class Config:
                title = "A box"
            item: Item

        class Note(BaseModel):
            text: str

        app = FastAPI()

        @app.get("/a/1")
        def a1() -> Item: return Item(ours=1)

        @app.get("/a/2")
        def a2() -> other.Item: return other.Item(theirs=1)

        @app.post("/a/3")
        def a3(box: Box): return 1

        @app.post("/a/4")
        def a4(note: Note): return 1
        """,
        ("GET", "/a/1"),
        routes_keep_order=False,
        files={"other.py": "from pydantic import BaseModel\nclass Item(BaseModel):\n    theirs: int\n"},
    )
    assert app.moved == {"schemas/a.py": ["Note"], "routers/a.py": ["a2", "a4"]}
    assert "there is more than one `Item`" in app.notes


def test_what_is_done_to_a_model_is_done_before_a_route_is_made_of_it(same: Comparer) -> None:
    app = same(
        """
        from fastapi import FastAPI
        from pydantic import BaseModel

        class Item(BaseModel):
            name: str

        Item.__doc__ = "Changed before."
        app = FastAPI()

        @app.post("/items")
        def add(item: Item) -> Item: return item

        @app.get("/items/{n}")
        def item(n: int) -> Item: return Item(name="x")

        Item.__doc__ = "Changed after."
        """,
        ("POST", "/items", {"name": "x"}),
    )
    assert "Changed" in app.text("shared.py") + app.text()
