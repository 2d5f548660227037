"""What apps found in public repositories do that our own did not: see docs/compatibility.md."""

from __future__ import annotations

from pathlib import Path

import httpx
from support.platform import Platform, get
from support.waiting import until

from gofastapi_ext.client.collect import collect_file
from gofastapi_ext.core.models import DeployRequest

HEAD = "import os\nfrom fastapi import *\nfrom fastapi.responses import *\n"


def deploy_folder(platform: Platform, app_id: str, root: Path, main: str, files: dict[str, str]) -> str:
    """Deploy `main` of a folder with these files, as the command does, and return the URL."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    bundle = collect_file(root / main, []).bundle
    last = list(platform.client.deploy(app_id, DeployRequest(bundle=bundle)))[-1]
    assert last.url, [(d.message, d.traceback) for d in last.diagnostics]
    return last.url


def test_an_app_finds_the_files_it_names_where_it_runs(platform: Platform, tmp_path: Path) -> None:
    source = HEAD + (
        "app = FastAPI()\n"
        "@app.get('/page')\n"
        "def page(): return FileResponse('pages/index.html')\n"
        "@app.put('/notes/{name}')\n"
        "async def write(name: str, request: Request):\n"
        "    with open(f'notes/{name}', 'wb') as file: file.write(await request.body())\n"
        "@app.get('/notes')\n"
        "def notes(): return sorted(os.listdir('notes'))\n"
    )
    (tmp_path / "notes").mkdir()
    files = {"site/__init__.py": "", "site/main.py": source, "site/pages/index.html": "<h1>Hi</h1>"}
    (tmp_path / "site/notes").mkdir(parents=True)
    url = deploy_folder(platform, "reads-files", tmp_path, "site/main.py", files)
    assert "<h1>Hi</h1>" in get(url, "/page").text
    httpx.put(f"{url}/notes/a.txt", content=b"text", timeout=30, trust_env=False).raise_for_status()
    assert "a.txt" in get(url, "/notes").json()


def test_a_launcher_deploys_the_app_it_starts(platform: Platform, tmp_path: Path) -> None:
    files = {
        "main.py": "import uvicorn\nif __name__ == '__main__':\n    uvicorn.run('app.main:app', reload=True)\n",
        "app/main.py": "from fastapi import FastAPI\nfrom .words import WORD\napp = FastAPI()\n"
        "@app.get('/')\ndef root(): return WORD\n",
        "app/words.py": "WORD = 'launched'\n",
    }
    assert get(deploy_folder(platform, "launcher", tmp_path, "main.py", files)).json() == "launched"


def test_the_app_of_the_file_that_was_named_is_the_one_though_its_package_makes_another(
    platform: Platform, tmp_path: Path
) -> None:
    make = "from fastapi import FastAPI\napp = FastAPI(title='{}')\n"
    files = {"app/__init__.py": make.format("package"), "app/main.py": make.format("main")}
    url = deploy_folder(platform, "two-apps", tmp_path, "app/main.py", files)
    assert get(url, "/openapi.json").json()["info"]["title"] == "main"


def test_modules_of_a_package_do_not_hide_what_is_installed(platform: Platform, tmp_path: Path) -> None:
    files = {
        "app/__init__.py": "",
        "app/main.py": "from fastapi import FastAPI\nfrom app.core import WORDS\napp = FastAPI()\n"
        "@app.get('/')\ndef root(): return WORDS\n",
        "app/core.py": "import colorsys, pymongo.monitoring as more\nWORDS = [colorsys.__name__, more.__name__]\n",
        "app/colorsys.py": "raise ImportError('the wrong one')",
        "app/pymongo/__init__.py": "raise ImportError('the wrong one')",
    }
    url = deploy_folder(platform, "hides-nothing", tmp_path, "app/main.py", files)
    assert get(url).json() == ["colorsys", "pymongo.monitoring"]


def test_a_file_name_that_is_no_identifier_and_a_byte_order_mark(platform: Platform, tmp_path: Path) -> None:
    source = "\ufefffrom fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root(): return __name__\n"
    url = deploy_folder(platform, "odd-name", tmp_path, "02_my-app.py", {"02_my-app.py": source})
    assert get(url).json() == "02_my-app"


def test_an_app_that_is_only_made_where_it_is_imported(platform: Platform) -> None:
    source = HEAD + "def make(): return FastAPI(title='made')\nif __name__ != '__main__':\n    app = make()\n"
    assert get(platform.deploy_live("imported", source), "/openapi.json").json()["info"]["title"] == "made"


def test_an_endless_thread_from_import_neither_stops_a_redeploy_nor_outlives_the_app(platform: Platform) -> None:
    source = HEAD + (
        "import threading, time\n"
        "ticks = []\n"
        "def tick():\n"
        "    while True: ticks.append(1); time.sleep(0.01)\n"
        "threading.Thread(target=tick).start()\n"
        "app = FastAPI()\n"
        "@app.get('/')\n"
        "def root(): return {'pid': os.getpid(), 'ticks': len(ticks)}\n"
    )
    url = platform.deploy_live("endless-thread", source)
    first = get(url).json()
    assert first["ticks"] > 0
    platform.deploy_live("endless-thread", source + "# changed\n")
    assert get(url).json()["pid"] != first["pid"]
    until(lambda: not Path(f"/proc/{first['pid']}").exists(), what="the old version's end")


def test_an_event_loop_that_is_blocked_for_a_while_costs_nothing_but_time(platform: Platform) -> None:
    source = HEAD + (
        "import time\n"
        "app = FastAPI()\n"
        "@app.get('/')\n"
        "async def block(): time.sleep(4); return os.getpid()\n"
        "@app.get('/pid')\n"
        "def pid(): return os.getpid()\n"
    )
    url = platform.deploy_live("blocks", source)
    assert get(url).json() == get(url, "/pid").json()
    assert platform.app("blocks").state == "running"


def test_a_hard_coded_database_is_refused_with_what_to_do(platform: Platform) -> None:
    source = HEAD + (
        "from pymongo import MongoClient\n"
        "client = MongoClient(os.environ['PLATFORM_MONGO_URI'])\n"
        "app = FastAPI()\n"
        "@app.get('/')\n"
        "def root(): return str(client.college.students.find_one())\n"
        "@app.get('/mine')\n"
        "def mine(): return str(client.get_default_database().students.find_one())\n"
    )
    url = platform.deploy_live("other-database", source)
    assert get(url).status_code == 500
    assert get(url, "/mine").json() == "None"
    log = until(lambda: text if "Hint: " in (text := platform.logs("other-database")) else "", what="the hint")
    assert "client.get_default_database()" in log


def test_a_file_that_is_not_there_at_start_fails_with_the_option_to_bring_it(platform: Platform) -> None:
    failed = platform.deploy_failed("no-file", HEAD + "name = 'model'\nopen(name + '.bin')\napp = FastAPI()\n")
    [found] = failed.diagnostics
    assert (found.code, found.line) == ("start_failed", 5)
    assert found.hint is not None
    assert "--file model.bin" in found.hint
