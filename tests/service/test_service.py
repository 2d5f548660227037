"""The service itself: one per user, its parts, its MongoDB."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from pathlib import Path
from shutil import rmtree

import fastapi
import httpx
import psutil
import pymongo
import pytest
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext import __version__
from gofastapi_ext.client.client import Client
from gofastapi_ext.client.discovery import ensure_running
from gofastapi_ext.client.mongod import find_mongod
from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.errors import NotFoundError, ServiceUnreachableError, VersionMismatchError
from gofastapi_ext.core.models import ValidateRequest

ROOT = Path(__file__).parents[2]
HELLO = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root(): return 'hello'\n"


def test_however_many_start_it_at_once_there_is_one() -> None:
    home = Path(tempfile.mkdtemp(prefix="gfa-"))
    platform = Platform(home)
    code = "from gofastapi_ext.client.client import connect\nprint(connect().service().pid)"
    starters = [
        subprocess.Popen([sys.executable, "-c", code], env=platform.environment, stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    try:
        said = [starter.communicate(timeout=60)[0].decode().strip() for starter in starters]
        assert len(set(said)) == 1, said
        assert said[0].isdigit()
        # Also one that does not ask first ends at once, and leaves the other alone.
        second = subprocess.run(
            [sys.executable, "-m", "gofastapi_ext.platform"], env=platform.environment, timeout=20, check=False
        )
        assert second.returncode == 0
        assert platform.client.service().pid == int(said[0])
        kinds = Counter(
            "mongod" if "--dbpath" in line else "zygote" if "zygote" in line else "service"
            for line in (" ".join(process.cmdline()) for process in platform.processes())
        )
        assert kinds == {"mongod": 1, "zygote": 1, "service": 1}
    finally:
        platform.client.close()
        platform.stop()
        rmtree(home)


def test_a_long_home_gets_a_short_socket_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gofastapi_ext.client.places import find_places

    home = tmp_path / ("long" * 30)
    monkeypatch.setenv("GOFASTAPI_HOME", str(home))
    places = find_places().make()
    assert len(os.fsencode(places.mongo_socket)) < 104
    assert stat.S_IMODE(places.run.stat().st_mode) == 0o700
    assert stat.S_IMODE(places.home.stat().st_mode) == 0o700
    places.run.rmdir()


def test_nobody_else_gets_in(platform: Platform) -> None:
    places = platform.places
    for directory in (places.home, places.run):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for file in (places.home / "platform.key", places.mongo_socket):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    listening = [c for c in psutil.Process(platform.mongod_pid).net_connections("tcp") if c.status == "LISTEN"]
    assert listening == []


def test_the_database_asks_for_a_password(platform: Platform) -> None:
    address = platform.client.service().mongo.address
    uri = f"mongodb://{address.replace('/', '%2F')}/?directConnection=true"
    with pymongo.MongoClient(uri) as anonymous:
        with pytest.raises(pymongo.errors.OperationFailure, match="requires authentication"):
            anonymous.gofastapi.apps.find_one()
        with pytest.raises(pymongo.errors.OperationFailure):
            anonymous.admin.command("createUser", "x", pwd="x", roles=["root"])


def test_the_database_listens_nowhere_but_in_our_directory(platform: Platform) -> None:
    """In /tmp, where it would by itself, another user's may be in its way."""
    pid = platform.client.service().mongo.pid
    assert pid is not None
    process = psutil.Process(pid)
    listening = {Path(each.laddr) for each in process.net_connections("unix") if each.laddr}
    assert platform.places.mongo_socket in listening
    assert {path.parent for path in listening} == {platform.places.run}
    assert process.net_connections("inet") == []


def test_who_am_i(platform: Platform) -> None:
    me = platform.client.me()
    assert me.version == __version__
    assert me.database == f"user_{me.user}"
    service = platform.client.service()
    assert service.socket == str(platform.places.socket)
    assert psutil.pid_exists(service.pid)


def test_validate_says_what_is_wrong_and_stores_nothing(platform: Platform) -> None:
    marker = platform.places.home / "executed"
    hostile = (
        f"import pathlib\nmark = lambda *a: pathlib.Path({str(marker)!r}).touch()\n"
        "from fastapi import FastAPI\napp = FastAPI()\n"
        "def f(x=mark()): ...\n@mark\ndef g(): ...\nclass C(metaclass=mark): z: mark() = mark()\n"
    )
    request = ValidateRequest(bundle=Bundle(files={"main.py": BundleFile(text=hostile)}))
    assert platform.client.validate(request).ok
    assert not marker.exists()

    broken = Bundle(files={"main.py": BundleFile(text="import nothing_like_it\n!pip install x\n")})
    result = platform.client.validate(ValidateRequest(bundle=broken))
    assert not result.ok
    assert result.entrypoint is None
    assert "ipython_syntax" in [d.code for d in result.diagnostics]


def test_a_missing_module_is_told_before_anything_starts(platform: Platform) -> None:
    failed = platform.deploy_failed("needs", "import nothing_like_it\n" + HELLO)
    [found] = failed.diagnostics
    assert failed.failed_stage == "validate"
    assert (found.code, found.line) == ("missing_module", 1)
    assert found.cell is not None
    assert found.cell.line == 2
    with pytest.raises(NotFoundError):
        platform.client.rollback("needs-not-there", 1).__next__()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python environment to install in, which no other test uses; it finds what this one has."""
    folder = tmp_path_factory.mktemp("python")
    venv.create(folder, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    # Of a `.pth` file's folders no `.pth` files are read, which is how this checkout is installed.
    paths = [path for path in sys.path if path.endswith("site-packages") or path.startswith(str(ROOT))]
    (site / "all.pth").write_text("\n".join(paths))
    shutil.copytree(Path(fastapi.__file__).parent, site / "fastapi")
    return folder


def test_a_module_installed_later_is_found(platform: Platform, environment: Path) -> None:
    python = str(environment / "bin" / "python")
    [site] = environment.glob("lib/python*/site-packages")
    source = "import late_module as late\n" + HELLO.replace("'hello'", "late.word")
    platform.deploy_failed("late", source, interpreter=python)
    (site / "late_module.py").write_text("word = 'late'\n")
    assert get(platform.deploy_live("late", source, interpreter=python)).json() == "late"


def test_an_upgraded_package_is_not_the_old_one_any_more(platform: Platform, environment: Path) -> None:
    """The zygote has imported fastapi; when its files change, apps get a fresh zygote."""
    python = str(environment / "bin" / "python")
    [package] = environment.glob("lib/python*/site-packages/fastapi/__init__.py")
    url = platform.deploy_live("upgrade", HELLO, interpreter=python)
    before = psutil.Process(platform.app("upgrade").instances[0].pid).ppid()
    os.utime(package)
    platform.deploy_live("upgrade", HELLO + "# again\n", interpreter=python)
    after = psutil.Process(platform.app("upgrade").instances[0].pid).ppid()
    assert before != after
    assert get(url).json() == "hello"


def test_an_interpreter_that_cannot_run_apps_is_named(platform: Platform, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho 'No module named gofastapi_runner' >&2\nexit 1\n")
    fake.chmod(0o755)
    failed = platform.deploy_failed("other-python", HELLO, interpreter=str(fake))
    assert f"{fake} cannot run apps: No module named gofastapi_runner" in failed.diagnostics[0].message
    failed = platform.deploy_failed("other-python", HELLO, interpreter="/nowhere/python")
    assert "cannot be started" in failed.diagnostics[0].message


def test_a_client_of_another_version_says_so_and_how_to_restart(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gofastapi_ext.client.transport.__version__", "9.9.9")
    with pytest.raises(VersionMismatchError, match=rf"service is version {__version__}, this is 9\.9\.9.*up --restart"):
        Client(platform.places).me()
    assert Client(platform.places, check_version=False).me().version == __version__


def test_a_service_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(tempfile.mkdtemp(prefix="gfa-"))
    platform = Platform(home)
    monkeypatch.setenv("GOFASTAPI_MONGOD", "/nowhere/mongod")
    try:
        with pytest.raises(ServiceUnreachableError, match="GOFASTAPI_MONGOD is /nowhere/mongod, which is no"):
            ensure_running(platform.places)
        assert [p for p in platform.processes() if "python" in p.name()] == []
    finally:
        rmtree(home)


def test_a_lost_key_is_told_and_nothing_is_overwritten() -> None:
    with running_platform() as platform:
        url = platform.deploy_live("keeps", HELLO)
        platform.stop()
        key = platform.places.home / "platform.key"
        kept = key.read_text()
        key.write_text("00" * 32)
        with pytest.raises(AssertionError, match="key does not open the database"):
            platform.start()
        key.write_text(kept)
        platform.start()
        until(lambda: platform.app("keeps").instances, what="restored")
        assert get(url).json() == "hello"


def test_a_damaged_bundle_is_noticed_by_its_hash() -> None:
    with running_platform() as platform:
        platform.deploy_live("damaged", HELLO)
        platform.deploy_live("damaged", HELLO + "# two\n")
        with platform.database() as database:
            first = platform.client.versions("damaged")[1].code_hash
            chunk = database["bundles.chunks"].find_one({"files_id": first})
            assert chunk is not None
            data = bytes(chunk["data"]).replace(b"hello", b"hallo")
            database["bundles.chunks"].update_one({"_id": chunk["_id"]}, {"$set": {"data": data}})
        with pytest.raises(Exception, match="is damaged and is not used"):
            list(platform.client.rollback("damaged", 1))
        assert platform.app("damaged").version == 2


def test_a_mongodb_of_the_operators_own() -> None:
    home = Path(tempfile.mkdtemp(prefix="gfa-"))
    socket = home / "mongod.sock"
    (home / "data").mkdir()
    mongod = subprocess.Popen(
        [find_mongod(None), "--dbpath", home / "data", "--bind_ip", socket, "--logpath", home / "log", "--auth"],
        stdout=subprocess.DEVNULL,
    )
    host = str(socket).replace("/", "%2F")
    source = (
        "import os, pymongo\nfrom fastapi import FastAPI\napp = FastAPI()\n"
        "db = pymongo.MongoClient(os.environ['PLATFORM_MONGO_URI']).get_default_database()\n"
        "@app.get('/')\ndef root(): return [db.name, db.command('ping')['ok']]\n"
    )
    try:
        with pymongo.MongoClient(f"mongodb://{host}/?directConnection=true") as first:
            first.admin.command("createUser", "operator", pwd="s3cret", roles=["root"])
        uri = f"mongodb://operator:s3cret@{host}/?directConnection=true"
        with running_platform(GOFASTAPI_MONGO_URI=uri) as platform:
            service = platform.client.service()
            assert service.mongo.pid is None
            assert "s3cret" not in service.model_dump_json()
            assert get(platform.deploy_live("external", source)).json() == [platform.client.me().database, 1.0]
            assert "s3cret" not in platform.log_text()
        assert mongod.poll() is None, "it is not ours to stop"
    finally:
        mongod.terminate()
        mongod.wait(20)
        rmtree(home)


def test_the_api_is_described_for_other_programs(platform: Platform) -> None:
    transport = httpx.HTTPTransport(uds=str(platform.places.socket))
    with httpx.Client(timeout=30, transport=transport, base_url="http://gofastapi") as client:
        document = json.loads(client.get("/api/openapi.json").text)
    assert document["info"]["version"] == __version__
