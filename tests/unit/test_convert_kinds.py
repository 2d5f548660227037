"""From one file to several: what there is beside plain routes."""

from __future__ import annotations

from support.conversion import Comparer


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
