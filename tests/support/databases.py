"""What the tests of users' databases share: an app that stores, and the user's own address."""

from __future__ import annotations

from typing import Any

import pymongo

from support.platform import Platform

# It stores and reads with one client for its whole life, as apps do.
NOTES = (
    "import os, pymongo\n"
    "from fastapi import FastAPI\n"
    "app = FastAPI()\n"
    "client = pymongo.MongoClient(os.environ['PLATFORM_MONGO_URI'])\n"
    "db = client.get_default_database()\n"
    "@app.get('/add/{text}')\n"
    "def add(text: str):\n"
    "    db.notes.insert_one({'text': text})\n"
    "    return db.notes.count_documents({})\n"
    "@app.get('/count')\n"
    "def count():\n"
    "    return db.notes.count_documents({})\n"
    "@app.get('/user')\n"
    "def user():\n"
    "    return os.environ['PLATFORM_MONGO_URI'].split('://')[1].split(':')[0]\n"
)


def uri_of(platform: Platform) -> str:
    return platform.client.database_uri(confirm=platform.client.me().database).uri


def mongo_users(platform: Platform) -> set[str]:
    """The names of every MongoDB user of the person's database."""
    with pymongo.MongoClient[dict[str, Any]](platform.root_uri) as root:
        found = root[platform.client.me().database].command("usersInfo", 1)
    return {user["user"] for user in found["users"]}
