"""The platform's end of one app process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from datetime import UTC, datetime

from gofastapi_runner import protocol

from gofastapi_ext.core.redaction import Redactor
from gofastapi_ext.platform.runtimes.base import Instance, InstanceFailedError, Report
from gofastapi_ext.platform.runtimes.local.sockets import Listener
from gofastapi_ext.platform.runtimes.local.zygotes import Fork, kill_fork, kill_group

_GIVE_UP_GRACE_SECONDS = 0.3
_RELEASE_TIMEOUT_SECONDS = 2.0
_REPORT_TIMEOUT_SECONDS = 1.0
# Beyond its own drain time an instance gets this long to shut its app down.
_EXIT_GRACE_SECONDS = 2.0
# What of a failure is text that the app may have had its part in.
_TOLD = ("message", "traceback", "file", "hint")


class LocalInstance(Instance):
    """Leads a fork of a zygote through its life, over its channel."""

    def __init__(
        self,
        version: int,
        fork: Fork,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        listener: Listener,
        redactor: Redactor,
        start_timeout_seconds: float,
        drain_seconds: float,
    ) -> None:
        self.pid = fork.pid
        self.version = version
        self.started_at = datetime.now(UTC)
        self.state = "starting"
        self._fork = fork
        self._listener = listener
        self._redactor = redactor
        self._reader = reader
        self._writer = writer
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + start_timeout_seconds
        self._start_timeout_seconds = start_timeout_seconds
        self._drain_seconds = drain_seconds
        self._events = {name: loop.create_future() for name in ("loaded", "ready", "serving", "released")}
        self._report: asyncio.Future[Report] | None = None
        self._last_report: Report | None = None
        self._busy: asyncio.Future[None] | None = None
        self._failure: InstanceFailedError | None = None
        self._ended: asyncio.Future[InstanceFailedError] = loop.create_future()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._watch())]

    async def wait_loaded(self) -> None:
        await self._within_start_timeout("loaded")

    async def wait_ready(self) -> None:
        await self._within_start_timeout("ready")

    async def accept(self) -> None:
        await self._listener.unpark()
        self._tell("accept")
        await self._within_start_timeout("serving")
        self.state = "serving"

    async def release(self) -> None:
        self.state = "draining"
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, protocol.RELEASE_SIGNAL)
        self._tell("drain")
        self._tasks.append(asyncio.create_task(self._end_after_drain()))
        with contextlib.suppress(InstanceFailedError):
            try:
                await asyncio.wait_for(asyncio.shield(self._events["released"]), _RELEASE_TIMEOUT_SECONDS)
            except TimeoutError:
                # It is stuck in native code, and would go on taking connections nobody answers.
                await self.kill()

    async def kill(self) -> None:
        kill_fork(self._fork)
        await asyncio.shield(self._ended)

    async def wait_exited(self) -> InstanceFailedError:
        return await asyncio.shield(self._ended)

    async def report(self) -> Report | None:
        if self.state == "ended":
            return self._last_report
        if self._report is None or self._report.done():
            self._report = asyncio.get_running_loop().create_future()
            self._tell("report")
        try:
            return await asyncio.wait_for(asyncio.shield(self._report), _REPORT_TIMEOUT_SECONDS)
        except TimeoutError:
            return None

    async def release_if_idle(self) -> bool:
        self._busy = asyncio.get_running_loop().create_future()
        self._tell("release_if_idle")
        released = self._events["released"]
        await asyncio.wait({self._busy, released}, timeout=_RELEASE_TIMEOUT_SECONDS, return_when="FIRST_COMPLETED")
        if not released.done() or released.exception() is not None:
            return False
        self.state = "draining"
        self._tasks.append(asyncio.create_task(self._end_after_drain()))
        return True

    def record_bodies(self, wanted: bool) -> None:
        self._tell("record_bodies", wanted=wanted)

    def _tell(self, command: str, **arguments: object) -> None:
        self._writer.write(json.dumps({"do": command, **arguments}).encode() + b"\n")

    async def _within_start_timeout(self, event: str) -> None:
        remaining = self._deadline - asyncio.get_running_loop().time()
        try:
            await asyncio.wait_for(asyncio.shield(self._events[event]), max(remaining, 0.01))
        except TimeoutError:
            raise await self._give_up() from None

    async def _give_up(self) -> InstanceFailedError:
        """End an instance that takes too long, and learn where it hangs if it can still say so."""
        self._tell("give_up")
        for signal_number in (None, getattr(signal, protocol.START_TIMEOUT_SIGNAL_NAME)):
            if signal_number is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal_number)
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(self._ended), _GIVE_UP_GRACE_SECONDS)
        await self.kill()
        return InstanceFailedError(
            "start_timeout",
            f"The app was not ready after {self._start_timeout_seconds:.0f} s and did not react when asked to stop.",
            hint="It may hang in native code, or ignore every exception in a loop.",
        )

    async def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.LimitOverrunError):
            while line := await self._reader.readline():
                self._hear(json.loads(line))

    def _hear(self, message: dict[str, object]) -> None:
        match message:
            case {"event": "failed", "failure": dict(failure)}:
                # An app may fail with a secret in its words; nothing of that goes further than this.
                told = {
                    name: failure[name] and self._redactor.shortened(str(failure[name]), protocol.GAP) for name in _TOLD
                }
                self._failure = InstanceFailedError(
                    str(failure["code"]),
                    str(told["message"]),
                    traceback=told["traceback"],
                    file=told["file"],
                    line=failure["line"],
                    hint=told["hint"],
                    columns=tuple(failure["columns"]) if failure["columns"] else None,
                )
            case {"event": "report", "metrics": str(text), "idle_seconds": float(idle)}:
                self._last_report = Report(text, [], max(idle, 0.0))
                if self._report is not None and not self._report.done():
                    self._report.set_result(self._last_report)
            case {"event": "busy"}:
                if self._busy is not None and not self._busy.done():
                    self._busy.set_result(None)
            case {"event": str(name)} if name in self._events and not self._events[name].done():
                self._events[name].set_result(None)

    async def _watch(self) -> None:
        """When the process has ended, tell everyone who waits for something of it."""
        status = await self._fork.exited
        # What it said last may still be in the channel.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._tasks[0]), 0.5)
        kill_group(self.pid)
        failure = self._failure or _exit_failure(status)
        self.state = "ended"
        for future in self._events.values():
            if not future.done():
                future.set_exception(failure)
                future.exception()  # nobody need have waited for this one
        self._writer.close()
        self._ended.set_result(failure)

    async def _end_after_drain(self) -> None:
        try:
            await asyncio.wait_for(asyncio.shield(self._ended), self._drain_seconds + _EXIT_GRACE_SECONDS)
        except TimeoutError:
            await self.kill()


def _exit_failure(status: int | None) -> InstanceFailedError:
    if status is None:
        message = "The app's process was ended together with the one it was started from."
        return InstanceFailedError("killed", message, is_crash=False)
    if status < 0:
        name = signal.Signals(-status).name if -status in signal.valid_signals() else str(-status)
        hint = "The system may have run out of memory." if status == -signal.SIGKILL else None
        return InstanceFailedError("killed", f"The app's process was ended by {name}.", hint=hint)
    return InstanceFailedError("exited", f"The app's process ended by itself, with status {status}.")
