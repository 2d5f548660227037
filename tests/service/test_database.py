"""A user's database: what is in it, its credentials, and that they open nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pymongo
import pytest
from pymongo.errors import OperationFailure
from support.cli import CommandLine
from support.platform import Platform, drop_collections, get, running_platform

from gofastapi_ext.core.data import AppMove
from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.mongod import EmbeddedMongo
from gofastapi_ext.platform.databases.users import DatabaseUsers
from gofastapi_ext.platform.store.database import DATABASE, connect
from gofastapi_ext.platform.store.databases import DatabaseStore

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


@pytest.fixture
def data(platform: Platform) -> Iterator[pymongo.database.Database]:
    """The user's database, opened with the user's own address as mongosh would."""
    with pymongo.MongoClient(uri_of(platform)) as client:
        database = client.get_default_database()
        yield database
        drop_collections(database)


def test_a_database_says_what_is_in_it(platform: Platform, data: pymongo.database.Database) -> None:
    data.notes.insert_many({"text": "x" * 100, "n": n} for n in range(50))
    data.notes.create_index([("n", 1), ("text", -1)], unique=True)
    data.notes.create_index("at", expireAfterSeconds=3600)
    data.create_collection("short", viewOn="notes", pipeline=[{"$limit": 3}])
    data.create_collection("readings", timeseries={"timeField": "at"})
    data.readings.insert_one({"at": datetime.now(UTC), "value": 1.5})

    view = platform.client.database()
    assert view.name == data.name
    assert view.limit_bytes == 100_000_000
    assert not view.over_limit
    assert [(c.name, c.kind) for c in view.collections] == [
        ("notes", "collection"), ("readings", "timeseries"), ("short", "view"),
    ]  # fmt: skip
    notes = view.collections[0]
    assert notes.documents == 50
    assert notes.bytes > 50 * 100
    assert notes.average_bytes == notes.bytes / 50
    assert [(i.name, i.keys, i.unique, i.ttl_seconds) for i in notes.indexes] == [
        ("_id_", [("_id", 1)], True, None),
        ("n_1_text_-1", [("n", 1), ("text", -1)], True, None),
        ("at_1", [("at", 1)], False, 3600),
    ]
    assert all(index.bytes > 0 for index in notes.indexes)
    assert view.bytes >= notes.bytes + sum(index.bytes for index in notes.indexes)

    command = CommandLine(platform.places.home, platform.places.home)
    shown = command.run("db")
    assert "of 100.0 MB" in shown
    assert "notes" in shown
    assert command.json("db", "stats")["name"] == data.name


def test_a_branch_that_is_not_there_is_named(platform: Platform) -> None:
    with pytest.raises(NotFoundError, match='no branch "nope"'):
        platform.client.database(branch="nope")


def test_the_address_is_shown_on_request_alone(platform: Platform) -> None:
    with pytest.raises(InvalidRequestError, match="confirm its name: user_"):
        platform.client.database_uri(confirm="")
    shown = CommandLine(platform.places.home, platform.places.home).run("db", "uri").strip()
    assert shown == uri_of(platform)
    with pymongo.MongoClient(shown) as client:
        assert client.get_default_database().command("ping")["ok"]
    password = shown.split(":")[2].split("@")[0]
    assert password not in platform.log_text()
    assert password not in platform.client.database().model_dump_json()


def test_what_apps_use_is_known_by_their_name(platform: Platform) -> None:
    url = platform.deploy_live("notes", NOTES)
    assert get(url, "/add/one").json() == 1
    assert platform.client.database().apps == ["notes"]
    with pymongo.MongoClient(platform.root_uri) as root:
        stages = [{"$currentOp": {"allUsers": True, "idleConnections": True}}]
        names = {op.get("appName") for op in root.admin.aggregate(stages)}
    assert "gofastapi:notes" in names


def test_another_user_reaches_nothing_of_the_first(platform: Platform, data: pymongo.database.Database) -> None:
    """Real credentials of a second user, made as the service makes them, against everything of the first."""
    data.notes.delete_many({})
    data.notes.insert_one({"_id": "mine"})
    with make_second_user(platform) as other:
        other.get_default_database().notes.insert_one({"_id": "theirs"})
        for name in (data.name, "gofastapi", "admin", "config", "local"):
            foreign = other[name]
            refused = [
                lambda foreign=foreign: foreign.notes.find_one(),
                lambda foreign=foreign: foreign.list_collection_names(),
                lambda foreign=foreign: foreign.notes.insert_one({"x": 1}),
                lambda foreign=foreign: foreign.notes.update_one({}, {"$set": {"x": 1}}),
                lambda foreign=foreign: foreign.notes.delete_one({}),
                lambda foreign=foreign: foreign.notes.drop(),
                lambda foreign=foreign: foreign.command("dbStats"),
                lambda foreign=foreign: foreign.command("collStats", "notes"),
                lambda foreign=foreign: foreign.command("dropDatabase"),
                lambda foreign=foreign: foreign.command("createUser", "me", pwd="x", roles=["dbOwner"]),
                lambda foreign=foreign: foreign.command("usersInfo", 1),
                lambda foreign=foreign: foreign.notes.create_index("x"),
            ]
            for attempt in refused:
                with pytest.raises(OperationFailure) as caught:
                    attempt()
                assert caught.value.code == 13, (name, caught.value)
        own = other.get_default_database()
        into = {"db": data.name, "coll": "notes"}
        for stage in ({"$out": into}, {"$merge": {"into": into}}):
            with pytest.raises(OperationFailure) as caught:
                own.notes.aggregate([stage])
            assert caught.value.code == 13
        assert other.list_database_names() == [own.name]
        for command in (
            {"createUser": "me", "pwd": "x", "roles": ["dbOwner"]},
            {"updateUser": f"{own.name}.1", "roles": []},
            {"grantRolesToUser": f"{own.name}.1", "roles": ["dbOwner"]},
            {"createRole": "r", "privileges": [], "roles": []},
            {"dropUser": f"{own.name}.1"},
        ):
            with pytest.raises(OperationFailure) as caught:
                own.command(command)
            assert caught.value.code == 13, command
    assert [each["_id"] for each in data.notes.find()] == ["mine"]


def test_new_credentials_take_the_place_of_those_before(platform: Platform) -> None:
    url = platform.deploy_live("notes", NOTES)
    before, generation = uri_of(platform), int(get(url, "/user").json().rpartition(".")[2])
    count = get(url, "/count").json()
    *moved, end = platform.client.rotate_credentials()
    assert [event.app for event in moved] == [AppMove(app="notes", moved=True, seconds=moved[0].app.seconds)]
    assert end.done
    assert not end.still_used
    assert get(url, "/user").json().endswith(f".{generation + 1}")
    assert get(url, "/count").json() == count
    assert uri_of(platform) != before
    with pymongo.MongoClient(before) as client, pytest.raises(OperationFailure) as caught:
        client.get_default_database().notes.find_one()
    assert caught.value.code == 18  # authentication failed
    kinds = [event.kind for event in platform.client.events()]
    assert "credentials_rotated" in kinds
    assert platform.client.database().credentials_rotated_at is not None


def test_credentials_that_could_do_anything_are_replaced_at_start() -> None:
    """As data directories had them before: a user of the database's name, with dbOwner."""
    with running_platform() as own:
        name = own.client.me().database
        with pymongo.MongoClient(own.root_uri) as root:
            root.gofastapi.databases.drop()
            root[name].command("dropAllUsersFromDatabase")
            root[name].command("createUser", name, pwd="former", roles=[{"role": "dbOwner", "db": name}])
            root[name].notes.insert_one({"_id": 1})
            assert own.process is not None
            own.process.kill()
            own.process.wait(5)
            own.start()
            users = {user["user"]: user["roles"] for user in root[name].command("usersInfo", 1)["users"]}
            assert set(users) == {f"{name}.1"}
            assert {role["role"] for role in users[f"{name}.1"]} == {"readWrite", "dbAdmin"}
        url = own.deploy_live("notes", NOTES)
        assert get(url, "/count").json() == 1


def make_second_user(platform: Platform) -> pymongo.MongoClient:
    """A client with the credentials of a second user, made through the platform's own code."""
    home = platform.places.home
    key = PlatformKey.load(home / "platform.key")
    mongo = EmbeddedMongo(home / "mongo", platform.places.mongo_socket, key, None)

    async def make() -> str:
        async with connect(mongo.root_uri) as client:
            databases = Databases(DatabaseStore(client[DATABASE]), DatabaseUsers(mongo, client, key))
            # Many at once, as apps of a user may start at once: they all get the same.
            uris = await asyncio.gather(*(databases.uri("bob") for _ in range(10)))
            assert len(set(uris)) == 1
            again = Databases(DatabaseStore(client[DATABASE]), DatabaseUsers(mongo, client, key))
            assert await again.uri("bob") == uris[0]
            return uris[0]

    return pymongo.MongoClient(asyncio.run(make()))
