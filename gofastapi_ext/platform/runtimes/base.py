"""The contract of a runtime: verbs only. What is wanted, and when, is decided in `control`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gofastapi_ext.core.bundle import Origins
from gofastapi_ext.core.logs import LogQuery
from gofastapi_ext.core.models import LogLine
from gofastapi_ext.core.project.generated import Frozen


@dataclass(frozen=True)
class LaunchSpec:
    """One instance to start. `environment` is what the app is to see beside the runtime's basics."""

    app_id: str
    owner: str
    version: int
    code_dir: Path
    entrypoint: str
    environment: Mapping[str, str] = field(repr=False)
    origins: Origins = field(default_factory=dict)
    interpreter: str | None = None
    title: str = ""
    """What people call the app; on link previews, say."""
    record_bodies: bool = False
    """Whether to keep the bodies of requests that fail."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Values that must not stand in the app's log, nor in what is said of a failure."""


class InstanceFailedError(Exception):
    """An instance ended, or was ended, before or after it was ready.

    `code` and `message` are for people; `file` and `line` are of the app's own code, where known.
    Where it is no crash, what the instance was started from ended; the app had no part in it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        traceback: str | None = None,
        file: str | None = None,
        line: int | None = None,
        hint: str | None = None,
        columns: tuple[int, int] | None = None,
        is_crash: bool = True,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.traceback = traceback
        self.file = file
        self.line = line
        self.hint = hint
        self.columns = columns
        self.is_crash = is_crash


@dataclass(frozen=True)
class ReportedError:
    """An error as the gate met it, since the last report; redacted, and cut to sizes that are safe to store."""

    method: str
    route: str
    path: str
    """With its query."""
    status: int
    exception: str | None
    message: str
    traceback: str | None
    file: str | None
    """Of the app's own code, relative to its root, where it is in the traceback."""
    line: int | None
    count: int
    at: datetime
    """When it came last."""
    headers: dict[str, str]
    """Of the latest request; all harmless: the value of a credential is `***`."""
    body: bytes | None
    """Only where the app's owner asked for bodies."""
    has_body: bool
    answer: str | None
    columns: tuple[int, int] | None = None
    """The first and the end character, in `line`, of the expression that failed."""


@dataclass(frozen=True)
class Report:
    """What an instance tells of itself. It is the app's process that speaks: believe nothing without bounds."""

    metrics: str
    """Its counters since it started, in Prometheus text."""
    errors: list[ReportedError]
    """Those since the last report."""
    idle_seconds: float
    """How long ago the last request ended; 0.0 while a request or a WebSocket is open. Probes do not count."""


@dataclass(frozen=True)
class Orphan:
    """What an app ran and nobody looks after any more."""

    id: str
    """Never that of another one, later either."""
    pid: int
    command: str


class Instance(ABC):
    """A started instance. Each wait raises `InstanceFailedError` where the instance fails instead."""

    pid: int
    version: int
    started_at: datetime
    state: str
    on_failing: Callable[[], None] | None = None
    """Called when it has a new kind of error to report, as often as it pleases: it is the app's process that speaks."""

    @abstractmethod
    async def wait_loaded(self) -> None:
        """Until the user's code is imported. Bounded by the runtime's start timeout."""

    @abstractmethod
    async def wait_ready(self) -> None:
        """Until the app's start-up is over and it answers. Bounded likewise."""

    @abstractmethod
    async def accept(self) -> None:
        """Take new connections, beside any other instance that does."""

    @abstractmethod
    async def release(self) -> None:
        """Take no new connection from when this returns; go on draining, then end, by itself."""

    @abstractmethod
    async def kill(self) -> None:
        """End it and every process it started, now. Returns when it is gone."""

    @abstractmethod
    async def wait_exited(self) -> InstanceFailedError:
        """Until the process has ended; says how. Never raises for the way it ended."""

    @abstractmethod
    async def report(self) -> Report | None:
        """What it has to tell, or None where it does not answer in a second. Once it has ended: its last words."""

    @abstractmethod
    async def release_if_idle(self) -> bool:
        """As `release`, where at this moment no request and no WebSocket is open; else do nothing and say False."""

    @abstractmethod
    def record_bodies(self, wanted: bool) -> None:
        """Whether to keep the bodies of requests that fail, from now on."""


class Runtime(ABC):
    """Starts instances and owns what they listen on."""

    @abstractmethod
    async def start(self) -> None:
        """Get ready to launch. Raises `UnavailableError` with words where that cannot be."""

    @abstractmethod
    async def stop(self) -> None:
        """End every instance and close every address."""

    @abstractmethod
    async def open(self, app_id: str, port: int | None, taken: frozenset[int]) -> int:
        """Listen for an app; return its port. Connections wait until an instance accepts them.

        A new port, none of `taken`, is chosen where `port` is None. Raises `UnavailableError`
        naming the program in the way where `port` is not to be had.
        """

    @abstractmethod
    async def close(self, app_id: str) -> None:
        """Stop listening, and end whoever follows the app's log. Its files stay."""

    @abstractmethod
    async def park(self, app_id: str, reason: str) -> None:
        """Answer every request with 503 and `reason`, until an instance accepts."""

    @abstractmethod
    async def wait_for_visitor(self, app_id: str) -> None:
        """Until somebody connects to an app that has no instance. The connection waits for the next one."""

    @abstractmethod
    async def launch(self, spec: LaunchSpec) -> Instance:
        """Start an instance; it does not accept connections yet."""

    @abstractmethod
    async def missing_modules(self, interpreter: str | None, names: frozenset[str]) -> set[str]:
        """Which top-level modules the app's environment lacks. Looks them up; imports nothing."""

    @abstractmethod
    async def freeze(self, interpreter: str | None, modules: frozenset[str], requirements: list[str]) -> Frozen:
        """What to install elsewhere for these modules and requirements. Reads metadata; imports nothing.

        Raises `UnavailableError` where the interpreter does not tell.
        """

    @abstractmethod
    async def orphans(self) -> list[Orphan]:
        """What instances of this home left running: of a service before this one, or where one was killed."""

    @abstractmethod
    async def end_orphan(self, orphan: Orphan) -> bool:
        """End it, if it still is one; whether that was so."""

    @property
    @abstractmethod
    def probe_headers(self) -> dict[str, str]:
        """What marks a request to an app as the platform's own, which no app counts. Never told to anybody else."""

    @abstractmethod
    def url(self, port: int) -> str:
        """Where people reach an app."""

    @abstractmethod
    def logs(self, app_id: str, query: LogQuery, follow: bool) -> AsyncGenerator[list[LogLine]]:
        """The last lines that match, oldest first, some at a time; with `follow`, then the new ones as they come."""
