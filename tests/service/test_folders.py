"""`gofastapi deploy DIR`: realistic projects of many files, live from the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.cli import CommandLine, command_line
from support.platform import get
from support.waiting import until

SHOP = {
    "app/main.py": (
        "from fastapi import FastAPI, Request\nfrom fastapi.staticfiles import StaticFiles\n"
        "from fastapi.templating import Jinja2Templates\nfrom app.routers import items, users\n"
        "app = FastAPI()\napp.mount('/static', StaticFiles(directory='static'))\n"
        "templates = Jinja2Templates('templates')\napp.include_router(users.router)\napp.include_router(items.router)\n"
        "@app.get('/')\ndef home(request: Request):\n"
        "    return templates.TemplateResponse(request, 'home.html', {'name': 'shop'})\n"
    ),
    "app/db.py": "ITEMS = ['pen']\n",
    "app/models/item.py": "from pydantic import BaseModel\n\nclass Item(BaseModel):\n    name: str\n",
    "app/routers/items.py": (
        "from fastapi import APIRouter\nfrom .. import db\nfrom ..models.item import Item\n"
        "router = APIRouter(prefix='/items')\n@router.get('')\ndef items() -> list[Item]:\n"
        "    return [Item(name=name) for name in db.ITEMS]\n"
    ),
    "app/routers/users.py": (
        "from fastapi import APIRouter\nfrom app.db import ITEMS\nrouter = APIRouter(prefix='/users')\n"
        "@router.get('')\ndef users():\n    ITEMS.append('ink')\n    return ITEMS\n"
        "@router.get('/broken')\ndef broken():\n    return {}['nobody']\n"
    ),
    "static/app.css": "a{}",
    "templates/home.html": "<h1>{{ name }}</h1>",
    "README.md": "# Shop",
    ".env": "PASSWORD=hunter2",
    ".git/config": "",
}


@pytest.fixture(scope="module")
def cli() -> Iterator[CommandLine]:
    with command_line() as running:
        running.run("up")
        yield running


def write(cli: CommandLine, folder: str, tree: dict[str, str]) -> str:
    for path, text in tree.items():
        cli.write(f"{folder}/{path}", text)
    return folder


def check_shop(url: str) -> None:
    assert get(url).text == "<h1>shop</h1>"
    assert get(url, "/static/app.css").text == "a{}"
    # Relative and absolute imports mean the same modules.
    assert get(url, "/users").json()[0] == "pen"
    assert {"name": "ink"} in get(url, "/items").json()


def test_a_project_without_init_files_is_live_under_its_folders_name(cli: CommandLine) -> None:
    write(cli, "My Shop", SHOP)
    text = cli.run("deploy", "My Shop")
    head, *rest = text.splitlines()
    assert head == "Deploying my-shop: app/main.py and 7 more"
    assert [line.rstrip("B ").rstrip("0123456789.k ") for line in rest[:5]] == [
        "  README.md",
        "  app/",
        "    db.py",
        "    main.py",
        "    models/",
    ]
    assert any(line.startswith("  8 files, ") for line in rest)
    assert any(line.startswith("  Left out: .env: may hold secrets") for line in rest)
    assert not any(".git" in line for line in rest)
    assert rest[-1].startswith("live  http://")
    url = cli.json("status")["apps"][0]["url"]
    check_shop(url)
    assert get(url, "/users/broken").status_code == 500
    told = "File app/routers/users.py, line 10, in broken\n    return {}['nobody']"
    until(
        lambda: told in "\n".join(entry["text"] for entry in cli.lines("logs", "my-shop")), what="the line in the log"
    )


@pytest.mark.parametrize("below", ["src", "backend"])
def test_a_project_whose_imports_begin_deeper(cli: CommandLine, below: str) -> None:
    tree = {f"{below}/{path}" if path.startswith("app/") else path: text for path, text in SHOP.items()}
    folder = write(cli, f"deep-{below}", tree)
    last = cli.lines("deploy", folder, "--name", f"in-{below}")[-1]
    assert last["stage"] == "live", last
    check_shop(last["url"])


def test_a_project_started_by_another_file(cli: CommandLine) -> None:
    folder = write(cli, "started", {**SHOP, "run.py": "import uvicorn\nuvicorn.run('app.main:app', port=1)\n"})
    last = cli.lines("deploy", folder)[-1]
    assert last["stage"] == "live", last
    check_shop(last["url"])


def test_an_error_in_a_router_names_its_file_and_line(cli: CommandLine) -> None:
    folder = write(cli, "faulty", SHOP)
    users = SHOP["app/routers/users.py"]
    for broken, place in (
        (users + "\n1 / 0\n", "app/routers/users.py:12"),
        (users + "\ndef f(:\n", "app/routers/users.py:12"),
        ("import not_there_at_all\n" + users, "app/routers/users.py:1"),
    ):
        cli.write(f"{folder}/app/routers/users.py", broken)
        text = cli.run("deploy", folder, status=1)
        assert place in text, text


def test_dry_run_shows_and_deploys_nothing(cli: CommandLine) -> None:
    folder = write(cli, "planned", SHOP)
    text = cli.run("deploy", folder, "--dry-run")
    assert text.startswith("Would deploy planned: app/main.py and 7 more\n")
    told = cli.json("deploy", folder, "--dry-run")
    assert (told["name"], told["main"]) == ("planned", "app/main.py")
    assert {"path": "app/db.py", "bytes": 16} in told["files"]
    assert [line.split(":")[0] for line in told["left_out"]] == [".env"]
    assert "planned" not in [app["id"] for app in cli.json("apps")]
    single = cli.run("deploy", f"{folder}/app/main.py", "--name", "single", "--dry-run")
    assert "  app/\n" in single


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("several",), "one.py, two.py. Say which one: --main PATH"),
        (("several", "--main", "three.py"), "--main three.py: there is no such Python file in several."),
        (("several", "--name", "Not A Name"), "not-a-name"),
        (("several/one.py",), "Say what the app is to be called: --name NAME"),
        (("several/one.py", "--name", "x", "--main", "one.py"), "--main goes with a folder"),
        (("nowhere",), "There is no file or folder nowhere."),
        (("!!!",), "Say what the app is to be called: --name NAME"),
        (("nowhere", "--name", "x"), "There is no file "),
        (("several", "--file", "several/.env"), "gofastapi env import NAME .env"),
    ],
)
def test_what_is_wrong_is_said(cli: CommandLine, arguments: tuple[str, ...], message: str) -> None:
    app = "from fastapi import FastAPI\napp = FastAPI()\n"
    write(cli, "several", {"one.py": app, "two.py": app, ".env": "A=1"})
    write(cli, "!!!", {"main.py": app})
    assert message in cli.finish("deploy", *arguments).stderr
    last = cli.lines("deploy", *arguments, status=1)[-1]
    assert message in last["diagnostics"][0]["message"]
    dry = cli.finish("deploy", *arguments, "--dry-run")
    assert (dry.returncode, message in dry.stderr) == (1, True)


def test_main_answers_the_question(cli: CommandLine) -> None:
    app = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root():\n    return __name__\n"
    folder = write(cli, "question", {"one.py": app, "two.py": app})
    assert get(cli.lines("deploy", folder, "--main", "two.py")[-1]["url"]).json() == "two"
