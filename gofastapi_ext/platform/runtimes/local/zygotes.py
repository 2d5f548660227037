"""Zygote processes: one for each interpreter, replaced when the packages it has imported change."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from gofastapi_ext.core.errors import UnavailableError

_WARM_TIMEOUT_SECONDS = 30.0
_ANSWER_TIMEOUT_SECONDS = 10.0
_MAX_MESSAGE_BYTES = 1_000_000
# Of names in one question, and of characters in a name: no file's name is longer.
_NAMES_AT_ONCE = 100
_MAX_NAME_LENGTH = 255
_FULL_CHANNEL_INTERVAL_SECONDS = 0.005


@dataclass
class Fork:
    """A forked instance: its pid, and a future with its exit status (None where the zygote died)."""

    pid: int
    exited: asyncio.Future[int | None]


@dataclass
class Zygote:
    """The platform's end of one zygote process."""

    interpreter: str
    process: asyncio.subprocess.Process
    sender: socket.socket
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    forks: dict[int, Fork] = field(default_factory=dict)
    _tokens: count[int] = field(default_factory=count)
    _waiting: dict[int, asyncio.Future[object]] = field(default_factory=dict)
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    _files: list[str] = field(default_factory=list)
    _sites: list[str] = field(default_factory=list)
    _listed: dict[str, tuple[object, list[str]]] = field(default_factory=dict)
    _fingerprint: object = None
    _listening: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        return self._listening is not None and not self._listening.done()

    @property
    def is_idle(self) -> bool:
        """Whether no instance runs on it, and none is being started."""
        return not self.forks and not self._waiting

    @property
    def is_stale(self) -> bool:
        """Whether a package it has imported changed on disk, or one was installed editable."""
        return self._fingerprint != self._take_fingerprint()

    async def fork(self, descriptors: list[int]) -> Fork:
        """Fork an instance which inherits channel, listening socket and log."""
        answer = await self._ask("fork", {}, descriptors)
        if not isinstance(answer, Fork):
            raise UnavailableError("The zygote answered something else than a fork.")
        return answer

    async def missing(self, names: frozenset[str]) -> set[str]:
        """Which of these top-level modules its interpreter does not find."""
        askable = sorted(name for name in names if len(name) <= _MAX_NAME_LENGTH)
        missing = set(names.difference(askable))
        for start in range(0, len(askable), _NAMES_AT_ONCE):
            answer = await self._ask("missing", {"names": askable[start : start + _NAMES_AT_ONCE]}, [])
            missing.update(answer if isinstance(answer, list) else ())
        return missing

    def close(self) -> None:
        """End it and everything it forked."""
        self.writer.close()
        self.sender.close()

    async def _ask(self, verb: str, message: dict[str, object], descriptors: list[int]) -> object:
        token = next(self._tokens)
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting[token] = future
        try:
            await self._send({verb: token, **message}, descriptors)
            return await asyncio.wait_for(future, _ANSWER_TIMEOUT_SECONDS)
        except (OSError, TimeoutError) as error:
            raise UnavailableError("The process that apps are started from is gone or stuck; run it again.") from error
        finally:
            self._waiting.pop(token, None)

    async def _send(self, message: dict[str, object], descriptors: list[int]) -> None:
        """Send one message, a part at a time where the channel is full; it does not block."""
        line = json.dumps(message).encode() + b"\n"
        left = line
        async with self._sending:
            try:
                while left:
                    try:
                        sent = socket.send_fds(self.sender, [left], descriptors)
                    except BlockingIOError:
                        await asyncio.sleep(_FULL_CHANNEL_INTERVAL_SECONDS)
                    else:
                        left, descriptors = left[sent:], []
            except asyncio.CancelledError:
                if left != line:
                    self.close()  # it would take the next message for the rest of this one
                raise

    async def warmed(self) -> None:
        """Wait for its first word. Raises `UnavailableError` with its last words where it ends instead."""
        try:
            line = await asyncio.wait_for(self.reader.readline(), _WARM_TIMEOUT_SECONDS)
        except TimeoutError:
            line = b""
        if not line:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            _, said = await self.process.communicate()
            last_line = said.decode(errors="replace").strip().rpartition("\n")[2]
            raise UnavailableError(
                f"{self.interpreter} cannot run apps: {last_line or 'it did not start'}. "
                "Install GoFastAPI there: pip install 'gofastapi[local]'"
            )
        hello = json.loads(line)
        self._files, self._sites = hello["files"], hello["sites"]
        self._fingerprint = self._take_fingerprint()
        self._listening = asyncio.create_task(self._listen(), name=f"zygote {self.process.pid}")

    async def _listen(self) -> None:
        try:
            while line := await self.reader.readline():
                self._hear(json.loads(line))
        except (OSError, ValueError):
            pass  # a broken channel is a dead zygote
        finally:
            await self._died()

    def _hear(self, message: dict[str, object]) -> None:
        match message:
            case {"forked": int(token), "pid": int(pid)}:
                fork = Fork(pid, asyncio.get_running_loop().create_future())
                self.forks[pid] = fork
                self._answer(token, fork)
            case {"exited": int(pid), "status": int(status)}:
                ended = self.forks.pop(pid, None)
                if ended is not None:
                    ended.exited.set_result(status)
            case {"missing": int(token), "names": list(names)}:
                self._answer(token, names)
            case {"not_forked": int(token), "reason": str(reason)} if token in self._waiting:
                self._waiting[token].set_exception(UnavailableError(f"The system starts no more processes: {reason}."))

    def _answer(self, token: int, result: object) -> None:
        future = self._waiting.get(token)
        if future is not None and not future.done():
            future.set_result(result)

    async def _died(self) -> None:
        """Without its zygote no instance goes on: nobody would learn how it ends."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(BrokenPipeError("the zygote ended"))
        for fork in list(self.forks.values()):
            kill_group(fork.pid)
            if not fork.exited.done():
                fork.exited.set_result(None)
        self.forks.clear()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.close()
        await self.process.wait()

    def _take_fingerprint(self) -> object:
        for site in self._sites:
            changed = _stamp(site)
            # Listing a large folder costs a millisecond; it is done only when something in it came or went.
            if self._listed.get(site, (0, []))[0] != changed:
                self._listed[site] = (changed, sorted(map(str, Path(site).glob("*.pth"))))
        editable = [path for _, paths in self._listed.values() for path in paths]
        return [_stamp(file) for file in [*self._files, *editable]]


class Zygotes:
    """The zygotes of this platform, started when first needed."""

    def __init__(self, environment: dict[str, str], cwd: Path) -> None:
        self._environment = environment
        self._cwd = cwd
        self._by_interpreter: dict[str, Zygote] = {}
        self._retired: list[Zygote] = []
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, interpreter: str | None) -> Zygote:
        """A warm zygote of this interpreter; the service's own by default."""
        wanted = interpreter or sys.executable
        # Whoever comes while one warms up waits for it, instead of starting another.
        async with self._locks.setdefault(wanted, asyncio.Lock()):
            self._close_idle()
            current = self._by_interpreter.get(wanted)
            if current is not None and current.alive and not current.is_stale:
                return current
            fresh = await self._spawn(wanted)
            if current is not None and current.alive:
                self._retired.append(current)
            self._by_interpreter[wanted] = fresh
            return fresh

    def pids(self) -> list[int]:
        return [zygote.process.pid for zygote in [*self._by_interpreter.values(), *self._retired] if zygote.alive]

    async def stop(self) -> None:
        """End every zygote, and with it every instance."""
        for zygote in [*self._by_interpreter.values(), *self._retired]:
            zygote.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(zygote.process.wait(), 2)
        self._by_interpreter.clear()

    def _close_idle(self) -> None:
        """Retired zygotes go when their last instance has."""
        for zygote in [z for z in self._retired if z.is_idle]:
            zygote.close()
            self._retired.remove(zygote)

    async def _spawn(self, interpreter: str) -> Zygote:
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                interpreter,
                "-P",  # the working directory is no place to import from
                "-m",
                "gofastapi_runner.zygote",
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                cwd=self._cwd,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            ours.close()
            reason = error.strerror if isinstance(error, OSError) else error
            raise UnavailableError(f"{interpreter} cannot be started: {reason}.") from error
        finally:
            theirs.close()
        sender = ours.dup()
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_MAX_MESSAGE_BYTES)
        zygote = Zygote(interpreter, process, sender, reader, writer)
        await zygote.warmed()
        return zygote


def kill_group(pid: int) -> None:
    """End a process and all it started that stayed in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def kill_fork(fork: Fork) -> None:
    """End a fork that runs, with its group; by its own id too, for it may not lead a group yet."""
    kill_group(fork.pid)
    if not fork.exited.done():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(fork.pid, signal.SIGKILL)


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        info = os.stat(file)  # noqa: PTH116 - dozens of these stand in the deploy path
    except OSError:
        return None
    return info.st_mtime_ns, info.st_ino
