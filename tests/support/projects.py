"""Apps to export, and what the tests of export and import do with them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import numpy as np

from gofastapi_ext.client.project import Project, opened_project, write_project
from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.models import DeployRequest
from gofastapi_ext.core.project.manifest import Manifest
from support.platform import Platform

HELLO = """
import os
from fastapi import FastAPI, Form
app = FastAPI(title="Hello", version="7")

@app.get("/hello/{name}")
def hello(name: str, loud: bool = False) -> dict[str, str]:
    return {"hello": name.upper() if loud else name, "greeting": os.environ.get("GREETING", "none")}

@app.post("/form")
def form(word: str = Form()):
    return word
"""

SHOP = {
    "shop/__init__.py": "",
    "shop/main.py": """
import os
from contextlib import asynccontextmanager
from fastapi import FastAPI, Request
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from pymongo import AsyncMongoClient
from shop.routers import items

@asynccontextmanager
async def lifespan(app):
    async with AsyncMongoClient(os.environ["PLATFORM_MONGO_URI"]) as client:
        app.state.database = client.get_default_database()
        yield

app = FastAPI(lifespan=lifespan)
app.include_router(items.router)
app.mount("/static", StaticFiles(directory="static"))
templates = Jinja2Templates("templates")

@app.get("/page")
def page(request: Request):
    return templates.TemplateResponse(request, "page.html", {"word": "<tag>"})

@app.get("/database")
def database():
    return os.environ["PLATFORM_MONGO_URI"]

@app.get("/health")
def health():
    return {"own": True}
""",
    "shop/routers/__init__.py": "",
    "shop/routers/items.py": """
from fastapi import APIRouter, Request
from pydantic import BaseModel

router = APIRouter(prefix="/items", tags=["items"])

class Item(BaseModel):
    name: str

@router.put("/{name}")
async def put(name: str, item: Item, request: Request) -> Item:
    await request.app.state.database.items.replace_one({"_id": name}, item.model_dump(), upsert=True)
    return item

@router.get("/{name}")
async def read(name: str, request: Request) -> Item:
    return Item(**await request.app.state.database.items.find_one({"_id": name}))
""",
    "templates/page.html": "<h1>{{ word }}</h1>",
    "static/style.css": "h1 { color: teal }",
}


def bundle_of(files: dict[str, str | bytes | BundleFile], main: str = "main.py", **more: object) -> Bundle:
    made = {
        path: content
        if isinstance(content, BundleFile)
        else BundleFile.from_bytes(content if isinstance(content, bytes) else content.encode())
        for path, content in files.items()
    }
    return Bundle(files=made, main=main, **more)  # type: ignore[arg-type]


def deploy(platform: Platform, app_id: str, bundle: Bundle, **request: object) -> str:
    request = {"interpreter": sys.executable, **request}
    last = list(platform.client.deploy(app_id, DeployRequest(bundle=bundle, **request)))[-1]
    assert last.url, [(d.message, d.traceback) for d in last.diagnostics]
    return last.url


def export(platform: Platform, app_id: str, folder: Path, version: str | None = None) -> Manifest:
    return write_project(platform.client, app_id, folder, version)


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_objects(platform: Platform) -> Bundle:
    """An app with a small thing from the kernel, and a large one that is stored apart."""
    buffer = io.BytesIO()
    np.save(buffer, np.arange(1_000_000, dtype="float64"))
    content = buffer.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    platform.client.put_blob(sha256, iter([content]))
    entries = [
        {"name": "table", "format": "npy", "type": "numpy.ndarray", "path": ".gofastapi/objects/table.npy",
         "libraries": {"numpy": np.__version__}},
        {"name": "words", "format": "json", "type": "list", "path": ".gofastapi/objects/words.json", "libraries": {}},
    ]  # fmt: skip
    python = ".".join(map(str, sys.version_info[:3]))
    return bundle_of(
        {
            "main.py": "from fastapi import FastAPI\nfrom more import words_of\napp = FastAPI()\n"
            "TOTAL = float(table.sum())\n"
            "@app.get('/total')\ndef total(): return [TOTAL, words, words_of()]\n",
            "more.py": "import gofastapi_objects\ndef words_of(): return gofastapi_objects.words\n",
            ".gofastapi/objects.json": json.dumps({"format": 1, "python": python, "objects": entries}),
            ".gofastapi/objects/words.json": '["a", "b"]',
            ".gofastapi/objects/table.npy": BundleFile(blob=sha256, blob_bytes=len(content)),
        }
    )


def forget_peak(platform: Platform) -> int:
    Path(f"/proc/{platform.client.service().pid}/clear_refs").write_text("5")
    return peak_bytes(platform)


def peak_bytes(platform: Platform) -> int:
    """The most memory the service has had since `forget_peak`."""
    status = Path(f"/proc/{platform.client.service().pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


def put_archive(platform: Platform, app_id: str, content: object, **headers: str) -> httpx.Response:
    return platform.client._http.put(f"/api/apps/{app_id}/draft/archive", content=content, headers=headers)  # type: ignore[arg-type]


def opened_project_of(bundle: Bundle, folder: Path) -> AbstractContextManager[Project]:
    """A folder with these files, opened to be imported."""
    for path, file in bundle.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file.content)
    return opened_project(folder)


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
