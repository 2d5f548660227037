"""What the tests of secrets share: an app that shows its own, and a look into the platform's database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymongo
from pymongo.database import Database

from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.core.variables import EnvChange, Setting
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.mongod import EmbeddedMongo
from gofastapi_ext.platform.store.database import DATABASE
from support.platform import Platform

SECRET = 'sk_live_51H/b+c&d "é"\\'
SHOWS = (
    "import os\nfrom fastapi import FastAPI\napp = FastAPI()\n"
    "@app.get('/')\ndef root(): return os.environ.get('TOKEN', '')\n"
)


def put_secrets(platform: Platform, app: str, **secrets: str) -> None:
    """Set secrets; fails where the app does not come up with them."""
    change = EnvChange(set={name: Setting(value=value, secret=True) for name, value in secrets.items()})
    last = list(platform.client.change_env(app, change))[-1]
    assert last.stage in (Stage.LIVE, Stage.SAVED), last


@contextmanager
def database_of(platform: Platform) -> Iterator[Database[dict[str, Any]]]:
    """The platform's own database, as its administrator sees it."""
    home = platform.places.home
    key = PlatformKey.load(home / "platform.key")
    uri = EmbeddedMongo(home / "mongo", platform.places.mongo_socket, key, None).root_uri
    with pymongo.MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        yield client[DATABASE]
