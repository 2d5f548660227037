"""The client: one method per thing the API can do, typed both ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any
from urllib.parse import quote

from pydantic import TypeAdapter

from gofastapi_ext.client.backups import BackupCalls
from gofastapi_ext.client.database import DatabaseCalls
from gofastapi_ext.client.discovery import ensure_running
from gofastapi_ext.client.documents import DocumentCalls
from gofastapi_ext.client.observation import Observation
from gofastapi_ext.client.places import Places, find_places
from gofastapi_ext.client.transport import WENT_AWAY
from gofastapi_ext.core.bundle import check_path
from gofastapi_ext.core.drafts import DraftConversion, DraftFileSave, DraftFileView, DraftMove, DraftSave, DraftView
from gofastapi_ext.core.errors import ServiceUnreachableError
from gofastapi_ext.core.history import TreeDiff, VersionContent
from gofastapi_ext.core.lifecycle import LAST_STAGES
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.models import (
    AppChange,
    AppView,
    CloneRequest,
    CloneResult,
    DeployRequest,
    Me,
    ServiceView,
    StageEvent,
    ValidateRequest,
    ValidateResult,
    VersionView,
)
from gofastapi_ext.core.variables import EnvChange, EnvView, KeyRotation

_APPS = TypeAdapter(list[AppView])
_VERSIONS = TypeAdapter(list[VersionView])


class Client(Observation, DatabaseCalls, DocumentCalls, BackupCalls):
    """Speaks to the platform service of this user. Every method raises a `GoFastAPIError`."""

    def me(self) -> Me:
        return self._ask("GET", "/api/me", Me)

    def service(self) -> ServiceView:
        return self._ask("GET", "/api/service", ServiceView)

    def limits(self) -> Limits:
        return self._ask("GET", "/api/limits", Limits)

    def apps(self, *, deleted: bool = False) -> list[AppView]:
        """Your apps, by name; with `deleted`, those instead that can still be restored."""
        params = {"deleted": "true"} if deleted else {}
        return _APPS.validate_json(self._request("GET", "/api/apps", params=params).content)

    def app(self, app_id: str) -> AppView:
        return self._ask("GET", f"/api/apps/{app_id}", AppView)

    def change(self, app_id: str, change: AppChange) -> AppView:
        return self._ask("PATCH", f"/api/apps/{app_id}", AppView, content=change.model_dump_json())

    def delete(self, app_id: str, *, forever: bool = False) -> AppView:
        """Take an app away; for some days it can be restored, but not where it is `forever`."""
        params = {"confirm": app_id, "forever": "true" if forever else "false"}
        return self._ask("DELETE", f"/api/apps/{app_id}", AppView, params=params)

    def restore(self, app_id: str) -> Iterator[StageEvent]:
        """Bring a deleted app back as it was; yields stages as `deploy` does."""
        yield from self._stages("POST", f"/api/apps/{app_id}/restore")

    def sleep(self, app_id: str) -> AppView:
        """Put an app to sleep now. Raises `ConflictError` where requests are open."""
        return self._ask("POST", f"/api/apps/{app_id}/sleep", AppView)

    def start(self, app_id: str) -> Iterator[StageEvent]:
        """Start a stopped app; yields stages as `deploy` does."""
        yield from self._stages("POST", f"/api/apps/{app_id}/start")

    def restart(self, app_id: str) -> Iterator[StageEvent]:
        """A new instance of the live version takes over from the old one; yields stages as `deploy` does."""
        yield from self._stages("POST", f"/api/apps/{app_id}/restart")

    def stop(self, app_id: str) -> AppView:
        """End an app's processes. Its address, versions, variables and files stay."""
        return self._ask("POST", f"/api/apps/{app_id}/stop", AppView)

    def clone(self, app_id: str, request: CloneRequest) -> CloneResult:
        return self._ask("POST", f"/api/apps/{app_id}/clone", CloneResult, content=request.model_dump_json())

    def validate(self, request: ValidateRequest) -> ValidateResult:
        response = self._request("POST", "/api/validate", content=request.model_dump_json())
        return ValidateResult.model_validate_json(response.content)

    def deploy(self, app_id: str, request: DeployRequest) -> Iterator[StageEvent]:
        """Deploy, and yield each stage as it ends; the last is `live` or `failed`."""
        body = request.model_dump_json(exclude_defaults=True)
        yield from self._stages("POST", f"/api/apps/{app_id}/deploy", content=body)

    def versions(self, app_id: str) -> list[VersionView]:
        """Newest first."""
        return _VERSIONS.validate_json(self._request("GET", f"/api/apps/{app_id}/versions").content)

    def rollback(self, app_id: str, number: int) -> Iterator[StageEvent]:
        """Make a new version out of an old one; yields stages as `deploy` does."""
        yield from self._stages("POST", f"/api/apps/{app_id}/rollback/{number}")

    def version(self, app_id: str, number: int) -> VersionContent:
        """A version with its files."""
        return self._ask("GET", f"/api/apps/{app_id}/versions/{number}", VersionContent)

    def diff(self, app_id: str, number: int, against: str = "draft") -> TreeDiff:
        """What changed from a version to another, given by its number, or to the `draft` or what is `live`."""
        return self._ask("GET", f"/api/apps/{app_id}/versions/{number}/diff", TreeDiff, params={"against": against})

    def draft(self, app_id: str) -> DraftView:
        """The latest code: the saved draft, or what is live where there is none. Raises `NotFoundError`."""
        return self._ask("GET", f"/api/apps/{app_id}/draft", DraftView)

    def save_draft(self, app_id: str, save: DraftSave, etag: str | None = None) -> DraftView:
        """Save a whole draft; a new app is made where there is none of this name.

        `etag` is the one that was read; None where there is no draft yet; `*` overwrites whatever is there.
        Raises `DraftConflictError` with both sides where the draft is another one meanwhile.
        """
        body = save.model_dump_json(exclude_defaults=True)
        return self._ask("PUT", f"/api/apps/{app_id}/draft", DraftView, content=body, headers=_if_match(etag))

    def discard_draft(self, app_id: str, etag: str) -> None:
        """Forget a draft: the latest code is what is live again."""
        self._request("DELETE", f"/api/apps/{app_id}/draft", headers=_if_match(etag))

    def draft_file(self, app_id: str, path: str) -> DraftFileView:
        return self._ask("GET", _file(app_id, path), DraftFileView)

    def save_draft_file(self, app_id: str, path: str, save: DraftFileSave, etag: str | None = None) -> DraftFileView:
        """Save one file of a draft; `etag` is the file's own, as in `save_draft`."""
        body = save.model_dump_json(exclude_defaults=True)
        return self._ask("PUT", _file(app_id, path), DraftFileView, content=body, headers=_if_match(etag))

    def delete_draft_file(self, app_id: str, path: str, etag: str) -> None:
        self._request("DELETE", _file(app_id, path), headers=_if_match(etag))

    def move_draft_file(self, app_id: str, move: DraftMove) -> DraftView:
        """Rename a file or folder of a draft. Raises `ConflictError` where the target is there already."""
        return self._ask("POST", f"/api/apps/{app_id}/draft/move", DraftView, content=move.model_dump_json())

    def convert_draft(self, app_id: str, etag: str) -> DraftConversion:
        """Make several files out of a single-file app, as its draft; `etag` is the one that was read.

        Raises `InvalidRequestError` where nothing is to be gained; nothing is changed then.
        """
        return self._ask("POST", f"/api/apps/{app_id}/draft/convert", DraftConversion, headers=_if_match(etag))

    def env(self, app_id: str) -> EnvView:
        return self._ask("GET", f"/api/apps/{app_id}/env", EnvView)

    def change_env(self, app_id: str, change: EnvChange) -> Iterator[StageEvent]:
        """Set and take away variables and secrets, as one change.

        Yields stages as `deploy` does: a running app is restarted with them, and where it does not come up, it
        goes on as it was and nothing is changed. Where it does not run the only event is `saved`.
        """
        yield from self._stages("PUT", f"/api/apps/{app_id}/env", content=change.model_dump_json())

    def rotate_key(self) -> KeyRotation:
        """Encrypt every secret with a new key."""
        return self._ask("POST", "/api/admin/keys/rotate", KeyRotation)

    def has_blob(self, sha256: str) -> bool:
        """Whether large content is stored already."""
        return self._exists(f"/api/blobs/{sha256}")

    def put_blob(self, sha256: str, content: Iterable[bytes]) -> None:
        """Store large content under its hash, for a bundle to name."""
        headers = {"Content-Type": "application/octet-stream"}
        self._request("PUT", f"/api/blobs/{sha256}", content=content, headers=headers)

    def get_blob(self, app_id: str, sha256: str) -> bytes:
        """Large content that a version or the draft of an app names."""
        return self._request("GET", f"/api/apps/{app_id}/blobs/{sha256}").content

    def export(self, app_id: str, target: IO[bytes], version: str | None = None) -> None:
        """Write a zip of a project that runs without us: of what is `live`, the `draft`, or a version's number.

        By default what is live, or the draft where nothing is.
        """
        params = {"version": version} if version is not None else {}
        self._download(f"/api/apps/{app_id}/export", target, params=params)

    def _stages(self, method: str, path: str, **kwargs: Any) -> Iterator[StageEvent]:
        """The events; raises where the service was stopped before the last one."""
        last = None
        for event in self._stream(method, path, StageEvent, **kwargs):
            last = event
            yield event
        if last is None or last.stage not in LAST_STAGES:
            raise ServiceUnreachableError(WENT_AWAY)


def _if_match(etag: str | None) -> dict[str, str]:
    if etag is None:
        return {"If-None-Match": "*"}
    return {"If-Match": "*" if etag == "*" else f'"{etag}"'}


def _file(app_id: str, path: str) -> str:
    return f"/api/apps/{app_id}/draft/files/{quote(check_path(path))}"


def connect(places: Places | None = None, *, start: bool = True, check_version: bool = True) -> Client:
    """A client of this user's service, which is started first where it does not run and `start` is true."""
    places = places or find_places()
    if start:
        ensure_running(places)
    return Client(places, check_version=check_version)
