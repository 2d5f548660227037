"""The embedded MongoDB: a real mongod of this user's, behind a unix socket, kept running."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from gofastapi_ext.client.mongod import find_mongod
from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.last_words import last_words

logger = logging.getLogger(__name__)

_START_TIMEOUT_SECONDS = 30.0
_ADOPT_TIMEOUT_SECONDS = 10.0
_WATCH_INTERVAL_SECONDS = 0.1
# What exits at once does so again, unless somebody helps: frees the disk, puts the program back.
_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0
_STOP_TIMEOUT_SECONDS = 10.0
_ROOT_USER = "gofastapi"


class EmbeddedMongo:
    """Starts mongod, adopts one that outlived a crash of the service, restarts it when it dies.

    Only a unix socket in a directory of this user's, authentication on, network compression off.
    """

    def __init__(self, data: Path, socket: Path, key: PlatformKey, program: Path | None) -> None:
        self._data = data
        self._socket = socket
        self._log = data.parent / "mongod.log"
        self._log_size_before = 0
        self._password = key.derive("mongo root")
        self._program = program
        # Beside the data, so that it outlives the service, too.
        self._unclean = data.parent / "mongod.unclean"
        self._process: psutil.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._stopping = False
        self._is_up = False
        self._trouble: UnavailableError | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def address(self) -> str:
        return str(self._socket)

    def uri(
        self,
        user: str,
        password: str,
        database: str = "",
        auth_source: str = "admin",
        options: Mapping[str, str] | None = None,
    ) -> str:
        """A connection string. Writes are acknowledged when they are on disk: nothing is lost to a crash."""
        host = quote(str(self._socket), safe="")
        fixed = {"authSource": auth_source, "directConnection": "true", "retryWrites": "false", "journal": "true"}
        return (
            f"mongodb://{quote(user, safe='')}:{quote(password, safe='')}@{host}/{database}"
            f"?{urlencode({**fixed, **(options or {})})}"
        )

    @property
    def root_uri(self) -> str:
        return self.uri(_ROOT_USER, self._password)

    @property
    def unclean_start(self) -> str | None:
        try:
            return self._unclean.read_text()
        except OSError:
            return None

    def made_right(self, unclean_start: str) -> None:
        if self.unclean_start == unclean_start:
            self._unclean.unlink(missing_ok=True)

    async def start(self) -> None:
        """Return when it accepts connections. Raises `UnavailableError` with words where it cannot."""
        if not await self._adopt():
            await self._launch()
        self._is_up = True
        self._watcher = asyncio.create_task(self._watch(), name="mongod")

    async def ready(self) -> None:
        while not (self._is_up and self._is_alive()) and not self._stopping:
            if self._trouble is not None:
                raise UnavailableError(self._trouble.message)
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Shut it down cleanly."""
        self._stopping = True
        if self._watcher is not None:
            self._watcher.cancel()
        if self._process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            self._process.terminate()
            deadline = time.monotonic() + _STOP_TIMEOUT_SECONDS
            while self._is_alive():
                if time.monotonic() > deadline:
                    self._process.kill()
                await asyncio.sleep(0.02)

    async def _adopt(self) -> bool:
        """Go on with the mongod of a service that crashed, if it still runs on our data."""
        for process in self._running():
            self._process = process
            try:
                await self._until_answering(_ADOPT_TIMEOUT_SECONDS)
                return True
            except UnavailableError:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
                await asyncio.to_thread(process.wait)
        return False

    def _running(self) -> list[psutil.Process]:
        """Every mongod on our data. Asked of the system: a file could name a process of another time."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if (process.info["cmdline"] or [])[1:3] == ["--dbpath", str(self._data)]
        ]

    async def _launch(self) -> None:
        """Start one. Raises `UnavailableError` with its own words where it ends instead."""
        program = find_mongod(self._program)
        try:
            self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._socket.unlink(missing_ok=True)
            self._note_unclean_end()
            self._process = self._run(program)
        except OSError as error:
            raise UnavailableError(f"mongod cannot be started: {error.strerror} ({error.filename}).") from error
        await self._until_answering(_START_TIMEOUT_SECONDS)

    def _run(self, program: Path) -> psutil.Popen:
        if self._log.exists() and self._log.stat().st_size > 20_000_000:
            self._log.replace(self._log.with_suffix(".log.1"))
        arguments = [
            str(program),
            *("--dbpath", str(self._data)),
            *("--bind_ip", str(self._socket)),
            # Else it listens in /tmp, too, and ends where somebody else's MongoDB does so already. The number makes the
            # name of that socket short; nothing listens on a port.
            *("--unixSocketPrefix", str(self._socket.parent), "--port", "1"),
            *("--filePermissions", "0600"),
            *("--logpath", str(self._log), "--logappend"),
            *("--wiredTigerCacheSizeGB", "0.25"),
            *("--networkMessageCompressors", "disabled"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            "--auth",
        ]
        # What it says before it has a log, as that a library is missing, goes there too.
        with self._log.open("ab") as output:
            self._log_size_before = output.tell()
            # A session of its own: it outlives a crash of the service and is adopted by the next one.
            return psutil.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def _note_unclean_end(self) -> None:
        """mongod empties its lock file at its end, unless it was killed: then what it says of sizes is old."""
        with contextlib.suppress(OSError):
            if (self._data / "mongod.lock").stat().st_size:
                self._unclean.write_text(str(time.time_ns()))

    async def _until_answering(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while True:
            if not self._is_alive():
                raise UnavailableError(self._why_ended())
            if self._socket.exists() and await self._log_in():
                return
            if time.monotonic() > deadline:
                raise UnavailableError(f"mongod did not answer in {timeout_seconds:.0f} s.")
            await asyncio.sleep(0.01)

    async def _log_in(self) -> bool:
        """Whether root can log in; made first where the data directory is new."""
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(self.root_uri, serverSelectionTimeoutMS=200)
        try:
            await client.admin.command("ping")
            await client.admin.command("connectionStatus")
            return True
        except OperationFailure:
            return await self._make_root()
        except PyMongoError:
            return False
        finally:
            await client.close()

    async def _make_root(self) -> bool:
        """Without any user, MongoDB lets a local connection make the first one."""
        uri = f"mongodb://{quote(str(self._socket), safe='')}/?directConnection=true"
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(uri, serverSelectionTimeoutMS=1000)
        try:
            await client.admin.command("createUser", _ROOT_USER, pwd=self._password, roles=["root"])
            return True
        except OperationFailure as error:
            raise UnavailableError(
                f"The platform's key does not open the database in {self._data}. Put the key file back that "
                "belongs to it, or move the directory away to start empty."
            ) from error
        except PyMongoError:
            return False
        finally:
            await client.close()

    async def _watch(self) -> None:
        retry_seconds = _RETRY_SECONDS
        while not self._stopping:
            if not self._is_alive():
                self._is_up = False
                try:
                    await self._launch()
                except UnavailableError as error:
                    logger.warning("%s", error)
                    self._trouble = error
                    await asyncio.sleep(retry_seconds)
                    retry_seconds = min(2 * retry_seconds, _LONGEST_RETRY_SECONDS)
                    continue
                self._is_up, self._trouble, retry_seconds = True, None, _RETRY_SECONDS
            await asyncio.sleep(_WATCH_INTERVAL_SECONDS)

    def _is_alive(self) -> bool:
        """Whether it runs: it itself, not a zombie of it or another process that has its number now."""
        if isinstance(self._process, psutil.Popen):
            return self._process.poll() is None
        try:
            process = self._process
            return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def _why_ended(self) -> str:
        status = f" with status {self._process.poll()}" if isinstance(self._process, psutil.Popen) else ""
        said = last_words(self._log, self._log_size_before).rstrip(".") or "it said nothing"
        return f"mongod ended while it was starting{status}: {said}. Its log is {self._log}."
