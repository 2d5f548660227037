"""The platform's end of one app process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import signal
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

from gofastapi_runner import protocol

from gofastapi_ext.core.redaction import Redactor
from gofastapi_ext.platform.runtimes.base import Instance, InstanceFailedError, Report
from gofastapi_ext.platform.runtimes.local.channel import messages
from gofastapi_ext.platform.runtimes.local.reports import merged, read_failure, read_report
from gofastapi_ext.platform.runtimes.local.sockets import Listener
from gofastapi_ext.platform.runtimes.local.zygotes import Fork, kill_fork, kill_group

_GIVE_UP_GRACE_SECONDS = 0.3
_RELEASE_TIMEOUT_SECONDS = 2.0
_REPORT_TIMEOUT_SECONDS = 1.0
_ASK_AGAIN_SECONDS = 60.0
# Reports nobody asked for.
_MAX_UNREAD = 3
_IDLE_TIMEOUT_SECONDS = 2.0
# Beyond its own drain time an instance gets this long to shut its app down.
_EXIT_GRACE_SECONDS = 2.0


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
        # What it may say next: its own code can write to the channel, too.
        self._expected = {"loaded", "ready"}
        self._reporting: asyncio.Future[None] | None = None
        self._asked_at = 0.0
        self._said: deque[dict[str, object]] = deque(maxlen=_MAX_UNREAD)
        self._last_report: Report | None = None
        self._is_told = True
        self._resting: asyncio.Task[bool] | None = None
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
        self._expected.add("serving")
        self._tell("accept")
        await self._within_start_timeout("serving")
        self.state = "serving"

    async def release(self) -> None:
        self.state = "draining"
        self._expected.add("released")
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, protocol.RELEASE_SIGNAL)
        self._tell("drain")
        self._tasks.append(asyncio.create_task(self._end_after(self._drain_seconds)))
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
            return self._take_report() or self._last_report
        if self.state == "starting":
            return None
        loop = asyncio.get_running_loop()
        # Whoever asks while an answer is still to come waits for the same one. A broken one never comes.
        if self._reporting is None or self._reporting.done():
            self._reporting = loop.create_future()
            self._asked_at = -math.inf
        if loop.time() - self._asked_at > _ASK_AGAIN_SECONDS:
            self._asked_at = loop.time()
            self._tell("report")
        reporting = self._reporting
        await self._first_of({reporting, self._ended}, _REPORT_TIMEOUT_SECONDS)
        if not reporting.done() and self.state != "ended":
            # Its event loop is blocked, say. What it said too late for the one who asked then is for this one.
            return self._take_report()
        return self._take_report() or self._last_report

    async def release_if_idle(self) -> bool:
        if self._resting is None or self._resting.done():
            is_unanswered = self._busy is not None and not self._busy.done()
            # One that has not answered yet is at something, and its answer would be taken for the next one's.
            if self.state != "serving" or is_unanswered:
                return False
            self._resting = asyncio.create_task(self._rest())
        return await asyncio.shield(self._resting)

    async def _rest(self) -> bool:
        """Have it released where it is idle, and know for certain whether it was."""
        self._busy = asyncio.get_running_loop().create_future()
        self._expected.add("released")
        drain_seconds = self._drain_seconds + self._start_timeout_seconds
        self._tell("release_if_idle", before=time.monotonic() + _IDLE_TIMEOUT_SECONDS, drain_seconds=drain_seconds)
        released = self._events["released"]
        # After the time it was given it does nothing any more, but that it may have just begun to.
        await self._first_of({self._busy, released, self._ended}, _IDLE_TIMEOUT_SECONDS + _RELEASE_TIMEOUT_SECONDS)
        if self.state != "serving":
            return False  # it was released for another reason meanwhile, or it has ended
        if not released.done():
            return False
        self.state = "draining"
        self._tasks.append(asyncio.create_task(self._end_after(drain_seconds)))
        return True

    @staticmethod
    async def _first_of(futures: set[asyncio.Future[Any]], timeout_seconds: float) -> None:
        await asyncio.wait(futures, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)

    def record_bodies(self, wanted: bool) -> None:
        self._tell("record_bodies", wanted=wanted)

    def _tell(self, command: str, **arguments: object) -> None:
        if self.state == "ended":
            return
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
        with contextlib.suppress(OSError):
            async for message in messages(self._reader):
                self._hear(message)

    def _hear(self, message: dict[str, object]) -> None:
        match message:
            case {"event": "failed", "failure": dict(failure)} if self.state == "starting":
                self._failure = read_failure(failure, self._redactor)
            case {"event": "report"}:
                self._hear_report(message)
            case {"event": "failing"} if self.on_failing is not None and self.state != "starting":
                self.on_failing()
            case {"event": "busy"} if self._busy is not None and not self._busy.done():
                self._busy.set_result(None)
            case {"event": str(name)} if name in self._expected and not self._events[name].done():
                self._expected.discard(name)
                self._events[name].set_result(None)
                if name == "released" and self.state == "serving" and (self._resting is None or self._resting.done()):
                    # Nobody waits for this any more, and nobody accepts: whoever watches it is to start another.
                    reason = "The app's process fell asleep after its time for that was over."
                    self._failure = InstanceFailedError("released", reason, is_crash=False)
                    kill_fork(self._fork)

    def _hear_report(self, message: dict[str, object]) -> None:
        is_asked = self._reporting is not None and not self._reporting.done()
        if not is_asked:
            # Its last words, or noise: read only when somebody wants to know.
            self._said.append(message)
            return
        self._read_report(message)
        if self._reporting is not None:
            self._reporting.set_result(None)

    def _read_report(self, message: dict[str, object]) -> None:
        report = read_report(message, self._redactor, self.started_at)
        if report is None:
            return
        if not self._is_told and self._last_report is not None:
            report = merged(self._last_report, report)
        self._last_report, self._is_told = report, False

    def _take_report(self) -> Report | None:
        """What it has said since somebody took a report."""
        while self._said:
            self._read_report(self._said.popleft())
        if self._is_told:
            return None
        self._is_told = True
        return self._last_report

    async def _watch(self) -> None:
        """When the process has ended, tell everyone who waits for something of it."""
        status = await self._fork.exited
        # What it said last may still be in the channel.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._tasks[0], 0.5)
        kill_group(self.pid)
        failure = self._failure or _exit_failure(status)
        self.state = "ended"
        for future in self._events.values():
            if not future.done():
                future.set_exception(failure)
                future.exception()  # nobody need have waited for this one
        self._writer.close()
        self._ended.set_result(failure)

    async def _end_after(self, drain_seconds: float) -> None:
        try:
            await asyncio.wait_for(asyncio.shield(self._ended), drain_seconds + _EXIT_GRACE_SECONDS)
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
