"""What travels over the API: requests and answers, shared by the service and its client."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.bundle import Bundle, Line, Origins, Text
from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.drafts import CodeState, DraftInfo
from gofastapi_ext.core.health import Health
from gofastapi_ext.core.lifecycle import Stage, State, Status, Target


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Me(_Frozen):
    """Who is calling, and which service answers."""

    user: str
    is_admin: bool
    version: str
    database: str
    """The name of the user's own database."""


class DeployRequest(_Frozen):
    """A bundle to bring live; where it is None, the app's draft, with what was saved beside it."""

    bundle: Bundle | None = None
    env: dict[str, str] = Field(default_factory=dict)
    """Variables that belong to this version; they win over the app's own of the same name."""
    message: Text = Field(default="", max_length=10_000)
    origins: Origins = Field(default_factory=dict)
    """Which notebook cells the files of the bundle came from. Not part of the code hash."""
    interpreter: Line | None = None
    """The Python that is to run it; the service's own where None."""
    db_branch: Line | None = None
    """The branch of the owner's database that the version works on; `main` means the data themselves. None: a bundle
    works on the data themselves, a draft on what the live version works on."""
    draft_etag: str | None = None
    """The draft that is meant: to deploy it where `bundle` is None, else the one that the bundle already holds
    all of, so that it is done with. A draft of another etag is a `DraftConflictError`, or stays."""
    client_seconds: float = Field(default=0.0, ge=0, le=3600)
    """How long it took from the person's command until this request was sent."""

    def sent_after(self, seconds: float) -> DeployRequest:
        """The request, as it is sent so long after the person's command."""
        return self.model_copy(update={"client_seconds": min(max(seconds, 0.0), 3600.0)})


class AppChange(_Frozen):
    """What an owner may change of an app without touching its code. None leaves a thing as it is."""

    title: str | None = Field(default=None, max_length=100)
    sleep_after: Line | None = None
    """How long without a request until it sleeps: a duration as `30m`, `never`, or `default`."""
    record_bodies: bool | None = None
    """Whether requests that failed are kept with their bodies, to be sent again."""
    workers: int | None = Field(default=None, ge=1)
    """How many processes serve it side by side; `max_workers` of the limits at most."""


class CloneRequest(_Frozen):
    """A new app out of the code of another."""

    to: Line
    """The id of the new app."""
    source: Line = "draft"
    """`draft` (what is live, where there is no draft), `live`, or the number of a version."""


class CloneResult(_Frozen):
    """The new app: its draft is the code; nothing of it is deployed yet."""

    app: AppView
    missing_secrets: list[str]
    """Secrets of the other app, which do not come along: set them before you deploy."""


class StageEvent(_Frozen):
    """One line of the answer to a deploy, rollback, start, restart or change of the environment.

    A stage is sent when it is over. `seconds` is how long it took; of `live`, `failed` and `saved`, one of
    which comes last, how long all of it took.
    """

    stage: Stage
    seconds: float
    url: str | None = None
    version: int | None = None
    unchanged: bool = False
    db_branch: str | None = None
    """Of `live`: the branch of the database that it works on; None: the data themselves."""
    failed_stage: Stage | None = None
    diagnostics: list[Diagnostic] = Field(default_factory=list)


class ValidateRequest(_Frozen):
    """A bundle to look at, without running or storing it."""

    bundle: Bundle
    origins: Origins = Field(default_factory=dict)
    interpreter: Line | None = None


class ValidateResult(_Frozen):
    """What validation found; `entrypoint` is None where there is an error."""

    ok: bool
    entrypoint: str | None
    diagnostics: list[Diagnostic]


class InstanceView(_Frozen):
    """A process that serves a version."""

    pid: int
    version: int
    state: str
    """`starting`, `serving` or `draining`."""
    started_at: datetime


class AppView(_Frozen):
    """An app as its owner sees it."""

    id: str
    title: str
    """What people call it; its id where nobody said."""
    url: str | None
    state: State
    target: Target
    status: Status
    reason: str | None
    """Why the state is what it is, where that needs words (a crash loop's last line, say)."""
    version: int | None
    """The version that is live, or None."""
    code_hash: str | None
    """Of the live version."""
    db_branch: str | None = None
    """The branch of the database that the live version works on; None: the data themselves."""
    code_state: CodeState
    """Whether what is live is the latest code the platform knows."""
    draft: DraftInfo | None = None
    """The saved draft, where there is one."""
    port: int | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    restorable_until: datetime | None = None
    """Of a deleted app: until when it can be restored."""
    sleep_after_seconds: float | None = None
    """How long without a request until it sleeps; None where it never does."""
    record_bodies: bool = False
    workers: int = 1
    """How many processes are to serve it side by side; `instances` has those that do."""
    last_request_at: datetime | None = None
    health: Health | None = None
    instances: list[InstanceView] = Field(default_factory=list)
    diagnostics: list[Diagnostic] = Field(default_factory=list)
    """Of the last failure, with its traceback."""


class VersionView(_Frozen):
    """A version: what was deployed, when, by whom."""

    number: int
    code_hash: str
    state: str
    """`live`, `superseded`, `failed` or `pending`."""
    created_at: datetime
    created_by: str
    message: str
    env_names: list[str]
    """Every variable and secret it was released with."""
    size_bytes: int
    files: list[str]
    rollback_of: int | None = None
    db_branch: str | None = None
    """The branch of the database that it works on, or did; None: the data themselves."""


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogLine(_Frozen):
    """One line of an app's output."""

    time: datetime
    version: int
    pid: int
    text: str
    level: LogLevel | None = None
    """Where the text tells it."""
    position: str | None = None
    """Where it ends in the log: what following goes on after."""


class MongoView(_Frozen):
    """The MongoDB server behind the platform; `pid` is None where it is not ours."""

    pid: int | None
    address: str


class ServiceView(_Frozen):
    """The platform service itself."""

    pid: int
    version: str
    socket: str
    home: str
    python: str
    started_at: datetime
    mongo: MongoView


class ErrorBody(_Frozen):
    """The body of every error answer."""

    message: str
    code: str
    details: dict[str, object] = Field(default_factory=dict)
    request_id: str | None = None
