"""A real platform service in a directory of its own, with its own mongod."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

import httpx
import psutil
import pymongo
from pymongo.database import Database

from gofastapi_ext.client.client import Client
from gofastapi_ext.client.discovery import is_listening, read_service_info, service_environment
from gofastapi_ext.client.places import Places
from gofastapi_ext.core.bundle import Bundle, BundleFile, CellOrigin
from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.lifecycle import State
from gofastapi_ext.core.models import AppView, DeployRequest, StageEvent
from gofastapi_ext.platform.databases.keys import PlatformKey
from support.ports import PortRange
from support.reruns import forget, remember
from support.waiting import until


class Platform:
    """Starts, asks, hurts and ends one service."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.places = Places(home=home, run=home / "run")
        self.ports = PortRange()
        self.environment = service_environment() | {"GOFASTAPI_HOME": str(home)} | self.ports.settings | settings
        self.client = Client(self.places)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.places.make()
        with self.places.service_log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gofastapi_ext.platform"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )
        until(lambda: is_listening(self.places) or self.process.poll() is not None, 30, "service up")
        assert self.process.poll() is None, self.log_text()

    def stop(self) -> None:
        """End the service by SIGTERM, and make sure nothing of it is left."""
        children = self.processes()
        info = read_service_info(self.places)
        if info is not None:
            try:
                service = psutil.Process(int(str(info["pid"])))
                service.terminate()
                # A child of ours stays as a zombie until it is waited for.
                until(lambda: not service.is_running() or service.status() == "zombie", 60, "service ended")
            except psutil.NoSuchProcess:
                pass
        if self.process is not None:
            self.process.wait(30)
        for child in children:
            if child.is_running():
                child.kill()

    def mend(self) -> None:
        """Have it run again whatever a test did to it, without apps: what `kill -9` leaves is to be lived with."""
        if self.process is None or self.process.poll() is not None or not is_listening(self.places):
            self.stop()
            self.start()
        until(self._remove_apps, what="all apps removed")

    def _remove_apps(self) -> bool:
        """Whether none is left; one that is being deployed, say, cannot go just now."""
        with suppress(GoFastAPIError):
            apps = [*self.client.apps(), *self.client.apps(deleted=True)]
            for app in apps:
                self.client.delete(app.id, forever=True)
            return not apps
        return False

    def processes(self) -> list[psutil.Process]:
        """mongod, zygotes and instances of this service."""
        home = str(self.places.home)
        found = []
        for process in psutil.process_iter(["cmdline"]):
            try:
                if home in " ".join(process.info["cmdline"] or []) or process.cwd().startswith(home):
                    found.append(process)
            except psutil.Error:
                continue
        return [process for process in found if process.pid != os.getpid()]

    def deploy(self, app_id: str, source: str, **request: object) -> list[StageEvent]:
        """Deploy one file, as from the notebook cell In[5], and return every stage."""
        files = {"main.py": BundleFile(text=source)} | {
            path: BundleFile(text=text)
            for path, text in request.pop("files", {}).items()  # type: ignore[attr-defined]
        }
        origins = {"main.py": CellOrigin(label="In[5]", notebook="test.ipynb", line_offset=1)}
        return list(self.client.deploy(app_id, DeployRequest(bundle=Bundle(files=files), origins=origins, **request)))

    def deploy_live(self, app_id: str, source: str, **request: object) -> str:
        """Deploy, and return the URL. Fails with the diagnostics where it does not come live."""
        last = self.deploy(app_id, source, **request)[-1]
        assert last.url, [(d.message, d.traceback) for d in last.diagnostics]
        return last.url

    def deploy_failed(self, app_id: str, source: str, **request: object) -> StageEvent:
        """Deploy what must fail, and return the last event."""
        last = self.deploy(app_id, source, **request)[-1]
        assert last.stage == "failed", last
        return last

    def app(self, app_id: str) -> AppView:
        return self.client.app(app_id)

    def until_state(self, app_id: str, state: State, timeout_seconds: float = 30.0) -> AppView:
        return until(
            lambda: view if (view := self.app(app_id)).state is state else None, timeout_seconds, f"{app_id} {state}"
        )

    def logs(self, app_id: str, tail: int = 1000) -> str:
        return "\n".join(line.text for line in self.client.logs(app_id, tail=tail))

    def log_text(self) -> str:
        return self.places.service_log.read_text()

    @contextmanager
    def database(self) -> Iterator[Database[dict[str, Any]]]:
        """The platform's own database, to look at or to damage."""
        with pymongo.MongoClient[dict[str, Any]](self.root_uri) as root:
            yield root["gofastapi"]

    @property
    def root_uri(self) -> str:
        """The address of its mongod, with all rights."""
        password = PlatformKey.load(self.places.home / "platform.key").derive("mongo root")
        address = self.client.service().mongo.address.replace("/", "%2F")
        return f"mongodb://gofastapi:{password}@{address}/?directConnection=true"

    @property
    def mongod_pid(self) -> int:
        pid = self.client.service().mongo.pid
        assert pid is not None
        return pid


@contextmanager
def running_platform(**settings: str) -> Iterator[Platform]:
    """A service with these settings (`GOFASTAPI_...`), gone with everything of it afterwards."""
    # Short: a unix socket's path holds about a hundred bytes.
    home = Path(tempfile.mkdtemp(prefix="gfa-"))
    platform = Platform(home, **settings)
    platform.start()
    remember(platform.places)
    try:
        yield platform
    finally:
        forget(platform.places)
        platform.client.close()
        platform.stop()
        rmtree(home, ignore_errors=True)


def collections_of(database: Database[dict[str, Any]]) -> list[str]:
    """Their names, without MongoDB's own: of views its list stays when the last one is gone."""
    return [name for name in database.list_collection_names() if not name.startswith("system.")]


def drop_collections(database: Database[dict[str, Any]]) -> None:
    """All but MongoDB's own."""
    for name in collections_of(database):
        database.drop_collection(name)


def get(url: str, path: str = "/", **kwargs: object) -> httpx.Response:
    """One request on a connection of its own."""
    return httpx.get(url + path, timeout=30, trust_env=False, **kwargs)  # type: ignore[arg-type]
