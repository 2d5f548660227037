"""Versions and deployments: what was released, and each attempt to bring it live."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.bundle import Origins
from gofastapi_ext.core.diagnostics import Diagnostic
from gofastapi_ext.core.lifecycle import Outcome, Stage
from gofastapi_ext.core.stats import DeployFigures
from gofastapi_ext.platform.store.database import Database, Document, expire_after, patiently

_FIGURES = {"_id": 0, "outcome": 1, "seconds": 1, "client_seconds": 1, "was_refused": 1, "stages": 1}

VersionState = Literal["pending", "released", "failed"]
"""`released` once it has been live; which one is live now, the app's own document says."""


class VersionRecord(BaseModel):
    """A version as it is stored. Everything but `state` never changes."""

    model_config = ConfigDict(frozen=True)

    app: str
    number: int
    code_hash: str
    entrypoint: str
    env: dict[str, str] = Field(default_factory=dict)
    """Its own variables; those of the app are beside it."""
    env_names: list[str] = Field(default_factory=list)
    """Every variable in force when it was released."""
    origins: Origins = Field(default_factory=dict)
    interpreter: str | None = None
    state: VersionState = "pending"
    created_at: datetime
    created_by: str
    message: str = ""
    size_bytes: int
    files: list[str]
    rollback_of: int | None = None
    db_branch: str | None = None
    """The branch of its owner's database that it works on; None: the data themselves."""


class Kind(StrEnum):
    """What an attempt was made for."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    START = "start"
    RESTART = "restart"
    ENVIRONMENT = "environment"
    RESTORE = "restore"
    DATABASE = "database"  # where its data is, or the credentials for it, changed


class DeploymentRecord(BaseModel):
    """One attempt: its stages with their seconds, what was found, how it ended."""

    model_config = ConfigDict(frozen=True)

    id: str
    app: str
    kind: Kind = Kind.DEPLOY
    by: str
    version: int | None = None
    started_at: datetime
    seconds: float | None = None
    outcome: Outcome = Outcome.RUNNING
    client_seconds: float = 0.0
    """From the person's command until its request came."""
    stages: dict[Stage, float] = Field(default_factory=dict)
    failed_stage: Stage | None = None
    was_refused: bool = False
    """It failed because of what was sent, before anything was stored or started."""
    diagnostics: list[Diagnostic] = Field(default_factory=list)


class VersionStore:
    """The collections of versions and deployments. The latter are kept for some days."""

    def __init__(self, database: Database, deployments_kept_seconds: float = 30 * 86_400) -> None:
        self._database = database
        self._versions = database["versions"]
        self._deployments = database["deployments"]
        self._deployments_kept_seconds = deployments_kept_seconds

    async def prepare(self) -> None:
        """Make the indexes, and end what a crash left open."""
        await self._versions.create_index([("app", 1), ("number", -1)], unique=True)
        await self._versions.create_index("code_hash")
        await self._deployments.create_index([("app", 1), ("started_at", -1)])
        await expire_after(self._database, "deployments", "started_at", self._deployments_kept_seconds)
        await self._note_interrupted()
        await self._versions.update_many({"state": "pending"}, {"$set": {"state": "failed"}})

    async def add(self, version: VersionRecord) -> None:
        # Environment names may hold dots and dollars no longer than a document key may: stored as pairs.
        document = version.model_dump(mode="python") | {
            "_id": f"{version.app}:{version.number}",
            "env": [[name, value] for name, value in version.env.items()],
            "origins": [[path, [part.model_dump() for part in parts]] for path, parts in version.origins.items()],
        }
        query = {"_id": document["_id"]}
        await patiently(lambda: self._versions.replace_one(query, document, upsert=True))

    async def get(self, app_id: str, number: int) -> VersionRecord | None:
        document = await patiently(lambda: self._versions.find_one({"_id": f"{app_id}:{number}"}))
        return _version(document) if document else None

    async def of_app(self, app_id: str) -> list[VersionRecord]:
        """Newest first."""
        documents = await patiently(lambda: self._versions.find({"app": app_id}).sort("number", -1).to_list())
        return [_version(document) for document in documents]

    async def numbers(self, app_id: str | None = None) -> dict[str, frozenset[int]]:
        """The numbers of the versions that are stored, of one app or of every app."""
        query = {} if app_id is None else {"app": app_id}
        fields = {"_id": 0, "app": 1, "number": 1}
        found: dict[str, set[int]] = {}
        for each in await patiently(lambda: self._versions.find(query, fields).to_list()):
            found.setdefault(each["app"], set()).add(each["number"])
        return {app: frozenset(numbers) for app, numbers in found.items()}

    async def set_state(self, app_id: str, number: int, state: VersionState) -> None:
        query = {"_id": f"{app_id}:{number}"}
        await patiently(lambda: self._versions.update_one(query, {"$set": {"state": state}}))

    async def prune(self, app_id: str, keep: int, live: int | None) -> list[VersionRecord]:
        """Forget the versions that are not `kept`; return them."""
        versions = await self.of_app(app_id)
        stay = kept(versions, keep, live)
        old = [version for version in versions if version not in stay]
        if old:
            query = {"app": app_id, "number": {"$in": [version.number for version in old]}}
            await patiently(lambda: self._versions.delete_many(query))
        return old

    async def remove_app(self, app_id: str) -> list[VersionRecord]:
        """Forget every version and deployment of an app; return its versions."""
        versions = await self.of_app(app_id)
        await patiently(lambda: self._versions.delete_many({"app": app_id}))
        await patiently(lambda: self._deployments.delete_many({"app": app_id}))
        return versions

    async def bundles(self) -> set[str]:
        """The code hash of every version of every app."""
        return set(await patiently(lambda: self._versions.distinct("code_hash")))

    async def uses_bundle(self, code_hash: str) -> bool:
        return await patiently(lambda: self._versions.find_one({"code_hash": code_hash}, {"_id": 1})) is not None

    async def save_deployment(self, deployment: DeploymentRecord) -> None:
        document = deployment.model_dump(mode="json", exclude={"id"}) | {
            "_id": deployment.id,
            "started_at": deployment.started_at,
        }
        query = {"_id": deployment.id}
        await patiently(lambda: self._deployments.replace_one(query, document, upsert=True))

    async def deploys(self, app_ids: list[str], since: datetime, limit: int = 10_000) -> list[DeployFigures]:
        """The figures of the deploys of these apps since then, the latest first; no rollbacks, starts and the like."""
        query = {"app": {"$in": app_ids}, "started_at": {"$gte": since}, "kind": Kind.DEPLOY}
        found = self._deployments.find(query, _FIGURES).sort("started_at", -1).limit(limit)
        return [_figures(document) for document in await patiently(found.to_list)]

    async def deployments(self, app_id: str, limit: int) -> list[DeploymentRecord]:
        """Of one app, the latest first."""
        found = self._deployments.find({"app": app_id}).sort("started_at", -1).limit(limit)
        return [_deployment(document) for document in await patiently(found.to_list)]

    async def _note_interrupted(self) -> None:
        """A version that is pending, and has no attempt beside it, was released in one that a crash cut short."""
        for version in await self._versions.find({"state": "pending"}).to_list():
            attempt = {"app": version["app"], "version": version["number"]}
            if await self._deployments.find_one(attempt, {"_id": 1}) is None:
                kind = Kind.DEPLOY if version.get("rollback_of") is None else Kind.ROLLBACK
                record = DeploymentRecord(
                    id=f"{version['_id']}:interrupted",
                    **attempt,
                    kind=kind,
                    by=version["created_by"],
                    started_at=version["created_at"],
                    outcome=Outcome.INTERRUPTED,
                )
                await self.save_deployment(record)


def _deployment(document: Document) -> DeploymentRecord:
    return DeploymentRecord.model_validate({**document, "id": document["_id"]})


def _figures(document: Document) -> DeployFigures:
    return DeployFigures(
        outcome=Outcome(document["outcome"]),
        from_cell_seconds=(document.get("seconds") or 0.0) + document.get("client_seconds", 0.0),
        was_refused=document.get("was_refused", False),
        stages={Stage(stage): seconds for stage, seconds in document["stages"].items()},
    )


def kept(versions: list[VersionRecord], keep: int, live: int | None) -> list[VersionRecord]:
    """Of versions, newest first, those that stay: the newest `keep`, the newest `keep` that have been live, and
    the live one. So failed attempts, however many, push nothing out that one may want to go back to.
    """
    # That it was released is noted of the live one a moment after it is live.
    released = [version for version in versions if version.state == "released" or version.number == live][:keep]
    numbers = {version.number for version in [*versions[:keep], *released]} | {live}
    return [version for version in versions if version.number in numbers]


def new_version_time() -> datetime:
    """Now, in the precision MongoDB keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _version(document: Document) -> VersionRecord:
    pairs = {"env": dict(document["env"]), "origins": dict(document["origins"])}
    return VersionRecord.model_validate({**document, **pairs})
