"""Connection strings: what drivers read out of those that apps get."""

from __future__ import annotations

from pathlib import Path

from pymongo.uri_parser import parse_uri

from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.mongod import EmbeddedMongo
from gofastapi_ext.platform.databases.server import ExternalMongo, MongoServer

OPTIONS = {"appName": "gofastapi:shop", "maxPoolSize": "20"}


def parsed(server: MongoServer) -> dict[str, object]:
    name = "user_ada~1f2e3d4c"
    found = parse_uri(server.uri(f"{name}.2", "p/w:@%", name, auth_source=name, options=OPTIONS), warn=True)
    assert found["username"] == f"{name}.2"
    assert found["password"] == "p/w:@%"
    assert found["database"] == name
    options: dict[str, object] = {key.lower(): value for key, value in found["options"].items()}
    assert options["authsource"] == name
    assert options["appname"] == "gofastapi:shop"
    assert options["maxpoolsize"] == 20
    return options


def test_of_the_embedded_server(tmp_path: Path) -> None:
    options = parsed(EmbeddedMongo(tmp_path / "mongo", tmp_path / "mongod.sock", PlatformKey(b"x" * 32), None))
    assert options["directconnection"] is True
    assert options["journal"] is True


def test_of_a_server_of_ones_own_the_options_stay() -> None:
    address = (
        "mongodb://root:pw@one:27017,two:27018/?replicaSet=rs0&authSource=admin&appname=ops&maxPoolSize=5&w=majority"
    )
    options = parsed(ExternalMongo(address))
    assert options["replicaset"] == "rs0"
    assert options["w"] == "majority"
