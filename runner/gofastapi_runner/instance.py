"""One app instance: loads the user's code, proves it ready, serves it, drains it.

Runs in a fork of the zygote. The platform leads it through its life over the channel; when the
channel ends the platform is gone and so is the instance.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
import time
from dataclasses import asdict, replace
from typing import Any, TextIO

from gofastapi_runner import protocol, subreaper
from gofastapi_runner.channel import Channel
from gofastapi_runner.gate import Gate
from gofastapi_runner.lifespan import Lifespan
from gofastapi_runner.loader import LoadError, load_app
from gofastapi_runner.objects import ObjectError
from gofastapi_runner.protocol import Failure, InstanceSpec
from gofastapi_runner.routes import serves
from gofastapi_runner.server import Server
from gofastapi_runner.tracebacks import SourceMap, describe, hint_for

# How long a draining instance goes on answering on connections its clients keep alive.
_LINGER_SECONDS = 0.5
# How long the platform may take to read what must not be lost.
_LAST_WORDS_TIMEOUT_SECONDS = 1.0
_RELEASED_TIMEOUT_SECONDS = 1.0
_PROBE_INTERVAL_SECONDS = 0.05
_PROBE_TIMEOUT_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1

_FAILURE_CODES = {"load": "start_failed", "lifespan": "lifespan_failed", "probe": "health_failed"}


class StartTimeout(BaseException):
    """Raised in the main thread of an instance that is not ready in time, through any `except Exception`."""


def run(zygote_pid: int, channel: int, listener: int, log: int) -> int:
    """Be an instance until told to drain; return the exit status."""
    _die_with(zygote_pid)
    subreaper.become()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    connection = socket.socket(fileno=channel)
    spec = InstanceSpec.from_json(protocol.read_line(connection))
    _prepare_process(spec)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        status = runner.run(_live(spec, connection, listener))
        # Threads the app left behind must not keep the process: what has to be tidied was.
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()
        _flush()
        os._exit(status)


async def _live(spec: InstanceSpec, connection: socket.socket, listener: int) -> int:
    return await _Instance(spec, connection, listener).live()


class _Instance:
    def __init__(self, spec: InstanceSpec, connection: socket.socket, listener: int) -> None:
        self._spec = spec
        self._channel = Channel(connection)
        self._listener = listener
        self._sources = SourceMap(spec.code_dir, spec.origins)
        self._drain_seconds = spec.drain_seconds
        self._record_bodies = spec.record_bodies
        self._stage = "load"
        self._gave_up = False
        self._health_status = 0
        self._lifespan: Lifespan | None = None
        self._gate: Gate | None = None
        self._server: Server | None = None
        self._commands: asyncio.Queue[str] = asyncio.Queue()

    async def live(self) -> int:
        listening = asyncio.create_task(self._listen(), name="channel")
        try:
            gate, lifespan = await self._start()
        except BaseException as error:
            self._fail(error)
            await self._channel.flush(_LAST_WORDS_TIMEOUT_SECONDS)
            return 1
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._commands.put_nowait, "drain")
        signal.signal(protocol.RELEASE_SIGNAL, self._release)
        self._channel.send({"event": "ready"})
        while (command := await self._commands.get()) != "drain":
            if command == "accept" and self._server is None:
                self._server = Server(gate, self._listener)
                self._server.start()
                # The accept loop starts with the loop's next turns.
                await asyncio.sleep(0)
                self._channel.send({"event": "serving"})
        if self._server is not None:
            await self._drain(gate, self._server)
        self._report(gate)
        await self._channel.flush(_LAST_WORDS_TIMEOUT_SECONDS)
        listening.cancel()
        try:
            await asyncio.wait_for(lifespan.shutdown(), self._spec.drain_seconds)
        except Exception as error:
            _log(f"shutdown failed\n{describe(error, self._sources, 'shutdown').traceback}")
        return 0

    async def _start(self) -> tuple[Gate, Lifespan]:
        """Load the app and start it up; each step is told to the platform."""
        start_timeout = getattr(signal, protocol.START_TIMEOUT_SIGNAL_NAME)
        signal.signal(start_timeout, self._raise_start_timeout)
        app = load_app(self._spec, self._sources)
        self._channel.send({"event": "loaded"})
        self._stage = "lifespan"
        self._lifespan = lifespan = Lifespan(app)
        await lifespan.startup()
        self._stage = "probe"
        if serves(app, "/health"):
            await self._until_healthy(app)
        signal.signal(start_timeout, signal.SIG_IGN)
        with socket.socket(fileno=os.dup(self._listener)) as listener:
            host = listener.getsockname()[0]
        self._gate = Gate(
            app,
            title=self._spec.title or self._spec.app_id,
            # An address that stands for all of this machine's is asked for by one of them.
            host={"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host),  # noqa: S104
            port=self._spec.port,
            sources=self._sources,
            state=lifespan.state,
            probe_token=self._spec.probe_token,
            record_bodies=self._record_bodies,
        )
        self._gate.failures.on_new = self._tell_of_failure
        return self._gate, lifespan

    async def _until_healthy(self, app: Any) -> None:
        """Wait until the app's own `/health` answers without a server error."""
        while True:
            try:
                self._health_status = await asyncio.wait_for(_probe(app, self._spec.port), _PROBE_TIMEOUT_SECONDS)
            except TimeoutError:
                self._health_status = 0
            if 0 < self._health_status < 500:
                return
            if self._gave_up:
                raise StartTimeout
            await asyncio.sleep(_PROBE_INTERVAL_SECONDS)

    async def _listen(self) -> None:
        """Take the platform's commands; end the process where the platform is gone."""
        async for command in self._channel.commands():
            match command:
                case {"do": "report"} if self._gate is not None:
                    self._report(self._gate)
                case {"do": "record_bodies", "wanted": bool(wanted)}:
                    self._record_bodies = wanted
                    if self._gate is not None:
                        self._gate.failures.record_bodies = wanted
                case {"do": "release_if_idle", "before": float(deadline), "drain_seconds": float(drain_seconds)}:
                    self._release_if_idle(deadline, drain_seconds)
                case {"do": "give_up"}:
                    self._gave_up = True
                    if self._lifespan is not None:
                        self._lifespan.cancel()
                case {"do": "accept" | "drain" as verb}:
                    self._commands.put_nowait(verb)
        os.killpg(0, signal.SIGKILL)

    def _raise_start_timeout(self, *_: object) -> None:
        self._gave_up = True
        raise StartTimeout

    def _release_if_idle(self, deadline: float, drain_seconds: float) -> None:
        """Take no new connection where nothing is open. After `deadline` (monotonic) nobody waits for it any more."""
        if self._gate is not None and self._gate.idle_seconds and time.monotonic() < deadline and self._release():
            # Requests that come on connections which are open wait for the next instance to start.
            self._drain_seconds = drain_seconds
            self._commands.put_nowait("drain")
        else:
            self._channel.send({"event": "busy"})

    def _release(self, *_: object) -> bool:
        """Take no new connection. A signal's handler as well, so nothing here waits for the event loop."""
        if self._gate is None or self._server is None or self._gate.draining:
            return False
        try:
            self._server.release()
        except OSError:
            return False  # it has used all its descriptors; the platform, which waits for our word, ends it
        self._gate.draining = True
        self._channel.send_now({"event": "released"}, _RELEASED_TIMEOUT_SECONDS)
        return True

    async def _drain(self, gate: Gate, server: Server) -> None:
        """Take no new connection, finish what is open, close the rest."""
        self._release()
        deadline = time.monotonic() + self._drain_seconds
        await asyncio.sleep(_LINGER_SECONDS)
        gate.close_websockets()
        while gate.is_busy and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await server.stop(max(deadline - time.monotonic(), 0.2))

    def _report(self, gate: Gate) -> None:
        """Tell how the app is doing: what has been counted, and what went wrong since the last time."""
        if self._channel.is_full:
            return  # nobody reads
        report = {"event": "report", "metrics": gate.metrics_text(), "idle_seconds": gate.idle_seconds}
        room = protocol.MAX_REPORT_BYTES - len(json.dumps(report)) - 100
        report["errors"], dropped = gate.failures.report(room)
        if dropped:
            _log(f"{dropped} more errors were not kept: there were too many different ones at once.")
        self._channel.send(report)

    def _tell_of_failure(self) -> None:
        """Have the platform ask now, instead of when it would anyway: somebody may be looking."""
        if not self._channel.is_full:
            self._channel.send({"event": "failing"})

    def _fail(self, error: BaseException) -> None:
        failure = self._explain(error)
        _log(failure.traceback)
        self._channel.send({"event": "failed", "failure": asdict(failure)})

    def _explain(self, error: BaseException) -> Failure:
        if self._gave_up:
            where = {
                "load": "while its code was being imported",
                "lifespan": "during its start-up",
                "probe": f"because its /health answers {self._health_status or 'nothing'}",
            }[self._stage]
            return replace(
                describe(error, self._sources, "start_timeout"),
                message=f"The app was not ready in time: it was stopped {where}.",
                hint="Move long work out of the module's top level: into a background task, or a request.",
            )
        if isinstance(error, SystemExit):
            return replace(
                describe(error, self._sources, "exited"),
                message=f"The app ended itself while it started: SystemExit({error.code!r}).",
                hint='Remove the call of sys.exit(), or put it under `if __name__ == "__main__":`.',
            )
        if isinstance(error, ObjectError):
            failure = describe(error, self._sources, "object_failed", error.hint)
            return replace(failure, message=str(error), file=None, line=None, columns=None)
        if isinstance(error, LoadError):
            return Failure("not_an_app", str(error), str(error))
        if isinstance(error, ModuleNotFoundError) and error.name:
            top_level = error.name.partition(".")[0]
            hint = f"Install it where the notebook runs (%pip install {top_level}), or add the file with --file."
            return describe(error, self._sources, "missing_module", hint)
        return describe(error, self._sources, _FAILURE_CODES[self._stage], hint_for(error))


def _prepare_process(spec: InstanceSpec) -> None:
    """Make the fork look like a process of the app's own."""
    gc.enable()
    os.environ.clear()
    os.environ.update(spec.environment)
    time.tzset()
    os.chdir(spec.code_dir)
    # New ones, by the line: the zygote's were made for what its descriptors used to be.
    sys.stdout = sys.__stdout__ = _open_stream(1)  # type: ignore[misc, assignment]
    sys.stderr = sys.__stderr__ = _open_stream(2)  # type: ignore[misc, assignment]
    # What people know from uvicorn: its loggers write to the console.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s:     %(message)s"))
    logger = logging.getLogger("uvicorn")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _open_stream(descriptor: int) -> TextIO:
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _die_with(zygote_pid: int) -> None:
    """Ask the kernel to end this process when the zygote ends (Linux; elsewhere the channel's end does)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != zygote_pid:
            os._exit(0)


async def _probe(app: Any, port: int) -> int:
    """The status of GET /health, asked of the app itself, so that no gate counts it."""
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await app(http_scope("/health", port), receive, send)
    return status


def http_scope(path: str, port: int) -> dict[str, Any]:
    """The ASGI scope of a plain GET from this machine."""
    address = ("127.0.0.1", port)
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "headers": [(b"host", b"127.0.0.1:%d" % port)], "client": address, "server": address,
        "state": {},
    }  # fmt: skip


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
