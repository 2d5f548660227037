"""An app that says one word, and shorthands for what tests do to it."""

from __future__ import annotations

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.models import StageEvent
from gofastapi_ext.core.variables import EnvChange, Setting
from support.platform import Platform

HEAD = "import os\nfrom fastapi import FastAPI\n"


def hello(word: str) -> str:
    return HEAD + f"app = FastAPI()\n@app.get('/')\ndef root(): return [{word!r}, os.environ.get('WORD')]\n"


def last(events: object) -> StageEvent:
    return list(events)[-1]  # type: ignore[call-overload]


def bundle(source: str) -> Bundle:
    return Bundle(files={"main.py": BundleFile(text=source)})


def set_env(platform: Platform, app_id: str, secret: bool = False, **values: str) -> StageEvent:
    settings = {name: Setting(value=value, secret=secret) for name, value in values.items()}
    return last(platform.client.change_env(app_id, EnvChange(set=settings)))
