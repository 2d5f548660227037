"""Apps of every kind FastAPI knows, deployed unchanged and asked over real connections."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
from support.platform import Platform, get
from support.waiting import until

HEAD = "from fastapi import *\nfrom fastapi.responses import *\n"


def test_lifespan_starts_before_the_first_request_and_ends_with_the_instance(platform: Platform) -> None:
    source = HEAD + (
        "from contextlib import asynccontextmanager\n"
        "@asynccontextmanager\n"
        "async def lifespan(app):\n"
        "    print('starting up', flush=True)\n"
        "    yield {'word': 'from the state'}\n"
        "    print('shut down', flush=True)\n"
        "app = FastAPI(lifespan=lifespan)\n"
        "@app.get('/')\n"
        "def root(request: Request):\n"
        "    return request.state.word\n"
    )
    url = platform.deploy_live("lifespan", source)
    assert get(url).json() == "from the state"
    platform.deploy_live("lifespan", source + "# changed\n")
    log = until(lambda: text if "shut down" in (text := platform.logs("lifespan")) else "", what="shutdown")
    assert log.count("starting up") == 2


def test_an_exception_in_the_lifespan_fails_the_deploy_at_its_line(platform: Platform) -> None:
    source = HEAD + (
        "from contextlib import asynccontextmanager\n"
        "@asynccontextmanager\n"
        "async def lifespan(app):\n"
        "    raise RuntimeError('no model file')\n"
        "    yield\n"
        "app = FastAPI(lifespan=lifespan)\n"
    )
    failed = platform.deploy_failed("bad-lifespan", source)
    [found] = failed.diagnostics
    assert (failed.failed_stage, found.code, found.line) == ("ready", "lifespan_failed", 6)
    assert found.message == "RuntimeError: no model file"


def test_startup_and_shutdown_events(platform: Platform) -> None:
    source = HEAD + (
        "import warnings\nwarnings.simplefilter('ignore')\n"
        "from starlette.applications import Starlette\n"
        "from fastapi import APIRouter\n"
        "items = []\n"
        "app = FastAPI()\n"
        "@app.on_event('startup')\n"
        "async def fill():\n"
        "    items.append('filled')\n"
        "@app.get('/')\n"
        "def root(): return items\n"
    )
    assert get(platform.deploy_live("events", source)).json() == ["filled"]


def test_static_files_templates_and_local_modules(platform: Platform) -> None:
    source = HEAD + (
        "from fastapi.staticfiles import StaticFiles\n"
        "from fastapi.templating import Jinja2Templates\n"
        "from words import word\n"
        "from pkg.more import shout\n"
        "app = FastAPI()\n"
        "app.mount('/static', StaticFiles(directory='static'), name='static')\n"
        "templates = Jinja2Templates('templates')\n"
        "@app.get('/')\n"
        "def page(request: Request):\n"
        "    return templates.TemplateResponse(request, 'page.html', {'word': shout(word)})\n"
    )
    files = {
        "static/style.css": "body { color: green }",
        "templates/page.html": "<html><head></head><body>{{ word }}</body></html>",
        "words.py": "word = 'local'\n",
        "pkg/__init__.py": "",
        "pkg/more.py": "from .deep import up\ndef shout(text): return up(text)\n",
        "pkg/deep.py": "def up(text): return text.upper()\n",
    }
    url = platform.deploy_live("static-files", source, files=files)
    assert "<body>LOCAL</body>" in get(url).text
    style = get(url, "/static/style.css")
    assert (style.text, style.headers["content-type"]) == ("body { color: green }", "text/css; charset=utf-8")
    assert get(url, "/static/../main.py").status_code == 404


def test_sub_applications_with_docs_of_their_own(platform: Platform) -> None:
    source = HEAD + (
        "app = FastAPI()\nadmin = FastAPI()\n"
        "@admin.get('/who')\ndef who(request: Request): return request.scope['root_path']\n"
        "app.mount('/admin', admin)\n"
    )
    url = platform.deploy_live("mounted", source)
    assert get(url, "/admin/who").json() == "/admin"
    assert "/admin/openapi.json" in get(url, "/admin/docs").text


def test_background_tasks_and_threads_of_the_app(platform: Platform) -> None:
    source = HEAD + (
        "import threading, time\n"
        "done = []\n"
        "def ticking():\n"
        "    while True:\n"
        "        done.append('tick'); time.sleep(0.05)\n"
        "threading.Thread(target=ticking, daemon=True).start()\n"
        "app = FastAPI()\n"
        "@app.post('/later')\n"
        "def later(tasks: BackgroundTasks):\n"
        "    tasks.add_task(lambda: (time.sleep(0.1), done.append('later')))\n"
        "    return 'accepted'\n"
        "@app.get('/done')\ndef seen(): return sorted(set(done))\n"
    )
    url = platform.deploy_live("background", source)
    assert httpx.post(url + "/later", timeout=30, trust_env=False).json() == "accepted"
    until(lambda: get(url, "/done").json() == ["later", "tick"], what="both ran")


def test_a_thread_that_never_ends_does_not_hold_a_redeploy(platform: Platform) -> None:
    source = HEAD + (
        "import threading, time\n"
        "threading.Thread(target=lambda: time.sleep(1000)).start()\n"
        "app = FastAPI()\n@app.get('/')\ndef root(): return 1\n"
    )
    platform.deploy_live("thread", source)
    [old] = platform.app("thread").instances
    platform.deploy_live("thread", source.replace("return 1", "return 2"))
    until(lambda: old.pid not in [i.pid for i in platform.app("thread").instances], what="the old process ended")


def test_the_roadmaps_example_runs_as_written(platform: Platform) -> None:
    source = (
        "from fastapi import FastAPI\n"
        "from fastapi.responses import HTMLResponse\n"
        "from pymongo import MongoClient\n"
        "import os\n\n"
        "app = FastAPI()\n"
        'db = MongoClient(os.environ["PLATFORM_MONGO_URI"]).get_default_database()\n\n'
        '@app.get("/", response_class=HTMLResponse)\n'
        "def home():\n"
        '    items = list(db.items.find({}, {"_id": 0}))\n'
        '    return f"<html><body><h1>Items: {len(items)}</h1></body></html>"\n'
    )
    url = platform.deploy_live("roadmap", source)
    assert "<h1>Items: 0</h1>" in get(url).text
    writer = source + "\n@app.post('/items')\ndef add(): db.items.insert_one({'a': 1}); return 'ok'\n"
    platform.deploy_live("roadmap", writer)
    assert httpx.post(url + "/items", timeout=30, trust_env=False).json() == "ok"
    assert "<h1>Items: 1</h1>" in get(url).text


def test_an_apps_environment_holds_nothing_of_ours(platform: Platform) -> None:
    source = HEAD + (
        "import os\napp = FastAPI()\n"
        "@app.get('/env')\ndef env(): return dict(os.environ)\n"
        "@app.get('/proc')\ndef proc(): return open('/proc/self/environ').read()\n"
    )
    platform_names = {name for name in platform.environment if name.startswith("GOFASTAPI_")}
    assert platform_names
    url = platform.deploy_live("environment", source, env={"MINE": "yes"})
    seen = get(url, "/env").json()
    assert seen["MINE"] == "yes"
    assert seen["PLATFORM_MONGO_URI"].startswith("mongodb://")
    assert seen["PORT"] == url.rpartition(":")[2]
    for name in seen:
        assert not name.startswith(("GOFASTAPI_", "JUPYTER", "JPY_", "KERNEL_", "PYTEST_")), name
    assert "GOFASTAPI_" not in get(url, "/proc").text


def test_the_database_credentials_open_the_users_own_database_only(platform: Platform) -> None:
    source = HEAD + (
        "import os, pymongo\napp = FastAPI()\n"
        "client = pymongo.MongoClient(os.environ['PLATFORM_MONGO_URI'])\n"
        "@app.get('/try/{name}')\n"
        "def attempt(name: str):\n"
        "    try: return client[name].apps.find_one({}, {'_id': 0})\n"
        "    except pymongo.errors.OperationFailure as error: return error.code\n"
        "@app.get('/list')\n"
        "def names(): return client.list_database_names()\n"
    )
    url = platform.deploy_live("nosy", source)
    assert get(url, "/try/gofastapi").json() == 13
    assert get(url, "/try/admin").json() == 13
    assert get(url, "/try/user_other").json() == 13
    assert "gofastapi" not in get(url, "/list").json()


def test_what_the_gate_adds_where_the_app_has_nothing(platform: Platform) -> None:
    url = platform.deploy_live("bare", HEAD + "app = FastAPI(title='Bare')\n@app.get('/x')\ndef x(): return 1\n")
    root = get(url)
    assert (root.status_code, root.headers["location"]) == (307, "/docs")
    assert get(url, "/health").json() == {"status": "ok"}
    assert get(url, "/missing").status_code == 404

    own = HEAD + ("app = FastAPI(docs_url=None)\n@app.get('/health')\ndef health(): return 'mine'\n")
    url = platform.deploy_live("own-health", own)
    assert get(url, "/health").json() == "mine"
    assert get(url).status_code == 404


def test_a_health_route_that_never_gets_well_fails_the_deploy(platform: Platform) -> None:
    source = HEAD + (
        "app = FastAPI()\nasked = []\n"
        "@app.get('/health')\n"
        "def health(response: Response):\n"
        "    asked.append(1)\n"
        "    response.status_code = 200 if len(asked) > 3 else 503\n"
    )
    platform.deploy_live("gets-well", source)


def test_link_previews_are_added_to_pages_and_to_nothing_else(platform: Platform) -> None:
    source = HEAD + (
        "app = FastAPI()\n"
        "@app.get('/', response_class=HTMLResponse)\n"
        "def page(): return '<html><head><title>My &amp; notes</title></head><body>hi</body></html>'\n"
        "@app.get('/own', response_class=HTMLResponse)\n"
        'def own(): return \'<html><head><meta property="og:title" content="mine"></head></html>\'\n'
        "@app.get('/fragment', response_class=HTMLResponse)\ndef fragment(): return '<p>part</p>'\n"
        "@app.get('/json')\ndef data(): return '<head></head>'\n"
    )
    url = platform.deploy_live("preview", source)
    page = get(url)
    assert '<meta property="og:title" content="My &amp; notes">' in page.text
    assert int(page.headers["content-length"]) == len(page.content)
    assert get(url, "/own").text.count("og:title") == 1
    assert get(url, "/fragment").text == "<p>part</p>"
    assert get(url, "/json").json() == "<head></head>"
    assert httpx.head(url, timeout=30, trust_env=False).status_code == 405


def test_a_path_prefix_reaches_docs_and_redirects(platform: Platform) -> None:
    source = (
        HEAD
        + "app = FastAPI()\n@app.get('/where')\ndef where(request: Request): return str(request.url_for('where'))\n"
    )
    url = platform.deploy_live("prefix", source)
    headers = {"X-Forwarded-Prefix": "/base/apps/prefix"}
    assert "/base/apps/prefix/openapi.json" in get(url, "/docs", headers=headers).text
    assert get(url, "/openapi.json", headers=headers).json()["servers"] == [{"url": "/base/apps/prefix"}]
    assert get(url, "/where", headers=headers).json().endswith("/base/apps/prefix/where")
    assert get(url, "/", headers=headers).headers["location"] == "/base/apps/prefix/docs"
    # What is no path is not believed.
    assert get(url, "/where", headers={"X-Forwarded-Prefix": "//evil.example"}).json().startswith(url)


def test_what_is_not_an_asgi_app_is_said_to_be_none(platform: Platform) -> None:
    failed = platform.deploy_failed("not-asgi", "import json\napp = json.loads('\"text\"')\n")
    assert "is of type str, not an ASGI app" in failed.diagnostics[0].message


def test_a_factory_is_called(platform: Platform) -> None:
    source = HEAD + (
        "def create_app():\n    made = FastAPI()\n    @made.get('/')\n    def root(): return 'made'\n    return made\n"
    )
    assert get(platform.deploy_live("factory", source)).json() == "made"


def test_sync_endpoints_run_side_by_side(platform: Platform) -> None:
    source = HEAD + (
        "import threading\n"
        "app = FastAPI()\n"
        "all_here = threading.Barrier(10)\n"
        "@app.get('/')\n"
        "def wait(): return all_here.wait(20)\n"
    )
    url = platform.deploy_live("simultaneous", source)
    with httpx.Client(trust_env=False, timeout=30) as client, ThreadPoolExecutor(10) as pool:
        places = [answer.json() for answer in pool.map(client.get, [url] * 10)]
    assert sorted(places) == list(range(10))


def test_openapi_of_the_service_names_every_route(platform: Platform) -> None:
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(timeout=30, transport=transport, base_url="http://gofastapi") as client:
        paths = client.get("/api/openapi.json").json()["paths"]
        assert {"/api/me", "/api/apps", "/api/validate", "/api/apps/{app_id}/deploy"} <= paths.keys()
        answer = client.post("/api/apps/x/deploy", content=json.dumps({"bundle": 1}))
        assert answer.status_code == 422
        assert {"message", "code", "details", "request_id"} == answer.json().keys()
        assert client.get("/api/nothing").json()["code"] == "not_found"
