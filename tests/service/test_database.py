"""A user's database: what is in it, its credentials, and that they open nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure
from support.cli import CommandLine
from support.databases import NOTES, uri_of
from support.platform import Platform, drop_collections, get, running_platform

from gofastapi_ext.core.errors import ConflictError, InvalidRequestError, NotFoundError
from gofastapi_ext.core.naming import next_database_name
from gofastapi_ext.platform.control.backup_files import BackupFiles
from gofastapi_ext.platform.control.databases import Databases
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.mongod import EmbeddedMongo
from gofastapi_ext.platform.databases.users import DatabaseUsers
from gofastapi_ext.platform.store.database import DATABASE, connect
from gofastapi_ext.platform.store.databases import BindingRecord, DatabaseStore


@pytest.fixture
def data(platform: Platform) -> Iterator[pymongo.database.Database]:
    """The user's database, opened with the user's own address as mongosh would."""
    with pymongo.MongoClient(uri_of(platform)) as client:
        database = client.get_default_database()
        yield database
        drop_collections(database)


@pytest.fixture
def own() -> Iterator[Platform]:
    """A service to be hurt."""
    with running_platform() as running:
        yield running


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


@pytest.mark.parametrize("branch", ["", "a" * 101])
def test_what_cannot_be_the_name_of_a_branch_is_refused(platform: Platform, branch: str) -> None:
    with pytest.raises(InvalidRequestError, match="branch"):
        platform.client.database(branch=branch)


def test_mongod_killed_makes_whoever_looks_wait_and_not_fail(own: Platform) -> None:
    own.client.database()
    os.kill(own.mongod_pid, signal.SIGKILL)
    assert own.client.database().documents == 0


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
        for level in (0, 2):
            # When an operation is slow, and so logged with its values, is the same for everybody.
            with pytest.raises(OperationFailure) as caught:
                own.command({"profile": level, "slowms": -1})
            assert caught.value.code == 13
        own.command({"collMod": "notes", "validator": {"_id": {"$exists": True}}})
        assert own.validate_collection("notes")["valid"]
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


def test_credentials_that_could_do_anything_are_replaced_at_start(own: Platform) -> None:
    """As data directories had them before: a user of the database's name, with dbOwner."""
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
        assert {role["role"] for role in users[f"{name}.1"]} == {"readWrite", "owner"}
    url = own.deploy_live("notes", NOTES)
    assert get(url, "/count").json() == 1


def test_a_user_goes_with_everything_stored_and_every_credential(platform: Platform) -> None:
    with make_second_user(platform, "carol") as carol, pymongo.MongoClient(platform.root_uri) as root:
        carol.get_default_database().notes.insert_one({"_id": 1})
        name = carol.get_default_database().name
        backups = platform.places.home / "backups" / "carol"
        backups.mkdir(parents=True)
        (backups / "20260101-000000-000000.zip").touch()

        async def remove(databases: Databases) -> None:
            # As a branch of hers, which goes too.
            async with databases.changing("carol"):
                branch = BindingRecord(
                    user="carol", branch="try", name=next_database_name("carol"), created_at=datetime.now(UTC)
                )
                await databases.create(branch)
            async with databases.session("carol", "try") as database:
                await database.notes.insert_one({"_id": 2})
            lease = await databases.lease("carol", None, "shop")
            with pytest.raises(ConflictError, match="in use, by shop"):
                await databases.remove_user("carol")
            lease.ended = True
            await databases.remove_user("carol")
            await databases.remove_user("carol")

        with_databases(platform, remove)
        assert not backups.exists()
        assert [each for each in root.list_database_names() if each.startswith(name)] == []
        assert root.gofastapi.databases.count_documents({"user": "carol"}) == 0
        assert (
            root.admin.command("usersInfo", {"forAllDBs": True}, filter={"db": {"$regex": f"^{name}"}})["users"] == []
        )
        assert list(root.admin.system.roles.find({"db": {"$regex": f"^{name}"}})) == []
        with pytest.raises(OperationFailure):
            carol.get_default_database().notes.find_one()


def make_second_user(platform: Platform, user: str = "bob") -> pymongo.MongoClient:
    """A client with the credentials of a second user, made as the service makes them."""

    async def make(databases: Databases) -> str:
        # Many at once, as apps of a user may start at once: they all get the same.
        uris = await asyncio.gather(*(databases.uri(user) for _ in range(10)))
        assert len(set(uris)) == 1
        return uris[0]

    uri = with_databases(platform, make)
    assert with_databases(platform, make) == uri
    return pymongo.MongoClient(uri)


def with_databases(platform: Platform, act: Callable[[Databases], Awaitable[Any]]) -> Any:
    """Let the platform's own code act on its own MongoDB, for users that this service does not know."""
    home = platform.places.home
    backups = BackupFiles(home, "here", min_free_bytes=0, limit_bytes=1)
    key = PlatformKey.load(home / "platform.key")
    mongo = EmbeddedMongo(home / "mongo", platform.places.mongo_socket, key, None)

    async def run() -> Any:
        async with connect(mongo.root_uri) as client:
            databases = Databases(DatabaseStore(client[DATABASE]), DatabaseUsers(mongo, client, key), backups)
            try:
                return await act(databases)
            finally:
                await databases.stop()

    return asyncio.run(run())
