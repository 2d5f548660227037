"""An app with data, and a look at them past every app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from pymongo import MongoClient
from pymongo.database import Database

from support.platform import Platform

NOTES = """
import os
from fastapi import FastAPI
from pymongo import MongoClient

app = FastAPI()
data = MongoClient(os.environ["PLATFORM_MONGO_URI"]).get_default_database()

@app.get("/")
def names():
    return sorted(note["_id"] for note in data.words.find())

@app.put("/{name}")
def put(name: str):
    data.words.insert_one({"_id": name})
"""


def notes(url: str) -> list[str]:
    """What the app at this address sees."""
    found: list[str] = httpx.get(url, timeout=15, trust_env=False).raise_for_status().json()
    return found


def note(url: str, name: str) -> None:
    httpx.put(f"{url}/{name}", timeout=15, trust_env=False).raise_for_status()


@contextmanager
def user_data(platform: Platform, branch: str | None = None) -> Iterator[Database[dict[str, Any]]]:
    """The database itself, through the person's own address of it."""
    name = platform.client.database(branch=branch).name
    uri = platform.client.database_uri(confirm=name, branch=branch).uri
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        yield client.get_default_database()


def physical(platform: Platform) -> set[str]:
    """Every user's databases that the server has, whatever the platform thinks of them."""
    with platform.database() as database:
        return {name for name in database.client.list_database_names() if name.startswith("user_")}
