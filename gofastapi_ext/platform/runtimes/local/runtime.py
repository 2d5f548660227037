"""The local runtime: socket activation and forks of a zygote."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from gofastapi_runner.protocol import InstanceSpec, Origin

from gofastapi_ext.core.errors import UnavailableError
from gofastapi_ext.core.logs import LogQuery
from gofastapi_ext.core.models import LogLine
from gofastapi_ext.core.project.generated import Frozen
from gofastapi_ext.core.redaction import Redactor
from gofastapi_ext.platform.runtimes.base import LaunchSpec, Orphan, Runtime
from gofastapi_ext.platform.runtimes.local.freezing import freeze
from gofastapi_ext.platform.runtimes.local.instance import LocalInstance
from gofastapi_ext.platform.runtimes.local.logs import AppLog, LogPipe
from gofastapi_ext.platform.runtimes.local.orphans import end_orphan, find_orphans, mark
from gofastapi_ext.platform.runtimes.local.sockets import Listener, listen_on, listen_on_free_port
from gofastapi_ext.platform.runtimes.local.zygotes import Fork, Zygotes
from gofastapi_ext.platform.settings import Settings

# All that an app inherits of the platform's environment.
_BASICS = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
_ENDING_SECONDS = 0.3


class LocalRuntime(Runtime):
    """Apps as processes of this user. `home` holds each app's files and log."""

    def __init__(self, home: Path, settings: Settings, environment: dict[str, str]) -> None:
        self._home = home
        self._settings = settings
        self._basics = {name: environment[name] for name in _BASICS if name in environment} | mark(home)
        self._zygotes = Zygotes(self._basics, home)
        self._probe_token = secrets.token_urlsafe(16)
        self._listeners: dict[str, Listener] = {}
        self._logs: dict[str, AppLog] = {}

    async def start(self) -> None:
        await self._zygotes.get(None)

    async def stop(self) -> None:
        await self._zygotes.stop()
        for listener in self._listeners.values():
            await listener.close()
        for log in self._logs.values():
            log.close()

    def zygote_pids(self) -> list[int]:
        return self._zygotes.pids()

    async def open(self, app_id: str, port: int | None, taken: frozenset[int]) -> int:
        current = self._listeners.get(app_id)
        if current is not None:
            return current.port
        host = self._settings.host
        if port is not None:
            listener = listen_on(host, port)
        else:
            ports = range(self._settings.first_port, self._settings.last_port + 1)
            listener = listen_on_free_port(host, (p for p in ports if p not in taken))
        self._listeners[app_id] = listener
        return listener.port

    async def close(self, app_id: str) -> None:
        if listener := self._listeners.pop(app_id, None):
            await listener.close()
        if log := self._logs.pop(app_id, None):
            log.close()

    async def park(self, app_id: str, reason: str) -> None:
        if listener := self._listeners.get(app_id):
            await listener.park(reason)

    async def wait_for_visitor(self, app_id: str) -> None:
        await self._listeners[app_id].wait_for_visitor()

    @property
    def probe_headers(self) -> dict[str, str]:
        return {"x-gofastapi-probe": self._probe_token}

    async def launch(self, spec: LaunchSpec) -> LocalInstance:
        listener = self._listeners[spec.app_id]
        ours, theirs = socket.socketpair()
        read_end, write_end = os.pipe()
        redactor = Redactor(spec.secrets)
        pipe = LogPipe(self._log(spec.app_id), spec.version, redactor)
        try:
            fork = await self._fork(spec.interpreter, [theirs.fileno(), listener.socket.fileno(), write_end])
        except BaseException:
            ours.close()
            os.close(read_end)
            raise
        finally:
            theirs.close()
            os.close(write_end)
        pipe.pid = fork.pid
        await asyncio.get_running_loop().connect_read_pipe(lambda: pipe, os.fdopen(read_end, "rb", buffering=0))
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        writer.write(self._instance_spec(spec, listener.port).to_json())
        return LocalInstance(
            spec.version,
            fork,
            reader,
            writer,
            listener=listener,
            redactor=redactor,
            start_timeout_seconds=self._settings.start_timeout_seconds,
            drain_seconds=self._settings.drain_seconds,
        )

    async def missing_modules(self, interpreter: str | None, names: frozenset[str]) -> set[str]:
        if not names:
            return set()
        return await (await self._zygotes.get(interpreter)).missing(names)

    async def orphans(self) -> list[Orphan]:
        found = await asyncio.to_thread(find_orphans, self._home)
        if found:
            # The zygotes of a service that just ended tidy up by themselves.
            await asyncio.sleep(_ENDING_SECONDS)
            still = await asyncio.to_thread(find_orphans, self._home)
            found = [orphan for orphan in found if orphan in still]
        return found

    async def end_orphan(self, orphan: Orphan) -> bool:
        return await asyncio.to_thread(end_orphan, self._home, orphan)

    async def freeze(self, interpreter: str | None, modules: frozenset[str], requirements: list[str]) -> Frozen:
        return await freeze(interpreter or sys.executable, modules, requirements, self._basics, self._home)

    def url(self, port: int) -> str:
        # Never "localhost": cookies know no ports, and a Jupyter at localhost has some.
        host = self._settings.host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def logs(self, app_id: str, query: LogQuery, follow: bool) -> AsyncGenerator[list[LogLine]]:
        async with contextlib.aclosing(self._log(app_id).read(query, follow)) as batches:
            async for lines in batches:
                yield lines

    async def _fork(self, interpreter: str | None, descriptors: list[int]) -> Fork:
        zygote = await self._zygotes.get(interpreter)
        try:
            return await zygote.fork(descriptors)
        except UnavailableError:
            if zygote.alive:
                raise
            # It was killed under our hands; the next one has had no time to be.
            return await (await self._zygotes.get(interpreter)).fork(descriptors)

    def _instance_spec(self, spec: LaunchSpec, port: int) -> InstanceSpec:
        basics = self._basics | {"PORT": str(port), "HOST": self._settings.host, "PYTHONUNBUFFERED": "1"}
        return InstanceSpec(
            app_id=spec.app_id,
            title=spec.title,
            version=spec.version,
            code_dir=str(spec.code_dir),
            entrypoint=spec.entrypoint,
            environment=basics | dict(spec.environment),
            port=port,
            drain_seconds=self._settings.drain_seconds,
            origins=_parts(spec),
            record_bodies=spec.record_bodies,
            probe_token=self._probe_token,
        )

    def _log(self, app_id: str) -> AppLog:
        log = self._logs.get(app_id)
        if log is None:
            log = self._logs[app_id] = AppLog(self._log_path(app_id), self._settings.log_max_bytes)
        return log

    def _log_path(self, app_id: str) -> Path:
        return self._home / "apps" / app_id / "log" / "app.log"


def _parts(spec: LaunchSpec) -> dict[str, list[Origin]]:
    """The cells of the app's files, each under a name that no other of them has."""
    taken: set[str] = set()
    found: dict[str, list[Origin]] = {}
    for path, cells in spec.origins.items():
        for cell in sorted(cells, key=lambda each: each.first_line):
            label = f"{cell.label} of {cell.notebook}" if cell.notebook else cell.label
            if label in taken:
                # Of two sessions of a kernel, say: both had an In[5].
                label += f" ({path}:{cell.first_line})"
            taken.add(label)
            found.setdefault(path, []).append(Origin(label, cell.line_offset, cell.first_line))
    return found
