"""The files that let an exported app run without us, beside its own, which stay as they are."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core import objects
from gofastapi_ext.core.bundle import Bundle
from gofastapi_ext.core.project import texts
from gofastapi_ext.core.project.manifest import MANIFEST_NAME, Manifest, free_name
from gofastapi_ext.core.validation.imports import local_imports
from gofastapi_ext.core.validation.modules import LocalModules, package_of

# What the code may need without importing it, by a word that says so.
_NEEDED_UNSAID = {
    "python_multipart": ("Form", "File", "UploadFile", "OAuth2PasswordRequestForm", "form"),
    "jinja2": ("Jinja2Templates",),
    "email_validator": ("EmailStr", "NameEmail"),
    "itsdangerous": ("SessionMiddleware",),
    "orjson": ("ORJSONResponse",),
    "ujson": ("UJSONResponse",),
    "websockets": ("WebSocket", "websocket", "add_websocket_route", "websocket_route"),
    "httpx": ("TestClient",),
    "openpyxl": ("read_excel", "to_excel"),
    "pyarrow": ("read_parquet", "to_parquet", "read_feather", "to_feather"),
    # In addresses of databases: `postgresql+asyncpg://`.
    **{driver: (driver,) for driver in ("aiomysql", "aiosqlite", "asyncpg", "psycopg", "psycopg2", "pymysql")},
}
_COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


class Frozen(BaseModel):
    """What an app's Python has of what the app needs; see `gofastapi_runner.freeze`."""

    model_config = ConfigDict(frozen=True)

    python: str
    """`3.12`"""
    pins: list[str]
    kept: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class Facts:
    """What is known of the app beside its code. `app` is where it is: `main:app`, or `main:create_app()`."""

    name: str
    title: str
    version: int | None
    created_at: datetime
    app: str
    env: Mapping[str, str]
    """The version's own variables."""
    variables: Mapping[str, str | None]
    """The app's own variables; None for a secret."""
    objects_loader: str = ""
    """The source of a module that loads the app's objects; used where it has some."""


def needed_modules(bundle: Bundle, imported: Iterable[str]) -> frozenset[str]:
    """The modules to pin: what is imported, uvicorn, and what the code's words tell it needs unsaid."""
    words: set[str] = set()
    for path in bundle.files:
        if path.endswith(".py"):
            words.update(re.findall(r"\w+", bundle.text_of(path) or ""))
    unsaid = [module for module, signs in _NEEDED_UNSAID.items() if not words.isdisjoint(signs)]
    return frozenset({"uvicorn", *imported, *unsaid})


def required(bundle: Bundle) -> list[str]:
    """What to pin beside the modules: the bundle's requirements, the plain ones of a `requirements.txt` of the
    app's own, and the libraries its things from the kernel were made with.
    """
    text = bundle.text_of("requirements.txt") or ""
    lines = [re.sub(r"(^|\s)(#|--).*", "", line).strip() for line in text.splitlines()]
    plain = [line for line in lines if re.match(r"[A-Za-z0-9]", line) and not line.endswith("\\")]
    return list(dict.fromkeys([*bundle.requirements, *plain, *_libraries(bundle)]))


def _libraries(bundle: Bundle) -> list[str]:
    try:
        entries = json.loads(bundle.text_of(objects.MANIFEST) or "{}").get("objects", [])
        return sorted({library for entry in entries for library in entry.get("libraries", {})})
    except (ValueError, AttributeError, TypeError):
        return []  # the app does not start with such a list, and says so


def generate(bundle: Bundle, facts: Facts, frozen: Frozen) -> dict[str, str]:
    """The files to write beside the bundle's own, by path. None of them is one of the bundle's."""
    taken = {part for path in bundle.files for part in PurePosixPath(path).parts[:1]}
    # A package `asgi/` would be imported instead of our `asgi.py`.
    modules = taken | {f"{name}.py" for name in taken}
    has_objects = objects.MANIFEST in bundle.files
    names = {name: free_name(name, taken) for name in ("requirements.txt", "Dockerfile", "README.md", ".env.example")}
    compose = (
        "compose.yaml" if taken.isdisjoint(_COMPOSE_NAMES) else free_name("compose.yaml", {*taken, "compose.yaml"})
    )
    files: dict[str, str] = {}
    app, is_factory = facts.app.removesuffix("()"), facts.app.endswith("()")
    if has_objects or _looks_beside_main(bundle):
        asgi, loader = free_name("asgi.py", modules), free_name(f"{objects.MODULE}.py", modules)
        files[asgi] = texts.asgi(app, is_factory, loader.removesuffix(".py") if has_objects else None)
        if has_objects:
            files[loader] = facts.objects_loader
        app, is_factory = f"{asgi.removesuffix('.py')}:app", False
    notes = _notes(bundle, names, compose, frozen)
    serve = texts.Serve(app, is_factory, names["requirements.txt"], names["Dockerfile"], compose, names[".env.example"])
    files[names["requirements.txt"]] = texts.requirements(frozen.pins, frozen.kept)
    files[names["Dockerfile"]] = texts.dockerfile(facts.name, frozen, serve)
    files[compose] = texts.compose(facts.name, serve)
    files[names[".env.example"]] = texts.env_example({**facts.variables, **facts.env})
    if ".dockerignore" not in taken:
        files[".dockerignore"] = texts.dockerignore(taken)
    manifest = Manifest(
        name=facts.name,
        title=facts.title,
        version=facts.version,
        created_at=facts.created_at,
        code_hash=bundle.code_hash,
        main=bundle.main,
        entrypoint=bundle.entrypoint,
        requirements=bundle.requirements,
        env=dict(facts.env),
        variables=sorted(name for name, value in facts.variables.items() if value is not None),
        secrets=sorted(name for name, value in facts.variables.items() if value is None),
        files=sorted(bundle.files),
        generated={},
        notes=notes,
    )
    files[names["README.md"]] = texts.readme(manifest, frozen.python, serve)
    hashes = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in sorted(files.items())}
    manifest = manifest.model_copy(update={"generated": hashes})
    files[free_name(MANIFEST_NAME, taken)] = manifest.model_dump_json(indent=2) + "\n"
    return files


def _notes(bundle: Bundle, names: Mapping[str, str], compose: str, frozen: Frozen) -> list[str]:
    notes = [
        f"Your own {wanted} stays as it is; ours is called {name}." for wanted, name in names.items() if name != wanted
    ]
    if compose != "compose.yaml":
        notes.append(f"Your own compose file stays as it is; ours is called {compose}.")
    if ".dockerignore" in bundle.files:
        notes.append("Your own .dockerignore stays as it is; see that it keeps .env out of the image.")
    notes += [f"Not installed where the app ran, so not pinned: {requirement}." for requirement in frozen.kept]
    notes += [f"{note}." for note in frozen.notes]
    return notes


def _looks_beside_main(bundle: Bundle) -> bool:
    """Whether something is imported that lies beside the main file only, where uvicorn does not look."""
    if not package_of(bundle.main):
        return False
    local = LocalModules(bundle.files, bundle.main)
    for path in (path for path in bundle.files if path.endswith(".py")):
        for module in local_imports(bundle.text_of(path) or "", package_of(path)):
            if not local.has(module.name) and local.absolute(module.name) is not None:
                return True
    return False
